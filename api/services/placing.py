"""Where one more stop fits into a stored plan: one left out, or a new point of the map."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.progress import Quiet
from api.services.plan_steps import NewStop
from api.services.roads import estimated_roads, open_roads
from data.model.calendar import Window
from data.model.errors import InputError, RequestError
from data.model.fleet import Vehicle, VehicleId
from data.model.place import Stop, StopId, StopKind
from data.model.plan import Plan, PlanRequest
from data.model.region import Region
from data.model.travel import TravelMatrix
from maps.roads import SNAP_LIMIT_M, Roads
from planner.insert import Place, best_places

MOST_PLACES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A new point of the map with what a visit there is to be."""

    stop_id: str
    name: str
    lon: float
    lat: float
    visits: int
    service_s: int
    people: int | None = None


@contextmanager
def roads_like(
    request: PlanRequest, region: Region, folder: Path, cache_dir: Path
) -> Iterator[Roads]:
    """The roads that a plan's travel came from: the estimate, or the region's network."""
    if any(m.is_estimated for m in request.travel.values()):
        yield estimated_roads(region)
        return
    with open_roads(region, folder, cache_dir=cache_dir, extract=None, tick=Quiet()) as roads:
        yield roads


def new_stop(request: PlanRequest, region: Region, spot: Spot, roads: Roads) -> NewStop:
    """The step that lets a plan know a new stop: its rules by the region's standard, its travel.

    Raises
    ------
    InputError
        ``placing.off_network`` where no vehicle can drive to the point.
    RequestError
        ``edit.stop_taken``.
    """
    if any(s.stop_id == spot.stop_id for s in request.stops):
        raise RequestError("edit.stop_taken", stop_id=spot.stop_id, stop=spot.name)
    standard = region.standard
    gap_days = request.cycle.num_days // (2 * spot.visits)
    stop = Stop(
        stop_id=StopId(spot.stop_id),
        name=spot.name,
        lon=spot.lon,
        lat=spot.lat,
        kind=StopKind.ON_REQUEST,
        service_s=spot.service_s,
        setup_s=standard.setup_s,
        teardown_s=standard.teardown_s,
        visits_per_cycle=spot.visits,
        windows=(Window(start_s=standard.day_start_s, end_s=standard.day_end_s),),
        same_weekday=standard.same_weekday and spot.visits <= request.cycle.num_weeks,
        min_gap_days=max(1, gap_days),
        people=spot.people,
        prize=float(standard.unknown_population_people if spot.people is None else spot.people),
    )
    return NewStop(stop=stop, travel=_with_point(request, stop, roads))


def _with_point(request: PlanRequest, stop: Stop, roads: Roads) -> dict[VehicleId, TravelMatrix]:
    """The travel of each vehicle with one point more; vehicles that share a matrix still do."""
    positions = {str(d.depot_id): (d.lon, d.lat) for d in request.depots}
    positions |= {str(s.stop_id): (s.lon, s.lat) for s in request.stops}
    vehicles = {v.vehicle_id: v for v in request.vehicles}
    widened: dict[int, TravelMatrix] = {}
    travel = {}
    for vehicle_id, matrix in request.travel.items():
        if id(matrix) not in widened:
            widened[id(matrix)] = _widened(matrix, positions, stop, vehicles[vehicle_id], roads)
        travel[vehicle_id] = widened[id(matrix)]
    return travel


def _widened(
    matrix: TravelMatrix,
    positions: dict[str, tuple[float, float]],
    stop: Stop,
    vehicle: Vehicle,
    roads: Roads,
) -> TravelMatrix:
    here = [(stop.lon, stop.lat)]
    snap = roads.snap(here, vehicle)[0]
    if not snap.is_usable:
        limit_km = f"{SNAP_LIMIT_M / 1000:g}"
        raise InputError("placing.off_network", stop=stop.name, limit_km=limit_km, field="spot")
    others = [positions[point] for point in matrix.point_ids]
    out_s, out_m = roads.times(here, others, vehicle)
    back_s, back_m = roads.times(others, here, vehicle)
    learned: dict[str, Any] = {}
    if matrix.base_s is not None:
        learned["base_s"] = _edged(matrix.base_s, out_s[0], back_s[:, 0])
    if matrix.buffer_s is not None:
        nothing = np.zeros(len(others), np.int32)
        learned["buffer_s"] = _edged(matrix.buffer_s, nothing, nothing)
    return TravelMatrix(
        point_ids=(*matrix.point_ids, str(stop.stop_id)),
        travel_s=_edged(matrix.travel_s, out_s[0], back_s[:, 0]),
        travel_m=_edged(matrix.travel_m, out_m[0], back_m[:, 0]),
        source=matrix.source,
        is_estimated=matrix.is_estimated or roads.is_estimated,
        **learned,
    )


def _edged(
    cells: NDArray[np.int32], out: NDArray[np.int32], back: NDArray[np.int32]
) -> NDArray[np.int32]:
    """A square of cells with one row and column more; the new corner is zero."""
    wider = np.pad(cells, ((0, 1), (0, 1)))
    wider[-1, :-1], wider[:-1, -1] = out, back
    return wider


def places_for(
    request: PlanRequest, plan: Plan, stop_id: StopId, *, most: int = MOST_PLACES
) -> tuple[Place, ...]:
    """The ways to serve a stop of the plan that keep every rule, least added driving first.

    Raises
    ------
    RequestError
        ``edit.unknown_stop``, ``edit.already_served``, ``edit.no_travel``.
    """
    stop = next((s for s in request.stops if s.stop_id == stop_id), None)
    if stop is None:
        raise RequestError("edit.unknown_stop", stop_id=stop_id)
    return best_places(request, plan, stop, most=most)
