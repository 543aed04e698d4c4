"""A plain solution to compare the search with: cheapest insertion, one stop after the other."""

from planner.improve import optimise
from planner.params import SolveParams
from planner.problem import Problem, Solution


def build_baseline(problem: Problem, *, seed: int = 1) -> Solution:
    """Every stop once, in a drawn order, where it costs least; nothing is ever moved again."""
    params = SolveParams(seed=seed, work_limit=1, workers=1, rounds=1, master_ratio=0.0)
    return optimise(problem, params)
