"""What a crew told of a day: stops left out with reasons, others, defects of sites."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlmodel import Session

from api.services.cancelling import names_of
from api.services.ledger import Ledger
from api.state import Service
from data.db import journal_store
from data.model.crew_bodies import DefectBody, SkipBody, UnplannedStopBody
from data.model.fleet import VehicleId
from data.model.journal import EventId, EventKind, JournalEvent
from data.model.journal_bodies import VoidBody
from data.model.place import StopId
from data.model.publication import VisitId
from data.model.stock import PlaceKind
from fleet.journal_json import event_from_json

OF_STOPS = frozenset({EventKind.SKIP, EventKind.DEFECT})
TOLD = OF_STOPS | {EventKind.UNPLANNED_STOP}
MOST_OF_STOP = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CrewNote:
    """One thing that a crew told.

    Parameters
    ----------
    what
        The reason of a stop left out, the kind of a defect; empty for a stop in no plan.
    stop_name
        Of a stop in no plan as the crew calls it.
    photo_ids
        Photos of a defect; one that is not sent yet has no file.
    """

    event_id: EventId
    kind: EventKind
    at: datetime
    vehicle_id: VehicleId
    visit_id: VisitId | None
    stop_id: StopId | None
    stop_name: str
    what: str = ""
    note: str = ""
    lon: float | None = None
    lat: float | None = None
    photo_ids: tuple[str, ...] = ()


def crew_notes(service: Service, region_id: str, on: date) -> tuple[CrewNote, ...]:
    """What crews told of a service date and did not take back, the newest first.

    Raises
    ------
    NotFoundError
        ``region.unknown``.
    """
    with service.ledgers.reading(service.engine, region_id) as (session, ledger):
        return notes_in(session, ledger, on)


def notes_in(session: Session, ledger: Ledger, on: date) -> tuple[CrewNote, ...]:
    """The same within somebody's look."""
    told = _replayed(ledger, lambda event: event.service_date == on)
    if ledger.is_settled(on):
        told = {**_settled(session, ledger.region_id, on), **told}
    return _notes(session, ledger.region_id, told)


def stop_notes(service: Service, region_id: str, stop_id: StopId) -> tuple[CrewNote, ...]:
    """The newest that crews told of a stop: defects of its ground, why it was left out.

    Raises
    ------
    NotFoundError
        ``region.unknown``.
    """
    with service.ledgers.reading(service.engine, region_id) as (session, ledger):
        told = _replayed(ledger, lambda event: event.stop_id == stop_id)
        told = {**_settled_at(session, region_id, stop_id), **told}
        return _notes(session, region_id, told)[:MOST_OF_STOP]


def _notes(session: Session, region_id: str, told: "_Told") -> tuple[CrewNote, ...]:
    if not told:
        return ()
    stops, _ = names_of(session, region_id)
    names = {stop_id: stop.name for stop_id, stop in stops.items()}
    unplanned = {
        event.visit_id: event.body.name
        for event, _ in told.values()
        if isinstance(event.body, UnplannedStopBody)
    }
    found = [_note(event, at, names) for event, at in told.values()]
    named = (n if n.stop_name else _named(n, unplanned) for n in found)
    return tuple(sorted(named, key=lambda n: (n.at, n.event_id), reverse=True))


def by_vehicle(notes: Iterable[CrewNote]) -> Mapping[VehicleId, tuple[CrewNote, ...]]:
    """The same by vehicle, in the order in which it happened."""
    found: dict[VehicleId, tuple[CrewNote, ...]] = {}
    for note in sorted(notes, key=lambda n: (n.at, n.event_id)):
        found[note.vehicle_id] = (*found.get(note.vehicle_id, ()), note)
    return found


type _Told = dict[EventId, tuple[JournalEvent, datetime]]


def _replayed(ledger: Ledger, is_wanted: Callable[[JournalEvent], bool]) -> _Told:
    return {
        step.timed.event.event_id: (step.timed.event, step.timed.at)
        for step in ledger.replay.steps
        if step.timed.event.kind in TOLD and is_wanted(step.timed.event) and not step.is_voided
    }


def _settled(session: Session, region_id: str, on: date) -> _Told:
    """Of a date that is not replayed any more, from what the tablets had sent."""
    told: _Told = {}
    voided: set[str] = set()
    for kept in journal_store.settled_that_tell(session, region_id, [on.isoformat()]):
        if kept.document.get("kind") not in {*TOLD, EventKind.VOID}:
            continue
        event = event_from_json(kept.document)
        if isinstance(event.body, VoidBody):
            voided.add(event.body.event_id)
        elif event.service_date == on:
            told[event.event_id] = event, event.utc_at
    return {key: one for key, one in told.items() if key not in voided}


def _settled_at(session: Session, region_id: str, stop_id: StopId) -> _Told:
    """Of a stop, from what is not replayed any more."""
    told: _Told = {}
    for kept in journal_store.settled_that_tell(session, region_id, [k.value for k in OF_STOPS]):
        if kept.document.get("kind") in OF_STOPS:
            event = event_from_json(kept.document)
            if event.stop_id == stop_id:
                told[event.event_id] = event, event.utc_at
    for kept in journal_store.settled_that_tell(session, region_id, list(told)):
        if kept.document.get("kind") == EventKind.VOID:
            body = event_from_json(kept.document).body
            if isinstance(body, VoidBody):
                told.pop(EventId(body.event_id), None)
    return told


def _note(event: JournalEvent, at: datetime, names: Mapping[StopId, str]) -> CrewNote:
    is_aboard = event.place.kind in (PlaceKind.VEHICLE, PlaceKind.STORE)
    note = CrewNote(
        event_id=event.event_id,
        kind=event.kind,
        at=at,
        vehicle_id=VehicleId(event.place.key if is_aboard else ""),
        visit_id=event.visit_id,
        stop_id=event.stop_id,
        stop_name="" if event.stop_id is None else names.get(event.stop_id, str(event.stop_id)),
    )
    match event.body:
        case SkipBody() as body:
            return replace(note, what=body.reason.value, note=body.note)
        case DefectBody() as body:
            return replace(note, what=body.defect.value, note=body.note, photo_ids=body.photo_ids)
        case UnplannedStopBody() as body:
            return replace(note, stop_name=body.name, note=body.note, lon=body.lon, lat=body.lat)
    return note


def _named(note: CrewNote, unplanned: Mapping[VisitId | None, str]) -> CrewNote:
    return replace(note, stop_name=unplanned.get(note.visit_id, ""))
