"""The peers count in whole numbers: lengths and times as integers that never flatter."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from planner.problem import Problem, VehicleDay, build_problem

FINE = 10_000
COARSE = 100
FAR = 2**40
LATEST = 2**31
MOST_LEG = 2**31 - 1

type Routes = tuple[tuple[int, ...], ...]
"""Stops of each vehicle-day of a problem, in order."""
type Peer = Callable[[Problem, float, int], Routes | None]
"""Routes of a problem after some seconds with a seed; ``None`` where nothing was found."""


def scale_of(problem: Problem) -> int:
    """Grains of a unit: a ten-thousandth, a hundredth where times run into days of seconds."""
    times = [run.duty_hi for run in problem.runs if math.isfinite(run.duty_hi)]
    return FINE if max(times, default=0.0) < 50_000 else COARSE


def whole(values: NDArray[np.float64], scale: int) -> NDArray[np.int64]:
    """Rounded up, so that what fits in integers fits in fact."""
    return np.asarray(np.minimum(np.ceil(scale * values - 1e-9), MOST_LEG), np.int64)


def up(value: float, scale: int) -> int:
    return math.ceil(scale * value - 1e-9)


def down(value: float, scale: int, most: int) -> int:
    return most if math.isinf(value) else min(most, math.floor(scale * value + 1e-9))


def prize_unit(problem: Problem, scale: int) -> int:
    """Cost of one prize left behind: more than all that could be driven."""
    limits = sum(run.max_work for run in problem.runs)
    return 1 if math.isinf(limits) else int(scale * limits) + 1


def working_end(run: VehicleDay) -> float:
    """End of a vehicle-day less its meal, for solvers that are told of no meal."""
    return run.duty_hi - (run.meal_min if math.isfinite(run.meal_after) else 0.0)


def day_of(
    problem: Problem,
    day: int,
    options: Sequence[int],
    windows: Sequence[tuple[float, float]] | None = None,
) -> tuple[Problem, list[int], list[int]]:
    """One day of a problem whose options are chosen: the problem, its stops and its runs.

    Parameters
    ----------
    options
        Chosen option of each stop, by index over all stops.
    windows
        Earliest and latest start of each stop where they are narrower than the slot.
    """
    stops, slots = [], []
    for stop, option in enumerate(options):
        for there, lo, hi in problem.slots_of_option(option) if option >= 0 else ():
            if there == day:
                least, most = (lo, hi) if windows is None else windows[stop]
                stops.append(stop)
                slots.append((0, max(lo, least), min(hi, most)))
    runs = [number for number, run in enumerate(problem.runs) if run.day == day]
    depots = sorted(
        {n for r in runs for n in (problem.runs[r].start_node, problem.runs[r].end_node)}
    )
    nodes = np.array([*stops, *depots], np.intp)
    at = {node: len(stops) + i for i, node in enumerate(depots)}
    single = build_problem(
        cost=problem.cost[0][np.ix_(nodes, nodes)],
        time=problem.time[0][np.ix_(nodes, nodes)],
        options=[[[slot]] for slot in slots],
        runs=[
            replace(
                problem.runs[r],
                vehicle=k,
                day=0,
                week=-1,
                start_node=at[problem.runs[r].start_node],
                end_node=at[problem.runs[r].end_node],
            )
            for k, r in enumerate(runs)
        ],
        occupied=problem.occupied[stops],
        demand=problem.demand[stops],
        prize=problem.prize[stops],
        mandatory=problem.mandatory[stops],
    )
    return single, stops, runs


def by_day(
    problem: Problem,
    options: Sequence[int],
    peer: Peer,
    seconds: float,
    seed: int,
    windows: Sequence[tuple[float, float]] | None = None,
) -> Routes | None:
    """Each day by itself, the time shared by the days' numbers of visits."""
    days = sorted({run.day for run in problem.runs})
    visits = {
        day: sum(slot[0] == day for o in options if o >= 0 for slot in problem.slots_of_option(o))
        for day in days
    }
    total = max(1, sum(visits.values()))
    routes: list[tuple[int, ...]] = [()] * problem.num_runs
    for day in days:
        if not visits[day]:
            continue
        single, stops, runs = day_of(problem, day, options, windows)
        found = peer(single, max(0.05, seconds * visits[day] / total), seed)
        if found is None:
            return None
        for run, route in zip(runs, found, strict=True):
            routes[run] = tuple(stops[i] for i in route)
    return tuple(routes)
