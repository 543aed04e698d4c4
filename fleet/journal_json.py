"""Events of the journal as JSON and back: one version, every field checked, none passed over.

A field that this version does not know is refused, as is a version later than ours: what nobody
understands must not be acknowledged, or the tablet would forget it. Empty fields are left out, so
that the shortest form of an event is its only one; its digest is the same on every machine.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cache
from hashlib import sha256
from types import NoneType, UnionType
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

from data.model.errors import InputError
from data.model.journal import BODIES, EventKind, JournalEvent
from data.model.stock import ItemPlace, parse_place

VERSION = 1
"""Raised with every change of an event's fields; older versions are read for good."""
TOLD = 80
"""So much of a bad value is told."""
_HEAD = tuple(f.name for f in fields(JournalEvent) if f.name != "body")
_KINDS = frozenset(EventKind)
_UNTOLD = re.compile(r"[\x00-\x08\x0b-\x1f\ud800-\udfff]")
"""Signs that no text of an event holds: controls but new line and tab, halves of pairs."""


def event_to_json(event: JournalEvent) -> dict[str, object]:
    """An event as JSON has it: ``v``, the fields of the envelope, and ``body``."""
    told: dict[str, object] = {"v": VERSION}
    for name in _HEAD:
        if (value := getattr(event, name)) not in (None, ""):
            told[name] = _plain(value)
    told["body"] = _body_to_json(event.body)
    return told


def _body_to_json(body: object) -> dict[str, object]:
    told = {}
    for item in fields(body):  # type: ignore[arg-type]
        value = getattr(body, item.name)
        is_default = item.default is not MISSING and value == item.default
        if not is_default:
            told[item.name] = _plain(value)
    return told


def _plain(value: object) -> object:
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, ItemPlace):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, Mapping):
        return {str(name): value[name] for name in sorted(value)}
    return value


def event_from_json(told: object) -> JournalEvent:
    """The event that JSON tells of.

    Raises
    ------
    InputError
        ``journal.not_an_object``, ``journal.version``, ``journal.unknown_kind``,
        ``journal.unknown_field``, ``journal.missing_field``, ``journal.bad_value``, or what the
        types themselves refuse. The facts name the field.
    """
    if not isinstance(told, Mapping):
        raise InputError("journal.not_an_object", field="event")
    if type(told.get("v")) is not int or not 1 <= told["v"] <= VERSION:
        raise InputError("journal.version", value=_short(told.get("v")), limit=VERSION)
    kind = told.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise InputError("journal.unknown_kind", value=_short(kind))
    body = told.get("body")
    if not isinstance(body, Mapping):
        raise InputError("journal.not_an_object", field="body")
    head = {name: value for name, value in told.items() if name not in ("v", "body")}
    read = _read(JournalEvent, head, without="body")
    return JournalEvent(**read, body=_built(BODIES[EventKind(kind)], body))


def digest(event: JournalEvent) -> str:
    """SHA-256 of an event's one JSON form: equal exactly where all it says is equal."""
    text = json.dumps(
        event_to_json(event), sort_keys=True, ensure_ascii=False, separators=(",", ":")
    )
    return sha256(text.encode()).hexdigest()


def _built(kind: type, told: Mapping[str, object]) -> Any:
    return kind(**_read(kind, told))


def _read(kind: type, told: Mapping[str, object], *, without: str = "") -> dict[str, Any]:
    readers = _readers(kind)
    for name in told:
        if name not in readers or name == without:
            raise InputError("journal.unknown_field", field=_short(name))
    read = {}
    for name, (reader, is_required) in readers.items():
        if name == without:
            continue
        if name in told:
            read[name] = reader(name, told[name])
        elif is_required:
            raise InputError("journal.missing_field", field=name)
    return read


type _Reader = Callable[[str, object], object]


@cache
def _readers(kind: type) -> dict[str, tuple[_Reader, bool]]:
    hints = get_type_hints(kind)
    return {
        f.name: (
            _reader(hints[f.name]),
            f.default is MISSING and f.default_factory is MISSING,
        )
        for f in fields(kind)
        if f.name != "body"
    }


def _reader(hint: Any) -> _Reader:
    """How values of a type are read."""
    if isinstance(hint, NewType):
        return _reader(hint.__supertype__)
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        (inner,) = (part for part in parts if part is not NoneType)
        return _reader(inner)
    if origin is tuple:
        return _tuple_of(_reader(parts[0]))
    if origin is not None and issubclass(origin, Mapping):
        return _counts
    if issubclass(hint, StrEnum):
        return _choice_of(hint)
    return _SIMPLE[hint]


def _bad(name: str, value: object, expected: str) -> InputError:
    return InputError("journal.bad_value", field=name, value=_short(value), expected=expected)


def _short(value: object) -> str:
    return str(value)[:TOLD]


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise _bad(name, value, "text")
    if _UNTOLD.search(value) is not None:
        raise _bad(name, value.encode("ascii", "replace").decode(), "text")
    return value


def _whole(name: str, value: object) -> int:
    if type(value) is int:
        return value
    raise _bad(name, value, "whole number")


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _bad(name, value, "number")
    if not math.isfinite(value) or abs(value) > 1e15:
        raise _bad(name, value, "number")
    return float(value)


def _claim(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _bad(name, value, "true or false")
    return value


def _day(name: str, value: object) -> date:
    try:
        read = date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        read = None
    if read is None:
        raise _bad(name, value, "YYYY-MM-DD")
    return read


def _instant(name: str, value: object) -> datetime:
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else None
        if read is not None and read.utcoffset() is not None:
            return read.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise _bad(name, value, "YYYY-MM-DDTHH:MM:SS.sssZ")


def _place(name: str, value: object) -> ItemPlace:
    return parse_place(_text(name, value))


def _counts(name: str, value: object) -> dict[str, int]:
    if not isinstance(value, Mapping):
        raise _bad(name, value, "counts by name")
    return {_text(name, key): _whole(name, value[key]) for key in sorted(value, key=str)}


def _tuple_of(inner: _Reader) -> _Reader:
    def read(name: str, value: object) -> tuple[object, ...]:
        if not isinstance(value, list | tuple):
            raise _bad(name, value, "list")
        return tuple(inner(name, part) for part in value)

    return read


def _choice_of(kind: type[StrEnum]) -> _Reader:
    known = frozenset(kind)

    def read(name: str, value: object) -> StrEnum:
        if not isinstance(value, str) or value not in known:
            raise _bad(name, value, ", ".join(k.value for k in kind))
        return kind(value)

    return read


_SIMPLE: dict[type, _Reader] = {
    str: _text,
    int: _whole,
    float: _number,
    bool: _claim,
    date: _day,
    datetime: _instant,
    ItemPlace: _place,
}
