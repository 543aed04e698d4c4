"""Compile the search before its clock starts."""

import numpy as np

from planner.improve import optimise
from planner.params import SolveParams
from planner.problem import VehicleDay, build_problem


def warm_up() -> None:
    """Have the kernels compiled, once per machine and version; later calls take a moment.

    Whoever gives the search a time limit calls this first, so that the limit is all search.
    """
    problem = build_problem(
        cost=np.ones((2, 2)),
        time=np.ones((2, 2)),
        options=[[[(0, 0.0, 1.0)]]],
        runs=[VehicleDay(vehicle=0, day=0, start_node=1, end_node=1)],
        occupied=[0.0],
    )
    optimise(problem, SolveParams(work_limit=1, workers=1, rounds=1))
