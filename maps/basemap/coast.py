"""Land and sea from coastlines, which have the land on their left.

References
----------
OpenStreetMap wiki, Tag:natural=coastline.
"""

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Bounds = tuple[float, float, float, float]

_ASIDE_DEG = 1e-7
"""A point so far beside a coastline lies on its land or in its sea."""


def land_and_sea(
    coastlines: Sequence[Floats], bounds: Bounds
) -> tuple[shapely.Geometry, shapely.Geometry]:
    """What of the rectangle is land and what is sea.

    Parameters
    ----------
    coastlines
        Lines in degrees, shape (n, 2), in the direction of the source.
    bounds
        West, south, east, north. A coastline that ends inside, where the extract was cut, is
        carried on straight to the nearest edge.
    """
    frame: shapely.Geometry = shapely.box(*bounds)
    nowhere: shapely.Geometry = shapely.Polygon()
    lines = [line for line in coastlines if len(line) > 1]
    if not lines:
        return frame, nowhere
    coast = shapely.union_all([shapely.LineString(line) for line in lines])
    inside = shapely.line_merge(shapely.intersection(coast, frame))
    edge = shapely.boundary(frame)
    drawn = shapely.union_all([inside, edge, *_carried_on(inside, frame, edge)])
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(drawn)))
    is_sea = _balance(faces, lines) < 0
    land: shapely.Geometry = shapely.union_all(faces[~is_sea])
    sea: shapely.Geometry = shapely.union_all(faces[is_sea])
    return land, sea


def _carried_on(
    coast: shapely.Geometry, frame: shapely.Geometry, edge: shapely.Geometry
) -> list[shapely.Geometry]:
    """Straight lines from loose ends of the coast to the nearest edge."""
    loose = [
        end
        for line in shapely.get_parts(coast)
        if shapely.get_dimensions(line) == 1 and not shapely.is_ring(line)
        for end in (shapely.get_point(line, 0), shapely.get_point(line, -1))
        if shapely.distance(end, edge) > 0
    ]
    return [shapely.shortest_line(end, edge) for end in loose if shapely.covers(frame, end)]


def _balance(faces: NDArray[np.object_], lines: Sequence[Floats]) -> Floats:
    """Length of coast with each face on its left, less that with it on its right.

    Faces that touch no coast balance at zero: they are land.
    """
    starts = np.vstack([line[:-1] for line in lines])
    ways = np.vstack([line[1:] for line in lines]) - starts
    length = np.hypot(*ways.T)
    starts, ways, length = starts[length > 0], ways[length > 0], length[length > 0]
    left = np.column_stack([-ways[:, 1], ways[:, 0]]) / length[:, None] * _ASIDE_DEG
    middle = starts + ways / 2
    tree = shapely.STRtree(faces)
    balance = np.zeros(len(faces))
    for side in (1.0, -1.0):
        beside = shapely.points(middle + side * left)
        segment, face = tree.query(beside, predicate="within")
        np.add.at(balance, face, side * length[segment])
    return balance
