"""Travel where there is no road network: straight lines inside the land, stretched and timed.

Road metres are the shortest way inside the land times a detour that falls with distance; seconds
follow from a speed that rises with distance, plus fixed seconds a leg. Both are tables fitted to
real legs (``maps.calibrate``).

Notes
-----
Travel is symmetric. The way inside the land is a metric, and a falling detour, a rising speed and
fixed seconds a leg keep the triangle inequality, so a way over a third point is never shorter; it
can fail by the rounding to whole seconds and metres, and for points outside a coarse outline by
their way to it.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import pairwise
from types import TracebackType
from typing import Self

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Point

from data.model.errors import RoadsError
from data.model.fleet import Vehicle
from data.model.geo import Ring, distances_m
from data.model.region import EstimateParams
from data.model.travel import UNREACHABLE, TravelMatrix
from maps.land import NOWHERE, Land
from maps.local_metres import LocalMetres
from maps.roads import (
    NO_CLOSURES,
    Area,
    Closures,
    Position,
    Progress,
    ReachMode,
    RoadPoint,
    RouteLeg,
    RouteLine,
    Snap,
    SnapProblem,
    Times,
    matrix_of,
    no_route,
    off_network,
    rounded,
    scaled,
)

CLOSURES_NEED_ROADS = "roads.closures_need_roads"

WALK_MPS = 5.1 / 3.6
"""Walking speed: the road engine's own default, so that both tell the same minutes."""
_CIRCLE_SIDES = 72

type Floats = NDArray[np.float64]


def road_metres(crow_m: Floats, params: EstimateParams) -> Floats:
    """Road metres of straight-line metres (or of metres inside the land)."""
    return np.asarray(crow_m * np.interp(crow_m, params.knots_m, params.detour_ratio))


def drive_seconds(road_m: Floats, params: EstimateParams) -> Floats:
    """A car's seconds of road metres, the fixed seconds of a leg included; 0 for 0 metres."""
    moving = road_m / np.interp(road_m, params.knots_m, params.speed_mps)
    return np.where(road_m > 0, moving + params.leg_fixed_s, 0.0)


