"""What became of each planned visit, worked out by hand for a day of five stops."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from data.feeds.observed_csv import import_observed, write_observed
from data.model.observed import VisitStatus, observed_legs
from data.model.publication import lay
from data.model.telemetry import ObservedStop
from fleet.devices import TRACKER
from fleet.habits import recovery_ratio
from fleet.matching import MatchParams, Outcome, match
from fleet.planned import PlannedRun, planned_of_visits, runs_on
from fleet.records import NOT_SEEN, observed_visits
from fleet.tracking import follow
from tests.fleet.days import DAY, drive, places, plan, run_of, seen, world

RUN = run_of(0)
DEPOT = "chernyakhovsk"
MINUTE = timedelta(minutes=1)


def held(position: int, *, late_min: float = 0, short_min: float = 0) -> ObservedStop:
    """A planned visit as it was held, so much later and cut short by so much."""
    planned = RUN.stops[position]
    return stop(
        planned.stop_id,
        planned.arrival_at + late_min * MINUTE,
        planned.departure_at + late_min * MINUTE - short_min * MINUTE,
    )


def stop(place_id: str | None, arrived: datetime, departed: datetime | None) -> ObservedStop:
    place = next((p for p in places() if p.place_id == place_id), None)
    return ObservedStop(
        place_id=place_id,
        lon=21.6 if place is None else place.lon,
        lat=54.7 if place is None else place.lat,
        arrived_at=arrived,
        departed_at=departed,
        last_seen_at=departed or arrived + 5 * MINUTE,
    )


def start(late_min: float = 0) -> ObservedStop:
    assert RUN.depart_at is not None
    left = RUN.depart_at + late_min * MINUTE
    return stop(DEPOT, left - 60 * MINUTE, left)


def home(late_min: float = 0) -> ObservedStop:
    assert RUN.return_at is not None
    return stop(DEPOT, RUN.return_at + late_min * MINUTE, None)


def outcomes(run: PlannedRun, *stops: ObservedStop) -> list[str]:
    return [v.outcome.value for v in match(run, stops).visits]


def test_a_day_as_planned() -> None:
    """Every visit is kept, both ends of the day are known, nothing is unplanned."""
    day = match(RUN, [start(), *(held(k) for k in range(5)), home()])
    assert [v.outcome for v in day.visits] == [Outcome.KEPT] * 5
    assert (day.departed_at, day.returned_at) == (RUN.depart_at, RUN.return_at)
    assert day.unplanned == ()
    assert [v.arrival_dev_s for v in day.visits] == [0.0] * 5


def test_coming_early_and_waiting_is_kept() -> None:
    """Forty minutes early at the stop, leaving as planned: nobody lost anything."""
    planned = RUN.stops[0]
    early = stop(planned.stop_id, planned.arrival_at - 40 * MINUTE, planned.departure_at)
    (visit, *_) = match(RUN, [early]).visits
    assert (visit.outcome, visit.late_s, visit.short_s) == (Outcome.KEPT, 0.0, 0.0)
    assert visit.arrival_dev_s == -2400


@pytest.mark.parametrize(
    ("late_min", "short_min", "outcome"),
    [
        (9, 0, Outcome.KEPT),
        (25, 0, Outcome.LATE),
        (0, 12, Outcome.KEPT),
        (0, 25, Outcome.EARLY),
        (25, 50, Outcome.LATE),
    ],
)
def test_late_and_early(late_min: float, short_min: float, outcome: Outcome) -> None:
    """Ten minutes of tolerance; leaving before the doors were to close is early.

    The planned day has some minutes between arrival and opening, and five of packing up.
    """
    (visit, *_) = match(RUN, [held(0, late_min=late_min, short_min=short_min)]).visits
    assert visit.outcome is outcome


def test_a_skipped_stop_and_an_unplanned_one() -> None:
    """The third stop was never reached; a quarter of an hour in a village was not planned."""
    third = RUN.stops[2]
    elsewhere = stop("s10", third.start_at, third.start_at + 15 * MINUTE)
    day = match(RUN, [start(), held(0), held(1), elsewhere, held(3), held(4), home()])
    assert [v.outcome.value for v in day.visits] == ["kept", "kept", "skipped", "kept", "kept"]
    (unplanned,) = day.unplanned
    assert unplanned.outcome is Outcome.UNPLANNED
    assert unplanned.observed == elsewhere


def test_two_stops_that_changed_places() -> None:
    """The last two in the other order: one of them is out of order, the others are not."""
    a, b = RUN.stops[3], RUN.stops[4]
    first = stop(b.stop_id, a.arrival_at, a.departure_at)
    then = stop(a.stop_id, b.arrival_at, b.departure_at)
    day = match(RUN, [start(), held(0), held(1), held(2), first, then, home()])
    assert sum(v.is_out_of_order for v in day.visits) == 1
    assert {v.planned.position for v in day.visits if v.planned and v.is_out_of_order} <= {3, 4}
    assert day.visits[3].outcome is Outcome.LATE
    assert day.visits[4].outcome is Outcome.EARLY


def test_a_halt_at_the_stop_before_its_time_is_not_the_visit() -> None:
    """Four minutes at the place in the morning, the hour in the afternoon: the hour is meant."""
    planned = RUN.stops[2]
    halt = stop(
        planned.stop_id, RUN.stops[0].arrival_at - 9 * MINUTE, RUN.stops[0].arrival_at - 5 * MINUTE
    )
    day = match(RUN, [start(), halt, held(0), held(1), held(2)])
    assert day.visits[2].observed == held(2)
    assert [u.observed for u in day.unplanned] == [halt]


def test_a_visit_at_the_same_place_of_another_name() -> None:
    """A stop seen at no known place, 250 m from the planned one, is the planned visit."""
    planned = RUN.stops[0]
    beside = replace(
        stop(None, planned.arrival_at, planned.departure_at),
        lon=planned.lon,
        lat=planned.lat + 250 / 111_195,
    )
    assert match(RUN, [beside]).visits[0].outcome is Outcome.KEPT
    far = replace(beside, lat=planned.lat + 350 / 111_195)
    assert match(RUN, [far]).visits[0].outcome is Outcome.SKIPPED


def test_a_day_that_is_not_over() -> None:
    """What may still come is pending; what was passed over is skipped once its time is past."""
    now = RUN.stops[2].arrival_at
    day = match(RUN, [start(), held(0), held(1)], now=now)
    assert [v.outcome.value for v in day.visits] == ["kept", "kept", *["pending"] * 3]
    assert day.last_done == 1
    third = RUN.stops[2]
    going_on = stop(third.stop_id, third.arrival_at, None)
    day = match(RUN, [start(), held(0), held(1), going_on], now=now)
    assert day.here is not None
    assert day.here.planned == third
    passed = match(RUN, [start(), held(1)], now=RUN.stops[0].end_at - MINUTE)
    assert passed.visits[0].outcome is Outcome.PENDING
    passed = match(RUN, [start(), held(1)], now=RUN.stops[0].end_at + MINUTE)
    assert passed.visits[0].outcome is Outcome.SKIPPED
    # Late by hours, but nothing later was visited: it may still come.
    late = match(RUN, [start()], now=RUN.stops[1].end_at)
    assert {v.outcome for v in late.visits} == {Outcome.PENDING}


def test_reloading_at_the_depot_is_not_the_end() -> None:
    """Back at the depot at noon with stops to come: they are pending, not skipped."""
    between = RUN.stops[1].departure_at
    reload = stop(DEPOT, between + 20 * MINUTE, None)
    day = match(RUN, [start(), held(0), held(1), reload], now=between + 25 * MINUTE)
    assert [v.outcome.value for v in day.visits[2:]] == ["pending"] * 3


def test_records_of_a_day() -> None:
    """Depots, held and skipped visits, a breakdown by its position: the planner's own records."""
    broken = stop(None, RUN.stops[0].departure_at + 5 * MINUTE, RUN.stops[1].arrival_at)
    stops = [start(3), held(0), broken, held(1, late_min=20), held(3), held(4), home()]
    records = observed_visits(match(RUN, stops))
    ids = [r.place_id for r in records]
    assert ids == [DEPOT, "s4", "@21.6000,54.7000", "s2", "s5", "s9", DEPOT, "s6"]
    assert records[0].departure_s == 8 * 3600 + 20 * 60 + 180
    assert records[-1].status is VisitStatus.CANCELLED
    assert records[-1].reason == NOT_SEEN
    assert records[1].planned_open_s == plan().runs[0].visits[0].start_s
    legs = observed_legs(records)
    assert (legs[0].origin_id, legs[0].target_id) == (DEPOT, "s4")
    # The drive that broke down is no sample of a drive between stops.
    assert ("s4", "s2") not in {(leg.origin_id, leg.target_id) for leg in legs}


