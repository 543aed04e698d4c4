"""A problem checks its parts, numbers options, and has a digest that follows its content."""

from dataclasses import replace

import numpy as np
import pytest

from planner.problem import NO_ROAD, VehicleDay, build_problem
from tests.planner.instances import random_problem

LEGS = np.array([[0.0, 4.0, 3.0], [4.0, 0.0, 5.0], [3.0, 5.0, 0.0]])
RUN = VehicleDay(vehicle=0, day=0, start_node=2, end_node=2)


def test_options_come_back_as_given() -> None:
    """Slots shared by options are numbered once."""
    a, b = (0, 1.0, 2.0), (1, 1.0, 2.0)
    problem = build_problem(
        cost=LEGS, time=LEGS, options=[[[a, b], [a]], [[b]]], runs=[RUN], occupied=[1.0, 1.0]
    )
    assert problem.options_of(0) == ((a, b), (a,))
    assert problem.options_of(1) == ((b,),)
    assert len(problem.slot_day) == 3
    assert problem.num_days == 2


def test_the_digest_follows_the_content() -> None:
    """Equal problems share a digest; any changed limit or leg gives another."""
    problem = random_problem(1)
    assert problem.digest() == random_problem(1).digest()
    longer = replace(problem.runs[0], max_work=999.0)
    assert problem.digest() != replace(problem, runs=(longer, *problem.runs[1:])).digest()
    assert problem.digest() != replace(problem, cost=problem.cost + 1).digest()


def test_no_road_is_a_finite_number() -> None:
    """Infinite legs become ``NO_ROAD``."""
    legs = LEGS.copy()
    legs[0, 1] = np.inf
    problem = build_problem(cost=legs, time=legs, options=[[], []], runs=[RUN], occupied=[0.0, 0.0])
    assert problem.time[0, 0, 1] == NO_ROAD


@pytest.mark.parametrize(
    "change",
    [
        {"occupied": [1.0]},
        {"occupied": [1.0, -1.0]},
        {"cost": LEGS[:2]},
        {"cost": -LEGS},
        {"options": [[[(0, 2.0, 1.0)]], []]},
        {"options": [[[(0, 1.0, 2.0), (0, 3.0, 4.0)]], []]},
        {"runs": [replace(RUN, start_node=0)]},
        {"runs": [replace(RUN, week=0)]},
        {"runs": [replace(RUN, break_parts=(1.0, 2.0, 3.0))]},
        {"mandatory": [True]},
        {"may_serve": np.ones((2, 4), np.bool_)},
        {"clock_grid": 0.0},
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, object]) -> None:
    """Shapes, signs and indices are checked when a problem is built."""
    parts: dict[str, object] = {
        "cost": LEGS,
        "time": LEGS,
        "options": [[], []],
        "runs": [RUN],
        "occupied": [0.0, 0.0],
    }
    with pytest.raises(ValueError, match=r"\w"):
        build_problem(**(parts | change))  # type: ignore[arg-type]
