"""A request is solved into a plan that the independent checker passes."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from data.model.calendar import ServiceCalendar, Window
from data.model.errors import RequestError
from data.model.fleet import CrewRules
from data.model.place import Stop
from data.model.plan import Plan, PlanRequest
from planner.compile import compile_request
from planner.duty import duty_window, longest_duty
from planner.params import SolveParams
from planner.score import check
from planner.solve import Progress, solve
from tests.planner.instances import DAY_RULES, HOUR_S, make_request, make_stop

QUICK = SolveParams(work_limit=400, workers=1, rounds=2, time_limit_s=60)


def solved(request: PlanRequest, params: SolveParams = QUICK) -> Plan:
    """The plan of a request, which must pass the checker."""
    plan = solve(request, params)
    assert check(request, plan) == ()
    return plan


def names_and_reasons(plan: Plan) -> dict[str, str]:
    return {str(u.stop_id): u.reason for u in plan.unserved}


def test_a_plan_passes_the_checker() -> None:
    """Stops with one to four visits, windows and optional ones, over four weeks."""
    windows = (
        Window(start_s=9 * HOUR_S, end_s=12 * HOUR_S),
        Window(start_s=14 * HOUR_S, end_s=17 * HOUR_S, weekdays=frozenset({1, 3})),
    )
    stops = tuple(
        make_stop(
            f"stop-{k}",
            visits_per_cycle=(1, 2, 4)[k % 3],
            min_gap_days=(1, 10, 7)[k % 3],
            windows=windows if k % 2 else (),
            setup_s=600,
            teardown_s=300,
            mandatory=k < 6,
            service_s=HOUR_S + 600 * (k % 4),
        )
        for k in range(24)
    )
    plan = solved(make_request(stops, weeks=4, vehicles=2))
    assert plan.unserved == ()
    assert plan.provenance is not None
    assert plan.provenance.stopped_by == "work_limit"
    assert {len(plan.days_of(s.stop_id)) for s in stops} == {1, 2, 4}


def test_the_same_request_gives_the_same_plan() -> None:
    """Seed, work limit and one worker fix the runs and the problem hash."""
    stops = tuple(make_stop(f"stop-{k}", visits_per_cycle=1 + k % 2) for k in range(15))
    first, second = (solve(make_request(stops, weeks=2), QUICK) for _ in range(2))
    assert first.runs == second.runs
    assert first.provenance is not None
    assert second.provenance is not None
    assert first.provenance.problem_hash == second.provenance.problem_hash


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"needs": frozenset({"lift"})}, "unserved.ability"),
        ({"service_s": 9 * HOUR_S}, "unserved.too_far"),
        ({"windows": (Window(start_s=60, end_s=5000),)}, "unserved.window"),
        ({"weekdays": frozenset({6})}, "unserved.no_day"),
        ({"visits_per_cycle": 3}, "unserved.no_pattern"),
        ({"max_gap_days": 7}, "unserved.no_pattern"),
    ],
)
def test_a_stop_that_cannot_be_served_says_why(change: dict[str, object], reason: str) -> None:
    """Reasons that are known before the search; the other stop is served."""
    odd = make_stop("odd", **change)
    plan = solved(make_request((odd, make_stop("even")), weeks=2))
    assert names_and_reasons(plan) == {"odd": reason}
    assert plan.unserved[0].facts["stop"] == "odd"


def test_a_mandatory_stop_that_cannot_be_served_is_told() -> None:
    """It stands among the unserved, and the checker reports it."""
    odd = make_stop("odd", mandatory=True, service_s=9 * HOUR_S)
    request = make_request((odd, make_stop("even")))
    plan = solve(request, QUICK)
    assert names_and_reasons(plan) == {"odd": "unserved.too_far"}
    assert [v.code for v in check(request, plan)] == ["rule.mandatory_unserved"]


def test_too_many_stops_leave_the_least_worth() -> None:
    """With room for few stops, the most people are served and mandatory stops first."""
    stops = (
        make_stop("duty", service_s=5 * HOUR_S, mandatory=True, prize=0.0),
        *(make_stop(f"p{k}", service_s=5 * HOUR_S, prize=10.0 * k) for k in range(1, 8)),
    )
    plan = solved(make_request(stops))
    assert names_and_reasons(plan) == {f"p{k}": "unserved.no_capacity" for k in (1, 2, 3)}


def test_a_stop_without_people_still_fills_free_time() -> None:
    """A prize of zero is not a wish to leave the stop out."""
    assert solved(make_request((make_stop("unknown", prize=0.0),))).unserved == ()


def test_holidays_move_a_stop_to_another_weekday() -> None:
    """Weekly visits avoid the weekday that a holiday cuts."""
    closed = ServiceCalendar(
        closed_dates={date(2026, 3, 2) + timedelta(days=d): "x" for d in range(4)}
    )
    stop = make_stop("weekly", visits_per_cycle=2, min_gap_days=7)
    plan = solved(make_request((stop,), weeks=2, calendar=closed))
    assert plan.days_of(stop.stop_id) == (4, 11)


def test_visits_keep_their_clock_time() -> None:
    """Starts of a stop's visits differ by at most twice the tolerance, here not at all."""
    stops = tuple(
        make_stop(f"s{k}", visits_per_cycle=2, service_s=1800 + 600 * k) for k in range(6)
    )
    plan = solved(make_request(stops, weeks=2, tolerance_s=0))
    for stop in stops:
        starts = {v.start_s for r in plan.runs for v in r.visits if v.stop_id == stop.stop_id}
        assert len(starts) == 1


