"""The families of published problems: how each is read, who solves it, how it is judged."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from api.bench.convrp import DEFAULT_SPREAD, ConvrpInstance, read_convrp
from api.bench.instance import Instance, Tour
from api.bench.measure import searched
from api.bench.published import open_bench_roads, read_published, travel_between
from api.bench.pvrp import read_pvrp
from api.bench.replan import CLOCK_TOLERANCE_S, Replan
from api.bench.text import best_known
from api.bench.top import read_top
from api.bench.vrptw import read_vrptw
from api.progress import Quiet
from data.model.plan import Violation
from planner.params import SolveParams
from planner.problem import Problem, Solution, VehicleDay, build_problem
from tests.benchmarks.peers.assign import assigned_options
from tests.benchmarks.peers.whole import Peer, Routes, by_day

type Judged = tuple[float | None, int]
"""Value of a solution, ``None`` if it breaks a rule, and how many rules it breaks."""
type Solve = Callable[[float, int], Judged]
"""A solver on one instance: seconds and seed in, value out."""

OURS = "Bookmobile"
NOT_FOUND: Judged = (None, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One instance with its solvers.

    ``processes`` is how many processes of its own a solver of one thread gets; the better counts.
    """

    name: str
    best_known: float | None
    is_maximised: bool
    solvers: dict[str, Solve]
    processes: dict[str, int]
    facts: dict[str, float]


def _value(
    instance: Instance, tours: Sequence[Tour], violations: Sequence[Violation] | None = None
) -> Judged:
    broken = instance.violations(tours) if violations is None else violations
    return (None if broken else instance.value(tours)), len(broken)


def _with_routes(problem: Problem, routes: Routes) -> Solution:
    """Routes as a solution; options and sums do not matter to a checker."""
    n = problem.num_stops
    return Solution(
        routes=routes,
        option=(-1,) * n,
        anchor=(math.nan,) * n,
        unserved=(),
        mandatory_unserved=0,
        prize=0.0,
        cost=0.0,
        stopped_by="",
    )


def _ours(instance: Instance) -> Solve:
    def solve(seconds: float, seed: int) -> Judged:
        problem = instance.problem()
        solution = searched(problem, SolveParams(seed=seed, time_limit_s=seconds), Quiet())
        return _value(instance, instance.tours(problem, solution))

    return solve


def _theirs(instance: Instance, peer: Peer) -> Solve:
    def solve(seconds: float, seed: int) -> Judged:
        problem = instance.problem()
        routes = peer(problem, seconds, seed)
        if routes is None:
            return NOT_FOUND
        return _value(instance, instance.tours(problem, _with_routes(problem, routes)))

    return solve


def _assigned(peer: Peer) -> Peer:
    """Assign, then route: days are chosen first, each day is then a problem of its own."""

    def solve(problem: Problem, seconds: float, seed: int) -> Routes | None:
        options, spent_s = assigned_options(problem, 0.1 * seconds)
        return by_day(problem, options, peer, max(0.1, seconds - spent_s), seed)

    return solve


def _peers(family: str) -> dict[str, tuple[Peer, int]]:
    """Solvers of a family of instances by name, with the number of their processes."""
    from tests.benchmarks.peers.ortools_peer import ortools_days
    from tests.benchmarks.peers.pyvrp_peer import pyvrp_day, pyvrp_groups
    from tests.benchmarks.peers.vroom_peer import vroom_day

    if family == "pvrp":
        return {
            "OR-Tools": (ortools_days, 2),
            "PyVRP, days assigned": (_assigned(pyvrp_day), 2),
            "PyVRP, groups": (pyvrp_groups, 2),
            "VROOM, days assigned": (_assigned(vroom_day), 1),
        }
    return {"OR-Tools": (ortools_days, 2), "PyVRP": (pyvrp_day, 2), "VROOM": (vroom_day, 1)}


READERS: dict[str, Callable[[Path], Instance]] = {
    "pvrp": read_pvrp,
    "vrptw": read_vrptw,
    "top": read_top,
}


def _instance_case(family: str, file: Path) -> Case:
    instance = READERS[family](file)
    peers = _peers(family)
    return Case(
        name=instance.name,
        best_known=best_known(file),
        is_maximised=instance.is_maximised,
        solvers={OURS: _ours(instance)} | {n: _theirs(instance, p) for n, (p, _) in peers.items()},
        processes={n: count for n, (_, count) in peers.items()},
        facts={},
    )


