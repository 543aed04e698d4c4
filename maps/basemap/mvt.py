"""One vector tile as bytes: Mapbox Vector Tile 2.1, the parts that a basemap needs.

References
----------
Mapbox Vector Tile Specification 2.1.
"""

import struct
from collections.abc import Iterable, Mapping

import numpy as np
import shapely
from numpy.typing import NDArray

EXTENT = 4096
"""Units along a tile's side."""

_POINT, _LINE, _POLYGON = 1, 2, 3
_MOVE, _DRAW, _CLOSE = 1, 2, 7

type Value = str | int | float | bool
type Piece = tuple[shapely.Geometry, Mapping[str, Value]]
"""A shape in whole tile units, and its attributes."""


def tile_bytes(layers: Mapping[str, Iterable[Piece]]) -> bytes:
    """The tile; layers and features that hold nothing to draw are left out."""
    return b"".join(_field(3, layer) for layer in map(_layer, layers, layers.values()) if layer)


def _layer(name: str, pieces: Iterable[Piece]) -> bytes:
    keys: dict[str, int] = {}
    values: dict[tuple[type, Value], int] = {}
    features = bytearray()
    for shape, attributes in pieces:
        kind, commands = _commands(shape)
        if not commands:
            continue
        tags = b"".join(
            _varint(keys.setdefault(key, len(keys)))
            + _varint(values.setdefault((type(value), value), len(values)))
            for key, value in attributes.items()
        )
        body = _field(2, tags) if tags else b""
        body += _varint(3 << 3) + _varint(kind) + _field(4, commands)
        features += _field(2, body)
    if not features:
        return b""
    head = _varint(15 << 3) + _varint(2) + _field(1, name.encode())
    names = b"".join(_field(3, key.encode()) for key in keys)
    told = b"".join(_field(4, _value(value)) for _, value in values)
    return head + bytes(features) + names + told + _varint(5 << 3) + _varint(EXTENT)


def _commands(shape: shapely.Geometry) -> tuple[int, bytes]:
    """Kind of the shape and its drawing commands; empty where nothing is left to draw."""
    parts = shapely.get_parts(shape)
    if not len(parts):
        return 0, b""
    dimension = int(shapely.get_dimensions(parts[0]))
    if dimension == 0:
        points = np.rint(shapely.get_coordinates(parts)).astype(np.int64)
        steps = np.diff(points, axis=0, prepend=[[0, 0]])
        return _POINT, _varint(_MOVE | len(points) << 3) + _zigzag(steps)
    written, cursor = bytearray(), np.zeros(2, np.int64)
    for ring in _lines(parts, dimension):
        line = np.rint(shapely.get_coordinates(ring)).astype(np.int64)
        line = line[np.any(np.diff(line, axis=0, prepend=line[:1] - 1) != 0, axis=1)]
        if dimension == 2:
            line = line[:-1] if len(line) and (line[0] == line[-1]).all() else line
        if len(line) < dimension + 1:
            continue
        steps = np.diff(line, axis=0, prepend=cursor[None])
        written += _varint(_MOVE | 1 << 3) + _zigzag(steps[:1])
        written += _varint(_DRAW | (len(line) - 1) << 3) + _zigzag(steps[1:])
        if dimension == 2:
            written += _varint(_CLOSE | 1 << 3)
        cursor = line[-1]
    return (_POLYGON if dimension == 2 else _LINE), bytes(written)


def _lines(parts: NDArray[np.object_], dimension: int) -> Iterable[shapely.Geometry]:
    if dimension == 1:
        yield from parts
        return
    # An outer ring has a positive area in the tile's own axes, y downwards.
    for polygon in shapely.orient_polygons(parts, exterior_cw=False):
        yield polygon.exterior
        yield from polygon.interiors


def _zigzag(steps: NDArray[np.int64]) -> bytes:
    flat = (steps << 1) ^ (steps >> 63)
    return b"".join(map(_varint, flat.ravel().tolist()))


def _value(value: Value) -> bytes:
    if isinstance(value, bool):
        return _varint(7 << 3) + _varint(value)
    if isinstance(value, int):
        return _varint(6 << 3) + _varint((value << 1) ^ (value >> 63))
    if isinstance(value, float):
        return _varint(3 << 3 | 1) + struct.pack("<d", value)
    return _field(1, value.encode())


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    if number < 0x80:
        return bytes((number,))
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)
