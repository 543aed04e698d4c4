"""A PMTiles archive: many tiles in one file that a browser reads by byte ranges.

References
----------
PMTiles version 3 specification, Protomaps.
"""

import gzip
import hashlib
import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.model.errors import InputError

MAGIC = b"PMTiles\x03"
_HEAD = struct.Struct("<8sQQQQQQQQQQQBBBBBBiiiiBii")
_HEAD_BYTES = 127
_ROOT_MAX_BYTES = 16_384 - _HEAD_BYTES
_GZIP, _MVT = 2, 1

type TileAddress = tuple[int, int, int]
"""Zoom, column, row; row 0 is the northernmost."""
type _Entry = tuple[int, int, int, int]
"""First tile id, run of equal tiles (0: a directory), offset, length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveFacts:
    """What the head of an archive says."""

    bounds: tuple[float, float, float, float]
    """West, south, east, north in degrees."""
    min_zoom: int
    max_zoom: int
    layers: tuple[str, ...]
    attribution: str
    num_tiles: int
    """Addressed tiles; equal ones are stored once."""


def tile_id(zoom: int, column: int, row: int) -> int:
    """Number of a tile: zoom by zoom along Hilbert's curve."""
    number = ((1 << 2 * zoom) - 1) // 3
    for level in range(zoom - 1, -1, -1):
        side = 1 << level
        right, down = int(column & side != 0), int(row & side != 0)
        number += side * side * ((3 * right) ^ down)
        if not down:
            if right:
                column, row = side - 1 - column & side - 1, side - 1 - row & side - 1
            column, row = row, column
    return number


def write_archive(
    path: Path,
    tiles: Iterable[tuple[TileAddress, bytes]],
    *,
    bounds: tuple[float, float, float, float],
    zooms: tuple[int, int],
    metadata: Mapping[str, Any],
) -> None:
    """Write vector tiles, not compressed yet, as one archive; tiles may come in any order."""
    packed = bytearray()
    known: dict[bytes, tuple[int, int]] = {}
    entries: list[_Entry] = []
    placed = sorted((tile_id(*address), tile) for address, tile in tiles)
    for number, tile in placed:
        digest = hashlib.sha256(tile).digest()
        if digest not in known:
            content = gzip.compress(tile, 6, mtime=0)
            known[digest] = len(packed), len(content)
            packed += content
        offset, length = known[digest]
        first, run, before, _ = entries[-1] if entries else (0, 0, -1, 0)
        if before == offset and first + run == number:
            entries[-1] = first, run + 1, offset, length
        else:
            entries.append((number, 1, offset, length))
    root, leaves = _directories(entries)
    told = gzip.compress(json.dumps(metadata, ensure_ascii=False).encode(), 9, mtime=0)
    west, south, east, north = (round(degrees * 1e7) for degrees in bounds)
    told_at = _HEAD_BYTES + len(root)
    leaves_at = told_at + len(told)
    tiles_at = leaves_at + len(leaves)
    head = _HEAD.pack(
        MAGIC, _HEAD_BYTES, len(root), told_at, len(told), leaves_at, len(leaves),
        tiles_at, len(packed), len(placed), len(entries), len(known),
        1, _GZIP, _GZIP, _MVT, *zooms, west, south, east, north,
        zooms[0], (west + east) // 2, (south + north) // 2,
    )  # fmt: skip
    path.write_bytes(head + root + told + leaves + packed)


def _directories(entries: list[_Entry]) -> tuple[bytes, bytes]:
    """The root directory, and leaf directories where it would be too long."""
    root = _directory(entries)
    size = 4_096
    while len(root) > _ROOT_MAX_BYTES:
        leaves, pointers = bytearray(), []
        for start in range(0, len(entries), size):
            leaf = _directory(entries[start : start + size])
            pointers.append((entries[start][0], 0, len(leaves), len(leaf)))
            leaves += leaf
        root = _directory(pointers)
        size *= 2
        if len(root) <= _ROOT_MAX_BYTES:
            return root, bytes(leaves)
    return root, b""


def _directory(entries: list[_Entry]) -> bytes:
    numbers = [entry[0] for entry in entries]
    written = bytearray(_varint(len(entries)))
    for before, number in zip([0, *numbers], numbers, strict=False):
        written += _varint(number - before)
    for _, run, _, _ in entries:
        written += _varint(run)
    for *_, length in entries:
        written += _varint(length)
    end = -1
    for _, _, offset, length in entries:
        written += _varint(0 if offset == end else offset + 1)
        end = offset + length
    return gzip.compress(bytes(written), 9, mtime=0)


def _varint(number: int) -> bytes:
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)


def set_bounds(path: Path, bounds: tuple[float, float, float, float]) -> None:
    """Write into the head of an archive what a map of it should show first."""
    west, south, east, north = (round(degrees * 1e7) for degrees in bounds)
    with path.open("r+b") as archive:
        values = list(_HEAD.unpack(archive.read(_HEAD_BYTES)))
        values[18:22] = west, south, east, north
        values[23:25] = (west + east) // 2, (south + north) // 2
        archive.seek(0)
        archive.write(_HEAD.pack(*values))


def read_facts(path: Path) -> ArchiveFacts:
    """What a PMTiles file says of itself.

    Raises
    ------
    InputError
        ``basemap.missing`` where there is no such file, ``basemap.not_pmtiles`` where it is none.
    """
    try:
        with path.open("rb") as source:
            head = source.read(_HEAD_BYTES)
            if len(head) < _HEAD_BYTES or not head.startswith(MAGIC):
                raise InputError("basemap.not_pmtiles", file=path.name)
            values = _HEAD.unpack(head)
            source.seek(values[3])
            told = source.read(values[4])
        metadata = json.loads(gzip.decompress(told) if values[13] == _GZIP else told)
    except OSError as wrong:
        if isinstance(wrong, gzip.BadGzipFile):
            raise InputError("basemap.not_pmtiles", file=path.name) from wrong
        cause = wrong.strerror or str(wrong)
        raise InputError("basemap.missing", file=str(path), cause=cause) from wrong
    except (ValueError, EOFError) as wrong:
        raise InputError("basemap.not_pmtiles", file=path.name) from wrong
    west, south, east, north = (value / 1e7 for value in values[18:22])
    return ArchiveFacts(
        bounds=(west, south, east, north),
        min_zoom=values[16],
        max_zoom=values[17],
        layers=tuple(layer["id"] for layer in metadata.get("vector_layers", ())),
        attribution=str(metadata.get("attribution", "")),
        num_tiles=values[9],
    )
