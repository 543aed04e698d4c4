"""Faults of a request, as pydantic finds them, by codes of ours."""

from collections.abc import Mapping, Sequence
from typing import Any

_CODES = {
    "missing": "input.missing",
    "extra_forbidden": "input.extra",
    "json_invalid": "input.json",
    "string_type": "input.text",
    "string_too_short": "input.too_short",
    "string_too_long": "input.too_long",
    "string_pattern_mismatch": "input.pattern",
    "too_short": "input.too_few",
    "too_long": "input.too_many",
    "greater_than": "input.above",
    "greater_than_equal": "input.at_least",
    "less_than": "input.below",
    "less_than_equal": "input.at_most",
    "enum": "input.one_of",
    "literal_error": "input.one_of",
    "finite_number": "input.number",
}
_BEGINNINGS = {
    "int_": "input.whole",
    "float_": "input.number",
    "decimal_": "input.number",
    "bool_": "input.flag",
    "datetime_": "input.instant",
    "timezone_": "input.instant",
    "date_": "input.day",
    "time_": "input.time",
    "list_": "input.list",
    "set_": "input.list",
    "tuple_": "input.list",
    "dict_": "input.object",
    "model_": "input.object",
    "url_": "input.address",
    "uuid_": "input.id",
    "string_": "input.text",
}
_LIMITS = ("gt", "ge", "lt", "le", "min_length", "max_length")


def code_of(kind: str) -> str:
    """The code of a kind of fault."""
    if kind in _CODES:
        return _CODES[kind]
    for beginning, code in _BEGINNINGS.items():
        if kind.startswith(beginning):
            return code
    return "input.invalid"


def field_of(place: Sequence[str | int]) -> str:
    """Where the fault is: ``stops.0.name``; for query and path, the parameter's name."""
    parts = [str(part) for part in place]
    if parts and parts[0] in ("body", "query", "path", "header", "cookie"):
        parts = parts[1:]
    return ".".join(parts)


def facts_of(fault: Mapping[str, Any]) -> dict[str, object]:
    """What the message of a fault names; never the value itself, which may be a password."""
    context: Mapping[str, Any] = fault.get("ctx") or {}
    facts: dict[str, object] = {"field": field_of(fault["loc"])}
    limit = next((context[name] for name in _LIMITS if name in context), None)
    if limit is not None:
        facts["limit"] = limit
    if "expected" in context:
        facts["allowed"] = context["expected"]
    if "pattern" in context:
        facts["pattern"] = context["pattern"]
    return facts
