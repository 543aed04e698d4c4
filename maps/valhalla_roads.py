"""Travel on real roads, by the Valhalla engine in worker processes.

Two settings keep its answers right, not merely fast: matrices come from ``timedistancematrix``
with never more sources than targets in a request (searched backwards it returns other routes'
times), and routes are asked with ``disable_hierarchy_pruning`` (pruning drops small roads far from
both ends). Both are asked between the same places on the road. A route's legs then equal the
matrix cells within a second; on real extracts one or two random legs in a thousand differ by a
few more, where ways of equal cost compete.

The engine itself is imported by ``maps.valhalla_worker`` alone.
"""

import logging
import math
from collections.abc import Sequence
from concurrent.futures import as_completed
from itertools import batched, pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from data.model.errors import RoadsError
from data.model.fleet import Vehicle
from data.model.travel import UNREACHABLE, TravelMatrix
from maps.build import build_tiles, engine_version
from maps.engine import Engine, EngineError
from maps.roads import (
    NO_CLOSURES,
    Area,
    Closures,
    Position,
    Progress,
    ReachMode,
    RoadPoint,
    Roads,
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
from maps.valhalla_requests import (
    areas_of,
    closures_of,
    costing_of,
    leg_of,
    locale_of,
    locations_of,
    snap_of,
    whole_seconds,
    write_config,
)

ENGINE_REFUSED = "roads.engine_refused"

log = logging.getLogger(__name__)

_SOURCES_PER_REQUEST = 250
"""Each request snaps its targets anew, so few large ones are fastest; more would hide progress."""
_ON_FOOT: dict[str, Any] = {"costing": "pedestrian"}
_LOCATE_PER_REQUEST = 500
_UNCONNECTED = {170, 171, 442}
"""Engine errors: unconnected regions, no suitable road near, no path."""
_ON_ROAD_M = 10.0
"""Snapped places lie on their road: another road is not looked for."""
_ONE_ENDED = tuple({"date_time": {"type": t, "value": "2026-01-14T10:00"}} for t in (1, 2))
"""A date of departure or arrival makes the engine search from the start or the end only."""


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
        return self._snap_all(rounded(points), costing_of(vehicle))

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
            froms = self._places([origins[i] for i in rows], vehicle)
            tos = self._places([targets[j] for j in columns], vehicle)
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
                raise off_network(position, snap)
        places = self._places(positions, vehicle)
        request = {
            **closures_of(closures),
            "language": locale_of(language),
            "units": "kilometers",
        }
        tries = (True, False) if vehicle is not None and vehicle.avoid_unpaved else (False,)
        try:
            avoids = [tries[0]] * (len(places) - 1)
            found = self._drive(places, request, vehicle, avoid_unpaved=tries[0])
        except EngineError as error:
            if error.code not in _UNCONNECTED:
                raise RoadsError(ENGINE_REFUSED, cause=error.text) from error
            found, avoids = self._drive_apart(places, positions, request, vehicle, tries)
        legs = []
        for pair, leg, avoid in zip(pairwise(places), found, avoids, strict=True):
            agreed = self._as_in_matrix(pair, leg, request, vehicle, avoid_unpaved=avoid)
            is_forced = tries[0] and not avoid
            legs.append(leg_of(agreed, self.travel_factor, is_unpaved_forced=is_forced))
        return RouteLine(legs=tuple(legs), source=self.source, is_estimated=False)

    def walks(self, place: Position, homes: Sequence[Position]) -> NDArray[np.float64]:
        """Metres on foot by the network; of a place or home that is on no road nobody knows."""
        found = np.full(len(homes), np.nan)
        here, *snaps = self._snap_all(rounded([place, *homes]), _ON_FOOT)
        known = [i for i, snap in enumerate(snaps) if snap.is_usable]
        if not here.is_usable or not known:
            return found
        targets = [(snaps[i].lon, snaps[i].lat) for i in known]
        _, metres = self._search([(here.lon, here.lat)], targets, _ON_FOOT, None)
        for i, way_m in zip(known, metres[0].tolist(), strict=True):
            aside_m = (here.distance_m or 0.0) + (snaps[i].distance_m or 0.0)
            found[i] = np.inf if way_m == UNREACHABLE else way_m + aside_m
        return found

    def reach(self, lon: float, lat: float, minutes: float, mode: ReachMode) -> tuple[Area, ...]:
        """What lies within some minutes, on foot or by car, as the network leads."""
        is_walk = mode is ReachMode.WALK
        costing = _ON_FOOT if is_walk else costing_of(None)
        position = rounded([(lon, lat)])
        if self._snap_all(position, costing)[0].problem is SnapProblem.NO_ROAD:
            return ()
        request = {
            **costing,
            "locations": locations_of(position),
            "contours": [{"time": minutes if is_walk else minutes / self.travel_factor}],
            "polygons": True,
            "denoise": 0.1,
            "generalize": 20,
        }
        features = self._ask("isochrone", request)["features"]
        return areas_of(features)

    def pids(self) -> list[int]:
        """Process numbers of the workers that run."""
        return self._engine.pids()

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
        for chunk in batched(new, _LOCATE_PER_REQUEST):
            request = {**costing, "locations": locations_of(chunk), "verbose": True}
            for position, found in zip(chunk, self._ask("locate", request), strict=True):
                self._snaps[kind, position] = snap_of(position, found.get("edges") or [])
        return [self._snaps[kind, p] for p in positions]

    def _places(self, positions: list[Position], vehicle: Vehicle | None) -> list[Position]:
        """Where usable points meet their roads.

        Matrix and route are asked between these places: from a point beside several roads the
        engine may set off along another one each time.
        """
        return [(snap.lon, snap.lat) for _, snap in self._snapped(positions, vehicle)]

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
        request = {**costing_of(vehicle, avoid_unpaved=avoid), **closures_of(closures)}
        seconds, metres = self._search(origins, targets, request, progress)
        if avoid and (lost := (seconds == UNREACHABLE)).any():
            rows = np.flatnonzero(lost.any(axis=1))
            log.info("unpaved_where_nothing_else_leads", extra={"pairs": int(lost.sum())})
            froms = [origins[i] for i in rows]
            request = {**costing_of(vehicle), **closures_of(closures)}
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
                "sources": locations_of(sources, _ON_ROAD_M),
                "targets": locations_of(padded, _ON_ROAD_M),
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

    def _drive_apart(
        self,
        places: list[Position],
        positions: list[Position],
        request: dict[str, Any],
        vehicle: Vehicle | None,
        tries: tuple[bool, ...],
    ) -> tuple[list[dict[str, Any]], list[bool]]:
        """Leg by leg, so that only the legs without a paved way use unpaved roads."""
        legs, avoids = [], []
        for pair, named in zip(pairwise(places), pairwise(positions), strict=True):
            for avoid in tries:
                try:
                    legs += self._drive(list(pair), request, vehicle, avoid_unpaved=avoid)
                except EngineError as error:
                    if error.code not in _UNCONNECTED:
                        raise RoadsError(ENGINE_REFUSED, cause=error.text) from error
                    continue
                avoids.append(avoid)
                break
            else:
                raise no_route(*named)
        return legs, avoids

    def _as_in_matrix(
        self,
        pair: tuple[Position, Position],
        leg: dict[str, Any],
        request: dict[str, Any],
        vehicle: Vehicle | None,
        *,
        avoid_unpaved: bool,
    ) -> dict[str, Any]:
        """The leg, or that of a search from one end where the matrix goes that way.

        The engine looks for a route from both ends at once and in about one case of a hundred
        settles for another of nearly equal cost; plans are made of matrix cells.
        """
        common = {**costing_of(vehicle, avoid_unpaved=avoid_unpaved), **_closed_part(request)}
        cell = int(self._search([pair[0]], [pair[1]], common, None)[0][0, 0])
        found = [leg]
        for one_ended in _ONE_ENDED:
            if cell == UNREACHABLE or abs(whole_seconds(found[-1]) - cell) <= 1:
                return found[-1]
            try:
                asked = {**request, **one_ended}
                found += self._drive(list(pair), asked, vehicle, avoid_unpaved=avoid_unpaved)
            except EngineError:
                continue
        return min(found, key=lambda other: abs(whole_seconds(other) - cell))

    def _drive(
        self,
        places: list[Position],
        request: dict[str, Any],
        vehicle: Vehicle | None,
        *,
        avoid_unpaved: bool,
    ) -> list[dict[str, Any]]:
        asked = {
            **request,
            **costing_of(vehicle, avoid_unpaved=avoid_unpaved, disable_hierarchy_pruning=True),
            "locations": locations_of(places, _ON_ROAD_M),
        }
        legs: list[dict[str, Any]] = self._engine.ask("route", asked)["trip"]["legs"]
        return legs


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
        Engine(write_config(packed), workers=workers),
        key=packed.stem,
        source=f"{engine_version()}, {extract.name}",
        travel_factor=travel_factor,
    )


def _closed_part(request: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in request.items() if name.startswith("exclude_")}