def _convrp_case(file: Path, spread: float) -> Case:
    instance = read_convrp(file, spread)

    def alone(seconds: float, seed: int) -> Judged:
        total, num_broken = 0.0, 0
        for day in range(instance.num_days):
            single = instance.alone(day)
            value, broken = _ours(single)(seconds / instance.num_days, seed)
            total += value or 0.0
            num_broken += broken
        return (None if num_broken else total), num_broken

    def ortools(seconds: float, seed: int) -> Judged:
        from tests.benchmarks.peers.ortools_peer import ortools_consistent

        problem = _days_apart(instance)
        found = ortools_consistent(problem, seconds, seed, instance.num_days, spread)
        if found is None:
            return NOT_FOUND
        routes, starts = found
        tours = [
            Tour(
                day=run.day,
                vehicle=run.vehicle,
                places=tuple(stop + 1 for stop in route),
                starts=tuple(starts[stop, run.day] for stop in route),
            )
            for run, route in zip(problem.runs, routes, strict=True)
            if route
        ]
        return _value(instance, tours)

    return Case(
        name=f"{instance.name}",
        best_known=None,
        is_maximised=False,
        solvers={OURS: _ours(instance), "each day alone": alone, "OR-Tools": ortools},
        processes={"OR-Tools": 2},
        facts={"spread": spread, "customers": len(instance.customers)},
    )


def _days_apart(instance: ConvrpInstance) -> Problem:
    """A consistent problem for solvers that state its promises by constraints of their own."""
    points = np.array([(c.x, c.y) for c in instance.customers] + [instance.depot])
    distance = np.hypot(*(points[:, None, :] - points[None, :, :]).transpose(2, 0, 1))
    base = len(instance.customers)
    return build_problem(
        cost=distance,
        time=distance,
        options=[
            [[(day, 0.0, math.inf) for day in sorted(c.demand)]] if c.demand else []
            for c in instance.customers
        ],
        runs=[
            VehicleDay(
                vehicle=k,
                day=day,
                start_node=base,
                end_node=base,
                capacity=instance.capacity,
                max_work=instance.max_duration,
                duty_hi=instance.horizon,
            )
            for day in range(instance.num_days)
            for k in range(instance.num_vehicles)
        ],
        occupied=[max(c.service.values(), default=0.0) for c in instance.customers],
        demand=[max(c.demand.values(), default=0.0) for c in instance.customers],
    )


def _rounds_case(file: Path, legs: Path | None) -> Case:
    """Open rounds; peers keep the published days and clock times and choose vehicle and order."""
    published = read_published(file)
    with open_bench_roads(legs, None, Path(), lambda _: None) as roads:
        travel, place = travel_between(published, roads, lambda _: None)
    replan = Replan.of(published.timetable, travel, place, None)

    def judged(routes: Routes, anchor: Sequence[float]) -> Judged:
        plan = {index: route for index, route in enumerate(routes) if route}
        broken = replan.violations(plan, anchor)
        return (None if broken else replan.driven(plan)[0] / 60), len(broken)

    def ours(seconds: float, seed: int) -> Judged:
        problem = replan.problem()
        start = replan.published_solution(problem)
        params = SolveParams(seed=seed, time_limit_s=seconds)
        solution = searched(problem, params, Quiet(), start)
        return judged(solution.routes, solution.anchor)

    def theirs(peer: Peer) -> Solve:
        def solve(seconds: float, seed: int) -> Judged:
            problem = replan.problem()
            options = _published_options(replan, problem)
            clock = replan.published_clock_s
            windows = [
                (0.0, math.inf)
                if math.isnan(at)
                else (at - CLOCK_TOLERANCE_S, at + CLOCK_TOLERANCE_S)
                for at in clock
            ]
            routes = by_day(problem, options, peer, seconds, seed, windows)
            return NOT_FOUND if routes is None else judged(routes, clock)

        return solve

    peers = _peers("rounds")
    return Case(
        name=published.timetable.authority,
        best_known=None,
        is_maximised=False,
        solvers={OURS: ours} | {name: theirs(peer) for name, (peer, _) in peers.items()},
        processes={name: count for name, (_, count) in peers.items()},
        facts={
            "published": replan.driven(replan.published)[0] / 60,
            "visits": published.timetable.num_visits,
        },
    )


def _published_options(replan: Replan, problem: Problem) -> list[int]:
    options = []
    for stop, promise in enumerate(replan.timetable.promises):
        days = [{day for day, _, _ in option} for option in problem.options_of(stop)]
        options.append(int(problem.option_ptr[stop]) + days.index(set(promise.days)))
    return options


FAMILIES = ("pvrp", "vrptw", "top", "convrp", "rounds")


def case_of(
    family: str, file: Path, legs: Path | None = None, spread: float = DEFAULT_SPREAD
) -> Case:
    """An instance of a family with all its solvers."""
    if family == "convrp":
        return _convrp_case(file, spread)
    if family == "rounds":
        return _rounds_case(file, legs)
    return _instance_case(family, file)
