"""Travel on real roads, by the Valhalla engine in worker processes.

Two settings keep its answers right, not merely fast: matrices come from ``timedistancematrix``
with never more sources than targets in a request (searched backwards it returns other routes'
times), and routes are asked with ``disable_hierarchy_pruning`` (pruning drops small roads far from
both ends). With both, a route's legs equal the matrix cells.

The engine itself is imported by ``maps.valhalla_worker`` alone.
"""

import itertools
import json
import math
import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import as_completed
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from data.model.errors import RoadsError
from data.model.fleet import Vehicle
from data.model.travel import UNREACHABLE, TravelMatrix
from maps.build import build_tiles, default_config, engine_version
from maps.engine import Engine, EngineError
from maps.roads import (
    NO_CLOSURES,
    OFF_NETWORK,
    SNAP_LIMIT_M,
    Area,
    Closures,
    Position,
    Progress,
    ReachMode,
    RoadPoint,
    Roads,
    RouteLeg,
    RouteLine,
    RouteStep,
    Snap,
    SnapProblem,
    Times,
    matrix_of,
    no_route,
    rounded,
    scaled,
)

ENGINE_REFUSED = "roads.engine_refused"

MIN_REACH_EDGES = 50
"""A road that leads to fewer others is a piece cut off from the network."""
MAX_JUMP_M = 500.0
"""A usable road that much farther than a point's own, cut-off road is not the point's road."""
_SOURCES_PER_REQUEST = 250
"""Each request snaps its targets anew, so few large ones are fastest; more would hide progress."""
_LOCATE_PER_REQUEST = 500
_UNCONNECTED = {170, 171, 442}
"""Engine errors: unconnected regions, no suitable road near, no path."""
_VEHICLES = ("auto", "truck", "pedestrian")
_POLYLINE_SCALE = 1e-6
_LOCALES = {"ru": "ru-RU", "en": "en-GB"}


