"""The settled past of a region's journal folded into its base, in one transaction."""

import logging
from datetime import datetime, timedelta

from pydantic import TypeAdapter
from sqlmodel import Session

from api.services.ledger import ANCHOR, Ledger
from api.state import Service
from data.db import (
    circulation_store,
    journal_store,
    library_store,
    region_store,
    visit_record_store,
)
from data.db.engine import reading
from data.model.loans import Loan
from fleet.circulation_settle import Settlement, is_ended, settle
from fleet.crew_log import VisitLog

log = logging.getLogger(__name__)
VISIT: TypeAdapter[VisitLog] = TypeAdapter(VisitLog)
SETTLE_DAYS = 60
"""What is older waits for no tablet any more: long after a tablet's copy has expired."""
LEAST = 1000
"""Fewer events are not worth a new base, which every process has to read anew."""
MOST = 50_000
"""So many at a time: the database is held meanwhile."""


def settle_all(service: Service) -> int:
    """Fold what is settled in every region; gives how many events."""
    before = service.clock() - timedelta(days=SETTLE_DAYS)
    with reading(service.engine) as session:
        regions = [r.region_id for r in region_store.list_regions(session)]
    return sum(settle_region(service, region_id, before) for region_id in regions)


def settle_region(
    service: Service, region_id: str, before: datetime, *, least: int = LEAST, most: int = MOST
) -> int:
    """Fold what happened before an instant and is settled; gives how many events.

    Nothing is folded that waits for a person, of which the library's system or the records of stop
    visits have yet to be told. Events stay stored, to be looked up.
    """
    with service.ledgers.reading(service.engine, region_id) as (session, ledger):
        if _settlement(session, ledger, before, least, most) is None:
            return 0
    with service.ledgers.changing(service.engine, region_id) as (session, ledger):
        found = _settlement(session, ledger, before, least, most)
        if found is None:
            return 0
        _store(session, ledger, found)
        log.info("circulation.settled", extra={"events": len(found.event_ids)})
        return len(found.event_ids)


def _settlement(
    session: Session, ledger: Ledger, before: datetime, least: int, most: int
) -> Settlement | None:
    steps = ledger.replay.steps
    if len(steps) < least or steps[least - 1].timed.at >= before:
        return None
    region_id = ledger.region_id
    if visit_record_store.record_book(session, region_id).event_no < ledger.event_no:
        # The records of stop visits are made of events that are replayed.
        return None
    link = library_store.link(session, region_id)
    if link.is_on and link.taken_revision != ledger.head.revision:
        return None
    held = library_store.unsent_events(session, region_id)
    found = settle(ledger.replay, ledger.journal, before, held=held, most=most)
    return found if found is not None and len(found.event_ids) >= least else None


def _store(session: Session, ledger: Ledger, found: Settlement) -> None:
    """Store a settlement; the region's turn must be held."""
    region_id = ledger.region_id
    things = [t for t in found.things.values() if t is not None]
    gone: dict[type, list[str]] = {}
    for (kind, key), thing in found.things.items():
        if kind is not VisitLog and (thing is None or is_ended(thing)):
            gone.setdefault(kind, []).append(key)
    journal_store.set_settled(session, region_id, {str(k): at for k, at in found.event_ids.items()})
    journal_store.set_anchors(
        session,
        region_id,
        {key: ANCHOR.dump_python(a, mode="json") for key, a in found.anchors.items()},
    )
    circulation_store.settle(
        session,
        region_id,
        things=[t for t in things if not isinstance(t, VisitLog) and not is_ended(t)],
        ended=[t for t in things if isinstance(t, Loan) and is_ended(t)],
        visits={
            t.visit_id: VISIT.dump_python(t, mode="json") for t in things if isinstance(t, VisitLog)
        },
        moves=found.moves,
        gone=gone,
        touched=found.touched,
        until=found.until,
    )
