"""An OpenStreetMap extract: settlements, libraries and boundaries. Roads are read elsewhere."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import osmium
import shapely
from osmium.filter import KeyFilter

from data.feeds.tables import check_file
from data.feeds.transliteration import latin_name
from data.feeds.values import CellError, parse_count
from data.model.errors import InputError
from data.model.geo import COORDINATE_DIGITS, Ring, distance_m
from data.model.place import Library, LibraryId, Settlement, SettlementId

PLACE_KINDS = ("city", "town", "village", "hamlet", "isolated_dwelling")
SAME_PLACE_M = 3_000.0
"""A polygon and a node of one name within this distance are one settlement."""
_SOURCE = "OpenStreetMap"
_YEAR = re.compile(r"(1[89]|20)\d{2}")
_ABOUT = re.compile(r"^(~|≈|<|>|ca?\.?|circa|approx\.?|about|около|прим\.?)\s*", re.IGNORECASE)
_DOTTED_THOUSANDS = re.compile(r"\d{1,3}(\.\d{3})+")
_PRIVATE = frozenset({"private", "no", "customers"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """An administrative area with its outer rings."""

    boundary_id: str
    name: str
    name_latin: str
    admin_level: int
    rings: tuple[Ring, ...]
    country: str = ""
    """ISO 3166-1 code, where the area is a country and says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OsmRegion:
    """What an extract says of a region."""

    file: str
    settlements: tuple[Settlement, ...]
    libraries: tuple[Library, ...]
    boundaries: tuple[Boundary, ...]
    extent: tuple[float, float, float, float] | None
    """West, south, east, north in degrees: of the file's head, else of what was found."""
    num_unnamed: int = 0
    """Settlements left out because they have no name."""


def read_osm(path: Path, *, progress: Callable[[float], None] | None = None) -> OsmRegion:
    """Read settlements, libraries and boundaries of an ``.osm.pbf`` (or ``.osm``) file.

    Parameters
    ----------
    progress
        Told the share done, 0 to 1.

    Raises
    ------
    InputError
        ``feeds.file.missing``, ``feeds.file.empty``, ``feeds.osm.broken`` for a file that is cut
        off or damaged, ``feeds.osm.not_osm`` for one that is none.
    """
    check_file(path)
    reader = _Reader()
    try:
        extent = _head_extent(path)
        for share, thing in _things(path):
            reader.take(thing)
            if progress is not None:
                progress(share)
    except RuntimeError as wrong:
        code = "feeds.osm.not_osm" if _is_foreign(str(wrong)) else "feeds.osm.broken"
        size_mb = round(path.stat().st_size / 1e6, 1)
        raise InputError(code, file=path.name, reason=str(wrong), size_mb=size_mb) from wrong
    if progress is not None:
        progress(1.0)
    settlements = _merge_places(reader.place_nodes, reader.place_areas)
    return OsmRegion(
        file=path.name,
        settlements=settlements,
        libraries=tuple(sorted(reader.libraries, key=lambda item: item.library_id)),
        boundaries=tuple(sorted(reader.boundaries, key=lambda b: (b.admin_level, b.boundary_id))),
        extent=extent or _extent_of(settlements),
        num_unnamed=reader.num_unnamed,
    )


def _is_foreign(reason: str) -> bool:
    return "detect file format" in reason or "BlobHeader size" in reason


def _head_extent(path: Path) -> tuple[float, float, float, float] | None:
    with osmium.io.Reader(str(path), osmium.osm.osm_entity_bits.NOTHING) as reader:
        box = reader.header().box()
    if not box.valid():
        return None
    low, high = box.bottom_left, box.top_right
    return low.lon, low.lat, high.lon, high.lat


def _things(path: Path) -> Iterator[tuple[float, Any]]:
    """Places, libraries and boundaries with a rough share of the file passed."""
    keys = KeyFilter("place", "amenity", "boundary")
    shares = {"n": 0.3, "w": 0.6, "r": 0.9, "a": 0.9}
    processor = osmium.FileProcessor(str(path)).with_areas(keys).with_filter(keys)
    for thing in processor:
        yield shares.get(thing.type_str(), 0.9), thing


