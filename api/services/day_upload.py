"""A file of positions joined to a vehicle and date after the fact: GPX, NMEA, lines of messages."""

import uuid
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from sqlmodel import Session

from api.services.duty import Guard, day_span
from api.services.track_files import read_track
from api.state import Service
from data.db import audit_store, track_store, tracker_store
from data.db.engine import writing
from data.model.accounts import Caller
from data.model.errors import InputError
from data.model.fleet import VehicleId
from data.model.telemetry import DeviceId
from data.model.tracker import Protocol, Tracker, TrackerId

MOST_FIXES = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """What became of a file's positions."""

    file: str
    kind: str
    num_new: int
    num_known: int
    num_other_date: int
    num_guarded: int
    """Outside the duty or far from the route: not kept."""
    num_refused: int


def join_file(
    service: Service,
    region_id: str,
    vehicle_id: VehicleId,
    on: date,
    path: Path,
    *,
    name: str,
    by: Caller,
) -> Joined:
    """Store a file's positions of a date as those of a vehicle; doing it twice changes nothing.

    Parameters
    ----------
    name
        What the file is called, for the record.

    Raises
    ------
    InputError
        As ``read_track``; ``days.no_fixes`` where none is of the date, ``days.too_many``;
        ``days.none_kept`` where the privacy guard keeps none.
    NotFoundError
        ``region.unknown``.
    """
    found = read_track(path, on=on)
    if len(found.fixes) > MOST_FIXES:
        raise InputError("days.too_many", file=name, found=len(found.fixes), limit=MOST_FIXES)
    now = service.clock()
    guard = Guard(service.engine, service.settings)
    first, last = day_span(on, guard.zone(region_id))
    own = [f for f in found.fixes if first <= f.fix_at < last and f.fix_at <= now]
    if not own:
        raise InputError("days.no_fixes", file=name, date=on.isoformat(), found=len(found.fixes))
    with writing(service.engine) as session:
        tracker = _tracker(session, service, region_id, vehicle_id, by)
    fixes = [replace(f, device_id=tracker.external_id, sequence=None, received_at=now) for f in own]
    kept, dropped = guard.parted(region_id, vehicle_id, fixes)
    if not kept:
        raise InputError("days.none_kept", file=name, found=len(fixes))
    with writing(service.engine) as session:
        counts = track_store.add_fixes(session, tracker, kept, at=now)
        audit_store.record(
            session,
            by,
            "track.join",
            tracker.tracker_id,
            region_id=region_id,
            vehicle=vehicle_id,
            date=on.isoformat(),
            name=name,
            fixes=counts.num_new,
        )
    return Joined(
        file=name,
        kind=found.kind,
        num_new=counts.num_new,
        num_known=counts.num_known,
        num_other_date=len(found.fixes) - len(own),
        num_guarded=len(dropped),
        num_refused=len(found.refusals),
    )


def _tracker(
    session: Session, service: Service, region_id: str, vehicle_id: VehicleId, by: Caller
) -> Tracker:
    """What stands for a vehicle's files."""
    name = DeviceId(f"file/{region_id}/{vehicle_id}"[:100])
    known = tracker_store.tracker_of(session, Protocol.FILE, name)
    if known is not None:
        return known[0]
    return tracker_store.add_tracker(
        session,
        Tracker(
            tracker_id=TrackerId(uuid.uuid4().hex),
            region_id=region_id,
            vehicle_id=vehicle_id,
            protocol=Protocol.FILE,
            external_id=name,
            name=str(name),
            created_at=service.clock(),
            created_by=by.account_id,
        ),
        None,
    )
