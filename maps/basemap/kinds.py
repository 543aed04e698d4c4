"""What a thing of OpenStreetMap is on the basemap: tags to layer, attributes and first zoom."""

from collections.abc import Mapping
from dataclasses import dataclass

from data.feeds.osm import read_population
from data.feeds.transliteration import latin_name
from maps.basemap.feature import Attributes, is_cyrillic, name_attributes, population_rank

type Tags = Mapping[str, str]

LINE_KEYS = ("highway", "railway", "waterway", "aeroway", "man_made", "natural", "boundary")
AREA_KEYS = (
    "natural", "landuse", "leisure", "waterway", "building", "amenity", "place", "aeroway",
    "man_made", "highway", "shop", "tourism", "railway",
)  # fmt: skip
"""Keys of which at least one makes a closed line or a relation an area to look at."""

_ROADS = {
    "motorway": ("highway", 4), "trunk": ("major_road", 6), "primary": ("major_road", 7),
    "secondary": ("major_road", 8), "tertiary": ("major_road", 9),
    "unclassified": ("minor_road", 11), "residential": ("minor_road", 12),
    "living_street": ("minor_road", 12), "road": ("minor_road", 12),
    "service": ("minor_road", 13), "track": ("path", 12), "path": ("path", 13),
    "footway": ("path", 14), "cycleway": ("path", 14), "bridleway": ("path", 14),
    "steps": ("path", 14), "pedestrian": ("path", 13),
}  # fmt: skip
_RAILS = {"rail": 8, "narrow_gauge": 10, "light_rail": 11, "tram": 12, "subway": 12}
_YARDS = frozenset({"siding", "spur", "yard", "crossover"})
_RIVERS = {"river": 8, "canal": 11, "stream": 13}
_SMALL_NAMES_ZOOM = 12

_PLACES = {
    "city": ("locality", 4, 100_000), "town": ("locality", 6, 5_000),
    "village": ("locality", 9, 300), "hamlet": ("locality", 10, 50),
    "isolated_dwelling": ("locality", 12, 5), "farm": ("locality", 12, 5),
    "allotments": ("locality", 13, 0), "locality": ("locality", 13, 0),
    "suburb": ("neighbourhood", 11, 0), "quarter": ("macrohood", 12, 0),
    "neighbourhood": ("neighbourhood", 13, 0),
}  # fmt: skip
"""Kind, first zoom, and the people that a place of unknown population is ranked by."""
_LARGE_VILLAGE = 1_000

