"""A plan and its request as bytes for a database: the plan file's JSON, each part apart, packed.

A dispatcher's step changes the plan and not what it is judged by, so that the large part, the
travel times, is kept once.
"""

import json
import zlib
from typing import Any

from pydantic import TypeAdapter, ValidationError

from data.feeds.plan_file import StoredRequest, plain
from data.model.errors import InputError
from data.model.pins import Pins
from data.model.plan import Plan, PlanRequest

_REQUEST = TypeAdapter(StoredRequest)
_PLAN = TypeAdapter(Plan)
_PINS = TypeAdapter(Pins)


def pack_request(request: PlanRequest, plan: Plan) -> bytes:
    """What a plan is judged by; ``plan`` tells which travel is kept of very large requests."""
    return _packed(StoredRequest.from_domain(request, plan))


def pack_plan(plan: Plan) -> bytes:
    """The plan alone."""
    return _packed(plan)


def pins_to_json(pins: Pins) -> dict[str, Any]:
    """Pins as JSON values."""
    found: dict[str, Any] = plain(pins)
    return found


def pins_from_json(document: dict[str, Any]) -> Pins:
    """Pins from JSON values; an empty document has none."""
    return _PINS.validate_python(document)


def unpack_request(packed: bytes) -> PlanRequest:
    """The request of ``pack_request``; ``InputError`` ``plan_file.damaged`` where it is damaged."""
    stored: StoredRequest = _unpacked(packed, _REQUEST)
    return stored.to_domain()


def unpack_plan(packed: bytes) -> Plan:
    """The plan of ``pack_plan``; ``InputError`` ``plan_file.damaged`` where it is damaged."""
    plan: Plan = _unpacked(packed, _PLAN)
    return plan


def _packed(value: object) -> bytes:
    text = json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return zlib.compress(text.encode("utf-8"), level=6)


def _unpacked(packed: bytes, adapter: TypeAdapter[Any]) -> Any:
    try:
        return adapter.validate_json(zlib.decompress(packed))
    except (zlib.error, ValidationError) as wrong:
        raise InputError("plan_file.damaged", cause=str(wrong).splitlines()[0]) from wrong
