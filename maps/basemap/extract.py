"""An OpenStreetMap extract as features of the basemap, one after the other."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import osmium
import shapely
from numpy.typing import NDArray
from osmium.filter import KeyFilter

from data.feeds.tables import check_file
from data.model.errors import InputError
from data.model.geo import distance_m
from maps.basemap import kinds
from maps.basemap.coast import Bounds, land_and_sea
from maps.basemap.feature import Attributes, Feature, zoom_of_area
from maps.basemap.kinds import Drawn, Tags

BUILDING_ZOOM = 13
SAME_PLACE_M = 3_000.0
"""An area and a node of one name within this distance are one place."""

_FOREIGN = ("detect file format", "BlobHeader size")
_LABEL_STEPS = 2
"""The name of a lake appears so many zooms after the lake."""
_TELL_EVERY = 2_000

type Tick = Callable[[float], None]


class ExtractReader:
    """Gives the features of an extract; ``bounds`` is known when all are read.

    Parameters
    ----------
    path
        ``.osm.pbf`` or ``.osm`` file.
    tick
        Told a rough share of the reading; may raise to end it.
    """

    def __init__(self, path: Path, tick: Tick | None = None) -> None:
        self.path = path
        self.bounds: Bounds | None = None
        self.num_features = 0
        """Features of things in the extract; ground and sea are not counted."""
        self.num_broken = 0
        """Things left out because a part of them lies outside the extract."""
        self._tick = tick
        self._shapes = osmium.geom.GeoJSONFactory()
        self._levels: dict[int, int] = {}
        self._coast: list[NDArray[np.float64]] = []
        self._places: dict[str, list[tuple[float, float]]] = {}
        self._place_areas: list[tuple[Drawn, tuple[float, float]]] = []
        self._seen = [180.0, 90.0, -180.0, -90.0]

    def features(self) -> Iterator[Feature]:
        """All features, ground and sea last.

        Raises
        ------
        InputError
            ``feeds.file.*``, ``feeds.osm.broken``, ``feeds.osm.not_osm``; ``basemap.extract_empty``
            where nothing in the file is drawn.
        """
        check_file(self.path)
        try:
            head = self._head_bounds()
            self._levels = self._boundary_levels()
            for feature in self._things():
                self.num_features += 1
                yield feature
        except RuntimeError as wrong:
            is_foreign = any(sign in str(wrong) for sign in _FOREIGN)
            code = "feeds.osm.not_osm" if is_foreign else "feeds.osm.broken"
            size_mb = round(self.path.stat().st_size / 1e6, 1)
            raise InputError(
                code, file=self.path.name, reason=str(wrong), size_mb=size_mb
            ) from wrong
        if not self.num_features:
            raise InputError("basemap.extract_empty", file=self.path.name)
        west, south, east, north = self._seen
        self.bounds = head or (west, south, east, north)
        yield from self._ground(self.bounds)

    def _head_bounds(self) -> Bounds | None:
        with osmium.io.Reader(str(self.path), osmium.osm.osm_entity_bits.NOTHING) as reader:
            box = reader.header().box()
        if not box.valid() or box.size() <= 0:
            return None
        low, high = box.bottom_left, box.top_right
        return low.lon, low.lat, high.lon, high.lat

    def _boundary_levels(self) -> dict[int, int]:
        """Lowest administrative level of the boundaries that a way belongs to, by way."""
        levels: dict[int, int] = {}
        processor = osmium.FileProcessor(str(self.path), osmium.osm.RELATION)
        relations: Iterable[Any] = processor.with_filter(KeyFilter("boundary"))
        for relation in relations:
            level = _level(relation.tags)
            for member in relation.members if level else ():
                if member.type == "w":
                    levels[member.ref] = min(level, levels.get(member.ref, level))
        return levels

    def _things(self) -> Iterator[Feature]:
        keys = KeyFilter(*{*kinds.AREA_KEYS, *kinds.LINE_KEYS})
        processor = osmium.FileProcessor(str(self.path)).with_areas(KeyFilter(*kinds.AREA_KEYS))
        shares = {"n": (0.0, 0.2), "w": (0.2, 0.4), "a": (0.6, 0.4), "r": (0.6, 0.4)}
        for count, thing in enumerate(processor.with_filter(keys)):
            if self._tick is not None and count % _TELL_EVERY == 0:
                start, width = shares[thing.type_str()]
                self._tick(start + width * count / (count + 200_000))
            try:
                yield from self._features_of(thing)
            except (osmium.InvalidLocationError, RuntimeError, shapely.errors.ShapelyError):
                # A node outside the extract, a line of one point, an area that does not close:
                # that one thing is left out. Damage of the file is raised by the loop itself.
                self.num_broken += 1
        yield from self._places_known_by_area()

    def _features_of(self, thing: Any) -> Iterator[Feature]:
        tags = dict(thing.tags)
        if thing.is_node():
            yield from self._of_node(thing, tags)
        elif thing.is_way():
            yield from self._of_way(thing, tags)
        elif thing.is_area():
            yield from self._of_area(thing, tags)

    def _of_node(self, node: Any, tags: Tags) -> Iterator[Feature]:
        drawn = kinds.place_of(tags) or kinds.poi_of(tags)
        if drawn is None or not node.location.valid():
            return
        lon, lat = node.location.lon, node.location.lat
        self._see(lon, lat)
        if drawn.layer == "places":
            self._places.setdefault(str(drawn.attributes["name"]), []).append((lon, lat))
        yield _feature(drawn, self._shapes.create_point(node))

    def _of_way(self, way: Any, tags: Tags) -> Iterator[Feature]:
        if tags.get("natural") == "coastline":
            nodes = [(node.lon, node.lat) for node in way.nodes]
            self._coast.append(np.array(nodes, np.float64))
        level = self._levels.get(way.id) or _level(tags)
        lines = [kinds.line_of(tags)]
        if level and tags.get("maritime") != "yes":
            lines.append(kinds.boundary_of(level))
        for drawn in filter(None, lines):
            geojson = self._shapes.create_linestring(way.nodes)
            if drawn.layer == "roads":
                self._see(way.nodes[0].lon, way.nodes[0].lat)
            yield _feature(drawn, geojson)

    def _of_area(self, area: Any, tags: Tags) -> Iterator[Feature]:
        if kinds.is_building(tags):
            attributes: Attributes = {"kind": "building", "min_zoom": BUILDING_ZOOM}
            drawn = Drawn(layer="buildings", attributes=attributes, min_zoom=BUILDING_ZOOM)
            yield _feature(drawn, self._shapes.create_multipolygon(area))
        surface = kinds.water_of(tags, 0) or kinds.landuse_of(tags, 0)
        point = kinds.place_of(tags) or kinds.poi_of(tags)
        if surface is None and point is None:
            return
        geojson = self._shapes.create_multipolygon(area)
        shape = shapely.from_geojson(geojson)
        spot = shapely.get_coordinates(shapely.point_on_surface(shape))[0]
        lon, lat = float(spot[0]), float(spot[1])
        if surface is not None:
            zoom = zoom_of_area(shapely.area(shape), lat)
            yield from self._of_surface(tags, zoom, geojson, (lon, lat))
        if point is not None and point.layer == "places":
            self._place_areas.append((point, (lon, lat)))
        elif point is not None:
            yield _feature(point, _point(lon, lat))

    def _of_surface(
        self, tags: Tags, zoom: int, geojson: str, spot: tuple[float, float]
    ) -> Iterator[Feature]:
        water = kinds.water_of(tags, zoom)
        land = None if water is not None else kinds.landuse_of(tags, zoom)
        for drawn in filter(None, (water, land)):
            yield _feature(drawn, geojson)
        named = kinds.names(tags)
        if water is not None and named and water.attributes["kind_detail"] != "river":
            label_zoom = min(14, zoom + _LABEL_STEPS)
            attributes: Attributes = {**named, "kind": "lake", "min_zoom": label_zoom}
            label = Drawn(layer="water", attributes=attributes, min_zoom=label_zoom)
            yield _feature(label, _point(*spot))

    def _places_known_by_area(self) -> Iterator[Feature]:
        """Places drawn as an area only; where a node of the name lies near, the node is enough."""
        for drawn, (lon, lat) in self._place_areas:
            twins = self._places.get(str(drawn.attributes["name"]), ())
            if not any(distance_m(lon, lat, *twin) <= SAME_PLACE_M for twin in twins):
                self._see(lon, lat)
                yield _feature(drawn, _point(lon, lat))

    def _ground(self, bounds: Bounds) -> Iterator[Feature]:
        land, sea = land_and_sea(self._coast, bounds)
        for layer, kind, shape in (("earth", "earth", land), ("water", "ocean", sea)):
            if not shapely.is_empty(shape):
                geojson = str(shapely.to_geojson(shape))
                yield Feature(layer=layer, geojson=geojson, attributes={"kind": kind})

    def _see(self, lon: float, lat: float) -> None:
        seen = self._seen
        seen[0], seen[1] = min(seen[0], lon), min(seen[1], lat)
        seen[2], seen[3] = max(seen[2], lon), max(seen[3], lat)


def _level(tags: Any) -> int:
    """Administrative level of a boundary; 0 where it is none."""
    level = tags.get("admin_level", "")
    is_administrative = tags.get("boundary") == "administrative"
    return int(level) if is_administrative and level.isdecimal() and len(level) == 1 else 0


def _feature(drawn: Drawn, geojson: str) -> Feature:
    return Feature(
        layer=drawn.layer, geojson=geojson, attributes=drawn.attributes, min_zoom=drawn.min_zoom
    )


def _point(lon: float, lat: float) -> str:
    return f'{{"type":"Point","coordinates":[{lon:.7f},{lat:.7f}]}}'
