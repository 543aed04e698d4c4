"""Are positions where they can be: on the land, near their neighbours."""

from collections.abc import Sequence
from math import cos, radians
from statistics import median

import shapely
from shapely.geometry import Point, Polygon
from shapely.ops import nearest_points

from data.model.geo import Ring, distance_m

LAND_TOLERANCE_M = 2_000.0
"""A coarse outline may cut off a village on the shore by so much."""
FAR_M = 300_000.0
"""Farther than this from the middle of a region is likely a slip of a digit or an axis."""


class Land:
    """Outer rings of land, to ask how far off it a point lies.

    Parameters
    ----------
    rings
        (lon, lat) points.
    """

    def __init__(self, rings: Sequence[Ring]) -> None:
        self._shape = shapely.make_valid(
            shapely.unary_union([shapely.make_valid(Polygon(ring)) for ring in rings])
        )
        shapely.prepare(self._shape)

    def metres_off(self, lon: float, lat: float) -> float:
        """Metres from a point to the land; 0 on it.

        The nearest point is sought in a plane that is true to scale at the given point.
        """
        if self._shape.covers(Point(lon, lat)):
            return 0.0
        squeeze = cos(radians(lat))
        local = shapely.transform(self._shape, lambda xy: xy * (squeeze, 1.0))
        near = nearest_points(local, Point(lon * squeeze, lat))[0]
        return distance_m(lon, lat, near.x / squeeze, near.y)


def middle(positions: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The point whose lon and lat are the medians of all, which one stray cannot move."""
    return median(lon for lon, _ in positions), median(lat for _, lat in positions)
