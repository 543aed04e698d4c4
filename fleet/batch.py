"""Our own batches of fixes: what the on-board program sends and the service answers.

``POST`` of JSON, gzip allowed::

    {"sent_at": "2026-11-24T08:15:00Z",
     "fixes": [{"sequence": 17, "fix_at": "2026-11-24T08:14:59Z", "lon": 20.511, "lat": 54.743,
                "speed_mps": 11.7, "course_deg": 180, "accuracy_m": 4.1, ...}]}

The device is whoever signed the request. A fix is known again by its sequence, so a batch may be
sent as often as the network needs. The answer names how many were stored, how many were known, and
each that was refused with its reason; what is named neither way was stored.
"""

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from data.feeds.device_values import (
    MOST_BYTES,
    Object,
    instant,
    json_of,
    list_of,
    make_fix,
    needed,
    number,
    object_of,
    refusal_of,
    whole,
)
from data.model.telemetry import Decoded, DeviceId, Fix, Refusal, RefusedError

GZIP = "gzip"
_GZIP_WINDOW = 31
_DIGITS = {"lon": 7, "lat": 7, "speed_mps": 2, "course_deg": 1, "accuracy_m": 1, "altitude_m": 1}
_FIGURES = (*_DIGITS, "satellites", "hdop", "odometer_m", "battery_ratio")


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A batch as it came: its fixes and what the device's own clock said when it was sent."""

    decoded: Decoded
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The service's answer: ``refused`` are sequences with the codes of their reasons."""

    num_stored: int
    num_known: int
    refused: Mapping[int, str]


def encode(fixes: Iterable[Fix], *, sent_at: datetime) -> bytes:
    """A batch as JSON, without the device, whom the request's token names."""
    body = {"sent_at": _text(sent_at), "fixes": [fix_to_json(fix) for fix in fixes]}
    return json.dumps(body, separators=(",", ":"), allow_nan=False).encode()


def fix_to_json(fix: Fix) -> dict[str, object]:
    """A fix as it stands in a batch; what is not known is left out."""
    told: dict[str, object] = {"sequence": fix.sequence, "fix_at": _text(fix.fix_at)}
    for name in _FIGURES:
        value = getattr(fix, name)
        if value is not None:
            told[name] = round(value, _DIGITS.get(name, 3))
    if told.get("course_deg") == 360.0:
        told["course_deg"] = 0.0
    if fix.device_at is not None:
        told["device_at"] = _text(fix.device_at)
    return told


def decode(
    body: bytes | str,
    device_id: DeviceId,
    *,
    encoding: str = "",
    received_at: datetime | None = None,
) -> Batch:
    """What a batch holds; one bad fix refuses itself alone.

    Parameters
    ----------
    device_id
        Whose token signed the request.
    encoding
        ``Content-Encoding`` of the request: ``gzip`` or nothing.
    """
    try:
        raw = unpacked(body) if encoding == GZIP and isinstance(body, bytes) else body
        told = object_of(json_of(raw), what="batch")
        sent = told.get("sent_at")
        sent_at = None if sent is None else instant(sent, name="sent_at")
        fixes = list_of(told.get("fixes") or [])
    except RefusedError as wrong:
        return Batch(decoded=Decoded(device_id=device_id, refusals=(wrong.refusal,)))
    good: list[Fix] = []
    refusals: list[Refusal] = []
    for index, fix in enumerate(fixes):
        try:
            good.append(fix_from_json(object_of(fix, what="fix"), device_id, received_at))
        except RefusedError as wrong:
            sequence = whole(fix.get("sequence")) if isinstance(fix, dict) else None
            refusals.append(refusal_of(wrong, index=index, sequence=sequence))
    decoded = Decoded(device_id=device_id, fixes=tuple(good), refusals=tuple(refusals))
    return Batch(decoded=decoded, sent_at=sent_at)


def fix_from_json(told: Object, device_id: DeviceId, received_at: datetime | None = None) -> Fix:
    """A fix of a batch.

    Raises
    ------
    RefusedError
        ``refusal.*``.
    """
    sequence = whole(needed(told.get("sequence"), name="sequence"))
    if sequence is None:
        raise RefusedError("refusal.bad_number", field="sequence", value=str(told.get("sequence")))
    device_at = told.get("device_at")
    return make_fix(
        device_id,
        fix_at=instant(told.get("fix_at"), name="fix_at"),
        lon=needed(told.get("lon"), name="lon"),
        lat=needed(told.get("lat"), name="lat"),
        sequence=sequence,
        received_at=received_at,
        device_at=None if device_at is None else instant(device_at, name="device_at"),
        speed_mps=number(told.get("speed_mps")),
        course_deg=number(told.get("course_deg")),
        accuracy_m=number(told.get("accuracy_m")),
        altitude_m=number(told.get("altitude_m")),
        satellites=whole(told.get("satellites")),
        hdop=number(told.get("hdop")),
        odometer_m=number(told.get("odometer_m")),
        battery_ratio=number(told.get("battery_ratio")),
    )


def answer(*, num_stored: int, num_known: int, refusals: Sequence[Refusal]) -> dict[str, object]:
    """The body of the service's answer."""
    refused = [
        {"sequence": r.facts.get("sequence"), "index": r.facts.get("index"), "code": r.code}
        for r in refusals
    ]
    return {"stored": num_stored, "known": num_known, "refused": refused}


def read_answer(body: bytes | str) -> Receipt:
    """The service's answer as the device reads it.

    Raises
    ------
    RefusedError
        ``refusal.*`` where it is not the answer of such a service (a page of a hotel's network,
        say): nothing was stored then.
    """
    told = object_of(json_of(body), what="answer")
    stored, known = whole(told.get("stored")), whole(told.get("known"))
    if stored is None or known is None:
        raise RefusedError("refusal.missing", field="stored, known")
    refused: dict[int, str] = {}
    for entry in list_of(told.get("refused") or []):
        sequence = whole(entry.get("sequence")) if isinstance(entry, dict) else None
        if sequence is not None:
            refused[sequence] = str(entry.get("code", ""))[:100]
    return Receipt(num_stored=stored, num_known=known, refused=refused)


def packed(body: bytes) -> bytes:
    """The body as gzip."""
    packer = zlib.compressobj(6, zlib.DEFLATED, _GZIP_WINDOW)
    return packer.compress(body) + packer.flush()


def unpacked(body: bytes) -> bytes:
    """The body of a gzip, which may not grow beyond the largest message.

    Raises
    ------
    RefusedError
        ``refusal.not_gzip``, ``refusal.too_long``.
    """
    stream = zlib.decompressobj(_GZIP_WINDOW)
    try:
        raw = stream.decompress(body, MOST_BYTES + 1)
    except zlib.error as wrong:
        raise RefusedError("refusal.not_gzip") from wrong
    if len(raw) > MOST_BYTES:
        raise RefusedError("refusal.too_long", found=len(raw), most=MOST_BYTES)
    if not stream.eof:
        raise RefusedError("refusal.not_gzip")
    return raw


def _text(at: datetime) -> str:
    """ISO 8601 in UTC, to the millisecond where there are any."""
    spec = "milliseconds" if at.microsecond else "seconds"
    return at.astimezone(UTC).isoformat(timespec=spec).replace("+00:00", "Z")
