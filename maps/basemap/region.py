"""What a region knows of itself, as features of a basemap: for regions without an extract."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon

from data.feeds.outlines import read_land
from data.feeds.transliteration import latin_name
from data.model.geo import Ring
from data.model.place import Settlement
from data.model.region import Region
from maps.basemap.feature import (
    Attributes,
    Feature,
    is_cyrillic,
    name_attributes,
    population_rank,
)

REGION_MAX_ZOOM = 10
"""Outlines are good to some hundred metres: closer tiles would hold no more."""
_MARGIN_DEG = 0.35
"""Where no land is known, so much ground is drawn round what is known."""
_SHORE_DEG = 0.002
"""District edges nearer to the shore than this are the shore."""
_WATER_SHARE = 0.6
"""Water is drawn beyond the land by this share of its width and height."""
_WATER_FILE = "water.geojson"
_CITY_PEOPLE = 100_000
_TOWN_PEOPLE = 5_000
_VILLAGE_PEOPLE = 100
_FIRST_ZOOMS = ((100_000, 4), (20_000, 6), (5_000, 7), (1_000, 8), (200, 9))
"""People of a place and the zoom at which its name may appear."""

type Bounds = tuple[float, float, float, float]


def bundled_water(region_id: str) -> tuple[Ring, ...]:
    """Outer rings of the sea and lagoons beside a bundled region; empty where none are known."""
    if not region_id.isidentifier():
        return ()
    path = Path(str(files("data") / "samples")) / region_id / _WATER_FILE
    return read_land(path) if path.is_file() else ()


def region_bounds(region: Region) -> Bounds | None:
    """West, south, east, north of the land, or of the places where no land is known."""
    land = _land(region)
    if shapely.is_empty(land):
        return None
    west, south, east, north = shapely.bounds(land).tolist()
    return west, south, east, north


def region_features(region: Region, water: tuple[Ring, ...] = ()) -> tuple[Feature, ...]:
    """Land, water, borders and named places of a region.

    Parameters
    ----------
    water
        Outer rings of known water; land has the right of way. What is neither land nor water
        stays unpainted: it is not known.
    """
    land = _land(region)
    sea = _sea(land, water) if water else MultiPolygon()
    return (*_surfaces(land, sea), *_borders(region, land), *_places(region))


def _surfaces(land: shapely.Geometry, sea: shapely.Geometry) -> Iterator[Feature]:
    if not shapely.is_empty(land):
        yield _feature("earth", land, {"kind": "earth"})
    if not shapely.is_empty(sea):
        yield _feature("water", sea, {"kind": "ocean"})


def _borders(region: Region, land: shapely.Geometry) -> Iterator[Feature]:
    """Edges between municipalities, each once, without the edge of the land itself."""
    if region.land:
        outline = shapely.boundary(land)
        yield _feature("boundaries", outline, {"kind": "region", "kind_detail": 4})
    if not region.districts:
        return
    edges = shapely.union_all([shapely.boundary(_area(r)) for r in region.districts.values()])
    if region.land:
        edges = shapely.difference(edges, shapely.buffer(shapely.boundary(land), _SHORE_DEG))
    if not shapely.is_empty(edges):
        merged = shapely.line_merge(edges)
        yield _feature("boundaries", merged, {"kind": "county", "kind_detail": 6}, min_zoom=6)


def _places(region: Region) -> Iterator[Feature]:
    for place in region.settlements:
        zoom = next((z for least, z in _FIRST_ZOOMS if (place.population or 0) >= least), 10)
        point = shapely.Point(place.lon, place.lat)
        yield _feature("places", point, _place_attributes(place, zoom), min_zoom=zoom)


def _place_attributes(place: Settlement, zoom: int) -> Attributes:
    people = place.population or 0
    latin = place.name_latin or latin_name(place.name)
    names = name_attributes(place.name, latin=latin or (not is_cyrillic(place.name)) * place.name)
    kind = next(
        (k for least, k in ((_CITY_PEOPLE, "city"), (_TOWN_PEOPLE, "town"),
                            (_VILLAGE_PEOPLE, "village")) if people >= least),
        "hamlet",
    )  # fmt: skip
    return names | {
        "kind": "locality",
        "kind_detail": kind,
        "population": people,
        "population_rank": population_rank(people),
        "min_zoom": zoom + 1,
        "sort_key": zoom * 1_000_000_000 - people,
    }


def _land(region: Region) -> shapely.Geometry:
    return _area(region.land) if region.land else _ground(region)


def _sea(land: shapely.Geometry, water: tuple[Ring, ...]) -> shapely.Geometry:
    """The water beside the land, as far as a map lets one look."""
    west, south, east, north = shapely.bounds(land).tolist()
    dx, dy = _WATER_SHARE * (east - west), _WATER_SHARE * (north - south)
    frame = shapely.box(west - dx, south - dy, east + dx, north + dy)
    sea: shapely.Geometry = shapely.difference(shapely.intersection(_area(water), frame), land)
    return sea


def _ground(region: Region) -> shapely.Geometry:
    """A rectangle round every known place, where the outline of the land is not known."""
    spots = [(s.lon, s.lat) for s in region.settlements] + [(d.lon, d.lat) for d in region.depots]
    spots += [(stop.lon, stop.lat) for stop in region.stops]
    if not spots:
        return MultiPolygon()
    west, south = np.min(spots, axis=0) - _MARGIN_DEG
    east, north = np.max(spots, axis=0) + _MARGIN_DEG
    ground: shapely.Geometry = shapely.box(west, south, east, north)
    return ground


def _area(rings: tuple[Ring, ...]) -> shapely.Geometry:
    if not rings:
        return MultiPolygon()
    area: shapely.Geometry = shapely.union_all([shapely.make_valid(Polygon(r)) for r in rings])
    return area


def _feature(
    layer: str, shape: shapely.Geometry, attributes: Attributes, *, min_zoom: int = 0
) -> Feature:
    geojson = str(shapely.to_geojson(shape))
    return Feature(layer=layer, geojson=geojson, attributes=attributes, min_zoom=min_zoom)
