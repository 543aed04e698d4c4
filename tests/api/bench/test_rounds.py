"""Published timetables become promises and rounds; replans are judged by those promises."""

import math
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.bench.limits import limits_of
from api.bench.published import Published, open_bench_roads, read_published, travel_between
from api.bench.replan import CLOCK_TOLERANCE_S, Plan, Replan, best_depot
from api.bench.rounds import Listing, Timetable, recurrence_of, timetable_of
from data.model.errors import InputError
from data.model.travel import TravelMatrix

TINY = Path(__file__).resolve().parents[2] / "instances" / "tiny-rounds.csv"
SHARED = Path(__file__).resolve().parents[3] / ".." / "shared" / "data" / "uk-mobile-libraries"
MONDAY = date(2024, 1, 1)


def listing(
    name: str,
    clock: str,
    *,
    frequency: str = "FREQ=WEEKLY;INTERVAL=2",
    start: date = MONDAY,
    route: str = "A",
    lon: float = -0.7287,
) -> Listing:
    """A stop near Oakham that is open for half an hour from a clock time."""
    hours, minutes = clock.split(":")
    arrival_s = int(hours) * 3600 + int(minutes) * 60
    return Listing(
        mobile="Van",
        route=route,
        name=name,
        lon=lon,
        lat=52.6705,
        arrival_s=arrival_s,
        departure_s=arrival_s + 1800,
        frequency=frequency,
        start_date=start,
    )


