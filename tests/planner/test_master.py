"""Set partitioning recombines routes of different solutions and keeps options and week sums."""

import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from planner.master import NO_SIDE, Column, Cover, Side, Sum, choose
from planner.problem import Problem, VehicleDay, Week, build_problem
from planner.solutions import make_solution
from planner.stopping import Budget

BUDGET = Budget(seconds=20.0, deterministic=2.0, workers=1, max_columns=6000)
NOWHEN = (float("nan"),) * 3


def line(weeks: tuple[Week, ...] = ()) -> Problem:
    """Three stops on a line, two days; stop 0 is visited on both."""
    at = np.array([1.0, 2.0, 3.0, 0.0])
    legs = np.abs(at[:, None] - at[None])
    day = [(d, 0.0, 99.0) for d in range(2)]
    runs = [
        VehicleDay(vehicle=0, day=d, start_node=3, end_node=3, week=0 if weeks else -1)
        for d in range(2)
    ]
    return build_problem(
        cost=legs,
        time=legs,
        options=[[day], [[day[0]], [day[1]]], [[day[0]], [day[1]]]],
        runs=runs,
        occupied=[0.0] * 3,
        prize=[5.0, 1.0, 2.0],
        mandatory=[False] * 3,
        weeks=weeks,
    )


def columns(problem: Problem, *routes: tuple[int, tuple[int, ...]]) -> dict[object, Column]:
    made: dict[object, Column] = {}
    for row, stops in routes:
        slots = tuple(
            next(
                q
                for q in range(int(problem.slot_ptr[s]), int(problem.slot_ptr[s + 1]))
                if problem.slot_day[q] == row
            )
            for s in stops
        )
        path = [3, *stops, 3]
        length = float(sum(problem.cost[0, i, j] for i, j in pairwise(path)))
        column = Column(
            run=row,
            stops=stops,
            slots=slots,
            anchors=(None,) * len(stops),
            cost=length,
            work=length,
            drive=length,
        )
        made[column.key(range(2))] = column
    return made


def served(problem: Problem, chosen: dict[int, Column]) -> dict[int, tuple[int, ...]]:
    return {row: column.stops for row, column in chosen.items()}


def test_days_of_two_solutions_are_recombined() -> None:
    """The best day of each solution makes a better one than either."""
    problem = line()
    pool = columns(problem, (0, (0, 1, 2)), (1, (0,)), (0, (0, 1)), (1, (0, 2)), (1, (0, 1, 2)))
    nothing = make_solution(problem, ((), ()), (-1, -1, -1), NOWHEN, "")
    answer = choose(problem, pool, nothing, frozenset(), BUDGET)  # type: ignore[arg-type]
    assert answer is not None
    chosen, option, status = answer
    assert status == "OPTIMAL"
    assert sum(c.cost for c in chosen.values()) == 8.0  # 0-1-2 on one day, 0 alone on the other
    assert sorted(option) == [0, 1, 2]


def test_a_stop_is_visited_on_all_days_of_its_option_or_not_at_all() -> None:
    """With no second day for stop 0, its routes cannot be used."""
    problem = line()
    pool = columns(problem, (0, (0, 1)), (1, (2,)))
    nothing = make_solution(problem, ((), ()), (-1, -1, -1), NOWHEN, "")
    answer = choose(problem, pool, nothing, frozenset(), BUDGET)  # type: ignore[arg-type]
    assert answer is not None
    assert served(problem, answer[0]) == {1: (2,)}


def test_week_sums_hold() -> None:
    """Driving of both days stays within the week's limit, prize decides what goes."""
    problem = line((Week(next_week=0, max_drive=7.0),))
    pool = columns(problem, (0, (0, 1, 2)), (1, (0,)), (0, (0,)), (1, (0, 1)), (0, (2,)))
    nothing = make_solution(problem, ((), ()), (-1, -1, -1), NOWHEN, "")
    answer = choose(problem, pool, nothing, frozenset(), BUDGET)  # type: ignore[arg-type]
    assert answer is not None
    assert served(problem, answer[0]) == {0: (0,), 1: (0, 1)}


def test_columns_are_filtered_by_reduced_cost() -> None:
    """Fewer columns than the pool holds still make the best choice."""
    problem = line()
    pool = columns(
        problem, (0, (0, 1, 2)), (1, (0,)), (0, (0, 2, 1)), (1, (0, 1, 2)), (0, (0,)), (1, (2,))
    )
    nothing = make_solution(problem, ((), ()), (-1, -1, -1), NOWHEN, "")
    tight = replace(BUDGET, max_columns=3)
    answer = choose(problem, pool, nothing, frozenset(), tight)  # type: ignore[arg-type]
    assert answer is not None
    assert sum(c.cost for c in answer[0].values()) == 8.0


HEARD = """
import signal
from planner.improve import optimise
from planner.params import SolveParams
from tests.planner.instances import random_problem

signal.signal(signal.SIGINT, lambda *_: print("heard"))
problem = random_problem(3, stops=6, vehicles=2)
optimise(problem, SolveParams(seed=1, work_limit=300, workers=1))
signal.raise_signal(signal.SIGINT)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows raises SIGINT in another way")
def test_an_interrupt_after_a_solve_is_still_heard() -> None:
    """The solver leaves the program's own answer to Ctrl-C in place."""
    ended = subprocess.run(
        [sys.executable, "-c", HEARD],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip() == "heard"


def test_limits_beside_the_problem_hold() -> None:
    """A sum over the routes, and a place that one of two stops must cover: prize gives way."""
    problem = line()
    pool = columns(problem, (0, (0, 1, 2)), (1, (0,)), (0, (1,)), (0, (2,)), (1, (1, 2)))
    nothing = make_solution(problem, ((), ()), (-1, -1, -1), NOWHEN, "")

    def best(side: Side) -> dict[int, tuple[int, ...]] | None:
        answer = choose(
            problem,
            pool,  # type: ignore[arg-type]
            nothing,
            frozenset(),
            BUDGET,
            side=side,
        )
        return None if answer is None else served(problem, answer[0])

    assert best(NO_SIDE) == {0: (0, 1, 2), 1: (0,)}
    short = Sum(amount=lambda c: c.cost, most=4.0)
    assert best(Side(sums=(short,))) == {0: (1,)}
    place = Cover(weight=7, stops=frozenset({2}))
    lonely = Cover(weight=5, stops=frozenset())
    assert best(Side(sums=(short,), covers=(place, lonely), most_uncovered=11)) is None
    longer = replace(short, most=6.0)
    assert best(Side(sums=(longer,))) in ({0: (2,)}, {1: (1, 2)})
    assert best(Side(sums=(longer,), covers=(place, lonely), most_uncovered=5)) is not None
    assert best(Side(covers=(lonely,), most_uncovered=4)) is None