class _Reader:
    """Sorts what the file holds; lines and relations count as the areas they make up."""

    def __init__(self) -> None:
        self.place_nodes: list[Settlement] = []
        self.place_areas: list[tuple[Settlement, Any]] = []
        self.libraries: list[Library] = []
        self.boundaries: list[Boundary] = []
        self.num_unnamed = 0

    def take(self, thing: Any) -> None:
        tags = dict(thing.tags)
        if thing.is_node():
            if thing.location.valid():
                position = (thing.location.lon, thing.location.lat)
                self._take_place(f"n{thing.id}", tags, position, None)
                self._take_library(f"n{thing.id}", tags, position)
        elif thing.is_area():
            self._take_area(thing, tags)

    def _take_area(self, area: Any, tags: Mapping[str, str]) -> None:
        osm_id = f"{'w' if area.from_way() else 'r'}{area.orig_id()}"
        is_place = tags.get("place") in PLACE_KINDS
        is_library = tags.get("amenity") == "library"
        is_boundary = tags.get("boundary") == "administrative" and "admin_level" in tags
        if not (is_place or is_library or is_boundary):
            return
        rings = tuple(_ring(outer) for outer in area.outer_rings())
        rings = tuple(ring for ring in rings if len(ring) >= 3)
        if not rings:
            return
        if is_boundary:
            self._take_boundary(osm_id, tags, rings)
        if is_place or is_library:
            shape = shapely.make_valid(shapely.MultiPolygon([shapely.Polygon(r) for r in rings]))
            inside = shapely.point_on_surface(shape)
            self._take_place(osm_id, tags, (inside.x, inside.y), shape)
            self._take_library(osm_id, tags, (inside.x, inside.y))

    def _take_place(
        self, osm_id: str, tags: Mapping[str, str], position: tuple[float, float], shape: Any
    ) -> None:
        if tags.get("place") not in PLACE_KINDS:
            return
        name = _text(tags, "name")
        if not name:
            self.num_unnamed += 1
            return
        population, is_read = read_population(tags.get("population", ""))
        year = _YEAR.search(tags.get("population:date", "") or tags.get("population:year", ""))
        settlement = Settlement(
            settlement_id=SettlementId(f"osm-{osm_id}"),
            name=name,
            name_latin=_latin(tags),
            kind=tags["place"],
            lon=round(position[0], COORDINATE_DIGITS),
            lat=round(position[1], COORDINATE_DIGITS),
            population=population,
            population_year=int(year[0]) if year and population is not None else None,
            source=_SOURCE,
            flags=() if is_read else ("population_unreadable",),
        )
        if shape is None:
            self.place_nodes.append(settlement)
        else:
            self.place_areas.append((settlement, shape))

    def _take_library(
        self, osm_id: str, tags: Mapping[str, str], position: tuple[float, float]
    ) -> None:
        if tags.get("amenity") != "library" or tags.get("access") in _PRIVATE:
            return
        street = " ".join(filter(None, (tags.get("addr:street"), tags.get("addr:housenumber"))))
        self.libraries.append(
            Library(
                library_id=LibraryId(f"osm-{osm_id}"),
                name=_text(tags, "name") or _text(tags, "operator"),
                lon=round(position[0], COORDINATE_DIGITS),
                lat=round(position[1], COORDINATE_DIGITS),
                address=", ".join(filter(None, (street, tags.get("addr:city", "")))),
                opening_hours=_text(tags, "opening_hours"),
                source=_SOURCE,
            )
        )

    def _take_boundary(self, osm_id: str, tags: Mapping[str, str], rings: tuple[Ring, ...]) -> None:
        name, level = _text(tags, "name"), tags["admin_level"]
        if name and level.isdigit():
            self.boundaries.append(
                Boundary(
                    boundary_id=f"osm-{osm_id}",
                    name=name,
                    name_latin=_latin(tags),
                    admin_level=int(level),
                    rings=rings,
                    country=tags.get("ISO3166-1:alpha2", tags.get("ISO3166-1", "")),
                )
            )


def _ring(outer: Any) -> Ring:
    points = [
        (round(node.lon, COORDINATE_DIGITS), round(node.lat, COORDINATE_DIGITS)) for node in outer
    ]
    kept = [p for index, p in enumerate(points) if index == 0 or p != points[index - 1]]
    if len(kept) > 1 and kept[0] == kept[-1]:
        kept.pop()
    return tuple(kept)


def _text(tags: Mapping[str, str], key: str) -> str:
    return unicodedata.normalize("NFC", " ".join(tags.get(key, "").split()))


def _latin(tags: Mapping[str, str]) -> str:
    return _text(tags, "name:en") or _text(tags, "int_name") or latin_name(_text(tags, "name"))


def read_population(text: str) -> tuple[int | None, bool]:
    """The population of a tag such as ``1 234``, ``~300``, ``1.234`` or ``300 (2010)``.

    Returns
    -------
    tuple[int | None, bool]
        The figure, ``None`` where there is none, and whether the text could be read at all.
    """
    plain = _ABOUT.sub("", text.strip()).split("(")[0].split(";")[0].strip()
    if _DOTTED_THOUSANDS.fullmatch(plain):
        plain = plain.replace(".", "")
    try:
        return parse_count(plain), True
    except CellError:
        return None, False


def _merge_places(
    nodes: list[Settlement], areas: list[tuple[Settlement, Any]]
) -> tuple[Settlement, ...]:
    """One settlement where a node and a polygon mean the same place; the node gives the position.

    Name alone never joins: the node must lie in the polygon or near it.
    """
    merged = {item.settlement_id: item for item in nodes}
    by_name: dict[str, list[Settlement]] = {}
    for item in nodes:
        by_name.setdefault(item.name, []).append(item)
    for item, shape in areas:
        twins = [
            node
            for node in by_name.get(item.name, [])
            if shape.covers(shapely.Point(node.lon, node.lat))
            or distance_m(node.lon, node.lat, item.lon, item.lat) <= SAME_PLACE_M
        ]
        if not twins:
            merged[item.settlement_id] = item
            by_name.setdefault(item.name, []).append(item)
            continue
        twin = min(twins, key=lambda n: distance_m(n.lon, n.lat, item.lon, item.lat))
        known = merged[twin.settlement_id]
        if known.population is None and item.population is not None:
            merged[twin.settlement_id] = replace(
                known, population=item.population, population_year=item.population_year, flags=()
            )
    return tuple(sorted(merged.values(), key=lambda item: item.settlement_id))


def _extent_of(settlements: tuple[Settlement, ...]) -> tuple[float, float, float, float] | None:
    if not settlements:
        return None
    lons, lats = [s.lon for s in settlements], [s.lat for s in settlements]
    return min(lons), min(lats), max(lons), max(lats)
