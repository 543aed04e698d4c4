"""Days for solvers that know one day only: patterns chosen before any route is driven."""

import math
import time

import numpy as np
from ortools.sat.python import cp_model

from planner.problem import Problem

NEAR = 5
SLACK = 1.05


def assigned_options(problem: Problem, seconds: float) -> tuple[list[int], float]:
    """An option of each stop (index over all stops), and the seconds that the choice took.

    A CP-SAT model keeps each day's load and time near the mean and within the fleet, and lets as
    many near neighbours as it can share a day.
    """
    began = time.perf_counter()
    model = cp_model.CpModel()
    days = range(problem.num_days)
    there: dict[tuple[int, int], cp_model.IntVar] = {}
    chosen: list[list[cp_model.IntVar]] = []
    for stop in range(problem.num_stops):
        options = problem.options_of(stop)
        picks = [model.new_bool_var("") for _ in options]
        if picks:
            model.add_exactly_one(picks)
        chosen.append(picks)
        for day in days:
            at = [p for p, o in zip(picks, options, strict=True) if any(s[0] == day for s in o)]
            if at:
                there[stop, day] = model.new_bool_var("")
                model.add(sum(at) == there[stop, day])
    _balance(problem, model, there)
    met = []
    distance = problem.cost[0][: problem.num_stops, : problem.num_stops].copy()
    np.fill_diagonal(distance, np.inf)
    for stop in range(problem.num_stops):
        for other in np.argsort(distance[stop])[:NEAR]:
            for day in days:
                if (stop, day) in there and (int(other), day) in there:
                    both = model.new_bool_var("")
                    model.add_implication(both, there[stop, day])
                    model.add_implication(both, there[int(other), day])
                    met.append(both)
    model.maximize(sum(met))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = max(0.2, seconds)
    solver.parameters.num_workers = 2
    solver.parameters.random_seed = 1
    status = solver.solve(model)
    is_found = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    options_of = [
        next((k for k, p in enumerate(picks) if is_found and solver.value(p)), 0) if picks else -1
        for picks in chosen
    ]
    numbers = [
        int(problem.option_ptr[stop]) + k if k >= 0 else -1 for stop, k in enumerate(options_of)
    ]
    return numbers, time.perf_counter() - began


def _balance(
    problem: Problem,
    model: cp_model.CpModel,
    there: dict[tuple[int, int], cp_model.IntVar],
) -> None:
    """No day takes more than its fleet carries, nor, if it can be, much more than its share."""
    worst = model.new_int_var(0, 10**6, "")
    near = problem.cost[0][: problem.num_stops, : problem.num_stops].copy()
    np.fill_diagonal(near, np.inf)
    time_of = problem.occupied + near.min(axis=1)
    least = [
        min((len(o) for o in problem.options_of(s)), default=0) for s in range(problem.num_stops)
    ]
    for amounts, limit in ((problem.demand, "capacity"), (time_of, "max_work")):
        grain = [math.ceil(float(a)) for a in amounts]
        total = sum(g * n for g, n in zip(grain, least, strict=True))
        for day in range(problem.num_days):
            load = sum(grain[s] * v for (s, d), v in there.items() if d == day)
            fleet = sum(getattr(r, limit) for r in problem.runs if r.day == day)
            if limit == "capacity" and math.isfinite(fleet):
                model.add(load <= math.floor(fleet))
            model.add(load <= math.ceil(SLACK * total / problem.num_days) + worst)
    model.add_hint(worst, 0)
    # A day above its share costs more than any meeting of neighbours brings.
    model.add(worst <= max(1, round(0.1 * float(time_of.sum()))))
