"""VROOM at its highest exploration: one day, two threads; it knows no seed and ends by itself."""

import math
from datetime import timedelta

import numpy as np
import vroom

from planner.problem import Problem
from tests.benchmarks.peers.whole import FAR, LATEST, Routes, down, scale_of, up, whole

MOST_PRIORITY = 100


def vroom_day(problem: Problem, seconds: float, seed: int) -> Routes | None:
    """One day; optional stops are jobs with priorities, which end at 100."""
    del seed
    scale = scale_of(problem)
    is_free = bool(np.isinf(problem.slot_hi).all() and (problem.slot_lo == 0).all())
    request = vroom.Input()
    request.set_durations_matrix("car", whole(problem.time[0], scale).astype(np.uint32))
    request.set_costs_matrix("car", whole(problem.cost[0], scale).astype(np.uint32))
    for number, run in enumerate(problem.runs):
        # Without windows of stops, a limit of duration is an end of the day.
        longest = run.duty_lo + run.max_work if is_free else math.inf
        has_meal = math.isfinite(run.meal_after)
        breaks = []
        if has_meal:
            latest = down(run.meal_hi - run.meal_min, scale, LATEST)
            window = vroom.TimeWindow(up(run.meal_lo, scale), latest)
            breaks = [vroom.Break(number, [window], service=up(run.meal_min, scale))]
        request.add_vehicle(
            vroom.Vehicle(
                number,
                start=run.start_node,
                end=run.end_node,
                capacity=[down(run.capacity, scale, FAR)],
                time_window=vroom.TimeWindow(
                    up(run.duty_lo, scale), down(min(run.duty_hi, longest), scale, LATEST)
                ),
                breaks=breaks,
            )
        )
    most = max(1.0, float(problem.prize.max(initial=0.0)))
    request.add_job(
        [
            vroom.Job(
                stop,
                location=stop,
                default_service=up(float(problem.occupied[stop]), scale),
                delivery=[up(float(problem.demand[stop]), scale)],
                priority=MOST_PRIORITY
                if problem.mandatory[stop]
                else round(float(problem.prize[stop]) * min(1.0, MOST_PRIORITY / most)),
                time_windows=[vroom.TimeWindow(up(lo, scale), down(hi, scale, LATEST))],
            )
            for stop in range(problem.num_stops)
            for _, lo, hi in problem.options_of(stop)[0]
        ]
    )
    answer = request.solve(exploration_level=5, nb_threads=2, timeout=timedelta(seconds=seconds))
    routes: list[tuple[int, ...]] = [()] * problem.num_runs
    steps = answer.routes[answer.routes["type"] == "job"]
    for vehicle, visits in steps.groupby("vehicle_id", sort=True):
        routes[int(vehicle)] = tuple(int(stop) for stop in visits["id"])
    return tuple(routes)
