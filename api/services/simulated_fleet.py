"""Simulated vehicles of a published timetable, and trackers that let their messages in."""

import uuid
from datetime import date, datetime

from sqlmodel import Session

from api.auth import hash_token, new_token
from api.services.promised_days import PromisedDay, promised_days
from data.db import tracker_store
from data.model.errors import InputError, RequestError
from data.model.fleet import VehicleId
from data.model.telemetry import DeviceId
from data.model.tracker import Protocol, Tracker, TrackerId

VOUCHED = {
    "owntracks": Protocol.OWNTRACKS,
    "osmand": Protocol.OSMAND,
    "traccar": Protocol.TRACCAR,
}
"""Formats whose trackers can be vouched for by one secret."""


def published_days(
    session: Session, region_id: str, on: date, vehicle: str | None
) -> tuple[PromisedDay, ...]:
    """The runs promised for a date, of all vehicles or of one by its id or name.

    Raises
    ------
    RequestError
        ``track.no_runs`` where nothing is promised then.
    """
    found = [
        d
        for d in promised_days(session, region_id, on)
        if d.run.stops and d.run.depart_at is not None and vehicle in (None, d.vehicle_id, d.name)
    ]
    if not found:
        raise RequestError("track.no_runs", date=on.isoformat())
    return tuple(found)


def let_in(
    session: Session,
    region_id: str,
    kind: str,
    devices: dict[VehicleId, str],
    *,
    at: datetime,
) -> str:
    """Make the trackers of simulated devices, where missing, and one secret that vouches for all.

    Raises
    ------
    InputError
        ``simulate.no_tracker`` for a format that cannot be let in so.
    """
    protocol = VOUCHED.get(kind)
    if protocol is None:
        raise InputError("simulate.no_tracker", value=kind, known=", ".join(VOUCHED))
    for vehicle_id, device in devices.items():
        name = DeviceId(device)
        if tracker_store.tracker_of(session, protocol, name) is None:
            tracker = _tracker(region_id, protocol, name, at, vehicle_id=vehicle_id)
            tracker_store.add_tracker(session, tracker, hash_token(new_token()))
    secret = new_token()
    name = DeviceId(f"simulation/{region_id}"[:100])
    known = tracker_store.tracker_of(session, protocol, name)
    if known is None:
        tracker = _tracker(region_id, protocol, name, at, vehicle_id=None)
        tracker_store.add_tracker(session, tracker, hash_token(secret))
    else:
        tracker_store.set_secret(session, known[0].tracker_id, hash_token(secret))
    return secret


def _tracker(
    region_id: str,
    protocol: Protocol,
    name: DeviceId,
    at: datetime,
    *,
    vehicle_id: VehicleId | None,
) -> Tracker:
    return Tracker(
        tracker_id=TrackerId(uuid.uuid4().hex),
        region_id=region_id,
        vehicle_id=vehicle_id,
        protocol=protocol,
        external_id=name,
        name=f"simulation {name}"[:120],
        created_at=at,
    )
