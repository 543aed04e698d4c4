"""Weeks and equal vehicles share the work; nothing else changes."""

from dataclasses import replace

import numpy as np

from planner.balance import even_out
from planner.problem import Problem, VehicleDay, Week, build_problem
from planner.solutions import make_solution


def fleet(max_drive: float = 99.0) -> Problem:
    """Two equal vehicles, two days, four stops."""
    legs = np.ones((5, 5))
    np.fill_diagonal(legs, 0.0)
    runs = [
        VehicleDay(vehicle=v, day=d, start_node=4, end_node=4, week=v)
        for d in range(2)
        for v in range(2)
    ]
    weeks = [Week(next_week=0, max_drive=max_drive), Week(next_week=1, max_drive=max_drive)]
    return build_problem(
        cost=legs,
        time=legs,
        options=[[[(s // 2, 0.0, 99.0)]] for s in range(4)],
        runs=runs,
        occupied=[9.0, 1.0, 9.0, 1.0],
        weeks=weeks,
    )


NOWHEN = (float("nan"),) * 4


def test_long_and_short_runs_are_shared() -> None:
    """The vehicle with the long run of the first day gets the short one of the second."""
    problem = fleet()
    solution = make_solution(problem, ((0,), (1,), (2,), (3,)), (0, 1, 2, 3), NOWHEN, "")
    evened = even_out(problem, solution, [11.0, 3.0, 11.0, 3.0])
    assert evened.routes == ((0,), (1,), (3,), (2,))
    assert evened.rank == solution.rank


def test_week_limits_come_first() -> None:
    """Where dealing would break a limit, the runs stay."""
    problem = fleet(max_drive=2.0)
    solution = make_solution(problem, ((0,), (1,), (), ()), (0, 1, -1, -1), NOWHEN, "")
    tight = replace(problem, weeks=(Week(next_week=0, max_work=1.0), problem.weeks[1]))
    assert even_out(tight, solution, [11.0, 3.0, 0.0, 0.0]) is solution


def test_unequal_vehicles_keep_their_runs() -> None:
    """A vehicle of other limits is no substitute."""
    problem = fleet()
    runs = [replace(r, capacity=5.0) if r.vehicle else r for r in problem.runs]
    other = replace(problem, runs=tuple(runs))
    solution = make_solution(other, ((0,), (1,), (2,), (3,)), (0, 1, 2, 3), NOWHEN, "")
    assert even_out(other, solution, [11.0, 3.0, 11.0, 3.0]).routes == solution.routes


def weeks_of_one(options: list[list[list[tuple[int, float, float]]]]) -> Problem:
    """One vehicle on Monday and Tuesday of two weeks; stops around one depot."""
    n = len(options)
    legs = np.ones((n + 1, n + 1))
    np.fill_diagonal(legs, 0.0)
    runs = [VehicleDay(vehicle=0, day=d, start_node=n, end_node=n) for d in (0, 1, 7, 8)]
    return build_problem(cost=legs, time=legs, options=options, runs=runs, occupied=[1.0] * n)


def any_day(lo: float = 0.0) -> list[list[tuple[int, float, float]]]:
    return [[(d, lo, 99.0)] for d in (0, 1, 7, 8)]


def test_runs_are_spread_over_the_weeks() -> None:
    """Two runs in the first week become one a week, on the weekday they had."""
    problem = weeks_of_one([any_day(), any_day()])
    solution = make_solution(problem, ((0,), (1,), (), ()), (0, 5), NOWHEN[:2], "")
    evened = even_out(problem, solution, [3.0, 3.0, 0.0, 0.0])
    assert evened.routes in {((), (1,), (0,), ()), ((0,), (), (), (1,))}
    assert evened.rank == solution.rank
    for row, stops in enumerate(evened.routes):
        for stop in stops:
            assert problem.slots_of_option(evened.option[stop])[0][0] == problem.runs[row].day


def test_a_run_stays_where_its_stop_has_other_hours() -> None:
    """A stop that opens later on the other days, or comes twice, holds its run in place."""
    later = [[(0, 0.0, 99.0)], [(1, 5.0, 99.0)], [(7, 5.0, 99.0)], [(8, 5.0, 99.0)]]
    twice = [[(0, 0.0, 99.0), (1, 0.0, 99.0)]]
    for stops in (later, twice):
        problem = weeks_of_one([stops])
        days = len(problem.slots_of_option(0))
        routes = ((0,), (0,) if days > 1 else (), (), ())
        solution = make_solution(problem, routes, (0,), NOWHEN[:1], "")
        assert even_out(problem, solution, [3.0, 3.0 * (days - 1), 0.0, 0.0]).routes == routes


def test_a_stop_keeps_its_vehicle() -> None:
    """Of equal vehicles the one that came the first time comes again."""
    legs = np.ones((3, 3))
    np.fill_diagonal(legs, 0.0)
    runs = [
        VehicleDay(vehicle=v, day=d, start_node=2, end_node=2) for d in (0, 7) for v in range(2)
    ]
    twice = [[(0, 0.0, 99.0), (7, 0.0, 99.0)]]
    problem = build_problem(
        cost=legs, time=legs, options=[twice, twice], runs=runs, occupied=[9.0, 1.0]
    )
    solution = make_solution(problem, ((0,), (1,), (1,), (0,)), (0, 1), NOWHEN[:2], "")
    evened = even_out(problem, solution, [11.0, 3.0, 3.0, 11.0])
    assert evened.routes[0] == evened.routes[2]
    assert evened.routes[1] == evened.routes[3]
