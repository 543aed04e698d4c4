"""What every decoder shares: text to JSON, numbers and times to values, or a refusal with reason.

Devices send what they like. A figure that is needed and cannot be read refuses its position; a
figure that only adds to it is then simply not known.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Never

from data.model.telemetry import (
    MOST_SEQUENCE,
    NOTHING,
    DeviceId,
    Fix,
    Plain,
    Refusal,
    RefusedError,
    check_instant,
    course,
    not_negative,
    positive,
    shown,
)

MOST_BYTES = 1 << 20
"""Largest message that is read at all; a batch of 5,000 fixes is smaller."""
MOST_FIXES = 5000
"""Most fixes of one message (the limit of Wialon IPS, kept for all)."""
MOST_EXTRA = 32
_MOST_EXTRA_CHARS = 200
_MILLISECONDS_FROM = 100_000_000_000
"""Epoch seconds stay below this until the year 5138; milliseconds passed it in 1973."""

type Object = Mapping[str, Any]
"""A JSON object as it came."""


def text_of(body: bytes | str, *, most_bytes: int = MOST_BYTES) -> str:
    """The text of a message.

    Raises
    ------
    RefusedError
        ``refusal.too_long``, ``refusal.not_text``.
    """
    if len(body) > most_bytes:
        raise RefusedError("refusal.too_long", found=len(body), most=most_bytes)
    if isinstance(body, str):
        return body
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise RefusedError("refusal.not_text", place=wrong.start) from wrong


def json_of(body: bytes | str) -> Any:
    """The JSON of a message; NaN and infinities are no JSON.

    Raises
    ------
    RefusedError
        ``refusal.not_json`` and those of ``text_of``.
    """
    text = text_of(body)
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as wrong:
        raise RefusedError("refusal.not_json", value=shown(text)) from wrong


def _no_constant(name: str) -> Never:
    raise ValueError(name)


def object_of(value: Any, *, what: str) -> Object:
    """A JSON object.

    Raises
    ------
    RefusedError
        ``refusal.not_object``.
    """
    if not isinstance(value, dict):
        raise RefusedError("refusal.not_object", field=what, value=shown(value))
    return value


def list_of(value: Any, *, most: int = MOST_FIXES) -> list[Any]:
    """One thing or a list of things as a list.

    Raises
    ------
    RefusedError
        ``refusal.too_many``.
    """
    things = value if isinstance(value, list) else [value]
    if len(things) > most:
        raise RefusedError("refusal.too_many", found=len(things), most=most)
    return things


def number(value: object) -> float | None:
    """A finite number, also one written as text; else ``None``."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if isfinite(found) else None


def needed(value: object, *, name: str) -> float:
    """A number that the position cannot do without.

    Raises
    ------
    RefusedError
        ``refusal.missing``, ``refusal.bad_number``.
    """
    if value is None or value == "":
        raise RefusedError("refusal.missing", field=name)
    found = number(value)
    if found is None:
        raise RefusedError("refusal.bad_number", field=name, value=shown(value))
    return found


def whole(value: object) -> int | None:
    """A whole number from zero, else ``None``."""
    found = number(value)
    if found is None or found < 0 or found != int(found) or found > MOST_SEQUENCE:
        return None
    return int(found)


def instant_of_epoch(value: float, *, raw: object) -> datetime:
    """The instant of seconds or milliseconds since 1970.

    Raises
    ------
    RefusedError
        ``refusal.bad_time``.
    """
    seconds = value / 1000 if abs(value) >= _MILLISECONDS_FROM else value
    try:
        at = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as wrong:
        raise RefusedError("refusal.bad_time", value=shown(raw)) from wrong
    return check_instant(at, value=raw)


def instant_of_text(text: str) -> datetime:
    """The instant of an ISO 8601 text; without a zone it is UTC.

    Raises
    ------
    RefusedError
        ``refusal.bad_time``.
    """
    try:
        at = datetime.fromisoformat(text.strip())
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as wrong:
        raise RefusedError("refusal.bad_time", value=shown(text)) from wrong
    return check_instant(at, value=text)


def instant(value: object, *, name: str) -> datetime:
    """The instant of epoch seconds, milliseconds or ISO 8601.

    Raises
    ------
    RefusedError
        ``refusal.missing``, ``refusal.bad_time``.
    """
    if value is None or value == "":
        raise RefusedError("refusal.missing", field=name)
    found = number(value)
    if found is not None:
        return instant_of_epoch(found, raw=value)
    if not isinstance(value, str):
        raise RefusedError("refusal.bad_time", value=shown(value))
    return instant_of_text(value)


def extra_of(values: Mapping[str, Any], *, known: frozenset[str]) -> Mapping[str, Plain]:
    """What a device says beyond the known names: plain values, few and short."""
    found: dict[str, Plain] = {}
    for name, value in values.items():
        if name in known or not isinstance(value, str | int | float | bool):
            continue
        if len(found) == MOST_EXTRA:
            break
        if isinstance(value, str):
            found[shown(name)] = shown(value, _MOST_EXTRA_CHARS)
        elif isinstance(value, bool):
            found[shown(name)] = value
        elif (plain := number(value)) is not None:
            found[shown(name)] = plain
    return found or NOTHING


def make_fix(
    device_id: DeviceId,
    *,
    fix_at: datetime,
    lon: float,
    lat: float,
    sequence: int | None = None,
    received_at: datetime | None = None,
    device_at: datetime | None = None,
    speed_mps: float | None = None,
    course_deg: float | None = None,
    accuracy_m: float | None = None,
    altitude_m: float | None = None,
    satellites: int | None = None,
    hdop: float | None = None,
    odometer_m: float | None = None,
    battery_ratio: float | None = None,
    is_valid: bool = True,
    extra: Mapping[str, Plain] = NOTHING,
) -> Fix:
    """A fix of figures in our units, of which those that cannot be are not known.

    Raises
    ------
    RefusedError
        ``refusal.bad_position`` unless lon and lat are degrees on the globe.
    """
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise RefusedError("refusal.bad_position", lon=f"{lon:g}", lat=f"{lat:g}")
    charge = not_negative(battery_ratio)
    return Fix(
        device_id=device_id,
        fix_at=fix_at,
        lon=lon,
        lat=lat,
        sequence=sequence,
        received_at=received_at,
        device_at=device_at,
        speed_mps=not_negative(speed_mps),
        course_deg=course(course_deg),
        accuracy_m=positive(accuracy_m),
        altitude_m=altitude_m,
        satellites=satellites,
        hdop=positive(hdop),
        odometer_m=not_negative(odometer_m),
        battery_ratio=charge if charge is None or charge <= 1 else None,
        is_valid=is_valid,
        extra=extra,
    )


def refusal_of(wrong: RefusedError, **facts: object) -> Refusal:
    """The refusal of an error with more facts (which of many positions it was)."""
    return Refusal(code=wrong.refusal.code, facts={**wrong.refusal.facts, **facts})
