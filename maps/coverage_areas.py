"""Areas that maps of coverage show: municipalities, and what lies in reach of libraries and stops.

Where a region has no boundaries, each settlement is given the ground that is nearer to it than to
any other (Voronoi), and a municipality the ground of its settlements: a makeshift, labelled so.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPoint, Polygon
from shapely.geometry.base import BaseGeometry

from data.model.coverage import Coverage, ServedStop
from data.model.geo import Ring
from data.model.place import MunicipalityId
from data.model.region import Region
from maps.coverage import positions_of
from maps.coverage_ground import DistrictArea, Ground
from maps.estimate import WALK_MPS
from maps.local_metres import LocalMetres
from maps.roads import Area, Position, Progress, ReachMode, Roads

TOLERANCE_M = 60.0
"""Outlines are drawn without the points that lie within so many metres of them."""
MOST_ORIGINS = 400
"""Libraries whose reach is drawn at most, spread over the region: each is a search."""
_FRINGE_M = 5_000.0
_CIRCLE_QUARTER = 8


def district_areas(region: Region) -> tuple[tuple[DistrictArea, ...], Ground]:
    """The ground of every municipality, and where it comes from."""
    if region.districts:
        found = tuple(
            DistrictArea(municipality_id=key, rings=rings)
            for key, rings in region.districts.items()
            if rings
        )
        return found, Ground.BOUNDARIES
    made = _voronoi(region)
    return made, Ground.VORONOI if made else Ground.NONE


def _voronoi(region: Region) -> tuple[DistrictArea, ...]:
    named = [s for s in region.settlements if s.municipality_id]
    positions, first = np.unique(positions_of(named), axis=0, return_index=True)
    if len(positions) < 3 or len({s.municipality_id for s in named}) < 2:
        return ()
    metres = LocalMetres.around(positions)
    points = MultiPoint(metres.to_metres(positions))
    around: BaseGeometry = points.convex_hull.buffer(_FRINGE_M)
    if region.land:
        rings = [metres.to_metres(np.array(ring, np.float64)) for ring in region.land]
        around &= shapely.union_all([Polygon(ring).buffer(0) for ring in rings])
    cells = shapely.get_parts(shapely.voronoi_polygons(points, extend_to=around, ordered=True))
    by_district: dict[MunicipalityId, list[Any]] = {}
    for cell, row in zip(cells, first.tolist(), strict=True):
        key = named[row].municipality_id
        if key is not None:
            by_district.setdefault(key, []).append(cell)
    return tuple(
        DistrictArea(
            municipality_id=key,
            rings=tuple(a[0] for a in areas_of(shapely.union_all(own) & around, metres)),
        )
        for key, own in by_district.items()
    )


def library_area(
    coverage: Coverage,
    places: Sequence[Position],
    roads: Roads,
    progress: Progress | None = None,
) -> tuple[Area, ...]:
    """What lies in reach of any library: isochrones, or circles where roads are estimated.

    Within a limit in kilometres as well lies what a steady walk of that length reaches by road.
    """
    params = coverage.params
    limits = [(params.minutes, ReachMode.CAR)]
    if params.library_km is not None:
        limits.append((params.library_km * 1000 / coverage.walk_mps / 60, ReachMode.WALK))
    if not places or not all(minutes for minutes, _ in limits):
        return ()
    origins = spread(np.unique(np.array(places, np.float64), axis=0), MOST_ORIGINS)
    metres = LocalMetres.around(origins)
    shapes = []
    for number, (lon, lat) in enumerate(origins.tolist(), 1):
        within = [
            shapely.union_all([_shape_of(a, metres) for a in roads.reach(lon, lat, minutes, mode)])
            for minutes, mode in limits
        ]
        shapes.append(shapely.intersection_all(within))
        if progress is not None:
            progress(number / len(origins))
    return areas_of(shapely.union_all(shapes), metres)


def spread(positions: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """So many of some places that none of the others is far from all of them.

    Each is the one farthest from those before it (Gonzalez 1985): no choice of as many has a
    greatest gap less than half of theirs.
    """
    if len(positions) <= most:
        return positions
    metres = LocalMetres.around(positions).to_metres(positions)
    chosen, away = [0], np.hypot(*(metres - metres[0]).T)
    while len(chosen) < most:
        chosen.append(int(away.argmax()))
        away = np.minimum(away, np.hypot(*(metres - metres[chosen[-1]]).T))
    found: NDArray[np.float64] = positions[np.sort(chosen)]
    return found


def stop_area(
    stops: Sequence[ServedStop], radius_m: float, roads: Roads | None = None
) -> tuple[Area, ...]:
    """What lies within a walk of any stop: by the network where there is one, else a circle."""
    if not stops or not radius_m:
        return ()
    positions = np.array([(s.lon, s.lat) for s in stops], np.float64)
    metres = LocalMetres.around(positions)
    if roads is not None and not roads.is_estimated:
        minutes = radius_m / WALK_MPS / 60
        walked = [_shape_of(a, metres) for lon, lat in sorted(set(map(tuple, positions.tolist())))
                  for a in roads.reach(lon, lat, minutes, ReachMode.WALK)]  # fmt: skip
        return areas_of(shapely.union_all(walked), metres, tolerance_m=1.0)
    circles = shapely.buffer(
        shapely.points(metres.to_metres(positions)), radius_m, quad_segs=_CIRCLE_QUARTER
    )
    return areas_of(shapely.union_all(circles), metres, tolerance_m=1.0)


def _shape_of(area: Area, metres: LocalMetres) -> Any:
    outer, *holes = (metres.to_metres(np.array(ring, np.float64)) for ring in area)
    return Polygon(outer, holes).buffer(0)


def areas_of(
    shape: Any, metres: LocalMetres, *, tolerance_m: float = TOLERANCE_M
) -> tuple[Area, ...]:
    """Polygons of a shape in metres, in degrees, without points that nobody sees."""
    found = []
    for part in shapely.get_parts(shape.simplify(tolerance_m)):
        if part.geom_type != "Polygon" or part.is_empty:
            continue
        rings = [shapely.get_coordinates(r) for r in (part.exterior, *part.interiors)]
        found.append(
            tuple(
                tuple((x, y) for x, y in metres.to_degrees(ring).round(5).tolist())
                for ring in rings
            )
        )
    return tuple(found)


def area_features(
    areas: Sequence[tuple[str, tuple[Area, ...], Mapping[str, Any]]],
) -> list[dict[str, Any]]:
    """Named areas as GeoJSON features."""
    return [
        {
            "type": "Feature",
            "id": name,
            "geometry": {
                "type": "MultiPolygon",
                "coordinates": [[_closed(ring) for ring in area] for area in parts],
            },
            "properties": dict(facts),
        }
        for name, parts, facts in areas
    ]


def _closed(ring: Ring) -> list[list[float]]:
    points = [list(point) for point in ring]
    return points if points[0] == points[-1] else [*points, points[0]]
