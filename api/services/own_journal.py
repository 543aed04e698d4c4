"""The service's own journal of a region: what the office and the service itself do.

A cancelled visit, an item set aside, a return at a branch, a decision: each is an event like those
of tablets, and takes its place among them.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from data.db import circulation_store, journal_store
from data.model.journal import EventBody, EventId, EventKind, JournalEvent
from data.model.journal_kept import KeptEvent, KeptMark
from data.model.place import StopId
from data.model.publication import VisitId
from data.model.stock import ItemPlace, PlaceKind
from fleet.journal_json import digest, event_to_json

SERVICE = "@service"
"""Name of the service among devices; no device can have it, for theirs are hexadecimal."""
OFFICE = ItemPlace(kind=PlaceKind.POINT, key="@office")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is to be written down."""

    kind: EventKind
    body: EventBody
    service_date: date
    place: ItemPlace = OFFICE
    stop_id: StopId | None = None
    visit_id: VisitId | None = None


def write_down(
    session: Session, region_id: str, entries: Sequence[Entry], *, at: datetime, by: str = ""
) -> tuple[JournalEvent, ...]:
    """Add events of the office to the journal; gives them in order.

    Parameters
    ----------
    by
        Account of whoever did it; empty: the service itself.
    """
    if not entries:
        return ()
    head = circulation_store.hold_circulation(session, region_id)
    events = [
        JournalEvent(
            event_id=EventId(uuid.uuid4().hex),
            device_id=SERVICE,
            sequence=head.own_sequence + number,
            device_at=at,
            kind=entry.kind,
            body=entry.body,
            place=entry.place,
            service_date=entry.service_date,
            visit_id=entry.visit_id,
            stop_id=entry.stop_id,
            by=by,
        )
        for number, entry in enumerate(entries, start=1)
    ]
    journal_store.add_events(session, region_id, (kept(e, at, by or SERVICE) for e in events))
    # Its clock is the one that all others are held against.
    mark = KeptMark(device_id=SERVICE, sequence=events[-1].sequence, device_at=at, server_at=at)
    journal_store.add_marks(session, region_id, [mark])
    circulation_store.advance(session, region_id, own_events=len(events))
    return tuple(events)


def kept(event: JournalEvent, at: datetime, carried_by: str) -> KeptEvent:
    """An event as it is stored."""
    return KeptEvent(
        event_id=event.event_id,
        device_id=event.device_id,
        sequence=event.sequence,
        digest=digest(event),
        received_at=at,
        carried_by=carried_by,
        document=event_to_json(event),
    )
