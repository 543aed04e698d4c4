"""Due dates and holds follow cancelled and moved visits, as a step of the cascade.

The step writes one event for each stop that loses visits; the replay moves what rests on them, also
of loans that tablets bring later. An undo takes the event back, and all is as it was, to the day.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlmodel import Session

from api.services.cascade import Change, join
from api.services.own_journal import Entry, write_down
from data.db import circulation_store, event_store, publication_store
from data.model.cancellation import Effect
from data.model.journal import EventKind
from data.model.journal_bodies import VisitDate, VisitsMovedBody, VoidBody, parse_visit_date
from data.model.place import StopId
from data.model.publication import PromisedVisit
from fleet.circulation_due import MOST_COMING, coming_visits, visits_moved


class CirculationStep:
    """Tells the journal which visits are gone and which come instead."""

    name = "circulation"

    def apply(self, session: Session, change: Change) -> Iterator[Effect]:
        if not _lends(session, change.region_id):
            return
        bodies = visits_moved(change.before, _visits(session, change))
        events = write_down(
            session,
            change.region_id,
            [_entry(change, stop_id, body) for stop_id, body in bodies.items()],
            at=change.at,
        )
        for event, (stop_id, body) in zip(events, bodies.items(), strict=True):
            told = {"stop_id": stop_id, "gone": list(body.gone)}
            yield Effect(step=self.name, subject=event.event_id, before=None, after=told)
        if events:
            event_store.emit(session, "circulation", "", change.region_id, moved=len(events))

    def revert(self, session: Session, change: Change, effects: Sequence[Effect]) -> None:
        entries = []
        for effect in effects:
            told = effect.after or {}
            body = VoidBody(event_id=effect.subject)
            entries.append(Entry(kind=EventKind.VOID, body=body, service_date=change.now[0]))
            entries += self._passed(session, change, told)
        write_down(session, change.region_id, entries, at=change.at)
        if entries:
            event_store.emit(session, "circulation", "", change.region_id, moved=len(effects))

    def _passed(self, session: Session, change: Change, told: Mapping[str, Any]) -> Iterator[Entry]:
        """Visits whose time is over stay cancelled: what rests on them still has to move."""
        gone = [parse_visit_date(text) for text in told.get("gone", ())]
        over = [v for v in gone if v.opens_date < change.now[0]]
        if not over:
            return
        stop_id = StopId(str(told["stop_id"]))
        visits = publication_store.load_visits(
            session, change.region_id, from_date=over[0].opens_date, stop_id=stop_id
        )
        coming = [v for v in coming_visits(visits, stop_id) if v.opens_date >= change.now[0]]
        body = VisitsMovedBody(gone=_told(over), coming=_told(coming[:MOST_COMING]))
        yield _entry(change, stop_id, body)


def _told(visits: Sequence[VisitDate]) -> tuple[str, ...]:
    return tuple(map(str, visits))


def _entry(change: Change, stop_id: StopId, body: VisitsMovedBody) -> Entry:
    return Entry(
        kind=EventKind.VISITS_MOVED,
        body=body,
        service_date=change.now[0],
        stop_id=stop_id,
    )


def _lends(session: Session, region_id: str) -> bool:
    return circulation_store.circulation_head(session, region_id).revision > 0


def _visits(session: Session, change: Change) -> tuple[PromisedVisit, ...]:
    """All visits of the stops concerned as they stand now, from the first that changed on."""
    if not change.before:
        return ()
    first = min(v.service_date for v in change.before) - timedelta(days=1)
    stops = {v.stop_id for v in change.before}
    found = publication_store.load_visits(session, change.region_id, from_date=first)
    return tuple(v for v in found if v.stop_id in stops)


join(CirculationStep())
