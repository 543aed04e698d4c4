"""Other solvers on the same instances: PyVRP, VROOM and OR-Tools routing, as they come.

``python -m tests.benchmarks.peers pvrp|vrptw|top FILE… [--time-limit SECONDS]`` prints the table of
``bookmobile bench`` with a column for each. Every solver gets the same time; every solution is
checked by the instance's own rules. PyVRP and VROOM come with the extra ``peers``.
"""

import argparse
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from api.bench.instance import Instance, Tour, judged
from api.bench.measure import measure
from api.bench.pvrp import read_pvrp
from api.bench.table import outcome_table
from api.bench.top import read_top
from api.bench.vrptw import read_vrptw
from api.progress import Quiet
from api.words import Words
from planner.params import SolveParams
from planner.problem import Problem
from planner.warm_up import warm_up

SCALE = 10_000
"""The peers count in integers: lengths and times are rounded up to a ten-thousandth."""

type Peer = Callable[[Problem, float, int], tuple[Tour, ...] | None]
"""Tours of a problem after some seconds with a seed; ``None`` where nothing was found."""


def whole(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rounded up, so that what fits in integers fits in fact."""
    return np.asarray(np.ceil(SCALE * values - 1e-9), np.int64)


def bounded(value: float, most: int) -> int:
    return most if math.isinf(value) else math.floor(SCALE * value + 1e-9)


def prize_unit(problem: Problem) -> int:
    """Cost of one prize left behind: more than all that could be driven."""
    limits = sum(run.max_work for run in problem.runs)
    return 1 if math.isinf(limits) else int(SCALE * limits) + 1


def pyvrp_tours(problem: Problem, seconds: float, seed: int) -> tuple[Tour, ...] | None:
    """PyVRP, one day; optional stops are clients with prizes."""
    import pyvrp
    from pyvrp.stop import MaxRuntime

    far = 2**40
    run = problem.runs[0]
    unit = prize_unit(problem)
    clients = [
        pyvrp.Client(
            location=stop,
            delivery=[int(problem.demand[stop])],
            service_duration=math.ceil(SCALE * problem.occupied[stop]),
            tw_early=math.ceil(SCALE * lo),
            tw_late=bounded(hi, far),
            prize=0 if problem.mandatory[stop] else unit * int(problem.prize[stop]),
            required=bool(problem.mandatory[stop]),
        )
        for stop in range(problem.num_stops)
        for _, lo, hi in problem.options_of(stop)[0]
    ]
    ends = [run.start_node, run.end_node]
    # PyVRP's own type of a matrix is narrower than what it takes.
    cost: Any = whole(problem.cost[0])
    drive: Any = whole(problem.time[0])
    data = pyvrp.ProblemData(
        locations=[pyvrp.Location(0, 0) for _ in range(problem.num_nodes)],
        clients=clients,
        depots=[pyvrp.Depot(location=node) for node in dict.fromkeys(ends)],
        vehicle_types=[
            pyvrp.VehicleType(
                num_available=problem.num_runs,
                capacity=[bounded(run.capacity / SCALE, far)],
                end_depot=int(ends[0] != ends[1]),
                tw_early=math.ceil(SCALE * run.duty_lo),
                tw_late=bounded(run.duty_hi, far),
                max_distance=bounded(run.max_work, far),
            )
        ],
        distance_matrices=[cost],
        duration_matrices=[drive],
    )
    best = pyvrp.solve(data, MaxRuntime(seconds), seed=seed).best
    if not best.is_feasible():
        return None
    return tuple(
        Tour(day=0, places=tuple(a.idx + 1 for a in route if a.is_client()))
        for route in best.routes()
    )


def vroom_tours(problem: Problem, seconds: float, seed: int) -> tuple[Tour, ...] | None:
    """VROOM at its highest exploration, one day, every stop mandatory; it knows no seed."""
    import vroom

    run = problem.runs[0]
    latest = 2**31
    request = vroom.Input()
    request.set_durations_matrix("car", whole(problem.time[0]).astype(np.uint32))
    request.set_costs_matrix("car", whole(problem.cost[0]).astype(np.uint32))
    request.add_vehicle(
        [
            vroom.Vehicle(
                number,
                start=run.start_node,
                end=run.end_node,
                capacity=[bounded(run.capacity / SCALE, latest)],
                time_window=vroom.TimeWindow(
                    math.ceil(SCALE * run.duty_lo), bounded(run.duty_hi, latest)
                ),
            )
            for number in range(problem.num_runs)
        ]
    )
    request.add_job(
        [
            vroom.Job(
                stop,
                location=stop,
                default_service=math.ceil(SCALE * problem.occupied[stop]),
                delivery=[int(problem.demand[stop])],
                time_windows=[vroom.TimeWindow(math.ceil(SCALE * lo), bounded(hi, latest))],
            )
            for stop in range(problem.num_stops)
            for _, lo, hi in problem.options_of(stop)[0]
        ]
    )
    answer = request.solve(exploration_level=5, nb_threads=2, timeout=timedelta(seconds=seconds))
    steps = answer.routes[answer.routes["type"] == "job"]
    return tuple(
        Tour(day=0, places=tuple(int(stop) + 1 for stop in visits["id"]))
        for _, visits in steps.groupby("vehicle_id", sort=True)
    )


def ortools_tours(problem: Problem, seconds: float, seed: int) -> tuple[Tour, ...] | None:
    """OR-Tools routing with guided local search: all vehicle-days as vehicles.

    Each option of a stop has nodes of its own; one option's first node is chosen, the others of
    the option follow it. The search itself knows no seed.
    """
    from ortools.constraint_solver import pywrapcp, routing_enums_pb2

    nodes = [
        (stop, number, slot)
        for stop in range(problem.num_stops)
        for number, option in enumerate(problem.options_of(stop))
        for slot in option
    ]
    ends = sorted({n for run in problem.runs for n in (run.start_node, run.end_node)})
    row = np.array([stop for stop, _, _ in nodes] + ends, np.intp)
    at_end = {node: len(nodes) + i for i, node in enumerate(ends)}
    cost, drive = (whole(m[0][np.ix_(row, row)]) for m in (problem.cost, problem.time))
    stay = whole(np.array([problem.occupied[s] for s, _, _ in nodes] + [0.0] * len(ends)))
    manager = pywrapcp.RoutingIndexManager(
        len(row),
        problem.num_runs,
        [at_end[run.start_node] for run in problem.runs],
        [at_end[run.end_node] for run in problem.runs],
    )
    routing = pywrapcp.RoutingModel(manager)
    solver = routing.solver()
    far = 2**40
    routing.SetArcCostEvaluatorOfAllVehicles(routing.RegisterTransitMatrix(cost.tolist()))
    clock = routing.RegisterTransitMatrix((drive + stay[:, None]).tolist())
    routing.AddDimension(clock, far, far, False, "clock")
    time = routing.GetDimensionOrDie("clock")
    load = routing.RegisterUnaryTransitVector(
        [int(problem.demand[s]) for s, _, _ in nodes] + [0] * len(ends)
    )
    capacities = [bounded(run.capacity / SCALE, far) for run in problem.runs]
    routing.AddDimensionWithVehicleCapacity(load, 0, capacities, True, "load")
    for vehicle, run in enumerate(problem.runs):
        time.SetSpanUpperBoundForVehicle(bounded(run.max_work, far), vehicle)
        for index in (routing.Start(vehicle), routing.End(vehicle)):
            time.CumulVar(index).SetRange(math.ceil(SCALE * run.duty_lo), bounded(run.duty_hi, far))
    unit = prize_unit(problem)
    first: dict[tuple[int, int], int] = {}
    for node, (stop, number, (day, lo, hi)) in enumerate(nodes):
        index = manager.NodeToIndex(node)
        time.CumulVar(index).SetRange(math.ceil(SCALE * lo), bounded(hi, far))
        if problem.num_days > 1:
            fleet = [v for v, run in enumerate(problem.runs) if run.day == day]
            routing.VehicleVar(index).SetValues([-1, *fleet])
        if (stop, number) in first:
            routing.AddDisjunction([index], 0)
            solver.Add(routing.ActiveVar(index) == routing.ActiveVar(first[stop, number]))
        else:
            first[stop, number] = index
    for stop in range(problem.num_stops):
        choices = [index for (s, _), index in first.items() if s == stop]
        optional = not problem.mandatory[stop]
        routing.AddDisjunction(choices, unit * int(problem.prize[stop]) if optional else -1)
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.local_search_metaheuristic = (
        routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    )
    parameters.first_solution_strategy = (
        routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    )
    parameters.time_limit.FromTimedelta(timedelta(seconds=seconds))
    answer = routing.SolveWithParameters(parameters)
    if answer is None:
        return None
    tours = []
    for vehicle, run in enumerate(problem.runs):
        index, places = answer.Value(routing.NextVar(routing.Start(vehicle))), []
        while not routing.IsEnd(index):
            places.append(nodes[manager.IndexToNode(index)][0] + 1)
            index = answer.Value(routing.NextVar(index))
        if places:
            tours.append(Tour(day=run.day, places=tuple(places)))
    return tuple(tours)


READERS: dict[str, Callable[[Path], Instance]] = {
    "pvrp": read_pvrp,
    "vrptw": read_vrptw,
    "top": read_top,
}
PEERS: dict[str, dict[str, Peer]] = {
    "pvrp": {"OR-Tools": ortools_tours},
    "vrptw": {"PyVRP": pyvrp_tours, "VROOM": vroom_tours, "OR-Tools": ortools_tours},
    "top": {"PyVRP": pyvrp_tours, "OR-Tools": ortools_tours},
}


def beside(kind: str, instance: Instance, seconds: float, seed: int) -> dict[str, float | None]:
    """Each peer's value on an instance; ``None`` where its solution breaks a rule."""
    values: dict[str, float | None] = {}
    for name, peer in PEERS[kind].items():
        tours = peer(instance.problem(), seconds, seed)
        values[name] = (
            None if tours is None else judged(instance, tours, best=None, seconds=seconds).cost
        )
    return values


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=sorted(READERS))
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--time-limit", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    params = SolveParams(seed=asked.seed, time_limit_s=asked.time_limit)
    warm_up()
    outcomes = []
    for file in asked.files:
        instance = READERS[asked.kind](file)
        outcome = measure(instance, file, params, Quiet())
        values = beside(asked.kind, instance, asked.time_limit, asked.seed)
        outcomes.append(replace(outcome, peers=tuple(values.items())))
    Console().print(outcome_table(outcomes, Words("en")))


if __name__ == "__main__":
    main()
