"""Fixes as bytes: one by one while they are fresh, a quarter of an hour together when it is over.

What is stored has a fixed precision (``settled``): 1 cm of place, 1 cm/s, a tenth of a degree, the
millisecond of the fix, the second of its arrival. Packing what is settled loses nothing, so a track
gives the same events however often it was packed.

A chunk holds whole numbers, column by column, as differences from one fix to the next; their bytes
are sorted by significance before they are compressed.
"""

import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import ceil, floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.model.telemetry import NOTHING, DeviceId, Fix, Plain

SLOT_S = 900
"""A chunk holds so many seconds of a track."""
US = 1_000_000
NO_SEQUENCE = -1

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS_US = 1000
_NONE = -(2**31)
"""Stands for what is not known."""
_MOST = 2**31 - 1
_MOST_LONG = 2**52
_SCALES = {
    "speed_mps": 100.0,
    "course_deg": 10.0,
    "accuracy_m": 10.0,
    "altitude_m": 10.0,
    "satellites": 1.0,
    "hdop": 100.0,
    "odometer_m": 10.0,
    "battery_ratio": 1000.0,
}
_LEAST_ONE = frozenset({"accuracy_m", "hdop"})
"""Figures of which zero would mean that they are not known."""
_DEGREES = 1e7
_COLUMNS = ("lon", "lat", "received", "device", *_SCALES, "is_valid")
_LONG = frozenset({"received", "device", "odometer_m"})
_PACKED = struct.Struct("<" + "".join("q" if name in _LONG else "i" for name in _COLUMNS))
_RECEIVED = 8
"""Where the time of arrival stands in a packed fix."""
_VERSION = 1
_HEAD = struct.Struct("<BI")
_MOST_FIXES = 10_000_000
_CONSTANT, _SHORT_STEPS, _LONG_STEPS = 0, 1, 2

type Numbers = tuple[int, ...]
type Column = NDArray[np.int64]


@dataclass(frozen=True, slots=True, order=True)
class FixKey:
    """By what a tracker's fix is known again: its time, and its number where the device counts."""

    fix_us: int
    sequence: int

    @property
    def slot(self) -> int:
        """The quarter of an hour that it lies in."""
        return self.fix_us // (SLOT_S * US)


def key_of(fix: Fix) -> FixKey:
    """The key of a settled fix."""
    return FixKey(us_of(fix.fix_at), NO_SEQUENCE if fix.sequence is None else fix.sequence)


