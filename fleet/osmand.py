"""Positions of OsmAnd and of the Traccar Client app.

The query (or form) has speed in knots, the JSON of newer apps in metres a second. Apps say -1 for
a speed, course or charge that they do not know, and 0 for an accuracy.

References
----------
traccar.org/osmand.
"""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qsl

from data.feeds.device_values import (
    Object,
    extra_of,
    instant,
    json_of,
    make_fix,
    needed,
    number,
    object_of,
    text_of,
)
from data.model.telemetry import Decoded, DeviceId, Fix, RefusedError, device_id_of, shown
from data.model.units import knots_to_mps, percent_to_ratio

MOST_FIELDS = 100
_QUERY_KNOWN = frozenset(
    {"id", "deviceid", "timestamp", "lat", "lon", "location", "valid", "speed", "bearing"}
    | {"heading", "altitude", "accuracy", "hdop", "batt", "odometer", "notificationToken", "wifi"}
    | {"cell"}
)
_TRUE, _FALSE = frozenset({"true", "1"}), frozenset({"false", "0"})


def decode_request(
    *, query: str = "", body: bytes = b"", content_type: str = "", received_at: datetime | None
) -> Decoded:
    """What an HTTP request holds, whichever of the three forms it has."""
    if body and (content_type.startswith("application/json") or body.lstrip()[:1] == b"{"):
        return decode_json(body, received_at=received_at)
    try:
        text = query or text_of(body)
    except RefusedError as wrong:
        return Decoded(refusals=(wrong.refusal,))
    return decode_query(text, received_at=received_at)


def decode_query(query: str, *, received_at: datetime | None = None) -> Decoded:
    """What a query or form holds; without a timestamp the position is of its arrival."""
    device_id = None
    try:
        told = _fields(query)
        device_id = device_id_of(told.get("id") or told.get("deviceid"))
        return Decoded(device_id=device_id, fixes=(_fix_of_query(told, device_id, received_at),))
    except RefusedError as wrong:
        return Decoded(device_id=device_id, refusals=(wrong.refusal,))


def decode_json(body: bytes | str, *, received_at: datetime | None = None) -> Decoded:
    """What the JSON of a newer Traccar Client holds."""
    device_id = None
    try:
        told = object_of(json_of(body), what="message")
        device_id = device_id_of(told.get("device_id"))
        location = object_of(told.get("location"), what="location")
        return Decoded(device_id=device_id, fixes=(_fix_of_json(location, device_id, received_at),))
    except RefusedError as wrong:
        return Decoded(device_id=device_id, refusals=(wrong.refusal,))


def _fields(query: str) -> Mapping[str, str]:
    """The last value of each field."""
    try:
        pairs = parse_qsl(text_of(query).lstrip("/?"), max_num_fields=MOST_FIELDS)
    except ValueError as wrong:
        raise RefusedError(
            "refusal.too_many", found=query.count("&") + 1, most=MOST_FIELDS
        ) from wrong
    return dict(pairs)


def _fix_of_query(
    told: Mapping[str, str], device_id: DeviceId, received_at: datetime | None
) -> Fix:
    lat, lon = told.get("lat"), told.get("lon")
    if told.get("location"):
        lat, _, lon = told["location"].partition(",")
    speed, charge = number(told.get("speed")), number(told.get("batt"))
    if "timestamp" in told or received_at is None:
        fix_at = instant(told.get("timestamp"), name="timestamp")
    else:
        fix_at = received_at
    return make_fix(
        device_id,
        fix_at=fix_at,
        lon=needed(lon, name="lon"),
        lat=needed(lat, name="lat"),
        received_at=received_at,
        speed_mps=None if speed is None else knots_to_mps(speed),
        course_deg=number(told.get("bearing", told.get("heading"))),
        accuracy_m=number(told.get("accuracy")),
        altitude_m=number(told.get("altitude")),
        hdop=number(told.get("hdop")),
        odometer_m=number(told.get("odometer")),
        battery_ratio=None if charge is None else percent_to_ratio(charge),
        is_valid=_flag(told.get("valid", "true")),
        extra=extra_of(told, known=_QUERY_KNOWN),
    )


def _flag(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise RefusedError("refusal.bad_flag", field="valid", value=shown(text))


def _fix_of_json(told: Object, device_id: DeviceId, received_at: datetime | None) -> Fix:
    coords = object_of(told.get("coords"), what="location.coords")
    battery = told.get("battery")
    return make_fix(
        device_id,
        fix_at=instant(told.get("timestamp"), name="location.timestamp"),
        lon=needed(coords.get("longitude"), name="location.coords.longitude"),
        lat=needed(coords.get("latitude"), name="location.coords.latitude"),
        received_at=received_at,
        speed_mps=number(coords.get("speed")),
        course_deg=number(coords.get("heading")),
        accuracy_m=number(coords.get("accuracy")),
        altitude_m=number(coords.get("altitude")),
        odometer_m=number(told.get("odometer")),
        battery_ratio=number(battery.get("level")) if isinstance(battery, dict) else None,
        extra=_extra_of_json(told),
    )


def _extra_of_json(told: Object) -> Mapping[str, str | float | bool]:
    kept = {k: told[k] for k in ("event", "is_moving", "mock", "alarm") if k in told}
    activity, extras = told.get("activity"), told.get("extras")
    if isinstance(activity, dict):
        kept["activity"] = activity.get("type")
    if isinstance(extras, dict):
        kept |= {str(k): v for k, v in extras.items()}
    return extra_of(kept, known=frozenset())
