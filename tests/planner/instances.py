"""Tiny problems and a plain-Python judge of them, to compare the search with."""

from collections.abc import Iterator
from datetime import date
from itertools import pairwise, permutations, product

import numpy as np

from data.model.calendar import Cycle, ServiceCalendar
from data.model.fleet import CrewRules, Vehicle, VehicleId
from data.model.place import Depot, DepotId, Stop, StopId
from data.model.plan import PlanRequest
from data.model.travel import TravelMatrix
from planner.problem import NO_LIMIT, Problem, VehicleDay, build_problem

DEPOT = Depot(depot_id=DepotId("chernyakhovsk"), name="Черняховск", lon=21.8114, lat=54.6244)
HOUR_S = 3600
DAY_RULES = CrewRules(
    drive_daily_max_s=9 * HOUR_S,
    drive_continuous_max_s=4 * HOUR_S,
    break_s=900,
    shift_max_s=8 * HOUR_S,
    meal_after_s=4 * HOUR_S,
    meal_min_s=1800,
    meal_max_s=2 * HOUR_S,
    daily_rest_s=12 * HOUR_S,
    week_work_max_s=40 * HOUR_S,
)


def make_request(
    stops: tuple[Stop, ...],
    *,
    vehicles: int = 1,
    weeks: int = 1,
    minutes: int = 10,
    rules: CrewRules = DAY_RULES,
    tolerance_s: int = 900,
    calendar: ServiceCalendar | None = None,
    duty: tuple[int, int] = (8 * HOUR_S, 18 * HOUR_S),
) -> PlanRequest:
    """A request with all legs of equal length, one depot and equal vehicles."""
    points = (*(s.stop_id for s in stops), DEPOT.depot_id)
    travel_s = np.full((len(points), len(points)), minutes * 60, np.int32)
    np.fill_diagonal(travel_s, 0)
    matrix = TravelMatrix(
        point_ids=points,
        travel_s=travel_s,
        travel_m=travel_s * 15,
        source="even legs",
        is_estimated=True,
    )
    fleet = tuple(
        Vehicle(
            vehicle_id=VehicleId(f"bus-{k}"),
            name=f"Bus {k}",
            depot_id=DEPOT.depot_id,
            duty_start_s=duty[0],
            duty_end_s=duty[1],
        )
        for k in range(vehicles)
    )
    return PlanRequest(
        region_id="test",
        cycle=Cycle(start_date=date(2026, 3, 2), num_weeks=weeks),
        calendar=calendar or ServiceCalendar(),
        time_zone="Europe/Kaliningrad",
        depots=(DEPOT,),
        vehicles=fleet,
        stops=stops,
        crew_rules={v.vehicle_id: rules for v in fleet},
        travel={v.vehicle_id: matrix for v in fleet},
        clock_tolerance_s=tolerance_s,
    )


def make_stop(name: str, **changes: object) -> Stop:
    """A stop near Gusev of one hour."""
    values: dict[str, object] = {
        "stop_id": StopId(name),
        "name": name,
        "lon": 22.2,
        "lat": 54.59,
        "prize": 100.0,
    } | changes
    return Stop(**values)  # type: ignore[arg-type]