_LANDUSE = {
    ("landuse", "forest"): "forest", ("natural", "wood"): "wood", ("natural", "scrub"): "scrub",
    ("natural", "heath"): "scrub", ("natural", "grassland"): "grassland",
    ("landuse", "meadow"): "grassland", ("landuse", "grass"): "grass",
    ("landuse", "residential"): "residential", ("landuse", "industrial"): "industrial",
    ("landuse", "cemetery"): "cemetery", ("amenity", "grave_yard"): "cemetery",
    ("landuse", "allotments"): "allotments", ("landuse", "village_green"): "village_green",
    ("landuse", "military"): "military", ("leisure", "park"): "park",
    ("leisure", "nature_reserve"): "nature_reserve", ("leisure", "golf_course"): "golf_course",
    ("leisure", "playground"): "playground", ("natural", "beach"): "beach",
    ("natural", "sand"): "sand", ("natural", "glacier"): "glacier",
    ("amenity", "hospital"): "hospital", ("amenity", "school"): "school",
    ("amenity", "kindergarten"): "school", ("amenity", "university"): "university",
    ("amenity", "college"): "college", ("aeroway", "aerodrome"): "aerodrome",
    ("aeroway", "runway"): "runway", ("highway", "pedestrian"): "pedestrian",
    ("man_made", "pier"): "pier",
}  # fmt: skip
_POIS = {
    ("amenity", "library"): ("library", 12), ("amenity", "townhall"): ("townhall", 14),
    ("amenity", "school"): ("school", 14), ("amenity", "university"): ("university", 14),
    ("amenity", "post_office"): ("post_office", 14), ("amenity", "theatre"): ("theatre", 15),
    ("amenity", "arts_centre"): ("theatre", 15), ("amenity", "community_centre"): ("theatre", 14),
    ("amenity", "ferry_terminal"): ("ferry_terminal", 13), ("railway", "station"): ("station", 12),
    ("railway", "halt"): ("station", 13), ("highway", "bus_stop"): ("bus_stop", 16),
    ("shop", "supermarket"): ("supermarket", 15), ("shop", "convenience"): ("convenience", 15),
    ("tourism", "museum"): ("museum", 15), ("natural", "peak"): ("peak", 13),
    ("aeroway", "aerodrome"): ("aerodrome", 11), ("leisure", "stadium"): ("stadium", 15),
}  # fmt: skip
_BOUNDARIES = {
    2: ("country", 0), 3: ("region", 4), 4: ("region", 4), 5: ("county", 7), 6: ("county", 7),
    7: ("locality", 10), 8: ("locality", 10),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """How a thing is drawn."""

    layer: str
    attributes: Attributes
    min_zoom: int


def names(tags: Tags, *, transliterated: bool = False) -> dict[str, str]:
    """The names of a thing; on request in Latin letters too where none are tagged."""
    name = " ".join(tags.get("name", "").split())
    latin = tags.get("name:en") or tags.get("int_name", "")
    if transliterated and not latin and is_cyrillic(name):
        latin = latin_name(name)
    return name_attributes(name, tags.get("name:ru", ""), latin)


def line_of(tags: Tags) -> Drawn | None:
    """A way as a line: road, railway, river, runway, pier; ``None`` is not drawn."""
    if tags.get("area") == "yes":
        return None
    return _road(tags) or _rail(tags) or _river(tags) or _runway_or_pier(tags)


def _road(tags: Tags) -> Drawn | None:
    highway = tags.get("highway", "")
    base = highway.removesuffix("_link")
    if base not in _ROADS:
        return None
    kind, zoom = _ROADS[base]
    attributes: dict[str, str | int | float | bool] = {"kind": kind, "kind_detail": highway}
    if highway != base:
        attributes["is_link"] = True
        zoom = max(zoom, 11)
    if tags.get("bridge", "no") != "no":
        attributes["is_bridge"] = True
    if tags.get("tunnel", "no") != "no":
        attributes["is_tunnel"] = True
    if tags.get("oneway") == "yes" and kind != "path":
        attributes["oneway"] = "yes"
    number = tags.get("ref", "").split(";")[0].replace(" ", "")
    if number and kind != "path":
        attributes |= {"shield_text": number, "network": "other"}
    attributes |= {**names(tags), "min_zoom": zoom}
    return Drawn(layer="roads", attributes=attributes, min_zoom=zoom)


def _rail(tags: Tags) -> Drawn | None:
    railway = tags.get("railway", "")
    if railway not in _RAILS:
        return None
    zoom = 13 if tags.get("service") in _YARDS else _RAILS[railway]
    attributes: Attributes = {"kind": "rail", "kind_detail": railway, "min_zoom": zoom}
    return Drawn(layer="roads", attributes=attributes, min_zoom=zoom)


def _river(tags: Tags) -> Drawn | None:
    waterway = tags.get("waterway", "")
    if waterway not in _RIVERS or tags.get("tunnel", "no") != "no":
        return None
    kind = "stream" if waterway == "stream" else "river"
    zoom = _RIVERS[waterway]
    attributes: Attributes = {
        **names(tags), "kind": kind, "kind_detail": waterway, "min_zoom": zoom,
    }  # fmt: skip
    return Drawn(layer="water", attributes=attributes, min_zoom=zoom)


def _runway_or_pier(tags: Tags) -> Drawn | None:
    if tags.get("aeroway") in {"runway", "taxiway"}:
        kind, detail, zoom = "aeroway", tags["aeroway"], 10
    elif tags.get("man_made") == "pier":
        kind, detail, zoom = "path", "pier", 13
    else:
        return None
    attributes: Attributes = {"kind": kind, "kind_detail": detail, "min_zoom": zoom}
    return Drawn(layer="roads", attributes=attributes, min_zoom=zoom)


def boundary_of(level: int) -> Drawn | None:
    """A line of an administrative boundary by its level; ``None`` for levels not drawn."""
    if level not in _BOUNDARIES:
        return None
    kind, zoom = _BOUNDARIES[level]
    attributes: Attributes = {"kind": kind, "kind_detail": level, "min_zoom": zoom}
    return Drawn(layer="boundaries", attributes=attributes, min_zoom=zoom)


def is_building(tags: Tags) -> bool:
    return tags.get("building", "no") != "no"


def water_of(tags: Tags, zoom: int) -> Drawn | None:
    """An area of water that is wide enough to be seen from ``zoom`` on."""
    is_water = (
        tags.get("natural") == "water"
        or tags.get("waterway") in {"riverbank", "dock"}
        or tags.get("landuse") in {"reservoir", "basin"}
    )
    if not is_water:
        return None
    detail = tags.get("water") or tags.get("landuse") or tags.get("waterway") or "water"
    kind = "lake" if detail in {"lake", "reservoir"} else "water"
    attributes: Attributes = {"kind": kind, "kind_detail": detail, "min_zoom": zoom}
    return Drawn(layer="water", attributes=attributes, min_zoom=zoom)


def landuse_of(tags: Tags, zoom: int) -> Drawn | None:
    """An area of land use that is wide enough to be seen from ``zoom`` on."""
    kind = next((kind for (key, value), kind in _LANDUSE.items() if tags.get(key) == value), None)
    if kind is None:
        return None
    attributes: Attributes = {"kind": kind, "min_zoom": zoom}
    return Drawn(layer="landuse", attributes=attributes, min_zoom=max(6, zoom))


def place_of(tags: Tags) -> Drawn | None:
    """A named place: a settlement, a part of one, or an island."""
    place = tags.get("place", "")
    named = names(tags, transliterated=True)
    if not named:
        return None
    if place in {"island", "islet"}:
        zoom = 10 if place == "island" else 14
        island: Attributes = {**named, "kind": "island", "min_zoom": zoom}
        return Drawn(layer="earth", attributes=island, min_zoom=zoom)
    if place not in _PLACES:
        return None
    kind, zoom, usual = _PLACES[place]
    known, _ = read_population(tags.get("population", ""))
    people = usual if known is None else known
    if place == "village" and people >= _LARGE_VILLAGE:
        zoom -= 1
    attributes: dict[str, str | int | float | bool] = {
        **named,
        "kind": kind,
        "kind_detail": place,
        "population": people,
        "population_rank": population_rank(people),
        "min_zoom": zoom + 1,
        "sort_key": zoom * 100_000_000 - min(people, 99_000_000),
    }
    if tags.get("capital") == "yes":
        attributes["capital"] = "yes"
    return Drawn(layer="places", attributes=attributes, min_zoom=zoom)


def poi_of(tags: Tags) -> Drawn | None:
    """A point of interest to those who travel with books."""
    found = next((poi for (key, value), poi in _POIS.items() if tags.get(key) == value), None)
    if found is None:
        return None
    kind, zoom = found
    attributes: Attributes = {**names(tags), "kind": kind, "min_zoom": zoom}
    return Drawn(layer="pois", attributes=attributes, min_zoom=min(zoom, 14))
