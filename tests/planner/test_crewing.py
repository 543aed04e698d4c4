"""Specialists follow what a person changes by hand: they join, stay and leave with their stops."""

from dataclasses import replace
from datetime import date

from data.model.fleet import VehicleId
from data.model.plan import Plan, PlanRequest
from planner.edit import Add, Move, MoveRun, Remove, judge
from planner.insert import best_places
from planner.params import SolveParams
from planner.score import check
from planner.solve import solve
from tests.planner.crews import CHILDREN, make_person, served_stop
from tests.planner.instances import HOUR_S, make_request, make_stop

BUS = VehicleId("bus-0")
OTHER = VehicleId("bus-1")


def case(**changes: object) -> tuple[PlanRequest, Plan]:
    """A school on Monday with Anna aboard, a club on Tuesday with nobody; two vehicles."""
    school = served_stop("school", weekdays=frozenset({0, 1, 2}))
    club = make_stop("club", weekdays=frozenset({1}))
    anna = make_person("anna", **changes)
    request = replace(make_request((school, club), vehicles=2), specialists=(anna,))
    empty = replace(solve(request, SolveParams(work_limit=10, workers=1)), runs=())
    plan = judge(
        request,
        empty,
        [
            Add(stop_id=school.stop_id, vehicle_id=BUS, day=0),
            Add(stop_id=club.stop_id, vehicle_id=BUS, day=1),
        ],
    ).plan
    assert check(request, plan) == ()
    assert riders(plan) == {(BUS, 0): ("anna",), (BUS, 1): ()}
    return request, plan


def riders(plan: Plan) -> dict[tuple[VehicleId, int], tuple[str, ...]]:
    return {(r.vehicle_id, r.day): tuple(map(str, r.specialist_ids)) for r in plan.runs}


def test_a_specialist_moves_with_the_stop() -> None:
    """The school goes to Tuesday's run: Anna rides there, and Monday's run is no more."""
    request, plan = case()
    school = request.stops[0].stop_id
    moved = judge(request, plan, Move(stop_id=school, from_day=0, vehicle_id=BUS, day=1))
    assert moved.violations == ()
    assert riders(moved.plan) == {(BUS, 1): ("anna",)}


def test_whoever_is_needed_no_more_stays_at_home() -> None:
    """Without the school nobody rides."""
    request, plan = case()
    both = judge(
        request,
        plan,
        Move(stop_id=request.stops[0].stop_id, from_day=0, vehicle_id=BUS, day=1),
    ).plan
    left = judge(request, both, Remove(stop_id=request.stops[0].stop_id))
    assert left.violations == ()
    assert riders(left.plan) == {(BUS, 1): ()}


def test_a_stop_that_nobody_may_follow_is_told() -> None:
    """Anna is off on the Wednesday, may not ride on the other vehicle, and rides one day a week."""
    request, plan = case(off_dates=frozenset({date(2026, 3, 4)}), vehicle_ids=frozenset({BUS}))
    school = request.stops[0].stop_id
    for vehicle, day in ((BUS, 2), (OTHER, 0)):
        moved = judge(request, plan, Move(stop_id=school, from_day=0, vehicle_id=vehicle, day=day))
        assert [v.code for v in moved.violations] == ["rule.service_missing"]
        assert moved.violations[0].facts["services"] == "children"


def test_a_run_takes_its_riders_along() -> None:
    """A whole run goes to the other vehicle: Anna goes too."""
    request, plan = case()
    moved = judge(request, plan, MoveRun(vehicle_id=BUS, day=0, to_vehicle_id=OTHER, to_day=0))
    assert moved.violations == ()
    assert riders(moved.plan)[OTHER, 0] == ("anna",)


def test_own_hours_time_the_run() -> None:
    """Put in by hand, the school opens when Anna can be there."""
    request, plan = case(duty_start_s=13 * HOUR_S, duty_end_s=16 * HOUR_S)
    (run,) = [r for r in plan.runs if r.specialist_ids]
    assert run.depart_s >= 13 * HOUR_S
    assert run.return_s <= 16 * HOUR_S
    assert check(request, plan) == ()


def test_places_for_one_more_stop_keep_the_specialists_days() -> None:
    """With one day a week and that day Monday, a second school fits on Monday only."""
    request, plan = case(days_per_week_max=1)
    second = served_stop("second", services=CHILDREN)
    matrix = next(iter(request.travel.values()))
    wider = make_request((*request.stops, second), vehicles=2).travel
    assert matrix.point_ids != next(iter(wider.values())).point_ids
    places = best_places(replace(request, travel=wider), plan, second, most=20)
    assert places
    assert {p.edits[0].day for p in places} == {0}
    assert {p.edits[0].vehicle_id for p in places} == {BUS}
    free = replace(request, travel=wider, specialists=(make_person("anna"),))
    days = {p.edits[0].day for p in best_places(free, plan, second, most=40)}
    assert days == {0, 1, 2, 3, 4}
