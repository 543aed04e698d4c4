"""Equal vehicles share the work of a week; nothing else changes."""

from dataclasses import replace

import numpy as np

from planner.balance import even_out
from planner.improve import make_solution
from planner.problem import Problem, VehicleDay, Week, build_problem


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