def test_times_are_round_where_they_can_be() -> None:
    """Doors open on five minutes, although legs of eleven minutes are not."""
    stops = tuple(make_stop(f"s{k}", service_s=5400) for k in range(8))
    plan = solved(make_request(stops, minutes=11))
    assert all(v.start_s % 300 == 0 for r in plan.runs for v in r.visits)


def test_a_long_run_has_its_meal() -> None:
    """More than four hours of work bring a meal inside the meal window."""
    plan = solved(make_request(tuple(make_stop(f"s{k}") for k in range(5)), duty=(28_800, 61_200)))
    assert all(r.meal is not None for r in plan.runs if r.work_s > 4 * HOUR_S)


@pytest.mark.parametrize(
    "rules",
    [
        CrewRules(
            rest_shift_ratio=2.0, meal_after_s=4 * HOUR_S, meal_min_s=1800, shift_max_s=28_800
        ),
        CrewRules(rest_shift_ratio=2.0),
        CrewRules(daily_rest_s=17 * HOUR_S),
        CrewRules(drive_week_max_s=5400, drive_two_week_max_s=9000, week_work_max_s=10 * HOUR_S),
        CrewRules(drive_continuous_max_s=900, break_s=2700, break_split_s=(900, 1800)),
        CrewRules(),
    ],
)
def test_crew_rules_hold(rules: CrewRules) -> None:
    """Rest, week sums and breaks hold, over the seam too, for as many stops as fit."""
    stops = tuple(make_stop(f"s{k}", service_s=900 + 600 * (k % 6)) for k in range(30))
    request = make_request(stops, weeks=2, rules=rules, duty=(6 * HOUR_S, 22 * HOUR_S))
    plan = solved(request)
    assert plan.runs


def test_duty_is_cut_where_rest_asks_for_it() -> None:
    """Two days in a row leave the rest; the cut goes where the stops' windows are."""
    evening = make_stop("late", windows=(Window(start_s=18 * HOUR_S, end_s=20 * HOUR_S),))
    rules = replace(DAY_RULES, daily_rest_s=14 * HOUR_S)
    request = make_request((evening,), rules=rules, duty=(6 * HOUR_S, 22 * HOUR_S))
    lo, hi = duty_window(request, request.vehicles[0])
    assert hi - lo == longest_duty(rules) == 10 * HOUR_S
    assert lo <= 18 * HOUR_S
    assert hi >= 19 * HOUR_S
    plan = solved(request)
    assert plan.provenance is not None
    assert plan.provenance.parameters["duty_cut_for_rest_s"] == {"bus-0": [lo, hi]}


def test_double_rest_after_eight_hours() -> None:
    """24 h less the window, with a meal of half an hour, is twice eight hours: 8.5 h of window."""
    rules = CrewRules(
        rest_shift_ratio=2.0, shift_max_s=8 * HOUR_S, meal_after_s=4 * HOUR_S, meal_min_s=1800
    )
    assert longest_duty(rules) == 8 * HOUR_S + 1800


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (replace(make_request((make_stop("a"),)), vehicles=()), "request.no_vehicle"),
        (make_request(()), "request.no_stop"),
        (
            make_request((make_stop("a"),), calendar=ServiceCalendar(weekdays=frozenset())),
            "request.no_working_day",
        ),
        (
            replace(make_request((make_stop("a"),)), stops=(make_stop("a"), make_stop("b"))),
            "request.travel_missing",
        ),
    ],
)
def test_a_request_that_cannot_be_posed_is_refused(request_: PlanRequest, code: str) -> None:
    """No vehicle, no stop, no working day, no travel: each has its code."""
    with pytest.raises(RequestError) as refusal:
        solve(request_, QUICK)
    assert refusal.value.code == code


def test_cancel_gives_a_plan_that_passes() -> None:
    """Stopped at once, the best so far is a plan like any other."""
    told: list[Progress] = []
    request = make_request(tuple(make_stop(f"s{k}") for k in range(12)), weeks=2)
    params = SolveParams(time_limit_s=60, workers=2)
    plan = solve(request, params, progress=told.append, should_stop=lambda: True)
    assert check(request, plan) == ()
    assert plan.provenance is not None
    assert plan.provenance.stopped_by == "cancelled"
    assert plan.runs


def test_one_option_for_each_shared_window() -> None:
    """Two windows on every day give twice the options."""

    def options(stop: Stop) -> int:
        problem = compile_request(make_request((stop,))).problem
        return len(problem.options_of(0))

    two = (
        Window(start_s=9 * HOUR_S, end_s=11 * HOUR_S),
        Window(start_s=13 * HOUR_S, end_s=15 * HOUR_S),
    )
    assert options(make_stop("one")) == 5
    assert options(make_stop("two", windows=two)) == 10
