"""Trackers: added, adopted from devices that knocked, given a new secret, closed."""

import uuid
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlmodel import Session

from api.auth import hash_token, new_token, require_region
from api.settings import Settings
from api.state import Service
from data.db import audit_store, regions_known_store, tracker_store
from data.db.engine import writing
from data.model.accounts import Caller
from data.model.errors import InputError, NotFoundError
from data.model.fleet import VehicleId
from data.model.telemetry import DeviceId
from data.model.tracker import NAMED_BY_ITSELF, Protocol, Tracker, TrackerId

_PATHS = {
    Protocol.BOOKMOBILE: "/api/v1/positions",
    Protocol.OWNTRACKS: "/inlets/owntracks",
    Protocol.OSMAND: "/inlets/osmand",
    Protocol.TRACCAR: "/inlets/traccar",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTracker:
    """A tracker that is asked for."""

    vehicle_id: VehicleId | None
    protocol: Protocol
    external_id: str | None
    name: str
    needs_secret: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUp:
    """A tracker with its secret, told this once, and the address that its device sends to."""

    tracker: Tracker
    secret: str | None
    address: str


def add_tracker(service: Service, caller: Caller, region_id: str, asked: NewTracker) -> SetUp:
    """Take positions of a device from now on.

    Raises
    ------
    AccessError
        For a region that is not the caller's.
    InputError
        ``tracker.name``, ``tracker.needs_external_id``, ``tracker.needs_vehicle``,
        ``tracker.needs_secret``, ``device.unknown_vehicle``.
    ConflictError
        ``tracker.taken``.
    """
    require_region(caller, region_id)
    with writing(service.engine) as session:
        return _add(session, service, caller, region_id, asked)


def adopt(
    service: Service,
    caller: Caller,
    region_id: str,
    protocol: Protocol,
    external_id: str,
    asked: NewTracker,
) -> SetUp:
    """Say whose a device is that was refused.

    Raises
    ------
    NotFoundError
        ``tracker.not_knocking`` where no such device has been heard of.
    """
    require_region(caller, region_id)
    with writing(service.engine) as session:
        if not tracker_store.forget_unknown(session, protocol, external_id):
            raise NotFoundError("tracker.not_knocking", external_id=external_id)
        return _add(session, service, caller, region_id, asked)


def renew_secret(service: Service, caller: Caller, region_id: str, tracker_id: str) -> SetUp:
    """Another secret; the one before no longer works."""
    require_region(caller, region_id)
    secret = new_token()
    with writing(service.engine) as session:
        before = own_tracker(session, region_id, tracker_id)
        if before.closed_at is not None:
            raise NotFoundError("tracker.not_there", tracker=tracker_id)
        tracker = tracker_store.set_secret(session, tracker_id, hash_token(secret))
        _note(session, caller, "tracker.secret", tracker)
    return SetUp(tracker=tracker, secret=secret, address=address_of(service.settings, tracker))


def rename(service: Service, caller: Caller, region_id: str, tracker_id: str, name: str) -> Tracker:
    """Call a tracker otherwise."""
    require_region(caller, region_id)
    if not name.strip():
        raise InputError("tracker.name")
    with writing(service.engine) as session:
        own_tracker(session, region_id, tracker_id)
        tracker = tracker_store.rename_tracker(session, tracker_id, name.strip())
        _note(session, caller, "tracker.rename", tracker)
    return tracker


def close(service: Service, caller: Caller, region_id: str, tracker_id: str) -> Tracker:
    """Take no more positions of a tracker; its tracks stay as long as tracks are kept."""
    require_region(caller, region_id)
    with writing(service.engine) as session:
        before = own_tracker(session, region_id, tracker_id)
        if before.closed_at is not None:
            return before
        tracker = tracker_store.close_tracker(session, tracker_id, service.clock())
        _note(session, caller, "tracker.close", tracker)
    return tracker


def own_tracker(session: Session, region_id: str, tracker_id: str) -> Tracker:
    """A tracker of a region.

    Raises
    ------
    NotFoundError
        ``tracker.not_there``, for one of another region too.
    """
    tracker = tracker_store.get_tracker(session, tracker_id)
    if tracker.region_id != region_id:
        raise NotFoundError("tracker.not_there", tracker=tracker_id)
    return tracker


def address_of(settings: Settings, tracker: Tracker) -> str:
    """What is entered on the device: a URL, or HOST:PORT."""
    if tracker.protocol is Protocol.WIALON:
        host = urlsplit(settings.public_url).hostname or settings.host
        return f"{host}:{settings.wialon_port or ''}".rstrip(":")
    path = _PATHS.get(tracker.protocol)
    return "" if path is None else f"{settings.public_url}{path}"


def _add(
    session: Session, service: Service, caller: Caller, region_id: str, asked: NewTracker
) -> SetUp:
    _check(session, region_id, asked)
    tracker_id = TrackerId(uuid.uuid4().hex)
    external_id = asked.external_id
    if asked.vehicle_id is None or asked.protocol not in NAMED_BY_ITSELF or external_id is None:
        external_id = tracker_id
    secret = new_token() if asked.needs_secret else None
    tracker = tracker_store.add_tracker(
        session,
        Tracker(
            tracker_id=tracker_id,
            region_id=region_id,
            vehicle_id=asked.vehicle_id,
            protocol=asked.protocol,
            external_id=DeviceId(external_id),
            name=asked.name.strip(),
            created_at=service.clock(),
            created_by=caller.account_id,
        ),
        None if secret is None else hash_token(secret),
    )
    tracker_store.forget_unknown(session, tracker.protocol, tracker.external_id)
    _note(session, caller, "tracker.add", tracker)
    return SetUp(tracker=tracker, secret=secret, address=address_of(service.settings, tracker))


def _check(session: Session, region_id: str, asked: NewTracker) -> None:
    if not asked.name.strip():
        raise InputError("tracker.name")
    vehicles = regions_known_store.vehicle_names(session, [region_id]).get(region_id, {})
    if asked.vehicle_id is not None and asked.vehicle_id not in vehicles:
        raise InputError("device.unknown_vehicle", vehicle=asked.vehicle_id, region=region_id)
    is_named = asked.protocol in NAMED_BY_ITSELF
    if asked.vehicle_id is None and not is_named:
        raise InputError("tracker.needs_vehicle", protocol=asked.protocol.value)
    if asked.vehicle_id is not None and is_named and not asked.external_id:
        raise InputError("tracker.needs_external_id", protocol=asked.protocol.value)
    if not asked.needs_secret and (asked.vehicle_id is None or not is_named):
        raise InputError("tracker.needs_secret", protocol=asked.protocol.value)


def _note(session: Session, caller: Caller, action: str, tracker: Tracker) -> None:
    audit_store.record(
        session,
        caller,
        action,
        tracker.tracker_id,
        region_id=tracker.region_id,
        name=tracker.name,
        vehicle=tracker.vehicle_id,
        protocol=tracker.protocol.value,
    )
