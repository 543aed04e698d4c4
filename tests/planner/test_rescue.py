"""The rest of a broken-down vehicle's day goes to others from where they are, within all rules."""

from dataclasses import replace
from typing import Any

import pytest

from data.model.calendar import HOUR_S, MINUTE_S
from data.model.fleet import VehicleId
from data.model.plan import Run
from planner.rescue import judge_again, rescue
from planner.rescue_request import Due, Helper, RestOfDay, earliest_of
from tests.fleet.days import DAY, plan, world

NOW_S = 11 * HOUR_S


def due_of(run: Run, *, after_s: int = NOW_S) -> tuple[Due, ...]:
    """The visits of a run that have not begun."""
    stops = {s.stop_id: s for s in world().stops}
    return tuple(
        Due(
            visit_id=f"{run.vehicle_id}/{v.stop_id}",
            stop=stops[v.stop_id],
            start_s=v.start_s,
            end_s=v.end_s,
            earliest_s=v.start_s,
            latest_s=v.start_s,
        )
        for v in run.visits
        if v.start_s > after_s
    )


def helper_of(number: int, *, busy: bool = True, free_at_s: int = NOW_S) -> Helper:
    """A vehicle at its base, free from now on but for its own later visits; then it has eaten."""
    request = world()
    vehicle = request.vehicles[number]
    depot = next(d for d in request.depots if d.depot_id == vehicle.depot_id)
    matrix = request.travel[vehicle.vehicle_id]
    base = str(depot.depot_id)
    return Helper(
        vehicle=replace(vehicle, duty_end_s=19 * HOUR_S),
        lon=depot.lon,
        lat=depot.lat,
        free_at_s=free_at_s,
        way={p: (matrix.seconds(base, p), matrix.metres(base, p)) for p in matrix.index},
        end_depot_id=depot.depot_id,
        has_eaten=busy,
        is_out=True,
        own=due_of(plan().runs[number], after_s=NOW_S + HOUR_S) if busy else (),
    )


def idle(number: int, *, free_at_s: int = NOW_S) -> Helper:
    """A vehicle without visits of its own whose crew has eaten."""
    return replace(helper_of(number, busy=False, free_at_s=free_at_s), has_eaten=True)


def rest(*helpers: Helper, **more: int) -> RestOfDay:
    return RestOfDay(request=world(), on=DAY, due=due_of(plan().runs[0]), helpers=helpers, **more)


def test_an_idle_vehicle_takes_the_whole_rest_at_the_promised_times() -> None:
    """Nobody's time changes: another vehicle comes at the same minute."""
    found = rescue(rest(idle(1)))
    due = due_of(plan().runs[0])
    assert len(due) >= 3
    assert found.left == ()
    assert {p.visit_id: (p.start_s, p.end_s) for p in found.placed} == {
        d.visit_id: (d.start_s, d.end_s) for d in due
    }
    assert {p.vehicle_id for p in found.placed} == {world().vehicles[1].vehicle_id}
    assert found.added_drive_s > 0


def test_a_crew_that_has_not_eaten_must_still_find_time_for_it() -> None:
    """More than four hours of work without a break are not handed over."""
    found = rescue(rest(helper_of(1, busy=False), most_late_s=0))
    assert found.left
    last = max(p.departure_s for p in found.placed)
    first = min(p.arrival_s for p in found.placed)
    assert last - first <= 4 * HOUR_S


def test_promises_of_the_helper_itself_are_kept_to_the_second() -> None:
    """With a cap of no changes, its own visits stay; what does not fit between them is left."""
    helper = helper_of(1)
    found = rescue(rest(helper))
    assert len(helper.own) >= 2
    own = {o.visit_id: o.start_s for o in helper.own}
    assert {p.visit_id: p.start_s for p in found.placed if p.visit_id in own} == own
    assert len(found.placed) + len(found.left) == len(own) + len(due_of(plan().runs[0]))
    assert found.num_changes == 0


@pytest.mark.parametrize("cap", [0, 1, 2])
def test_no_more_own_times_move_than_the_cap_allows(cap: int) -> None:
    """The more may move, the more is taken over; never more than was said."""
    helper = helper_of(1)
    found = rescue(rest(helper, max_changes=cap, most_late_s=90 * MINUTE_S))
    own = {o.visit_id: o.start_s for o in helper.own}
    moved = sum(own[p.visit_id] != p.start_s for p in found.placed if p.visit_id in own)
    assert moved == found.num_changes <= cap
    assert own.keys() <= {p.visit_id for p in found.placed}, "nobody's own visit is dropped"


def test_no_visit_begins_before_its_promised_time_or_too_late() -> None:
    """Readers come at the promised time: never earlier, and later only as far as was said."""
    late = idle(1, free_at_s=NOW_S + 90 * MINUTE_S)
    found = rescue(rest(late, most_late_s=40 * MINUTE_S))
    promised = {d.visit_id: d.start_s for d in due_of(plan().runs[0])}
    assert found.placed
    for place in found.placed:
        assert 0 <= place.start_s - promised[place.visit_id] <= 40 * MINUTE_S


