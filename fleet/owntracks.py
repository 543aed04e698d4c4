"""OwnTracks messages over HTTP or MQTT.

Speeds are km/h. Queued positions come late and in any order, so ``tst`` is never taken as the time
of arrival. A ``lwt`` was laid down when the phone connected: its ``tst`` is not the time of loss.

References
----------
OwnTracks booklet, "JSON"; the recorder answers any accepted POST with a JSON array.
"""

from datetime import datetime

from data.feeds.device_values import (
    Object,
    extra_of,
    instant,
    json_of,
    list_of,
    make_fix,
    needed,
    number,
    object_of,
    refusal_of,
)
from data.model.telemetry import (
    Decoded,
    DeviceId,
    Fix,
    Refusal,
    RefusedError,
    Signal,
    SignalKind,
    device_id_of,
    shown,
)
from data.model.units import kmh_to_mps, percent_to_ratio

ANSWER = b"[]"
"""Body of the 200 that lets the phone forget what it sent, refused positions among it: a phone that
gets anything else sends the same again for ever."""
TOPIC = "owntracks"

_IGNORED = frozenset(
    {"waypoint", "waypoints", "card", "cmd", "steps", "status", "configuration", "beacon"}
    | {"request", "dump", "msg"}
)
_KNOWN = frozenset(
    {"_type", "lat", "lon", "tst", "acc", "alt", "batt", "cog", "vel", "topic", "tid", "created_at"}
    | {"SSID", "BSSID", "image", "face", "_id"}
)
"""Names that are read, or that are nobody's business (the network at somebody's home)."""
_CROSSINGS = {"enter": SignalKind.ENTER, "leave": SignalKind.LEAVE}


def decode(
    body: bytes | str,
    *,
    user: str | None = None,
    device: str | None = None,
    topic: str | None = None,
    received_at: datetime | None = None,
) -> Decoded:
    """What a message holds.

    Parameters
    ----------
    user, device
        ``u`` and ``d`` of the HTTP request, or its headers ``X-Limit-U`` and ``X-Limit-D``.
    topic
        Topic of the MQTT message, ``owntracks/USER/DEVICE`` with what may follow.
    """
    try:
        messages = list_of(json_of(body))
    except RefusedError as wrong:
        return Decoded(refusals=(wrong.refusal,))
    fixes: list[Fix] = []
    signals: list[Signal] = []
    refusals: list[Refusal] = []
    ignored: list[str] = []
    found: DeviceId | None = None
    for index, message in enumerate(messages):
        try:
            told = object_of(message, what="message")
            kind = told.get("_type")
            if isinstance(kind, str) and kind in _IGNORED:
                ignored.append(kind)
                continue
            found = _device_id(told, user, device, topic)
            if kind == "location":
                fixes.append(_fix(told, found, received_at))
            elif kind == "transition":
                signals.append(_crossing(told, found))
                if told.get("lat") is not None:
                    fixes.append(_fix(told, found, received_at))
            elif kind == "lwt":
                signals.append(Signal(device_id=found, kind=SignalKind.OFFLINE, at=received_at))
            elif kind == "encrypted":
                raise RefusedError("refusal.encrypted")
            else:
                raise RefusedError("refusal.unknown_kind", value=shown(kind))
        except RefusedError as wrong:
            refusals.append(refusal_of(wrong, index=index) if index else wrong.refusal)
    return Decoded(
        device_id=found,
        fixes=tuple(fixes),
        signals=tuple(signals),
        refusals=tuple(refusals),
        ignored=tuple(ignored),
    )


def _device_id(told: Object, user: str | None, device: str | None, topic: str | None) -> DeviceId:
    """``USER/DEVICE`` of the request, of the topic, or of the topic that the message repeats."""
    if user and device:
        return device_id_of(f"{user}/{device}")
    for path in (topic, told.get("topic")):
        parts = path.split("/") if isinstance(path, str) else []
        if len(parts) >= 3 and parts[0] == TOPIC and parts[1] and parts[2]:
            return device_id_of(f"{parts[1]}/{parts[2]}")
    raise RefusedError("refusal.no_device")


def _fix(told: Object, device_id: DeviceId, received_at: datetime | None) -> Fix:
    speed_kmh, charge = number(told.get("vel")), number(told.get("batt"))
    sent = told.get("created_at")
    return make_fix(
        device_id,
        fix_at=instant(told.get("tst"), name="tst"),
        lon=needed(told.get("lon"), name="lon"),
        lat=needed(told.get("lat"), name="lat"),
        received_at=received_at,
        device_at=instant(sent, name="created_at") if number(sent) is not None else None,
        speed_mps=None if speed_kmh is None else kmh_to_mps(speed_kmh),
        course_deg=number(told.get("cog")),
        accuracy_m=number(told.get("acc")),
        altitude_m=number(told.get("alt")),
        battery_ratio=None if charge is None else percent_to_ratio(charge),
        extra=extra_of(told, known=_KNOWN),
    )


def _crossing(told: Object, device_id: DeviceId) -> Signal:
    kind = _CROSSINGS.get(str(told.get("event")))
    if kind is None:
        raise RefusedError("refusal.unknown_kind", value=shown(told.get("event")))
    return Signal(
        device_id=device_id,
        kind=kind,
        at=instant(told.get("tst"), name="tst"),
        told=shown(told.get("desc") or "", 100),
    )
