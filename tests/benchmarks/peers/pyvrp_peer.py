"""PyVRP: one day as it comes, and a periodic problem in one model with client groups."""

import warnings
from typing import Any

import numpy as np
import pyvrp
from pyvrp.stop import MaxRuntime

from planner.problem import Problem, VehicleDay
from tests.benchmarks.peers.assign import assigned_options
from tests.benchmarks.peers.whole import (
    FAR,
    Routes,
    down,
    prize_unit,
    scale_of,
    up,
    whole,
    working_end,
)


def _vehicle_type(
    run: VehicleDay, scale: int, depots: list[int], num_available: int, profile: int = 0
) -> pyvrp.VehicleType:
    """The vehicle of one run; a route's length is bounded as its duration."""
    return pyvrp.VehicleType(
        capacity=[down(run.capacity, scale, FAR)],
        start_depot=depots.index(run.start_node),
        end_depot=depots.index(run.end_node),
        tw_early=up(run.duty_lo, scale),
        tw_late=down(working_end(run), scale, FAR),
        shift_duration=down(run.max_work, scale, FAR),
        num_available=num_available,
        profile=profile,
    )


def _kinds(problem: Problem) -> list[list[int]]:
    """Runs that differ in nothing but the vehicle's name."""
    kinds: dict[object, list[int]] = {}
    for number, run in enumerate(problem.runs):
        names = [f for f in run.__dataclass_fields__ if f not in ("vehicle", "week")]
        kinds.setdefault(tuple(getattr(run, f) for f in names), []).append(number)
    return list(kinds.values())


def pyvrp_day(problem: Problem, seconds: float, seed: int) -> Routes | None:
    """One day; optional stops are clients with prizes."""
    scale = scale_of(problem)
    unit = prize_unit(problem, scale)
    depots = sorted({n for r in problem.runs for n in (r.start_node, r.end_node)})
    clients = [
        pyvrp.Client(
            location=stop,
            delivery=[up(float(problem.demand[stop]), scale)],
            service_duration=up(float(problem.occupied[stop]), scale),
            tw_early=up(lo, scale),
            tw_late=down(hi, scale, FAR),
            prize=0 if problem.mandatory[stop] else unit * int(problem.prize[stop]),
            required=bool(problem.mandatory[stop]),
        )
        for stop in range(problem.num_stops)
        for _, lo, hi in problem.options_of(stop)[0]
    ]
    kinds = _kinds(problem)
    # PyVRP's own type of a matrix is narrower than what it takes.
    cost: Any = whole(problem.cost[0], scale)
    drive: Any = whole(problem.time[0], scale)
    data = pyvrp.ProblemData(
        locations=[pyvrp.Location(0, 0) for _ in range(problem.num_nodes)],
        clients=clients,
        depots=[pyvrp.Depot(location=node) for node in depots],
        vehicle_types=[
            _vehicle_type(problem.runs[kind[0]], scale, depots, len(kind)) for kind in kinds
        ],
        distance_matrices=[cost],
        duration_matrices=[drive],
    )
    return _routes(data, kinds, list(range(problem.num_stops)), problem, seconds, seed)


def _routes(
    data: pyvrp.ProblemData,
    kinds: list[list[int]],
    stop_of: list[int],
    problem: Problem,
    seconds: float,
    seed: int,
) -> Routes | None:
    with warnings.catch_warnings():
        # "struggles to find a feasible solution": what it finds is judged all the same.
        warnings.simplefilter("ignore")
        best = pyvrp.solve(data, MaxRuntime(seconds), seed=seed).best
    if not best.is_feasible():
        return None
    free = [list(kind) for kind in kinds]
    routes: list[tuple[int, ...]] = [()] * problem.num_runs
    for route in best.routes():
        run = free[route.vehicle_type()].pop(0)
        routes[run] = tuple(stop_of[a.idx] for a in route if a.is_client())
    return tuple(routes)


def pyvrp_groups(problem: Problem, seconds: float, seed: int) -> Routes | None:
    """All days in one model: a client for each day that may be, grouped where one of them counts.

    A group chooses one of its clients, so it states stops of one visit exactly. The days of stops
    of several visits are fixed before (see ``assigned_options``). Days are kept apart by profiles
    in which the other days' clients are far away.
    """
    scale = scale_of(problem)
    options, spent_s = assigned_options(problem, 0.1 * seconds)
    places: list[tuple[int, int, float, float, int | None]] = []
    groups: list[pyvrp.ClientGroup] = []
    for stop in range(problem.num_stops):
        if options[stop] < 0:
            continue
        slots = problem.slots_of_option(options[stop])
        choices = problem.options_of(stop)
        if len(slots) == 1 and len(choices) > 1:
            first = len(places)
            places += [(stop, *slot, len(groups)) for (slot,) in choices]
            groups.append(pyvrp.ClientGroup(list(range(first, len(places)))))
        else:
            places += [(stop, *slot, None) for slot in slots]
    depots = sorted({n for r in problem.runs for n in (r.start_node, r.end_node)})
    nodes = np.array([place[0] for place in places] + depots, np.intp)
    days = sorted({run.day for run in problem.runs})
    day_of = np.array([place[1] for place in places] + [-1] * len(depots))
    matrices: list[Any] = []
    cost = whole(problem.cost[0][np.ix_(nodes, nodes)], scale)
    far = int(cost.sum(axis=1).max()) + 1
    for day in days:
        apart = (day_of >= 0) & (day_of != day)
        matrix = cost.copy()
        matrix[apart, :] = far
        matrix[:, apart] = far
        np.fill_diagonal(matrix, 0)
        matrices.append(matrix)
    kinds = _kinds(problem)
    data = pyvrp.ProblemData(
        locations=[pyvrp.Location(0, 0) for _ in nodes],
        clients=[
            pyvrp.Client(
                location=number,
                delivery=[up(float(problem.demand[stop]), scale)],
                service_duration=up(float(problem.occupied[stop]), scale),
                tw_early=up(lo, scale),
                tw_late=down(hi, scale, FAR),
                required=group is None,
                group=group,
            )
            for number, (stop, _, lo, hi, group) in enumerate(places)
        ],
        depots=[pyvrp.Depot(location=len(places) + i) for i in range(len(depots))],
        vehicle_types=[
            _vehicle_type(
                problem.runs[kind[0]],
                scale,
                depots,
                num_available=len(kind),
                profile=days.index(problem.runs[kind[0]].day),
            )
            for kind in kinds
        ],
        distance_matrices=matrices,
        duration_matrices=matrices,
        groups=groups,
    )
    stop_of = [place[0] for place in places]
    return _routes(data, kinds, stop_of, problem, max(0.1, seconds - spent_s), seed)
