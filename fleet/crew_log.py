"""What a crew writes down of a stop visit, folded from its events in any number of tablets."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from data.model.crew_bodies import (
    ConsultationBody,
    CountBody,
    GatheringBody,
    MomentBody,
    SkipBody,
    UnplannedStopBody,
)
from data.model.journal import EventKind
from data.model.stock import ItemPlace
from data.model.stop_counts import add_counts
from fleet.journal import TimedEvent

_MOMENTS = {
    EventKind.ARRIVE: "arrived_at",
    EventKind.OPEN: "opened_at",
    EventKind.CLOSE: "closed_at",
    EventKind.DEPART: "departed_at",
}
_FIRST = frozenset({EventKind.ARRIVE, EventKind.OPEN})
"""Of these moments the first that anybody tapped counts; of the others the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A remark, consultation or event at a visit, by the id of what told it."""

    event_id: str
    kind: EventKind
    at: datetime
    what: str = ""
    """The kind of consultation, or the event's name."""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitLog:
    """One stop visit as the crew wrote it down (DOMAIN §7)."""

    visit_id: str
    service_date: date
    place: ItemPlace
    stop_id: str | None = None
    name: str = ""
    """Of a stop that nobody planned."""
    lon: float | None = None
    lat: float | None = None
    is_unplanned: bool = False
    arrived_at: datetime | None = None
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    departed_at: datetime | None = None
    odometer_km: float | None = None
    is_from_gps: bool = False
    """Whether the arrival was taken over from GPS."""
    skip_reason: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    counted_by: tuple[str, ...] = ()
    count_methods: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def is_skipped(self) -> bool:
        """Whether the stop was left out: what was opened after all was not."""
        return bool(self.skip_reason) and self.opened_at is None


def logged(log: VisitLog | None, timed: TimedEvent) -> VisitLog:
    """A visit's log with one more event, in the order in which they happened."""
    event, at = timed.event, timed.at
    assert event.visit_id is not None
    log = log or VisitLog(
        visit_id=event.visit_id,
        service_date=event.service_date,
        place=event.place,
        stop_id=event.stop_id,
    )
    match event.body:
        case MomentBody() as moment:
            return _with_moment(log, event.kind, moment, moment.moment_at or at)
        case CountBody(counts=counts, method=method):
            return replace(
                log,
                counts=add_counts((log.counts, counts)),
                counted_by=_joined(log.counted_by, event.by),
                count_methods=_joined(log.count_methods, method.value),
            )
        case SkipBody(reason=reason, note=note):
            log = replace(log, skip_reason=reason.value)
            return _with_note(log, timed, "", note) if note else log
        case UnplannedStopBody() as stop:
            log = replace(log, name=stop.name, lon=stop.lon, lat=stop.lat, is_unplanned=True)
            return _with_note(log, timed, "", stop.note) if stop.note else log
        case ConsultationBody(consultation=kind, note=note):
            return _with_note(log, timed, kind.value, note)
        case GatheringBody(name=name, note=note):
            return _with_note(log, timed, name, note)
        case _:
            return log


def _with_moment(log: VisitLog, kind: EventKind, body: MomentBody, at: datetime) -> VisitLog:
    name = _MOMENTS[kind]
    known: datetime | None = getattr(log, name)
    if known is not None:
        at = min(at, known) if kind in _FIRST else max(at, known)
    odometer = body.odometer_km if body.odometer_km is not None else log.odometer_km
    is_from_gps = log.is_from_gps or (kind is EventKind.ARRIVE and body.is_from_gps)
    moments: dict[str, Any] = {name: at}
    return replace(log, odometer_km=odometer, is_from_gps=is_from_gps, **moments)


def _with_note(log: VisitLog, timed: TimedEvent, what: str, note: str) -> VisitLog:
    event = timed.event
    told = Note(event_id=event.event_id, kind=event.kind, at=timed.at, what=what, note=note)
    return replace(log, notes=(*log.notes, told))


def _joined(words: tuple[str, ...], word: str) -> tuple[str, ...]:
    return tuple(sorted({*words, word} - {""}))
