"""An earlier plan is gone on from; what no longer holds is left out, never an error."""

from dataclasses import replace
from datetime import date

import pytest

from data.model.calendar import ServiceCalendar, Window
from data.model.place import StopId
from data.model.plan import Plan, PlanRequest
from planner.compile import compile_request
from planner.params import SolveParams
from planner.resume import solution_of
from planner.score import check, summarise
from planner.solve import solve
from tests.planner.examples import make_plan
from tests.planner.examples import make_request as example_request
from tests.planner.instances import DAY_RULES, HOUR_S, make_request, make_stop

QUICK = SolveParams(work_limit=300, workers=1, rounds=2, time_limit_s=60)
STEP = SolveParams(work_limit=1, workers=1, rounds=1, time_limit_s=60, master_ratio=0.0)
STOPS = tuple(
    make_stop(f"s{k}", visits_per_cycle=1 + k % 2, service_s=3600 + 600 * (k % 5), prize=50.0 + k)
    for k in range(20)
)
REQUEST = make_request(STOPS, weeks=2)


@pytest.fixture(scope="module")
def earlier() -> Plan:
    return solve(REQUEST, QUICK)


def visits(plan: Plan) -> set[tuple[str, str, int]]:
    return {(v.stop_id, r.vehicle_id, r.day) for r in plan.runs for v in r.visits}


def test_a_plan_comes_back_whole(earlier: Plan) -> None:
    """Of the same request every visit is kept, with its vehicle, day and order."""
    compiled = compile_request(REQUEST)
    solution = solution_of(compiled, earlier)
    assert {REQUEST.stops[s].stop_id for s in solution.unserved} == {
        u.stop_id for u in earlier.unserved
    }
    for run, stops in zip(compiled.problem.runs, solution.routes, strict=True):
        found = next((r for r in earlier.runs if r.day == run.day), None)
        kept = tuple(v.stop_id for v in found.visits) if found else ()
        assert kept == tuple(REQUEST.stops[s].stop_id for s in stops)


def test_a_plan_made_by_hand_comes_back_whole() -> None:
    """Kalinovka's visits a quarter of an hour apart, one stop on each run besides."""
    request = example_request()
    solution = solution_of(compile_request(request), make_plan(request))
    assert [request.stops[s].stop_id for s in solution.unserved] == ["zagorskoe"]


def test_the_result_is_never_worse(earlier: Plan) -> None:
    """One step from a plan reaches as many people with no more driving."""
    again = solve(REQUEST, STEP, start=earlier)
    assert check(REQUEST, again) == ()
    before, after = summarise(REQUEST, earlier), summarise(REQUEST, again)
    assert (-after.prize_collected, after.drive_s) <= (-before.prize_collected, before.drive_s)
    assert again.provenance is not None
    assert earlier.provenance is not None
    assert again.provenance.parameters["started_from"] == earlier.provenance.problem_hash


def test_what_a_start_leaves_out_is_put_in_at_once() -> None:
    """A stop that is new is served after one step, the others stay on their days."""
    some = make_request(STOPS[:6], weeks=2)
    first = solve(some, QUICK)
    more = make_request(STOPS[:7], weeks=2)
    second = solve(more, STEP, start=first)
    assert check(more, second) == ()
    assert second.unserved == ()


def shorter_shift() -> PlanRequest:
    rules = replace(DAY_RULES, shift_max_s=4 * HOUR_S)
    return make_request(STOPS, weeks=2, rules=rules)


def half_the_stops() -> PlanRequest:
    return make_request(STOPS[::2], weeks=2)


def a_holiday() -> PlanRequest:
    closed = ServiceCalendar(closed_dates={date(2026, 3, 3): "x"})
    return make_request(STOPS, weeks=2, calendar=closed)


def other_windows() -> PlanRequest:
    window = Window(start_s=9 * HOUR_S, end_s=13 * HOUR_S)
    return make_request(tuple(replace(s, windows=(window,)) for s in STOPS), weeks=2)


def fewer_hours_a_week() -> PlanRequest:
    rules = replace(DAY_RULES, week_work_max_s=15 * HOUR_S, drive_week_max_s=4 * HOUR_S)
    return make_request(STOPS, weeks=2, rules=rules)


def few_stops_a_run() -> PlanRequest:
    fleet = tuple(replace(v, max_stops_per_run=2) for v in REQUEST.vehicles)
    return replace(REQUEST, vehicles=fleet)


def one_week() -> PlanRequest:
    return make_request(tuple(replace(s, visits_per_cycle=1) for s in STOPS))


def other_vehicles() -> PlanRequest:
    request = make_request(STOPS, weeks=2)
    (bus,) = request.vehicles
    other = replace(bus, vehicle_id=type(bus.vehicle_id)("other"))
    return replace(
        request,
        vehicles=(other,),
        crew_rules={other.vehicle_id: DAY_RULES},
        travel={other.vehicle_id: request.travel[bus.vehicle_id]},
    )


@pytest.mark.parametrize(
    "changed",
    [
        shorter_shift,
        half_the_stops,
        a_holiday,
        other_windows,
        fewer_hours_a_week,
        few_stops_a_run,
        one_week,
        other_vehicles,
    ],
)
def test_what_no_longer_holds_is_left_out(changed: object, earlier: Plan) -> None:
    """Stops gone, a holiday, tighter rules: the plan from the start passes the checker."""
    assert callable(changed)
    request: PlanRequest = changed()
    plan = solve(request, STEP, start=earlier)
    assert check(request, plan) == ()
    assert plan.runs


def test_a_changed_day_keeps_the_others(earlier: Plan) -> None:
    """A holiday on one day leaves the visits of all stops that did not go then."""
    request = a_holiday()
    solution = solution_of(compile_request(request), earlier)
    held = {s for s, _, day in visits(earlier) if day == 1}
    kept = {request.stops[s].stop_id for s, o in enumerate(solution.option) if o >= 0}
    assert kept == {StopId(s) for s, _, _ in visits(earlier)} - held