class ValhallaRoads:
    """Roads of one built network; see ``maps.roads.Roads`` and ``open_valhalla``."""

    is_estimated = False

    def __init__(
        self, engine: Engine, *, key: str, source: str, travel_factor: float = 1.0
    ) -> None:
        self._engine = engine
        self.key = key
        self.source = source
        self.travel_factor = travel_factor
        self._snaps: dict[tuple[str, Position], Snap] = {}

    def unscaled(self) -> "ValhallaRoads":
        """The same workers and snaps, seconds as the engine gives them."""
        same = ValhallaRoads(self._engine, key=self.key, source=self.source)
        same._snaps = self._snaps
        return same

    def snap(self, points: Sequence[Position], vehicle: Vehicle | None) -> list[Snap]:
        """Where each point meets the network; a road of no use is named, never taken."""
        return self._snap_all(rounded(points), _costing(vehicle))

    def times(
        self,
        origins: Sequence[Position],
        targets: Sequence[Position],
        vehicle: Vehicle | None,
        progress: Progress | None = None,
        closures: Closures = NO_CLOSURES,
    ) -> Times:
        """Seconds and metres, one search a source; chunks run on all workers at once."""
        origins, targets = rounded(origins), rounded(targets)
        usable = {p for p, s in self._snapped([*origins, *targets], vehicle) if s.is_usable}
        rows = [i for i, p in enumerate(origins) if p in usable]
        columns = [j for j, p in enumerate(targets) if p in usable]
        seconds = np.full((len(origins), len(targets)), UNREACHABLE, np.int32)
        metres = seconds.copy()
        if rows and columns:
            cut = np.ix_(rows, columns)
            froms, tos = [origins[i] for i in rows], [targets[j] for j in columns]
            seconds[cut], metres[cut] = self._times(froms, tos, vehicle, progress, closures)
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
        """The drive through the points, with instructions in ``language`` (``ru``, ``en``)."""
        if len(points) < 2:
            raise ValueError("a route needs two points or more")
        positions = rounded(points)
        for position, snap in self._snapped(positions, vehicle):
            if not snap.is_usable:
                lon, lat = position
                raise RoadsError(OFF_NETWORK, lon=lon, lat=lat, problem=str(snap.problem))
        avoid = vehicle is not None and vehicle.avoid_unpaved
        try:
            legs = self._legs(positions, vehicle, language, closures, avoid_unpaved=avoid)
        except EngineError as error:
            if error.code not in _UNCONNECTED:
                raise RoadsError(ENGINE_REFUSED, cause=error.text) from error
            legs = self._legs_apart(positions, vehicle, language, closures)
        return RouteLine(legs=tuple(legs), source=self.source, is_estimated=False)

    def reach(self, lon: float, lat: float, minutes: float, mode: ReachMode) -> tuple[Area, ...]:
        """What lies within some minutes, on foot or by car, as the network leads."""
        is_walk = mode is ReachMode.WALK
        costing = {"costing": "pedestrian"} if is_walk else _costing(None)
        position = rounded([(lon, lat)])
        if self._snap_all(position, costing)[0].problem is SnapProblem.NO_ROAD:
            return ()
        request = {
            **costing,
            "locations": _locations(position),
            "contours": [{"time": minutes if is_walk else minutes / self.travel_factor}],
            "polygons": True,
            "denoise": 0.1,
            "generalize": 20,
        }
        features = self._ask("isochrone", request)["features"]
        areas: list[Area] = []
        for feature in features:
            shape = feature["geometry"]
            polygons = shape["coordinates"]
            for rings in [polygons] if shape["type"] == "Polygon" else polygons:
                areas.append(tuple(tuple((x, y) for x, y in ring) for ring in rings))
        return tuple(areas)

    def close(self) -> None:
        """End the workers."""
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _snap_all(self, positions: list[Position], costing: dict[str, Any]) -> list[Snap]:
        kind = costing["costing"]
        new = [p for p in dict.fromkeys(positions) if (kind, p) not in self._snaps]
        for chunk in itertools.batched(new, _LOCATE_PER_REQUEST):
            request = {**costing, "locations": _locations(chunk), "verbose": True}
            for position, found in zip(chunk, self._ask("locate", request), strict=True):
                self._snaps[kind, position] = _snap(position, found.get("edges") or [])
        return [self._snaps[kind, p] for p in positions]

    def _snapped(
        self, positions: Sequence[Position], vehicle: Vehicle | None
    ) -> list[tuple[Position, Snap]]:
        return list(zip(positions, self.snap(positions, vehicle), strict=True))

    def _ask(self, action: str, request: dict[str, Any]) -> Any:
        try:
            return self._engine.ask(action, request)
        except EngineError as error:
            raise RoadsError(ENGINE_REFUSED, cause=error.text) from error

    def _times(
        self,
        origins: list[Position],
        targets: list[Position],
        vehicle: Vehicle | None,
        progress: Progress | None,
        closures: Closures,
    ) -> Times:
        """Times between usable points; unpaved roads, if avoided, only where nothing else leads."""
        avoid = vehicle is not None and vehicle.avoid_unpaved
        request = {**_costing(vehicle, avoid_unpaved=avoid), **_closed(closures)}
        seconds, metres = self._search(origins, targets, request, progress)
        if avoid and (lost := (seconds == UNREACHABLE)).any():
            rows = np.flatnonzero(lost.any(axis=1))
            froms = [origins[i] for i in rows]
            request = {**_costing(vehicle), **_closed(closures)}
            other_s, other_m = self._search(froms, targets, request, progress)
            seconds[rows] = np.where(lost[rows], other_s, seconds[rows])
            metres[rows] = np.where(lost[rows], other_m, metres[rows])
        return seconds, metres

    def _search(
        self,
        origins: list[Position],
        targets: list[Position],
        common: dict[str, Any],
        progress: Progress | None,
    ) -> Times:
        share = -(-len(origins) // self._engine.workers)
        size = min(_SOURCES_PER_REQUEST, share)
        waiting = {}
        for start in range(0, len(origins), size):
            sources = origins[start : start + size]
            # The search is right only forwards: never more sources than targets.
            padded = targets + targets[:1] * max(0, len(sources) - len(targets))
            request = {
                **common,
                "sources": _locations(sources),
                "targets": _locations(padded),
                "verbose": False,
            }
            waiting[self._engine.submit("matrix", request)] = start
        seconds = np.full((len(origins), len(targets)), UNREACHABLE, np.int32)
        metres = seconds.copy()
        try:
            for count, future in enumerate(as_completed(waiting), 1):
                cells = future.result()["sources_to_targets"]
                s = np.array(cells["durations"], np.float64)[:, : len(targets)]
                m = np.array(cells["distances"], np.float64)[:, : len(targets)]
                # Where no road leads, the engine leaves another cell's distance behind.
                lost = np.isnan(s)
                rows = slice(waiting[future], waiting[future] + len(s))
                seconds[rows] = np.where(lost, UNREACHABLE, np.rint(s))
                metres[rows] = np.where(lost, UNREACHABLE, np.rint(1000 * m))
                if progress is not None:
                    progress(count / len(waiting))
        except EngineError as error:
            raise RoadsError(ENGINE_REFUSED, cause=error.text) from error
        finally:
            for future in waiting:
                future.cancel()
        return seconds, metres

    def _legs_apart(
        self,
        positions: list[Position],
        vehicle: Vehicle | None,
        language: str,
        closures: Closures,
    ) -> list[RouteLeg]:
        """Leg by leg, so that only the legs without a paved way use unpaved roads."""
        tries = (True, False) if vehicle is not None and vehicle.avoid_unpaved else (False,)
        legs: list[RouteLeg] = []
        for pair in itertools.pairwise(positions):
            for avoid in tries:
                try:
                    found = self._legs(list(pair), vehicle, language, closures, avoid_unpaved=avoid)
                except EngineError as error:
                    if error.code not in _UNCONNECTED:
                        raise RoadsError(ENGINE_REFUSED, cause=error.text) from error
                    continue
                legs += found
                break
            else:
                raise no_route(*pair)
        return legs

    def _legs(
        self,
        positions: list[Position],
        vehicle: Vehicle | None,
        language: str,
        closures: Closures,
        *,
        avoid_unpaved: bool,
    ) -> list[RouteLeg]:
        request = {
            **_costing(vehicle, avoid_unpaved=avoid_unpaved, disable_hierarchy_pruning=True),
            **_closed(closures),
            "locations": _locations(positions),
            "language": _LOCALES.get(language.replace("_", "-").split("-")[0], language),
            "units": "kilometers",
        }
        is_forced = vehicle is not None and vehicle.avoid_unpaved and not avoid_unpaved
        legs = self._engine.ask("route", request)["trip"]["legs"]
        return [_leg(leg, self.travel_factor, is_unpaved_forced=is_forced) for leg in legs]


def open_valhalla(
    extract: Path,
    cache_dir: Path,
    *,
    workers: int = 2,
    travel_factor: float = 1.0,
    progress: Progress | None = None,
) -> Roads:
    """Roads of an OpenStreetMap extract, built on first use.

    Parameters
    ----------
    extract
        ``.osm.pbf`` file of any region.
    cache_dir
        Where built networks are kept, named by the extract's contents and the engine's version.
    workers
        Worker processes; a native crash costs one request.
    travel_factor
        Engine seconds to driven seconds.
    progress
        Told the share of the build that is done; not called where the network is there.

    Raises
    ------
    RoadsError
        The extract is missing, cut short, not an extract, or holds no road.
    """
    if not (travel_factor > 0 and math.isfinite(travel_factor)):
        raise ValueError(f"travel factor must be positive: {travel_factor}")
    packed = build_tiles(extract, cache_dir, progress)
    return ValhallaRoads(
        Engine(_config(packed), workers=workers),
        key=packed.stem,
        source=f"{engine_version()}, {extract.name}",
        travel_factor=travel_factor,
    )


def _config(packed: Path) -> Path:
    """The engine's configuration for a packed network, written beside it."""
    config = default_config()
    config["mjolnir"] |= {"tile_extract": str(packed.resolve()), "tile_dir": ""}
    config["thor"]["source_to_target_algorithm"] = "timedistancematrix"
    limits = config["service_limits"]
    limits["max_distance_disable_hierarchy_culling"] = 5_000_000
    limits["max_exclude_polygons_length"] = 1_000_000
    limits["max_exclude_polygons_vertices"] = 10_000
    limits["max_exclude_locations"] = 1_000
    limits["allow_hard_exclusions"] = True
    for costing in _VEHICLES:
        limits[costing] |= {
            "max_locations": 20_000,
            "max_distance": 5e6,
            "max_matrix_distance": 5e6,
            "max_matrix_location_pairs": 5_000_000,
        }
    limits["isochrone"] |= {"max_time_contour": 240, "max_contours": 8}
    path = packed.with_suffix(".json")
    handle, name = tempfile.mkstemp(dir=packed.parent, suffix=".json")
    with os.fdopen(handle, "w", encoding="utf-8") as target:
        json.dump(config, target)
    Path(name).replace(path)
    return path


def _costing(vehicle: Vehicle | None, **options: bool) -> dict[str, Any]:
    """The engine's words for a vehicle. Its weights are tonnes; every dimension is always sent."""
    if vehicle is None:
        kind, sent = "auto", dict[str, Any]()
    else:
        kind, sent = (
            "truck",
            {
                "height": vehicle.height_m,
                "width": vehicle.width_m,
                "length": vehicle.length_m,
                "weight": vehicle.weight_kg / 1000,
                "axle_load": vehicle.axle_load_kg / 1000,
                "axle_count": 2,
            },
        )
    if options.get("avoid_unpaved"):
        sent["exclude_unpaved"] = True
    if options.get("disable_hierarchy_pruning"):
        sent["disable_hierarchy_pruning"] = True
    return {"costing": kind, "costing_options": {kind: sent}}


def _closed(closures: Closures) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if closures.polygons:
        told["exclude_polygons"] = [[list(point) for point in ring] for ring in closures.polygons]
    if closures.points:
        told["exclude_locations"] = [{"lon": lon, "lat": lat} for lon, lat in closures.points]
    return told


def _locations(positions: Sequence[Position]) -> list[dict[str, float]]:
    return [{"lon": lon, "lat": lat, "search_cutoff": SNAP_LIMIT_M} for lon, lat in positions]


def _snap(position: Position, edges: list[dict[str, Any]]) -> Snap:
    lon, lat = position
    if not edges:
        return Snap(distance_m=None, lon=lon, lat=lat, problem=SnapProblem.NO_ROAD)
    edges = sorted(edges, key=lambda edge: float(edge["distance"]))
    nearest_m = float(edges[0]["distance"])
    for edge in edges:
        metres = float(edge["distance"])
        reach = min(edge["outbound_reach"], edge["inbound_reach"])
        if reach >= MIN_REACH_EDGES and metres - nearest_m <= MAX_JUMP_M:
            return Snap(distance_m=metres, lon=edge["correlated_lon"], lat=edge["correlated_lat"])
    return Snap(distance_m=nearest_m, lon=lon, lat=lat, problem=SnapProblem.CUT_OFF)


def _leg(leg: dict[str, Any], factor: float, *, is_unpaved_forced: bool) -> RouteLeg:
    summary = leg["summary"]
    return RouteLeg(
        seconds=round(
            math.floor(summary["time"]) * factor
        ),  # whole seconds, cut off as in the matrix
        metres=round(1000 * summary["length"]),
        line=_decoded(leg["shape"]),
        steps=tuple(
            RouteStep(
                text=step["instruction"],
                metres=round(1000 * step["length"]),
                seconds=round(step["time"] * factor),
            )
            for step in leg["maneuvers"]
        ),
        is_unpaved_forced=is_unpaved_forced,
    )


def _decoded(shape: str) -> tuple[Position, ...]:
    """An encoded polyline of six digits (differences, zigzag, five bits a character)."""
    values: list[int] = []
    value = shift = 0
    for character in shape:
        bits = ord(character) - 63
        value |= (bits & 0x1F) << shift
        shift += 5
        if bits < 0x20:
            values.append(~(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    lat, lon = np.cumsum(values[0::2]), np.cumsum(values[1::2])
    line = np.round(np.column_stack([lon, lat]) * _POLYLINE_SCALE, 6).tolist()
    return tuple((x, y) for x, y in line)
