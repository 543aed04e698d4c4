"""Configurations of nights away: which are allowed, which a plan makes use of."""

from collections import defaultdict
from collections.abc import Iterator

from data.model.fleet import Vehicle, VehicleId
from data.model.nights import NO_NIGHTS, Nights
from data.model.place import Depot, DepotId
from data.model.plan import Plan, PlanRequest
from data.model.travel import UNREACHABLE

Config = frozenset[tuple[VehicleId, int, DepotId]]
"""Nights: the vehicle, the cycle day before the night, the lodging."""


def may_be_away(request: PlanRequest) -> bool:
    """Whether any vehicle may spend any night of the cycle at a lodging."""
    return any(True for v in request.vehicles for _ in free_nights(request, v))


def spent(config: Config, plan: Plan) -> Config:
    """The nights that have a run of their vehicle on the day before and on the day after."""
    days: dict[VehicleId, set[int]] = defaultdict(set)
    for run in plan.runs:
        days[run.vehicle_id].add(run.day)
    return frozenset((v, d, place) for v, d, place in config if {d, d + 1} <= days[v])


def as_nights(config: Config) -> Nights:
    """A configuration as the nights of a request."""
    return {(vehicle, day): place for vehicle, day, place in sorted(config)} or NO_NIGHTS


def config_of(nights: Nights) -> Config:
    """Nights as a configuration."""
    return frozenset((vehicle, day, place) for (vehicle, day), place in nights.items())


def fixed_nights(request: PlanRequest) -> Config:
    """The nights of kept runs."""
    nights: dict[tuple[VehicleId, int], DepotId] = {}
    for kept in request.pins.kept:
        if kept.end_depot_id is not None:
            nights[kept.vehicle_id, kept.day] = kept.end_depot_id
        if kept.start_depot_id is not None:
            nights[kept.vehicle_id, kept.day - 1] = kept.start_depot_id
    return allowed(request, config_of(nights))


def allowed(request: PlanRequest, config: Config) -> Config:
    """The nights that the request allows; of too many in a row the last ones go."""
    kept: set[tuple[VehicleId, int, DepotId]] = set()
    for vehicle in request.vehicles:
        own = {(day, place) for v, day, place in config if v == vehicle.vehicle_id}
        row, last = 0, -2
        for day, place in sorted(own & set(free_nights(request, vehicle))):
            row = row + 1 if day == last + 1 else 1
            if row <= vehicle.max_nights_away:
                kept.add((vehicle.vehicle_id, day, place))
                last = day
    return frozenset(kept)


def free_nights(request: PlanRequest, vehicle: Vehicle) -> Iterator[tuple[int, DepotId]]:
    """Every night between two working days in a row, at every lodging, that a vehicle may spend.

    The runs beside a kept run's day go where that run does.
    """
    days = set(request.working_days(vehicle))
    lodgings = [d for d in request.lodgings_of(vehicle) if _is_on_road(request, vehicle, d)]
    held: dict[int, DepotId | None] = {}
    for kept in request.pins.kept:
        if kept.vehicle_id == vehicle.vehicle_id:
            held[kept.day] = kept.end_depot_id
            held[kept.day - 1] = kept.start_depot_id
    for day in sorted(days):
        if day + 1 in days and day + 1 < request.cycle.num_days:
            for place in lodgings:
                if day not in held or held[day] == place.depot_id:
                    yield day, place.depot_id


def _is_on_road(request: PlanRequest, vehicle: Vehicle, lodging: Depot) -> bool:
    """Whether roads lead from the base to a lodging and home from there."""
    matrix, place = request.travel.get(vehicle.vehicle_id), str(lodging.depot_id)
    home = str(vehicle.end_depot_id or vehicle.depot_id)
    return (
        matrix is not None
        and place in matrix.index
        and UNREACHABLE
        not in (matrix.seconds(str(vehicle.depot_id), place), matrix.seconds(place, home))
    )
