"""Small requests with specialists, and every deal of theirs tried out."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from data.model.crew import Specialist, SpecialistId
from data.model.fleet import VehicleId
from data.model.place import Stop, StopId
from data.model.plan import PlanRequest
from planner.aboard import Deal, keeps_limits, possible_rides
from planner.compile import compile_request
from planner.improve import optimise
from planner.params import SolveParams
from tests.planner.instances import HOUR_S, make_request, make_stop

CHILDREN = frozenset({"children"})


def make_person(name: str, **changes: Any) -> Specialist:
    """A children's librarian unless told otherwise."""
    values: dict[str, Any] = {
        "specialist_id": SpecialistId(name),
        "name": name.title(),
        "service": "children",
    } | changes
    return Specialist(**values)


def served_stop(name: str, **changes: Any) -> Stop:
    """A stop of one hour that asks for a children's librarian."""
    return make_stop(name, **({"services": CHILDREN} | changes))


def with_random_legs(request: PlanRequest, rng: np.random.Generator, most: int) -> PlanRequest:
    """The request on a plane: legs are metric, at most some minutes long."""
    matrix = next(iter(request.travel.values()))
    points = rng.uniform(0, most / 1.5, (len(matrix.point_ids), 2))
    minutes = np.rint(np.linalg.norm(points[:, None] - points[None], axis=2)).astype(np.int32)
    np.fill_diagonal(minutes, 0)
    changed = replace(matrix, travel_s=minutes * 60, travel_m=minutes * 900)
    return replace(request, travel=dict.fromkeys(request.travel, changed))


def random_crew(seed: int) -> PlanRequest:
    """Two vehicles, one week, six stops of which most ask for one of two services."""
    rng = np.random.default_rng(seed)
    stops = []
    for k in range(6):
        services = ((), ("children",), ("social",), ("children", "social"))[int(rng.integers(4))]
        days = rng.choice(5, int(rng.integers(2, 5)), replace=False)
        stops.append(
            make_stop(
                f"s{k}",
                services=frozenset(services),
                service_s=int(rng.integers(2, 5)) * HOUR_S,
                prize=float(rng.integers(50, 300)),
                weekdays=frozenset(int(d) for d in days),
                mandatory=bool(rng.random() < 0.1),
            )
        )
    request = with_random_legs(make_request(tuple(stops), vehicles=2), rng, 50)
    buses = [VehicleId("bus-0"), VehicleId("bus-1")]
    anna = make_person(
        "anna",
        days_per_week_max=int(rng.integers(1, 3)),
        weekdays=frozenset({0, 1, 2}),
        duty_start_s=int(rng.choice([8, 10])) * HOUR_S,
        duty_end_s=int(rng.choice([15, 18])) * HOUR_S,
    )
    oleg = make_person(
        "oleg",
        service="social",
        weekdays=frozenset({1, 2}),
        vehicle_ids=frozenset({buses[int(rng.integers(2))]}) if rng.random() < 0.5 else frozenset(),
    )
    seats = int(rng.integers(1, 3))
    vehicles = tuple(replace(v, seats=seats) for v in request.vehicles)
    return replace(request, vehicles=vehicles, specialists=(anna, oleg))


def every_deal(request: PlanRequest) -> Iterator[Deal]:
    """All deals that keep their limits."""
    rides = possible_rides(request)
    slots: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
    for ride in sorted(rides):
        slots.setdefault((ride[0], ride[2]), []).append(ride)
    for chosen in product(*[(None, *group) for group in slots.values()]):
        deal = frozenset(r for r in chosen if r is not None)
        if keeps_limits(request, deal):
            yield deal


def best_of_all_deals(request: PlanRequest) -> tuple[int, float]:
    """Least mandatory stops unserved and most prize over all deals, each searched by itself."""
    params = SolveParams(work_limit=150, workers=1, rounds=1, time_limit_s=60, master_ratio=0.0)
    ranks = []
    for deal in every_deal(request):
        solution = optimise(compile_request(request, deal=deal).problem, params)
        ranks.append((solution.mandatory_unserved, -solution.prize))
    return min(ranks)


def stop_ids(*names: str) -> set[StopId]:
    return {StopId(n) for n in names}