def us_of(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def instant_of_us(us: int) -> datetime:
    """The instant of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=us)


def settled(fix: Fix) -> Fix:
    """The fix as it is stored; settled once more it is the same."""
    figures: dict[str, Any] = {
        name: _figure(_scaled(name, getattr(fix, name)), name) for name in _SCALES
    }
    fix_us = us_of(fix.fix_at) // _MS_US * _MS_US
    received_us = None if fix.received_at is None else ceil(us_of(fix.received_at) / US) * US
    device_us = None if fix.device_at is None else us_of(fix.device_at) // _MS_US * _MS_US
    return replace(
        fix,
        fix_at=instant_of_us(fix_us),
        lon=round(fix.lon * _DEGREES) / _DEGREES,
        lat=round(fix.lat * _DEGREES) / _DEGREES,
        received_at=None if received_us is None else instant_of_us(received_us),
        device_at=None if device_us is None else instant_of_us(device_us),
        **figures,
    )


def pack_fix(fix: Fix) -> bytes:
    """A settled fix without its key and device."""
    body = _PACKED.pack(*_numbers(fix))
    return body + _extra_bytes(fix.extra)


def unpack_fix(key: FixKey, body: bytes, device_id: DeviceId) -> Fix:
    """The fix of ``pack_fix``."""
    numbers = _PACKED.unpack_from(body)
    extra = json.loads(body[_PACKED.size :]) if len(body) > _PACKED.size else NOTHING
    return _fix(key, numbers, device_id, extra)


def rank_of(body: bytes) -> tuple[object, ...]:
    """Of two packed fixes that claim to be the same the lower rank counts, whichever came first.

    In the order of ``fleet.filters.order_key``; when it came in does not matter.
    """
    told = dict(zip(_COLUMNS, _PACKED.unpack_from(body), strict=True))
    figures = (told[n] for n in ("lon", "lat", "speed_mps", "accuracy_m", "hdop", "satellites"))
    return (*figures, not told["is_valid"], body[:_RECEIVED] + body[_RECEIVED + 8 :])


def pack_chunk(fixes: Mapping[FixKey, bytes]) -> bytes:
    """The fixes of a slot, packed one by one before, as one piece."""
    keys = sorted(fixes)
    rows = [_PACKED.unpack_from(fixes[key]) for key in keys]
    table = np.array(rows, np.int64).reshape(len(keys), len(_COLUMNS))
    columns = [
        np.array([key.fix_us // _MS_US for key in keys], np.int64),
        np.array([key.sequence for key in keys], np.int64),
        *table.T,
    ]
    extras = {
        k: json.loads(fixes[key][_PACKED.size :])
        for k, key in enumerate(keys)
        if len(fixes[key]) > _PACKED.size
    }
    parts = [_HEAD.pack(_VERSION, len(keys)), *(_column_bytes(c) for c in columns)]
    if extras:
        parts.append(json.dumps(extras, separators=(",", ":"), ensure_ascii=False).encode())
    return zlib.compress(b"".join(parts), 6)


def unpack_chunk(data: bytes) -> dict[FixKey, bytes]:
    """The fixes of ``pack_chunk``, each as ``pack_fix`` has it.

    Raises
    ------
    ValueError
        For bytes that are no chunk.
    """
    try:
        raw = zlib.decompress(data)
        version, number = _HEAD.unpack_from(raw)
    except (zlib.error, struct.error) as wrong:
        raise ValueError("no chunk of a track") from wrong
    if version != _VERSION or number > _MOST_FIXES:
        raise ValueError(f"chunk of a track in version {version} with {number} fixes")
    place, columns = _HEAD.size, []
    for _ in range(2 + len(_COLUMNS)):
        column, place = _column(raw, place, number)
        columns.append(column.tolist())
    extras = json.loads(raw[place:]) if place < len(raw) else {}
    found = {}
    for k, (fix_ms, sequence, *numbers) in enumerate(zip(*columns, strict=True)):
        body = _PACKED.pack(*numbers)
        extra = extras.get(str(k))
        found[FixKey(fix_ms * _MS_US, sequence)] = body + _extra_bytes(extra or NOTHING)
    return found


def _numbers(fix: Fix) -> Numbers:
    figures = [_scaled(name, getattr(fix, name)) for name in _SCALES]
    return (
        round(fix.lon * _DEGREES),
        round(fix.lat * _DEGREES),
        _apart_ms(fix.fix_at, fix.received_at),
        _apart_ms(fix.fix_at, fix.device_at),
        *(_NONE if figure is None else figure for figure in figures),
        int(fix.is_valid),
    )


def _fix(key: FixKey, numbers: Numbers, device_id: DeviceId, extra: Mapping[str, Plain]) -> Fix:
    told = dict(zip(_COLUMNS, numbers, strict=True))
    figures: dict[str, Any] = {
        name: _figure(None if told[name] == _NONE else told[name], name) for name in _SCALES
    }
    return Fix(
        device_id=device_id,
        fix_at=instant_of_us(key.fix_us),
        lon=told["lon"] / _DEGREES,
        lat=told["lat"] / _DEGREES,
        sequence=None if key.sequence == NO_SEQUENCE else key.sequence,
        received_at=_beside(key, told["received"]),
        device_at=_beside(key, told["device"]),
        is_valid=bool(told["is_valid"]),
        extra=extra,
        **figures,
    )


def _scaled(name: str, value: float | None) -> int | None:
    """A figure as a whole number; ``None`` where it is not known or cannot be."""
    if value is None:
        return None
    most = _MOST_LONG if name in _LONG else _MOST
    scaled = value * _SCALES[name]
    if not -most < scaled < most:
        return None
    number = floor(scaled + 0.5)
    if name == "course_deg":
        return number % 3600
    return max(number, 1) if name in _LEAST_ONE else number


def _figure(number: int | None, name: str) -> float | None:
    if number is None:
        return None
    return number if name == "satellites" else number / _SCALES[name]


def _apart_ms(fix_at: datetime, at: datetime | None) -> int:
    return _NONE if at is None else (us_of(at) - us_of(fix_at)) // _MS_US


def _beside(key: FixKey, apart_ms: int) -> datetime | None:
    return None if apart_ms == _NONE else instant_of_us(key.fix_us + apart_ms * _MS_US)


def _extra_bytes(extra: Mapping[str, Plain]) -> bytes:
    if not extra:
        return b""
    return json.dumps(dict(extra), separators=(",", ":"), ensure_ascii=False).encode()


def _column_bytes(column: Column) -> bytes:
    first = int(column[0]) if len(column) else 0
    steps = np.diff(column)
    if not steps.any():
        return struct.pack("<Bq", _CONSTANT, first)
    is_short = bool((np.abs(steps) <= _MOST).all())
    kind, width = (_SHORT_STEPS, np.int32) if is_short else (_LONG_STEPS, np.int64)
    sorted_bytes = steps.astype(width).view(np.uint8).reshape(len(steps), -1).T.tobytes()
    return struct.pack("<Bq", kind, first) + sorted_bytes


def _column(raw: bytes, place: int, number: int) -> tuple[Column, int]:
    """One column and where the next begins."""
    try:
        kind, first = struct.unpack_from("<Bq", raw, place)
        place += 9
        if kind == _CONSTANT:
            return np.full(number, first, np.int64), place
        width = 4 if kind == _SHORT_STEPS else 8
        size = width * (number - 1)
        table = np.frombuffer(raw, np.uint8, size, place).reshape(width, number - 1)
    except (struct.error, ValueError) as wrong:
        raise ValueError("chunk of a track is cut short") from wrong
    steps = np.ascontiguousarray(table.T).view(np.int32 if width == 4 else np.int64).ravel()
    column = np.empty(number, np.int64)
    column[0] = first
    column[1:] = first + np.cumsum(steps.astype(np.int64))
    return column, place + size


def slots_between(from_at: datetime, until_at: datetime) -> Sequence[int]:
    """The slots that a span of time touches."""
    first, last = us_of(from_at) // (SLOT_S * US), (us_of(until_at) - 1) // (SLOT_S * US)
    return range(first, last + 1)