def test_records_survive_the_table(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """A simulated day goes through the file that ``bookmobile learn`` reads."""
    day = drive(0, seed=2)
    matched = match(day.run, follow(seen(day, TRACKER, seed=2), places()).stops)
    records = observed_visits(matched)
    write_observed(tmp_path / "day.csv", records)
    again, report = import_observed(tmp_path / "day.csv")
    assert not report.problems
    assert again == tuple(replace(r, reason=r.reason) for r in records)


def test_recovery_is_learned() -> None:
    """Crews that take 60 % of a delay out of the stay are recognised; on time nothing is said."""
    assert recovery_ratio([match(RUN, [held(k) for k in range(5)])]) is None
    late = 30 * MINUTE
    stops = []
    for planned in RUN.stops:
        setup = timedelta(seconds=planned.setup_s)
        whole_s = planned.setup_s + planned.open_s + planned.meal_s + planned.teardown_s
        arrived = planned.start_at - setup + late
        stops.append(
            stop(planned.stop_id, arrived, arrived + timedelta(seconds=whole_s) - 0.6 * late)
        )
    assert recovery_ratio([match(RUN, stops)]) is None  # Five are too few to say.
    assert recovery_ratio([match(RUN, stops), match(RUN, stops)]) == pytest.approx(0.6)


def test_runs_of_a_date() -> None:
    """The plan's runs repeat every two weeks; a date between has none."""
    assert [r.vehicle_id for r in runs_on(world(), plan(), DAY)] == ["kibo-1", "kibo-2"]
    assert len(runs_on(world(), plan(), DAY + timedelta(days=14))) == 2
    assert runs_on(world(), plan(), DAY + timedelta(days=7)) == ()
    run = runs_on(world(), plan(), DAY)[0]
    # 08:20 in Kaliningrad is 06:20 in Greenwich.
    assert run.depart_at == datetime(2026, 12, 1, 6, 20, tzinfo=UTC)
    assert run.stops[1].meal_s == 1800


def test_a_day_from_published_visits() -> None:
    """Without a plan at hand the published visits make the day, cancelled ones left out."""
    laid = lay(world(), plan(), from_date=DAY, until_date=DAY)
    stops = {str(s.stop_id): s for s in world().stops}
    mine = [v for v in laid if v.stop_id != "s2"]
    run = planned_of_visits(
        mine,
        {str(k): v for k, v in stops.items()},
        vehicle_id=RUN.vehicle_id,
        on=DAY,
        time_zone="Europe/Kaliningrad",
    )
    assert [s.stop_id for s in run.stops] == ["s4", "s6", "s5", "s9"]
    assert [s.position for s in run.stops] == [0, 1, 2, 3]
    assert run.stops[0].start_at == RUN.stops[0].start_at


def test_limits_are_checked() -> None:
    """Negative limits are refused."""
    with pytest.raises(ValueError, match="below zero"):
        MatchParams(tolerance_s=-1)