def random_problem(seed: int, *, stops: int = 4, vehicles: int = 1, days: int = 2) -> Problem:
    """A small problem with windows, patterns, prizes, meals and a continuous driving limit."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 50, (stops + 1, 2))
    legs = np.round(np.linalg.norm(points[:, None] - points[None], axis=2)).astype(np.float64)
    options = []
    for _ in range(stops):
        lo = float(rng.integers(0, 120))
        hi = lo + float(rng.integers(60, 200))
        if rng.random() < 0.3:
            options.append([[(d, lo, hi) for d in range(days)]])
        else:
            options.append([[(d, lo, hi)] for d in range(days)])
    has_meal, has_limit = rng.random() < 0.7, rng.random() < 0.5
    runs = [
        VehicleDay(
            vehicle=v,
            day=d,
            start_node=stops,
            end_node=stops,
            capacity=float(rng.integers(3, 8)),
            max_work=float(rng.integers(120, 260)),
            duty_lo=0.0,
            duty_hi=300.0,
            prep=5.0,
            closing=5.0,
            meal_after=100.0 if has_meal else NO_LIMIT,
            meal_min=20.0,
            meal_max=50.0,
            meal_lo=60.0,
            meal_hi=220.0,
            drive_continuous=60.0 if has_limit else NO_LIMIT,
            break_length=25.0,
            break_parts=(10.0, 15.0),
        )
        for d in range(days)
        for v in range(vehicles)
    ]
    return build_problem(
        cost=legs,
        time=legs,
        options=options,
        runs=runs,
        occupied=rng.integers(5, 40, stops).astype(float),
        demand=rng.integers(1, 4, stops).astype(float),
        prize=rng.integers(1, 20, stops).astype(float),
        mandatory=[False] * stops,
    )


def least_work(problem: Problem, row: int, visits: list[tuple[int, float, float]]) -> float | None:
    """Least work of a run over all whole-minute starts and meals, ``None`` if none is allowed.

    ``visits`` are (stop, earliest, latest start). Tries every departure and every meal.
    """
    run = problem.runs[row]
    if sum(float(problem.demand[s]) for s, _, _ in visits) > run.capacity:
        return None
    best = None
    for sign_on in range(int(run.duty_lo), int(run.duty_hi)):
        for work in _works(problem, row, visits, float(sign_on)):
            if work <= run.max_work and (best is None or work < best):
                best = work
    return best


def _works(
    problem: Problem, row: int, visits: list[tuple[int, float, float]], sign_on: float
) -> Iterator[float]:
    run = problem.runs[row]
    meals: list[tuple[int, float]] = [(-1, 0.0)]
    if run.meal_after < NO_LIMIT:
        lengths = range(int(run.meal_min), int(run.meal_max) + 1)
        meals += [(k, float(m)) for k in range(len(visits)) for m in lengths]
    for at, meal in meals:
        clock, node, driven, part = sign_on + run.prep, run.start_node, 0.0, 0
        is_kept = True
        for k, (stop, lo, hi) in enumerate(visits):
            leg = float(problem.time[0, node, stop])
            clock = max(clock + leg, lo)
            driven += leg
            is_kept &= clock <= hi and driven <= run.drive_continuous
            clock += float(problem.occupied[stop])
            stays = [float(problem.occupied[stop])]
            if k == at:
                start = max(clock, run.meal_lo)
                is_kept &= start + meal <= run.meal_hi
                clock = start + meal
                stays.append(meal)
            for stay in stays:
                if stay >= run.break_length:
                    driven, part = 0.0, 0
                elif run.break_parts and stay >= run.break_parts[part]:
                    part += 1
                    if part == len(run.break_parts):
                        driven, part = 0.0, 0
            node = stop
        home = float(problem.time[0, node, run.end_node])
        clock += home + run.closing
        work = clock - sign_on - meal
        needs_meal = work > run.meal_after and at < 0
        is_kept &= driven + home <= run.drive_continuous and not needs_meal
        if is_kept and clock <= run.duty_hi:
            yield work


def route_cost(problem: Problem, row: int, stops: tuple[int, ...]) -> float:
    """Travel cost of a run."""
    run = problem.runs[row]
    path = [run.start_node, *stops, run.end_node]
    table = problem.cost[run.travel_class]
    return float(sum(table[i, j] for i, j in pairwise(path)))


def brute_force(problem: Problem) -> tuple[float, float]:
    """(most prize, then least cost) over all options, vehicle-days and orders."""
    best = (0.0, 0.0)
    choices = []
    for stop in range(problem.num_stops):
        plans: list[tuple[tuple[int, float, float], ...]] = [()]
        for slots in problem.options_of(stop):
            rows = [
                [r for r, run in enumerate(problem.runs) if run.day == day] for day, _, _ in slots
            ]
            for picked in product(*rows):
                plans.append(
                    tuple((r, lo, hi) for r, (_, lo, hi) in zip(picked, slots, strict=True))
                )
        choices.append(plans)
    cheapest: dict[tuple[int, frozenset[tuple[int, float, float]]], float | None] = {}

    def cost_of(row: int, visits: frozenset[tuple[int, float, float]]) -> float | None:
        if (row, visits) not in cheapest:
            costs = [
                route_cost(problem, row, tuple(s for s, _, _ in order))
                for order in permutations(sorted(visits))
                if least_work(problem, row, list(order)) is not None
            ]
            cheapest[row, visits] = min(costs, default=None)
        return cheapest[row, visits]

    for chosen in product(*choices):
        prize = sum(float(problem.prize[s]) for s, plan in enumerate(chosen) if plan)
        by_row: dict[int, set[tuple[int, float, float]]] = {}
        for stop, plan in enumerate(chosen):
            for row, lo, hi in plan:
                by_row.setdefault(row, set()).add((stop, lo, hi))
        cost = 0.0
        for row, visits in by_row.items():
            added = cost_of(row, frozenset(visits))
            if added is None:
                break
            cost += added
        else:
            if (prize, -cost) > (best[0], -best[1]):
                best = (prize, cost)
    return best
