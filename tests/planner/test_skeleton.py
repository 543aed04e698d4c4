"""Dates are planned from a short cycle where most rules keep its rhythm."""

from dataclasses import replace
from datetime import date

from data.model.calendar import Cycle, ServiceCalendar
from data.model.place import Stop
from data.model.plan import PlanRequest
from data.model.recurrence import Recurrence
from planner.compile import compile_request
from planner.params import SolveParams
from planner.resume import solution_of
from planner.rhythm import counted
from planner.score import check
from planner.skeleton import laid_on, skeleton_of
from planner.solve import solve
from tests.planner.examples import KALINOVKA, KALUZHSKOE, KAMENSKOE, make_request

PARAMS = SolveParams(work_limit=200, workers=1, rounds=1)
HOLIDAYS = ServiceCalendar(closed_dates={date(2027, 2, 22): "22"})


def dated(*stops: Stop) -> PlanRequest:
    """The example from 12 January to 30 April, a Tuesday to a Friday."""
    cycle = Cycle.between(date(2027, 1, 12), date(2027, 4, 30))
    return counted(replace(make_request(), cycle=cycle, calendar=HOLIDAYS, stops=stops))


def with_rule(stop: Stop, rule: str) -> Stop:
    return replace(stop, recurrence=Recurrence(rule=rule), min_gap_days=1, max_gap_days=None)


WEEKLY = (
    with_rule(KALINOVKA, "FREQ=WEEKLY;INTERVAL=2"),
    with_rule(KALUZHSKOE, "FREQ=WEEKLY;INTERVAL=4"),
    with_rule(KAMENSKOE, "FREQ=WEEKLY;INTERVAL=2"),
)


def test_a_plan_of_dates_begins_with_its_rhythm() -> None:
    """The repeating plan laid on the dates keeps all visits that are due; no holiday is served."""
    request = dated(*WEEKLY)
    skeleton = skeleton_of(request)
    assert skeleton is not None
    assert (skeleton.cycle.num_weeks, skeleton.cycle.repeats) == (4, True)
    short = solve(skeleton, PARAMS)
    assert check(skeleton, short) == ()
    laid = laid_on(request, skeleton.cycle, short)
    known = solution_of(compile_request(request), laid)
    served = {v.stop_id for r in short.runs for v in r.visits}
    assert {request.stops[k].stop_id for k, o in enumerate(known.option) if o >= 0} == served
    plan = solve(request, PARAMS)
    assert check(request, plan) == ()
    assert {v.stop_id for r in plan.runs for v in r.visits} >= served
    assert not {request.cycle.date_of(r.day) for r in plan.runs} & set(HOLIDAYS.closed_dates)


def test_no_skeleton_where_rules_keep_no_rhythm() -> None:
    """Monthly rules, pins and short horizons are searched at once."""
    monthly = dated(WEEKLY[0], with_rule(KALUZHSKOE, "FREQ=MONTHLY"))
    assert skeleton_of(monthly) is None
    short = replace(dated(*WEEKLY), cycle=Cycle.between(date(2027, 1, 12), date(2027, 2, 20)))
    assert skeleton_of(short) is None
    assert (
        skeleton_of(replace(short, cycle=Cycle(start_date=date(2027, 1, 11), num_weeks=4))) is None
    )


def test_same_seed_same_plan() -> None:
    """With a limit on work the plan of dates can be made again."""
    request = dated(*WEEKLY)
    assert solve(request, PARAMS).runs == solve(request, PARAMS).runs