class EstimatedRoads:
    """Roads estimated from positions alone; see ``maps.roads.Roads``.

    Parameters
    ----------
    land
        Outer rings of the land in degrees: no way leaves them, and another part is unreachable.
        Without any, ways are straight lines.
    params
        Detour and speed by distance.
    travel_factor
        Estimated seconds to driven seconds.
    """

    is_estimated = True

    def __init__(
        self, land: Sequence[Ring], params: EstimateParams, *, travel_factor: float = 1.0
    ) -> None:
        self.params = params
        self.travel_factor = travel_factor
        self.source = f"estimate: {params.source}" if params.source else "estimate"
        told = json.dumps([asdict(replace(params, source="")), land], sort_keys=True)
        self.key = f"estimate-1-{hashlib.sha256(told.encode()).hexdigest()[:16]}"
        self._land = Land(land) if land else None

    def unscaled(self) -> "EstimatedRoads":
        """The same estimate with a travel factor of 1."""
        same = object.__new__(EstimatedRoads)
        same.__dict__.update(self.__dict__, travel_factor=1.0)
        return same

    def snap(self, points: Sequence[Position], vehicle: Vehicle | None) -> list[Snap]:
        """Where each point meets the land: itself inside, else the nearest place within 3 km."""
        positions = rounded(points)
        if self._land is None or not positions:
            return [Snap(distance_m=0.0, lon=lon, lat=lat) for lon, lat in positions]
        footing = self._land.footing(np.array(positions))
        places = self._land.metres.to_degrees(footing.place_m)
        snaps = []
        for i, (lon, lat) in enumerate(positions):
            off_m = float(footing.off_m[i])
            if footing.part[i] == NOWHERE:
                problem = SnapProblem.OFF_LAND
                snaps.append(Snap(distance_m=off_m, lon=lon, lat=lat, problem=problem))
            elif off_m > 0:
                x, y = places[i].round(6).tolist()
                snaps.append(Snap(distance_m=off_m, lon=x, lat=y))
            else:
                snaps.append(Snap(distance_m=0.0, lon=lon, lat=lat))
        return snaps

    def times(
        self,
        origins: Sequence[Position],
        targets: Sequence[Position],
        vehicle: Vehicle | None,
        progress: Progress | None = None,
        closures: Closures = NO_CLOSURES,
    ) -> Times:
        """Estimated seconds and metres, row to column."""
        if closures:
            raise RoadsError(CLOSURES_NEED_ROADS)
        shape = (len(origins), len(targets))
        froms = np.array(rounded(origins), np.float64).reshape(-1, 2)
        tos = np.array(rounded(targets), np.float64).reshape(-1, 2)
        if self._land is None:
            crow_m = distances_m(froms, tos)
        elif 0 in shape:
            crow_m = np.zeros(shape)
        else:
            crow_m = self._land.distances_m(self._land.footing(froms), self._land.footing(tos))
        lost = np.isinf(crow_m)
        # Whole millimetres: adding a way up from its other end must not tip the rounding.
        road_m = road_metres(np.where(lost, 0.0, crow_m.round(3)), self.params)
        factor = 1.0 if vehicle is None else self.params.bookmobile_factor
        driven_s = factor * drive_seconds(road_m, self.params)
        seconds = np.where(lost, UNREACHABLE, np.rint(driven_s)).astype(np.int32)
        metres = np.where(lost, UNREACHABLE, np.rint(road_m)).astype(np.int32)
        if progress is not None:
            progress(1.0)
        return scaled(seconds, self.travel_factor), metres

    def matrix(
        self,
        points: Sequence[RoadPoint],
        vehicle: Vehicle | None,
        progress: Progress | None = None,
        closures: Closures = NO_CLOSURES,
    ) -> TravelMatrix:
        """The square matrix of named points."""
        return matrix_of(self, points, vehicle, progress, closures)

    def route(
        self,
        points: Sequence[Position],
        vehicle: Vehicle | None,
        language: str,
        closures: Closures = NO_CLOSURES,
    ) -> RouteLine:
        """The way inside the land. It has no instructions: no road is known to give them on."""
        if len(points) < 2:
            raise ValueError("a route needs two points or more")
        positions = rounded(points)
        for position, snap in zip(positions, self.snap(positions, vehicle), strict=True):
            if not snap.is_usable:
                raise off_network(position, snap)
        legs = []
        for origin, target in pairwise(positions):
            seconds, metres = self.times([origin], [target], vehicle, None, closures)
            if seconds[0, 0] == UNREACHABLE:
                raise no_route(origin, target)
            line = self._line(origin, target)
            legs.append(RouteLeg(seconds=int(seconds[0, 0]), metres=int(metres[0, 0]), line=line))
        return RouteLine(legs=tuple(legs), source=self.source, is_estimated=True)

    def walks(self, place: Position, homes: Sequence[Position]) -> NDArray[np.float64]:
        """Unknown: there is no network."""
        return np.full(len(homes), np.nan)

    def reach(self, lon: float, lat: float, minutes: float, mode: ReachMode) -> tuple[Area, ...]:
        """A circle cut to the land about the point, its piece that holds the point."""
        limit_s = 60.0 * minutes
        crow_m = np.geomspace(1.0, 1e6, 2_000)
        road_m = road_metres(crow_m, self.params)
        if mode is ReachMode.WALK:
            needed_s = road_m / WALK_MPS
        else:
            needed_s = self.travel_factor * drive_seconds(road_m, self.params)
        radius_m = float(np.interp(limit_s, needed_s, crow_m, left=0.0))
        position = np.array(rounded([(lon, lat)]))
        if radius_m == 0.0:
            return ()
        metres = LocalMetres(*position[0]) if self._land is None else self._land.metres
        centre = Point(metres.to_metres(position)[0])
        shape = centre.buffer(radius_m, quad_segs=_CIRCLE_SIDES // 4)
        if self._land is not None:
            footing = self._land.footing(position)
            if footing.part[0] == NOWHERE:
                return ()
            polygon = self._land.parts[int(footing.part[0])].polygon
            pieces = [p for p in shapely.get_parts(shape & polygon) if p.area > 0]
            if not pieces:
                return ()
            shape = min(pieces, key=centre.distance)
        rings = [shapely.get_coordinates(r) for r in (shape.exterior, *shape.interiors)]
        return (tuple(_degrees(metres, ring) for ring in rings),)

    def close(self) -> None:
        """Nothing is held open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _line(self, origin: Position, target: Position) -> tuple[Position, ...]:
        if self._land is None:
            return origin, target
        ends = self._land.footing(np.array([origin, target]))
        first, last = (ends.at(np.array([row], np.intp)) for row in (0, 1))
        inner = self._land.path(first, last)[1:-1].round(6).tolist()
        return origin, *((x, y) for x, y in inner), target


def _degrees(metres: LocalMetres, ring: Floats) -> Ring:
    return tuple((x, y) for x, y in metres.to_degrees(ring).round(6).tolist())
