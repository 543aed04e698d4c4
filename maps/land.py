"""Shortest ways inside the land: round lagoons, bays and borders, never across them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse.csgraph import csgraph_from_dense, shortest_path
from shapely.geometry import Polygon
from shapely.geometry.polygon import orient

from data.model.geo import Ring
from maps.local_metres import LocalMetres
from maps.roads import SNAP_LIMIT_M
from maps.visible import round_corners, visible

MAX_OUTLINE_POINTS = 600
"""A part with more points is simplified, by as little as brings it below."""
_TOLERANCES_M = tuple(25.0 * 1.5**i for i in range(12))
"""Tried in turn; the last is about 2 km, within ``SNAP_LIMIT_M``."""
_MARGIN_M = 1.0
"""Walls stand this far outside the land, so that ways may touch its corners and run along it."""
NOWHERE = -1

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Footing:
    """Where points stand on the land.

    ``part`` is the number of the part, ``NOWHERE`` where none is near; ``place_m`` the place on
    the land, shape (n, 2); ``off_m`` how far outside the outline the point lies.
    """

    part: NDArray[np.int64]
    point_m: Floats
    place_m: Floats
    off_m: Floats

    def at(self, rows: NDArray[np.intp]) -> "Footing":
        """The footing of some of the points."""
        return Footing(
            part=self.part[rows],
            point_m=self.point_m[rows],
            place_m=self.place_m[rows],
            off_m=self.off_m[rows],
        )


class _Part:
    """One piece of land with its walls and the corners that ways bend round."""

    def __init__(self, polygon: Polygon) -> None:
        self.polygon = orient(polygon)
        shapely.prepare(self.polygon)
        self.walls = _segments(self.polygon.buffer(_MARGIN_M, join_style="mitre"))
        self.corners = _corners(self.polygon)
        sight = self.sight_m(self.corners, self.corners)
        graph = csgraph_from_dense(sight, null_value=np.inf)
        between, before = shortest_path(graph, directed=False, return_predecessors=True)
        self.between: Floats = np.asarray(between)
        self._before = before

    def sight_m(self, origins: Floats, targets: Floats) -> Floats:
        """Straight metres where the line stays on the land, else ``inf``."""
        metres = np.hypot(*np.moveaxis(origins[:, None] - targets[None], 2, 0))
        return np.where(visible(origins, targets, self.walls), metres, np.inf)

    def inside_m(self, origins: Floats, targets: Floats) -> Floats:
        metres = self.sight_m(origins, targets)
        hidden = np.isinf(metres)
        rows, columns = hidden.any(axis=1), hidden.any(axis=0)
        if rows.any() and len(self.corners):
            cut = np.ix_(rows, columns)
            around = round_corners(
                self.sight_m(origins[rows], self.corners),
                self.between,
                self.sight_m(targets[columns], self.corners),
            )
            metres[cut] = np.where(hidden[cut], around, metres[cut])
        return metres

    def path(self, origin: Floats, target: Floats) -> list[Floats]:
        """Places of the shortest way, both ends included."""
        if np.isfinite(self.sight_m(origin[None], target[None])[0, 0]) or not len(self.corners):
            return [origin, target]
        start = self.sight_m(origin[None], self.corners)[0]
        end = self.sight_m(target[None], self.corners)[0]
        total = start[:, None] + self.between + end[None]
        first, at = np.unravel_index(int(np.argmin(total)), total.shape)
        corners = [int(at)]
        while corners[-1] != first:
            corners.append(int(self._before[first, corners[-1]]))
        return [origin, *(self.corners[c] for c in reversed(corners)), target]


class Land:
    """The parts of a region's land; no way leads from one part to another.

    Parameters
    ----------
    rings
        Outer rings in degrees. Rings that touch or overlap become one part; a part of more than
        ``MAX_OUTLINE_POINTS`` points is simplified.
    """

    def __init__(self, rings: Sequence[Ring]) -> None:
        if any(len(ring) < 3 for ring in rings):
            raise ValueError("a ring of land needs three points")
        every = np.array([point for ring in rings for point in ring], np.float64)
        self.metres = LocalMetres.around(every)
        polygons = [
            shapely.make_valid(Polygon(self.metres.to_metres(np.array(ring, np.float64))))
            for ring in rings
        ]
        pieces = shapely.get_parts(shapely.union_all(polygons))
        self.parts = [
            _Part(_coarse(p)) for p in pieces if isinstance(p, Polygon) and not p.is_empty
        ]

    def footing(self, positions: Floats) -> Footing:
        """Where points in degrees, shape (n, 2), stand: inside a part, or on the nearest one."""
        place_m = self.metres.to_metres(positions)
        point_m = place_m.copy()
        part = np.full(len(positions), NOWHERE, np.int64)
        for number, piece in enumerate(self.parts):
            part[shapely.intersects_xy(piece.polygon, place_m)] = number
        off_m = np.zeros(len(positions))
        outside = np.flatnonzero(part == NOWHERE)
        if len(outside) and self.parts:
            points = np.asarray(shapely.points(place_m[outside]))
            shapes = np.array([piece.polygon for piece in self.parts])
            distance_m = shapely.distance(points[:, None], shapes[None])
            nearest = distance_m.argmin(axis=1)
            lines = shapely.shortest_line(points, shapes[nearest])
            ends = shapely.get_coordinates(shapely.get_point(lines, 1))
            for row, number, end, metres in zip(
                outside, nearest, ends, distance_m.min(axis=1), strict=True
            ):
                off_m[row] = metres
                if metres <= SNAP_LIMIT_M:
                    part[row], place_m[row] = number, end
        return Footing(part=part, point_m=point_m, place_m=place_m, off_m=off_m)

    def distances_m(self, origins: Footing, targets: Footing) -> Floats:
        """Metres inside the land, ``inf`` between parts and where a point stands nowhere.

        A point outside the outline first comes straight to it. Two such points that are nearer
        to each other than to the outline are joined directly: what lies between them is the land
        that the outline leaves out.
        """
        metres = np.full((len(origins.part), len(targets.part)), np.inf)
        for number, piece in enumerate(self.parts):
            rows = np.flatnonzero(origins.part == number)
            columns = np.flatnonzero(targets.part == number)
            if not len(rows) or not len(columns):
                continue
            here, there = origins.at(rows), targets.at(columns)
            off_m = here.off_m[:, None] + there.off_m[None]
            way_m = off_m + piece.inside_m(here.place_m, there.place_m)
            direct_m = np.hypot(*np.moveaxis(here.point_m[:, None] - there.point_m[None], 2, 0))
            metres[np.ix_(rows, columns)] = np.where(direct_m <= off_m, direct_m, way_m)
        return metres

    def path(self, origin: Footing, target: Footing) -> Floats:
        """The way between two single points of one part in degrees, shape (n, 2)."""
        places = [origin.point_m[0], target.point_m[0]]
        direct_m = float(np.hypot(*(places[0] - places[1])))
        if direct_m > origin.off_m[0] + target.off_m[0]:
            inside = self.parts[int(origin.part[0])].path(origin.place_m[0], target.place_m[0])
            before = [places[0]] if origin.off_m[0] > 0 else []
            after = [places[1]] if target.off_m[0] > 0 else []
            places = [*before, *inside, *after]
        return self.metres.to_degrees(np.array(places))


def _coarse(polygon: Polygon) -> Polygon:
    """The polygon, simplified if it has too many points."""
    coarse = polygon
    for tolerance_m in _TOLERANCES_M:
        if shapely.get_num_coordinates(coarse) <= MAX_OUTLINE_POINTS:
            break
        simpler = polygon.simplify(tolerance_m)
        coarse = simpler if isinstance(simpler, Polygon) else coarse
    return coarse


def _segments(shape: Polygon) -> Floats:
    """Every side of a polygon or several, holes included, shape (n, 4)."""
    sides: list[Floats] = []
    for polygon in shapely.get_parts(shape):
        for ring in (polygon.exterior, *polygon.interiors):
            points = shapely.get_coordinates(ring)
            sides.append(np.hstack([points[:-1], points[1:]]))
    return np.ascontiguousarray(np.vstack(sides))


def _corners(polygon: Polygon) -> Floats:
    """Corners at which the land turns round the outside: where shortest ways bend."""
    bends: list[Floats] = []
    for ring in (polygon.exterior, *polygon.interiors):
        points = shapely.get_coordinates(ring)[:-1]
        arrive = points - np.roll(points, 1, axis=0)
        leave = np.roll(points, -1, axis=0) - points
        # The land lies to the left of every ring, so a right turn goes round the outside.
        bends.append(points[arrive[:, 0] * leave[:, 1] - arrive[:, 1] * leave[:, 0] < 0])
    return np.ascontiguousarray(np.vstack(bends))
