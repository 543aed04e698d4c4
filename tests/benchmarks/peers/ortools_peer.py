"""OR-Tools routing with guided local search: all vehicle-days as vehicles.

Each option of a stop has nodes of its own; one option's first node is chosen, the others of the
option follow it. The search knows no seed: the second process begins from another first solution.
"""

from datetime import timedelta
from typing import Any

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from planner.problem import Problem
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

type Node = tuple[int, int, tuple[int, float, float]]
"""Stop, number of its option, slot."""


class _Model:
    """The routing model of a problem."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.scale = scale_of(problem)
        self.nodes: list[Node] = [
            (stop, number, slot)
            for stop in range(problem.num_stops)
            for number, option in enumerate(problem.options_of(stop))
            for slot in option
        ]
        ends = sorted({n for run in problem.runs for n in (run.start_node, run.end_node)})
        self.row = np.array([stop for stop, _, _ in self.nodes] + ends, np.intp)
        at_end = {node: len(self.nodes) + i for i, node in enumerate(ends)}
        self.manager = pywrapcp.RoutingIndexManager(
            len(self.row),
            problem.num_runs,
            [at_end[run.start_node] for run in problem.runs],
            [at_end[run.end_node] for run in problem.runs],
        )
        self.routing = pywrapcp.RoutingModel(self.manager)
        self.solver = self.routing.solver()
        self.num_ends = len(ends)
        self.first: dict[tuple[int, int], int] = {}
        self._dimensions()
        self._stops()

    def _dimensions(self) -> None:
        problem, scale, routing = self.problem, self.scale, self.routing
        cost, drive = (
            whole(m[0][np.ix_(self.row, self.row)], scale) for m in (problem.cost, problem.time)
        )
        visited = [stop for stop, _, _ in self.nodes]
        stay = whole(np.array([*problem.occupied[visited], *[0.0] * self.num_ends]), scale)
        routing.SetArcCostEvaluatorOfAllVehicles(routing.RegisterTransitMatrix(cost.tolist()))
        clock = routing.RegisterTransitMatrix((drive + stay[:, None]).tolist())
        routing.AddDimension(clock, FAR, FAR, False, "clock")
        self.time = routing.GetDimensionOrDie("clock")
        load = routing.RegisterUnaryTransitVector(
            [up(float(problem.demand[s]), scale) for s in visited] + [0] * self.num_ends
        )
        capacities = [down(run.capacity, scale, FAR) for run in problem.runs]
        routing.AddDimensionWithVehicleCapacity(load, 0, capacities, True, "load")
        for vehicle, run in enumerate(problem.runs):
            self.time.SetSpanUpperBoundForVehicle(down(run.max_work, scale, FAR), vehicle)
            for index in (routing.Start(vehicle), routing.End(vehicle)):
                latest = down(working_end(run), scale, FAR)
                self.time.CumulVar(index).SetRange(up(run.duty_lo, scale), latest)

    def _stops(self) -> None:
        problem, routing = self.problem, self.routing
        unit = prize_unit(problem, self.scale)
        for node, (stop, number, (day, lo, hi)) in enumerate(self.nodes):
            index = self.manager.NodeToIndex(node)
            self.time.CumulVar(index).SetRange(up(lo, self.scale), down(hi, self.scale, FAR))
            if problem.num_days > 1:
                fleet = [v for v, run in enumerate(problem.runs) if run.day == day]
                routing.VehicleVar(index).SetValues([-1, *fleet])
            if problem.mandatory[stop] and len(problem.options_of(stop)) == 1:
                continue  # nothing to choose: every node must be visited
            if (stop, number) in self.first:
                routing.AddDisjunction([index], 0)
                chosen = routing.ActiveVar(self.first[stop, number])
                self.solver.Add(routing.ActiveVar(index) == chosen)
            else:
                self.first[stop, number] = index
        for stop in range(problem.num_stops):
            choices = [index for (s, _), index in self.first.items() if s == stop]
            if choices:
                optional = not problem.mandatory[stop]
                penalty = unit * int(problem.prize[stop]) if optional else -1
                routing.AddDisjunction(choices, penalty)

    def answer(self, seconds: float, seed: int) -> Any:
        """OR-Tools' assignment, ``None`` where it found nothing."""
        parameters = pywrapcp.DefaultRoutingSearchParameters()
        parameters.local_search_metaheuristic = (
            routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
        )
        strategy = routing_enums_pb2.FirstSolutionStrategy
        parameters.first_solution_strategy = (
            strategy.PARALLEL_CHEAPEST_INSERTION if seed % 2 else strategy.AUTOMATIC
        )
        parameters.time_limit.FromTimedelta(timedelta(seconds=seconds))
        return self.routing.SolveWithParameters(parameters)

    def visits(self, answer: Any) -> list[list[int]]:
        """Node numbers of each vehicle in order."""
        ways = []
        for vehicle in range(self.problem.num_runs):
            index, way = answer.Value(self.routing.NextVar(self.routing.Start(vehicle))), []
            while not self.routing.IsEnd(index):
                way.append(self.manager.IndexToNode(index))
                index = answer.Value(self.routing.NextVar(index))
            ways.append(way)
        return ways


def ortools_days(problem: Problem, seconds: float, seed: int) -> Routes | None:
    """All days in one model."""
    model = _Model(problem)
    answer = model.answer(seconds, seed)
    if answer is None:
        return None
    return tuple(tuple(model.nodes[node][0] for node in way) for way in model.visits(answer))


def ortools_consistent(
    problem: Problem, seconds: float, seed: int, num_days: int, spread: float
) -> tuple[Routes, dict[tuple[int, int], float]] | None:
    """Consistent routing: equal drivers and near clock times as constraints between the days.

    ``problem`` is one whose stops have a single option with a slot on each of their days, and whose
    vehicle-days are ordered by day and driver. Also given: the start of each stop on each day.
    """
    model = _Model(problem)
    num_drivers = problem.num_runs // num_days
    whole_spread = int(model.scale * spread)
    vehicle, clock = model.routing.VehicleVar, model.time.CumulVar
    before: dict[int, list[tuple[int, int]]] = {}
    for node, (stop, _, (day, _, _)) in enumerate(model.nodes):
        index = model.manager.NodeToIndex(node)
        for other, other_day in before.get(stop, []):
            shift = (day - other_day) * num_drivers
            model.solver.Add(vehicle(index) == vehicle(other) + shift)
            model.solver.Add(clock(index) - clock(other) <= whole_spread)
            model.solver.Add(clock(other) - clock(index) <= whole_spread)
        before.setdefault(stop, []).append((index, day))
    answer = model.answer(seconds, seed)
    if answer is None:
        return None
    ways = model.visits(answer)
    starts = {}
    for way in ways:
        for node in way:
            stop, _, (day, _, _) = model.nodes[node]
            begin = clock(model.manager.NodeToIndex(node))
            starts[stop, day] = answer.Min(begin) / model.scale
    return tuple(tuple(model.nodes[n][0] for n in way) for way in ways), starts
