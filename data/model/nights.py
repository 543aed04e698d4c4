"""Nights away from base: where each is spent, and which runs make one tour."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from data.model.fleet import Vehicle, VehicleId
from data.model.place import Depot, DepotId
from data.model.plan import Plan, PlanRequest, Run

type Nights = Mapping[tuple[VehicleId, int], DepotId]
"""The lodging where a vehicle spends the night after a cycle day; at home where there is none."""

NO_NIGHTS: Nights = MappingProxyType({})


def nights_of(request: PlanRequest, plan: Plan) -> dict[tuple[VehicleId, int], DepotId]:
    """The nights that a plan spends at lodgings, by vehicle and the cycle day before the night."""
    lodgings = {d.depot_id for d in request.depots if d.is_lodging}
    return {
        (run.vehicle_id, run.day): run.end_depot_id
        for run in plan.runs
        if run.end_depot_id is not None and run.end_depot_id in lodgings
    }


def ends_on(vehicle: Vehicle, day: int, nights: Nights) -> tuple[DepotId, DepotId]:
    """Where a vehicle's run of a day starts and ends if these nights are spent away."""
    return (
        nights.get((vehicle.vehicle_id, day - 1), vehicle.depot_id),
        nights.get((vehicle.vehicle_id, day), vehicle.end_depot_id or vehicle.depot_id),
    )


def with_ends(run: Run, vehicle: Vehicle, start: DepotId, end: DepotId) -> Run:
    """The run with its places named where they are not those of all its vehicle's runs."""
    own_end = vehicle.end_depot_id or vehicle.depot_id
    return replace(
        run,
        start_depot_id=None if start == vehicle.depot_id else start,
        end_depot_id=None if end == own_end else end,
    )


def tour_days(plan: Plan, run: Run) -> tuple[int, ...]:
    """Cycle days of the tour that a run belongs to, ascending; its own day alone if it has none."""
    days = {r.day: r for r in plan.runs if r.vehicle_id == run.vehicle_id}
    first = last = run.day
    while days.get(first, run).start_depot_id is not None and _leads(days, first - 1):
        first -= 1
    while _leads(days, last):
        last += 1
    return tuple(range(first, last + 1))


def _leads(days: Mapping[int, Run], day: int) -> bool:
    """Whether the run of a day ends where that of the next day starts, away from base."""
    run, after = days.get(day), days.get(day + 1)
    return (
        run is not None
        and after is not None
        and run.end_depot_id is not None
        and run.end_depot_id == after.start_depot_id
    )


def depots_for(depots: Iterable[Depot], vehicles: Iterable[Vehicle]) -> tuple[Depot, ...]:
    """The depots that vehicles start or end at, and the lodgings that any of them may use."""
    fleet = tuple(vehicles)
    used = {d for v in fleet for d in (v.depot_id, v.end_depot_id or v.depot_id)}
    away = [v for v in fleet if v.max_nights_away > 0]
    return tuple(
        d
        for d in depots
        if d.depot_id in used
        or (d.is_lodging and any(not v.lodging_ids or d.depot_id in v.lodging_ids for v in away))
    )