def test_one_visit_goes_later_where_that_holds_one_more() -> None:
    """Free at 13:20 it could hold the second in time, or both late: two are worth more."""
    late = idle(1, free_at_s=13 * HOUR_S + 20 * MINUTE_S)
    shown = replace(rest(late, most_late_s=100 * MINUTE_S), due=due_of(plan().runs[0])[:2])
    assert len(rescue(replace(shown, most_late_s=0)).placed) == 1
    assert len(rescue(shown).placed) == 2


def test_a_promise_is_not_broken_for_a_little_more_worth() -> None:
    """Two visits in time stay in time though one of them could make room for a larger one."""
    late = idle(1, free_at_s=13 * HOUR_S + 20 * MINUTE_S)
    exact = rescue(rest(late, most_late_s=0))
    found = rescue(rest(late, most_late_s=100 * MINUTE_S))
    assert len(exact.placed) == 2
    assert found.placed == exact.placed


def test_hours_driven_already_count() -> None:
    """A crew that has all but used up its driving takes nothing that would break the limit."""
    request = world()
    vehicle_id = request.vehicles[1].vehicle_id
    limit = request.crew_rules[vehicle_id].drive_daily_max_s
    limit = limit or 9 * HOUR_S
    rules = {**request.crew_rules}
    rules[vehicle_id] = replace(rules[vehicle_id], drive_daily_max_s=limit)
    tired = replace(idle(1), driven_s=limit - 10 * MINUTE_S)
    found = rescue(replace(rest(tired), request=replace(request, crew_rules=rules)))
    assert sum(1 for _ in found.placed) == 0
    assert len(found.left) == len(due_of(plan().runs[0]))


def by_week(**limits: Any) -> RestOfDay:
    """The rest of the day where limits on weeks bind the helper."""
    request = world()
    rules = {i: replace(r, **limits) for i, r in request.crew_rules.items()}
    return replace(rest(idle(1)), request=replace(request, crew_rules=rules))


@pytest.mark.parametrize(
    ("limit", "rule", "most_s", "week"),
    [
        ("drive_week_max_s", "rule.drive_week", 20 * HOUR_S, "drive_s"),
        ("drive_two_week_max_s", "rule.drive_two_weeks", 30 * HOUR_S, "near_drive_s"),
        ("week_work_max_s", "rule.week_work", 40 * HOUR_S, "work_s"),
    ],
)
def test_what_a_crew_does_on_other_dates_of_the_week_counts(
    limit: str, rule: str, most_s: int, week: str
) -> None:
    """Limits on weeks: what would go beyond is not handed over, and the checker refuses it."""
    free = by_week(**{limit: most_s})
    found = rescue(free)
    assert found.left == (), "an empty week leaves room"
    tired = replace(idle(1), week=replace(idle(1).week, **{week: most_s - 10 * MINUTE_S}))
    full = replace(free, helpers=(tired,))
    assert rescue(full).placed == ()
    starts = {p.visit_id: (p.vehicle_id, p.start_s) for p in found.placed}
    assert rule in {b.code for b in judge_again(full, starts).broken}


def test_extensions_of_the_daily_driving_are_used_up_by_other_dates() -> None:
    """Twice a week a crew may drive longer: who did so twice stays within the usual limit."""
    limits = {
        "drive_daily_max_s": 10 * MINUTE_S,
        "drive_extended_max_s": 10 * HOUR_S,
        "drive_extended_per_week": 2,
    }
    starts = {p.visit_id: (p.vehicle_id, p.start_s) for p in rescue(rest(idle(1))).placed}
    assert judge_again(by_week(**limits), starts).broken == ()
    used = replace(idle(1), week=replace(idle(1).week, num_extended=2))
    broken = judge_again(replace(by_week(**limits), helpers=(used,)), starts).broken
    assert [b.code for b in broken] == ["rule.drive_extensions"]


def test_a_vehicle_that_cannot_keep_its_own_promises_is_no_help() -> None:
    """It is named, and its visits are not touched."""
    stuck = replace(helper_of(1), free_at_s=17 * HOUR_S)
    found = rescue(rest(stuck))
    assert found.unable == (VehicleId(str(world().vehicles[1].vehicle_id)),)
    assert len(found.left) == len(due_of(plan().runs[0]))


def test_a_hand_over_is_judged_again_before_it_is_stored() -> None:
    """What was shown holds; an hour later the same hand-over is refused."""
    shown = rest(idle(1))
    found = rescue(shown)
    starts = {p.visit_id: (p.vehicle_id, p.start_s) for p in found.placed}
    again = judge_again(shown, starts)
    assert again.broken == ()
    assert again.placed == found.placed
    later = idle(1, free_at_s=NOW_S + 3 * HOUR_S)
    assert judge_again(replace(shown, helpers=(later,)), starts).broken


def test_an_opening_that_is_past_goes_to_the_next_five_minutes() -> None:
    """12:01:01 becomes 12:05; a time to come stays."""
    assert earliest_of(12 * HOUR_S, 12 * HOUR_S + 61) == 12 * HOUR_S + 5 * MINUTE_S
    assert earliest_of(12 * HOUR_S, 11 * HOUR_S) == 12 * HOUR_S
