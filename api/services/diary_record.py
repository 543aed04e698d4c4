"""One stop visit on record with everything behind it: journal, corrections, positions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from api.services.diary import faults_of
from api.services.own_journal import SERVICE
from api.services.plan_access import account_names
from api.state import Service
from data.db import devices_store, publication_store, visit_record_store
from data.db.publication_store import RegionHead
from data.model.crew_bodies import CountBody, MomentBody, SkipBody, UnplannedStopBody
from data.model.errors import NotFoundError
from data.model.journal import EventKind, JournalEvent
from data.model.service_time import clock_s
from data.model.stop_counts import CountFault, add_counts
from data.model.visit_record import CountCorrection, VisitRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEvent:
    """An event of the journal at a stop visit, without what tells of a person."""

    event_id: str
    at: datetime
    kind: EventKind
    by: str
    """Account, else device."""
    is_voided: bool
    counts: Mapping[str, int]
    method: str = ""
    reason: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordView:
    """A record and what it is made of."""

    head: RegionHead
    record: VisitRecord
    events: tuple[RecordEvent, ...]
    corrections: tuple[CountCorrection, ...]
    before: Mapping[str, int]
    """The counts without the corrections."""
    faults: tuple[CountFault, ...]
    names: Mapping[str, str]
    """Names of accounts and devices."""

    @property
    def fixes_s(self) -> tuple[int, int] | None:
        """Seconds of the service date between which the positions behind it lie."""
        record, zone = self.record, ZoneInfo(self.head.time_zone)
        first = record.opened_at or record.planned_open_at
        last = record.closed_at or record.planned_close_at or first
        if first is None or last is None:
            return None
        on = record.service_date
        return (
            max(0, round(clock_s(on, first, zone)) - 600),
            max(0, round(clock_s(on, last, zone)) + 600),
        )


def record_view(service: Service, region_id: str, key: str) -> RecordView:
    """A record with what is behind it.

    Raises
    ------
    NotFoundError
        ``region.unknown``, ``record.unknown``.
    """
    with service.ledgers.reading(service.engine, region_id) as (session, ledger):
        head = publication_store.region_head(session, region_id)
        record = visit_record_store.record_of(session, region_id, key)
        corrections = visit_record_store.list_corrections(session, region_id, key=key)
        events = tuple(
            _event(step.timed.event, step.timed.at, is_voided=step.is_voided)
            for step in ledger.replay.steps
            if step.timed.event.visit_id == key
        )
        ids = {e.by for e in events} | {c.corrected_by for c in corrections}
        ids |= set(record.counted_by)
        names = dict(account_names(session, sorted(ids)))
        for device_id in ids - names.keys() - {SERVICE}:
            try:
                names[device_id] = devices_store.device(session, device_id).name
            except NotFoundError:
                names[device_id] = device_id
    taken = [{c.name: -c.amount} for c in corrections]
    return RecordView(
        head=head,
        record=record,
        events=events,
        corrections=corrections,
        before=add_counts([record.counts, *taken]),
        faults=faults_of(record),
        names=names,
    )


def _event(event: JournalEvent, at: datetime, *, is_voided: bool) -> RecordEvent:
    counts: Mapping[str, int] = {}
    method = reason = note = ""
    match event.body:
        case CountBody():
            counts, method = event.body.counts, event.body.method.value
        case MomentBody():
            at = event.body.moment_at or at
        case SkipBody():
            reason, note = event.body.reason.value, event.body.note
        case UnplannedStopBody():
            note = event.body.name
    return RecordEvent(
        event_id=event.event_id,
        at=at,
        kind=event.kind,
        by=event.by or event.device_id.partition(".")[0],
        is_voided=is_voided,
        counts=counts,
        method=method,
        reason=reason,
        note=note,
    )