def replan_of(timetable: Timetable, minutes: int, depot: int | None = None) -> Replan:
    """Every place is some minutes (and as many kilometres) from every other."""
    positions = list(dict.fromkeys((p.lon, p.lat) for p in timetable.promises))
    n = len(positions)
    apart = np.full((n, n), 60 * minutes, np.int32)
    np.fill_diagonal(apart, 0)
    travel = TravelMatrix(
        point_ids=tuple(str(i) for i in range(n)),
        travel_s=apart,
        travel_m=(apart // 60 * 1000).astype(np.int32),
        source="test",
        is_estimated=True,
    )
    place = [positions.index((p.lon, p.lat)) for p in timetable.promises]
    return Replan.of(timetable, travel, place, depot)


def codes(replan: Replan, plan: Plan, clock_s: float = math.nan) -> list[str]:
    nominal = [clock_s] * len(replan.timetable.promises)
    return [v.code for v in replan.violations(plan, nominal)]


@pytest.mark.parametrize(
    ("rule", "start", "weeks", "days"),
    [
        ("FREQ=WEEKLY;INTERVAL=1", date(2024, 1, 3), 1, {2}),
        ("FREQ=WEEKLY;INTERVAL=2", date(2001, 1, 1), 2, {0}),
        ("FREQ=WEEKLY;INTERVAL=2", date(2001, 1, 9), 2, {8}),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH", date(2001, 1, 8), 2, {7, 10}),
        ("FREQ=MONTHLY;BYDAY=2TU", date(2024, 1, 9), 4, {8}),
        ("FREQ=MONTHLY;BYDAY=1FR,3FR", date(2024, 1, 5), 4, {4, 18}),
        ("FREQ=MONTHLY;BYDAY=5MO", date(2024, 1, 29), 4, {21}),
        ("FREQ=MONTHLY;BYDAY=-1MO", date(2024, 1, 29), 4, {21}),
    ],
)
def test_recurrences(rule: str, start: date, weeks: int, days: set[int]) -> None:
    """Weekly rules keep the phase of their start; the nth weekday is that of the nth week."""
    found = recurrence_of(rule, start)
    assert (found.interval_weeks, found.days) == (weeks, frozenset(days))


@pytest.mark.parametrize("rule", ["", "FREQ=DAILY", "FREQ=MONTHLY", "FREQ=WEEKLY;INTERVAL=0"])
def test_other_recurrences_are_refused(rule: str) -> None:
    """A rule of another kind is not guessed at."""
    with pytest.raises(ValueError, match=r".*"):
        recurrence_of(rule, MONDAY)


@given(interval=st.integers(1, 6), turns=st.integers(1, 4), offset=st.integers(0, 400))
def test_a_longer_cycle_repeats_the_recurrence(interval: int, turns: int, offset: int) -> None:
    """In a cycle of so many intervals a weekly rule has so many visits, evenly apart."""
    start = date.fromordinal(MONDAY.toordinal() + offset)
    rule = recurrence_of(f"FREQ=WEEKLY;INTERVAL={interval}", start)
    days = sorted(rule.in_cycle(interval * turns))
    assert len(days) == turns
    assert {b - a for a, b in pairwise(days)} <= {7 * interval}


def test_frequencies_meet_in_one_cycle() -> None:
    """Every two and every three weeks repeat after six: three and two visits."""
    rows = [listing("a", "09:30"), listing("b", "11:00", frequency="FREQ=WEEKLY;INTERVAL=3")]
    timetable = timetable_of("X", rows)
    assert timetable.cycle_weeks == 6
    assert [len(p.days) for p in timetable.promises] == [3, 2]
    assert timetable.num_visits == 5


def test_a_stop_listed_twice_a_day_is_two_visits() -> None:
    """Morning and afternoon at one stop are two promises; two weeks of one stop are one."""
    later = date(2024, 1, 8)
    twice = timetable_of("X", [listing("school", "09:30"), listing("school", "14:00")])
    assert [len(p.days) for p in twice.promises] == [1, 1]
    weekly = timetable_of("X", [listing("a", "09:30"), listing("a", "09:30", start=later)])
    assert [len(p.days) for p in weekly.promises] == [2]
    assert weekly.promises[0].clock_s == 9.5 * 3600
    moved = timetable_of("X", [listing("a", "09:30"), listing("a", "15:00", start=later)])
    assert moved.promises[0].clock_s is None


def test_routes_at_one_time_are_rounds_of_their_own() -> None:
    """Two routes of one vehicle at the same hour cannot be one round, and that is counted."""
    rows = [listing("a", "09:30"), listing("b", "09:45", route="B", lon=-0.70)]
    timetable = timetable_of("X", rows)
    assert (len(timetable.rounds), timetable.num_split) == (2, 1)
    one = timetable_of("X", [rows[0], listing("b", "10:30", route="B")])
    assert (len(one.rounds), one.num_split) == (1, 0)


def test_the_published_rounds_keep_their_own_promises() -> None:
    """What is published passes, and its driving is the sum of its legs."""
    rows = [listing("a", "09:30"), listing("b", "10:30", lon=-0.70), listing("c", "12:00")]
    replan = replan_of(timetable_of("X", rows), minutes=20)
    assert replan.num_widened == 0
    assert codes(replan, replan.published) == []
    assert replan.driven(replan.published) == (2400.0, 40_000.0)
    with_depot = replan_of(replan.timetable, minutes=20, depot=1)
    assert with_depot.driven(with_depot.published) == (4800.0, 80_000.0)
    assert codes(with_depot, with_depot.published) == []


def test_broken_promises_are_named() -> None:
    """A stop left out, moved alone or put on too full a day is a violation."""
    later = date(2024, 1, 8)
    rows = [
        listing("a", "09:30"),
        listing("a", "09:30", start=later),
        listing("b", "10:30", lon=-0.70),
    ]
    replan = replan_of(timetable_of("X", rows), minutes=20)
    a, b = 0, 1
    clock_s = 9.5 * 3600
    assert codes(replan, {0: [a, b], 1: [a]}, clock_s) == []
    assert codes(replan, {0: [a], 1: [a]}, clock_s) == ["bench.broken_promise"]
    assert codes(replan, {0: [a, b]}, clock_s) == ["bench.broken_promise"]
    assert codes(replan, {0: [a], 1: [a, b]}, clock_s) == ["bench.over_span"]
    assert codes(replan, {0: [b, a], 1: [a]}, clock_s) == ["bench.clock_missed"]
    assert codes(replan, {0: [a, b], 1: [a], 7: []}, clock_s) == ["bench.unknown_round"]
    assert codes(replan, {0: [a, b], 1: [a]}) == ["bench.clock_missed"] * 2


def test_a_round_too_long_for_its_day_gets_what_it_needs() -> None:
    """Half an hour of gap and an hour of road: the day grows by half an hour, and that is told."""
    rows = [listing("a", "09:30"), listing("b", "10:30", lon=-0.70)]
    replan = replan_of(timetable_of("X", rows), minutes=60)
    assert replan.num_widened == 1
    assert replan.spans[0].end_s == 11.5 * 3600
    assert codes(replan, replan.published) == []


def test_the_midday_pause_stays() -> None:
    """Seventy minutes between two stops ten minutes apart leave a pause that no stop may fill."""
    rows = [
        listing("a", "11:30"),
        listing("b", "13:10", lon=-0.70),
        listing("c", "09:30", start=date(2024, 1, 8), lon=-0.69),
    ]
    replan = replan_of(timetable_of("X", rows), minutes=10)
    (span,) = [s for s in replan.spans if s.pause_s]
    assert span.pause_s == 3600
    assert codes(replan, replan.published) == []
    assert "bench.over_span" in codes(replan, {0: [0, 1, 2]})


def test_a_crew_out_in_the_afternoon_alone_has_its_pause_at_home() -> None:
    """A round that needs only its last stop keeps the midday pause before it leaves."""
    rows = [
        listing("a", "10:00"),
        listing("b", "13:10", lon=-0.70),
        listing("c", "15:30", lon=-0.69),
        listing("c", "15:30", start=date(2024, 1, 8), lon=-0.69),
    ]
    replan = replan_of(timetable_of("X", rows), minutes=10)
    full = next(i for i, span in enumerate(replan.spans) if span.pause_s)
    assert codes(replan, {full: [2], 1 - full: [2]}, 15.5 * 3600) == ["bench.broken_promise"] * 2


def test_the_depot_favours_what_is_published() -> None:
    """The depot stands where all published rounds begin and end at the least drive."""
    published = read_published(TINY)
    with open_bench_roads(None, None, Path(), lambda _: None) as roads:
        travel, place = travel_between(published, roads, lambda _: None)
    timetable = published.timetable
    chosen = best_depot(timetable, travel, place)
    driven = [
        Replan.of(timetable, travel, place, depot).driven(
            Replan.of(timetable, travel, place, depot).published
        )[0]
        for depot in range(len(place))
    ]
    assert driven[chosen] == min(driven)


def test_rows_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    """A row without a position, with turned times or another rule is left out with its number."""
    lines = TINY.read_text(encoding="utf-8").splitlines()
    lines[1] = lines[1].replace("-0.7287", "")
    lines[2] = lines[2].replace("12:00", "10:00")
    lines[3] = lines[3].replace("FREQ=WEEKLY;INTERVAL=2", "FREQ=YEARLY")
    file = tmp_path / "stops.csv"
    file.write_text("\n".join(lines), encoding="utf-8")
    published = read_published(file)
    told = [(e.facts["row"], e.facts["column"]) for e in published.left_out]
    assert told == [(2, "geox"), (3, "departure"), (4, "frequency")]
    assert len(published.timetable.promises) == 1
    file.write_text("\n".join(lines[:4]), encoding="utf-8")
    with pytest.raises(InputError, match=r"bench\.no_rounds"):
        read_published(file)


def test_two_sources_of_travel_are_refused() -> None:
    """Legs and an extract at once leave open which one counts."""
    with (
        pytest.raises(InputError, match=r"bench\.two_sources"),
        open_bench_roads(Path("a"), Path("b"), Path(), lambda _: None),
    ):
        pass


def test_common_clock_time_allows_its_tolerance() -> None:
    """A visit may start at the edge of the tolerance around the common time, not past it."""
    rows = [listing("a", "09:30"), listing("a", "09:30", start=date(2024, 1, 8))]
    replan = replan_of(timetable_of("X", rows), minutes=1)
    start_s = 9.5 * 3600
    assert codes(replan, replan.published, start_s + CLOCK_TOLERANCE_S) == []
    assert codes(replan, replan.published, start_s - CLOCK_TOLERANCE_S - 1) == [
        "bench.clock_missed"
    ] * len(replan.published)


@pytest.mark.skipif(not SHARED.is_dir(), reason="published timetables are not here")
def test_real_timetables_are_read_whole() -> None:
    """Counts of real timetables: rows, weeks of the cycle, visits."""
    for name, weeks, visits, left_out in (
        ("angus", 2, 170, 0),
        ("essex", 3, 216, 0),
        ("librariesni", 2, 426, 1),
        ("norfolk", 4, 1269, 0),
    ):
        published = read_published(SHARED / "stops" / f"{name}.csv")
        timetable = published.timetable
        assert timetable.cycle_weeks == weeks
        assert (timetable.num_visits, len(published.left_out)) == (visits - left_out, left_out)
        assert sum(len(r.visits) for r in timetable.rounds) == timetable.num_visits


def test_limits_say_why_rounds_cannot_drive_less() -> None:
    """Both orders of two stops are equal, so the round is proved; one leg of 20 minutes is left."""
    rows = [listing("a", "09:30"), listing("b", "10:30", lon=-0.70)]
    limits = limits_of(replan_of(timetable_of("X", rows), minutes=20))
    assert limits.bound_s == 20 * 60
    assert (limits.num_proved, limits.num_rounds) == (1, 1)
    assert limits.fixed_ratio == 1
    assert limits.busy_ratio == pytest.approx(2 / 3)


def test_a_detour_is_not_proved_shortest() -> None:
    """West, east, middle drives back: neither its order nor the bound calls it the best."""
    rows = [
        listing("west", "09:30"),
        listing("east", "10:30", lon=-0.60),
        listing("middle", "11:30", lon=-0.66),
    ]
    with open_bench_roads(None, None, Path(), lambda _: None) as roads:
        published = Published(file=TINY, timetable=timetable_of("X", rows), left_out=())
        travel, place = travel_between(published, roads, lambda _: None)
    replan = Replan.of(published.timetable, travel, place, None)
    limits = limits_of(replan)
    assert limits.num_proved == 0
    assert limits.bound_s is not None
    assert limits.bound_s < replan.driven(replan.published)[0]
