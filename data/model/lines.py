"""Lines of runs on the map: along the roads where they are known, straight where they are not."""

import zlib
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from data.model.fleet import VehicleId
from data.model.plan import PlanRequest, Run

_PER_DEGREE = 1e5
"""Kept points are whole numbers of a metre or less."""

type Line = Sequence[tuple[float, float]]
"""Points (lon, lat) in order of travel."""

type RunLines = Mapping[tuple[VehicleId, int], Sequence[Line]]
"""For each vehicle and cycle day one line a leg: depot to first stop … last stop to depot."""


def leg_lines(
    request: PlanRequest, run: Run, lines: RunLines | None
) -> tuple[tuple[tuple[tuple[float, float], ...], ...], bool]:
    """The legs of a run as lines.

    Returns
    -------
    tuple
        One line a leg, and whether they follow real roads. Without lines of this run the legs are
        straight; lines of estimated travel (round a lagoon, say) are shown but are no roads.
    """
    known = (lines or {}).get((run.vehicle_id, run.day))
    if known is not None and len(known) == len(run.visits) + 1:
        travel = request.travel.get(run.vehicle_id)
        follows_roads = travel is None or not travel.is_estimated
        return tuple(tuple((p[0], p[1]) for p in leg) for leg in known), follows_roads
    vehicle = next(v for v in request.vehicles if v.vehicle_id == run.vehicle_id)
    depots = {d.depot_id: (d.lon, d.lat) for d in request.depots}
    stops = {s.stop_id: (s.lon, s.lat) for s in request.stops}
    start, end = run.ends(vehicle)
    points = [depots[start], *(stops[v.stop_id] for v in run.visits), depots[end]]
    return tuple(pairwise(points)), False


def pack_line(line: Line) -> bytes:
    """A line as few bytes: differences of whole numbers, compressed."""
    if not line:
        return b""
    whole = np.rint(np.asarray(line, np.float64) * _PER_DEGREE).astype(np.int64)
    steps = np.diff(whole, axis=0, prepend=np.zeros((1, 2), np.int64))
    return zlib.compress(steps.astype("<i4").tobytes(), 9)


def unpack_line(packed: bytes) -> tuple[tuple[float, float], ...]:
    """The points (lon, lat) that ``pack_line`` packed."""
    if not packed:
        return ()
    steps = np.frombuffer(zlib.decompress(packed), "<i4").reshape(-1, 2)
    degrees = np.cumsum(steps, axis=0, dtype=np.int64) / _PER_DEGREE
    return tuple((float(lon), float(lat)) for lon, lat in degrees)
