"""Pinned visits and kept runs hold, forbidden ones are none; what cannot hold says why."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.model.calendar import ServiceCalendar, Window
from data.model.fleet import VehicleId
from data.model.pins import Forbidden, KeptRun, KeptVisit, Pins, VisitPin
from data.model.place import StopId
from data.model.plan import Plan, PlanRequest
from planner.params import SolveParams
from planner.score import check, summarise
from planner.solve import Progress, solve
from tests.planner.instances import HOUR_S, make_request, make_stop

QUICK = SolveParams(work_limit=300, workers=1, rounds=2, time_limit_s=60)
STOPS = tuple(
    make_stop(f"s{k}", visits_per_cycle=1 + k % 2, service_s=3600 + 600 * (k % 5), prize=50.0 + k)
    for k in range(16)
)
REQUEST = make_request(STOPS, weeks=2, vehicles=2)
CALM = make_request(STOPS, weeks=2, calendar=ServiceCalendar(closed_dates={date(2026, 3, 4): "x"}))


def pin(
    stop: str,
    day: int,
    vehicle: str | None = None,
    earliest_s: int | None = None,
    latest_s: int | None = None,
) -> VisitPin:
    return VisitPin(
        stop_id=StopId(stop),
        day=day,
        vehicle_id=None if vehicle is None else VehicleId(vehicle),
        earliest_s=earliest_s,
        latest_s=latest_s,
    )


def kept(plan: Plan, day: int) -> tuple[KeptRun, ...]:
    return tuple(
        KeptRun(
            vehicle_id=r.vehicle_id,
            day=day,
            visits=tuple(KeptVisit(stop_id=v.stop_id, start_s=v.start_s) for v in r.visits),
        )
        for r in plan.runs
        if r.day == day
    )


def solved(request: PlanRequest, pins: Pins, start: Plan | None = None) -> Plan:
    fixed = replace(request, pins=pins)
    plan = solve(fixed, QUICK, start=start)
    assert check(fixed, plan) == ()
    return plan


def places(plan: Plan, stop: str) -> list[tuple[int, str, int]]:
    return sorted(
        (r.day, str(r.vehicle_id), v.start_s)
        for r in plan.runs
        for v in r.visits
        if v.stop_id == stop
    )


def test_a_pin_holds() -> None:
    """A visit is where it is pinned: day, vehicle, clock time; another vehicle has the rest."""
    ten = 10 * HOUR_S
    pins = Pins(visits=(pin("s0", 3, "bus-1", ten, ten), pin("s1", 1, "bus-0"), pin("s1", 8)))
    plan = solved(REQUEST, pins)
    assert places(plan, "s0") == [(3, "bus-1", ten)]
    assert next((d, v) for d, v, _ in places(plan, "s1")) == (1, "bus-0")


def test_a_pinned_stop_is_served_before_all_others() -> None:
    """The stop of least worth is served, for a person said so."""
    stops = (
        make_stop("least", service_s=5 * HOUR_S, prize=1.0),
        *(make_stop(f"p{k}", service_s=5 * HOUR_S, prize=10.0 * k) for k in range(1, 8)),
    )
    plan = solved(make_request(stops), Pins(visits=(pin("least", 2),)))
    assert len(places(plan, "least")) == 1


def test_one_pin_of_two_visits_leaves_the_other_free() -> None:
    """The second visit follows the rules of the stop: same weekday, near the same time."""
    plan = solved(REQUEST, Pins(visits=(pin("s3", 9, None, 9 * HOUR_S, 10 * HOUR_S),)))
    first, second = places(plan, "s3")
    assert (first[0], second[0]) == (2, 9)
    assert 9 * HOUR_S <= second[2] <= 10 * HOUR_S


def test_a_kept_day_stays_and_the_rest_may_change() -> None:
    """Stops, order and times of a kept run stay, and nothing is added to it."""
    before = solve(REQUEST, QUICK)
    runs = [r for r in before.runs if r.day == before.runs[0].day]
    runs_kept = kept(before, runs[0].day)
    after = solved(REQUEST, Pins(kept=runs_kept))
    found = kept(after, runs[0].day)
    assert set(found) == set(runs_kept)


def test_a_run_kept_empty_stays_at_home() -> None:
    """A vehicle that had no run that day gets none."""
    none = KeptRun(vehicle_id=VehicleId("bus-0"), day=1)
    plan = solved(REQUEST, Pins(kept=(none,)))
    assert all((r.vehicle_id, r.day) != ("bus-0", 1) for r in plan.runs)


def test_forbidden_visits_are_avoided() -> None:
    """A vehicle, a weekday and a day are each closed to a stop."""
    pins = Pins(
        forbidden=(
            Forbidden(stop_id=StopId("s0"), vehicle_id=VehicleId("bus-0")),
            Forbidden(stop_id=StopId("s2"), weekday=0),
            Forbidden(stop_id=StopId("s4"), day=1),
            *(Forbidden(stop_id=StopId("s6"), weekday=d) for d in range(4)),
        )
    )
    plan = solved(REQUEST, pins)
    assert {v for _, v, _ in places(plan, "s0")} == {"bus-1"}
    assert {d % 7 for d, _, _ in places(plan, "s6")} == {4}


MORNING = Window(start_s=9 * HOUR_S, end_s=12 * HOUR_S, weekdays=frozenset({1, 2}))


@pytest.mark.parametrize(
    ("change", "pins", "reason"),
    [
        ({}, Pins(visits=(pin("odd", 1), pin("odd", 2))), "pin_count"),
        ({}, Pins(visits=(pin("odd", 99),)), "pin_unknown"),
        ({}, Pins(visits=(pin("odd", 1, "gone"),)), "pin_unknown"),
        ({"weekdays": frozenset({0})}, Pins(visits=(pin("odd", 1),)), "pin_weekday"),
        ({}, Pins(visits=(pin("odd", 2),)), "pin_no_run"),
        ({}, Pins(visits=(pin("odd", 5),)), "pin_no_run"),
        (
            {},
            Pins(visits=(pin("odd", 1),), forbidden=(Forbidden(stop_id=StopId("odd"), weekday=1),)),
            "pin_forbidden",
        ),
        (
            {},
            Pins(
                visits=(pin("odd", 1),),
                kept=(KeptRun(vehicle_id=VehicleId("bus-0"), day=1),),
            ),
            "pin_forbidden",
        ),
        ({"windows": (MORNING,)}, Pins(visits=(pin("odd", 3),)), "pin_time"),
        ({}, Pins(visits=(pin("odd", 1, None, 5 * HOUR_S, 5 * HOUR_S),)), "pin_time"),
        (
            {"visits_per_cycle": 2},
            Pins(visits=(pin("odd", 1), pin("odd", 3))),
            "pin_pattern",
        ),
        ({}, Pins(forbidden=(Forbidden(stop_id=StopId("odd")),)), "forbidden"),
    ],
)
def test_a_pin_that_cannot_hold_says_why(
    change: dict[str, object], pins: Pins, reason: str
) -> None:
    """The stop stands among the unserved with the reason; the others are served."""
    odd = make_stop("odd", **change)
    request = make_request((odd, make_stop("even")), weeks=2, calendar=CALM.calendar)
    request = replace(request, pins=pins)
    plan = solve(request, QUICK)
    assert {str(u.stop_id): u.reason for u in plan.unserved} == {"odd": f"unserved.{reason}"}
    codes = {v.code for v in check(request, plan)}
    assert codes == (set() if reason == "forbidden" else {"rule.pin_missed"})


def test_an_ability_outweighs_a_pin() -> None:
    """A pin gives a vehicle nothing that it lacks."""
    odd = make_stop("odd", needs=frozenset({"lift"}))
    request = make_request((odd,), vehicles=2)
    first, second = request.vehicles
    able = replace(request, vehicles=(first, replace(second, abilities=frozenset({"lift"}))))
    plan = solve(replace(able, pins=Pins(visits=(pin("odd", 1, "bus-0"),))), QUICK)
    assert [u.reason for u in plan.unserved] == ["unserved.pin_ability"]
    assert plan.runs == ()


def test_a_start_goes_with_pins() -> None:
    """An earlier plan bends to a pin and keeps the rest legal."""
    before = solve(REQUEST, QUICK)
    moved = solved(REQUEST, Pins(visits=(pin("s5", 4), pin("s5", 11))), before)
    assert [d for d, _, _ in places(moved, "s5")] == [4, 11]


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), data=st.data())
def test_any_visits_of_a_plan_can_be_pinned(seed: int, data: st.DataObject) -> None:
    """What one plan holds can be held: the plan with these pins passes the checker."""
    before = solve(REQUEST, replace(QUICK, seed=seed, work_limit=20))
    found = [(r, v) for r in before.runs for v in r.visits]
    chosen = data.draw(st.lists(st.sampled_from(found), max_size=8, unique_by=id))
    pins = Pins(
        visits=tuple(
            pin(str(v.stop_id), r.day, str(r.vehicle_id), v.start_s, v.start_s) for r, v in chosen
        )
    )
    fixed = replace(REQUEST, pins=pins)
    # A start is taken over stop by stop: a search of a few steps may lack the room for the last.
    assert check(fixed, solve(fixed, replace(QUICK, work_limit=200), start=before)) == ()


def test_pins_of_a_plan_broken_by_hand_are_found() -> None:
    """A visit elsewhere than pinned, a kept run altered, a forbidden visit: each has its code."""
    plan = solve(REQUEST, QUICK)
    run = plan.runs[0]
    visit = run.visits[0]
    other = (run.day + 1) % 5
    pins = Pins(
        visits=(pin(str(visit.stop_id), other, None, 0, 60),),
        kept=(KeptRun(vehicle_id=run.vehicle_id, day=run.day),),
        forbidden=(Forbidden(stop_id=visit.stop_id, day=run.day),),
    )
    codes = {v.code for v in check(replace(REQUEST, pins=pins), plan)}
    assert codes == {"rule.pin_missed", "rule.kept_run_changed", "rule.visit_forbidden"}


def test_what_is_told_of_a_search_counts_pinned_stops() -> None:
    """The best so far is worth what it will be worth, whatever of it is pinned."""
    fixed = replace(REQUEST, pins=Pins(visits=(pin("s3", 1), pin("s6", 2))))
    told: list[Progress] = []
    plan = solve(fixed, QUICK, progress=told.append)
    assert told[-1].mandatory_unserved == 0
    assert told[-1].prize == pytest.approx(summarise(fixed, plan).prize_collected)
