"""Positions and events that a Traccar server forwards as JSON.

This brings in every tracker that Traccar speaks with. Speeds are knots. Traccar sends again what
was not answered with 2xx, so the same position may come twice: a device and ``fixTime`` know it.

References
----------
traccar.org/forward.
"""

from datetime import datetime

from data.feeds.device_values import (
    Object,
    extra_of,
    instant,
    json_of,
    make_fix,
    needed,
    number,
    object_of,
    whole,
)
from data.model.telemetry import (
    Decoded,
    DeviceId,
    Fix,
    RefusedError,
    Signal,
    SignalKind,
    device_id_of,
    shown,
)
from data.model.units import knots_to_mps, percent_to_ratio

_EVENTS = {
    "geofenceEnter": SignalKind.ENTER,
    "geofenceExit": SignalKind.LEAVE,
    "deviceMoving": SignalKind.MOVING,
    "deviceStopped": SignalKind.STOPPED,
    "deviceOnline": SignalKind.ONLINE,
    "deviceOffline": SignalKind.OFFLINE,
    "deviceUnknown": SignalKind.OFFLINE,
    "deviceInactive": SignalKind.OFFLINE,
    "ignitionOn": SignalKind.IGNITION_ON,
    "ignitionOff": SignalKind.IGNITION_OFF,
    "alarm": SignalKind.ALARM,
    "driverChanged": SignalKind.DRIVER,
    "textMessage": SignalKind.MESSAGE,
}
_KNOWN_ATTRIBUTES = frozenset(
    {"totalDistance", "odometer", "batteryLevel", "sat", "hdop", "outdated"}
)


def decode(body: bytes | str, *, received_at: datetime | None = None) -> Decoded:
    """What a forwarded position or event holds; the position of an event is a fix too."""
    device_id = None
    try:
        told = object_of(json_of(body), what="message")
        device = object_of(told.get("device"), what="device")
        device_id = device_id_of(device.get("uniqueId"))
        position, event = told.get("position"), told.get("event")
        if position is None and event is None:
            raise RefusedError("refusal.missing", field="position")
        signals = () if event is None else (_signal(told, device_id),)
        if position is None:
            return Decoded(device_id=device_id, signals=signals)
        try:
            found = object_of(position, what="position")
            fixes = (_fix(found, device_id, received_at),)
        except RefusedError as wrong:
            return Decoded(device_id=device_id, signals=signals, refusals=(wrong.refusal,))
        return Decoded(device_id=device_id, fixes=fixes, signals=signals)
    except RefusedError as wrong:
        return Decoded(device_id=device_id, refusals=(wrong.refusal,))


def _fix(told: Object, device_id: DeviceId, received_at: datetime | None) -> Fix:
    raw = told.get("attributes")
    attributes = raw if isinstance(raw, dict) else {}
    speed, charge = number(told.get("speed")), number(attributes.get("batteryLevel"))
    odometer_m = number(attributes.get("odometer"))
    device_at = told.get("deviceTime")
    return make_fix(
        device_id,
        fix_at=instant(told.get("fixTime"), name="position.fixTime"),
        lon=needed(told.get("longitude"), name="position.longitude"),
        lat=needed(told.get("latitude"), name="position.latitude"),
        received_at=received_at,
        device_at=None if device_at is None else instant(device_at, name="position.deviceTime"),
        speed_mps=None if speed is None else knots_to_mps(speed),
        course_deg=number(told.get("course")),
        accuracy_m=number(told.get("accuracy")),
        altitude_m=number(told.get("altitude")),
        satellites=whole(attributes.get("sat")),
        hdop=number(attributes.get("hdop")),
        odometer_m=number(attributes.get("totalDistance")) if odometer_m is None else odometer_m,
        battery_ratio=None if charge is None else percent_to_ratio(charge),
        # An outdated position is the last one known, sent again with a new message.
        is_valid=told.get("valid") is not False and attributes.get("outdated") is not True,
        extra=extra_of(attributes, known=_KNOWN_ATTRIBUTES),
    )


def _signal(told: Object, device_id: DeviceId) -> Signal:
    event = object_of(told.get("event"), what="event")
    raw = event.get("attributes")
    attributes = raw if isinstance(raw, dict) else {}
    at = event.get("eventTime") or event.get("serverTime")
    geofence = told.get("geofence")
    name = geofence.get("name") if isinstance(geofence, dict) else None
    told_name = name or attributes.get("alarm") or attributes.get("driverUniqueId")
    return Signal(
        device_id=device_id,
        kind=_EVENTS.get(str(event.get("type")), SignalKind.OTHER),
        at=None if at is None else instant(at, name="event.eventTime"),
        told=shown(told_name or attributes.get("message") or event.get("type") or "", 100),
    )
