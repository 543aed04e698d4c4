"""Keeps the records of stop visits up with what becomes known of them.

Known are the promise, what the follower found, the crew's journal, what the journal counts of
loans, and corrections. Whatever came since the last time names service dates; those are folded
anew, whole, and what came out the same is not written. Whoever asks twice changes nothing.
"""

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from api.services.duty import service_date_of
from api.services.ledger import Ledger
from api.services.visit_records_days import Fold, Kept
from api.state import Service
from data.db import (
    event_store,
    journal_store,
    publication_store,
    region_store,
    visit_record_store,
)
from data.db.engine import reading
from data.db.publication_store import RegionHead
from data.db.visit_record_store import RecordBook
from data.model.errors import NotFoundError
from data.model.journal import EventId
from data.model.journal_bodies import DecisionBody, VoidBody

log = logging.getLogger(__name__)
AT_ONCE_DAYS = 31
"""Dates folded in one transaction."""
LOOK_BACK_DAYS = 31
"""A change of what is published may have changed dates this far back."""
TOPIC = "records"


def keep_all(service: Service) -> int:
    """Keep up the records of all regions; gives how many changed."""
    with reading(service.engine) as session:
        regions = [r.region_id for r in region_store.list_regions(session)]
    num = 0
    for region_id in regions:
        try:
            num += keep_records(service, region_id).num_changed
        except NotFoundError:
            log.info("records.no_region", extra={"region": region_id})
    return num


def keep_records(service: Service, region_id: str, *, dates: Iterable[date] = ()) -> Kept:
    """Bring a region's records to what is known now.

    Parameters
    ----------
    dates
        To be folded besides those that something new is known of.

    Raises
    ------
    NotFoundError
        ``region.unknown``.
    """
    asked = frozenset(dates)
    if not asked:
        with reading(service.engine) as session:
            if not _is_behind(session, region_id, service.clock()):
                return Kept()
    total, done = Kept(), set[date]()
    standing: RecordBook | None = None
    is_whole = False
    while not is_whole:
        # One transaction a month: others must not wait until a year is written up.
        with service.ledgers.changing(service.engine, region_id) as (session, ledger):
            book = visit_record_store.hold_records(session, region_id)
            head = publication_store.region_head(session, region_id)
            now = service.clock()
            # What comes meanwhile is taken in by the next round.
            standing = standing or _standing(session, region_id, head, now)
            wanted = sorted((asked | _due_dates(session, ledger, book, head, now)) - done)
            some, is_whole = wanted[:AT_ONCE_DAYS], len(wanted) <= AT_ONCE_DAYS
            visit_record_store.drop_due(session, region_id, some)
            total += Fold(session, ledger, head, book, now=now).run(some)
            done.update(some)
            if is_whole:
                visit_record_store.note_book(session, region_id, standing)
                if total.num_changed:
                    event_store.emit(session, TOPIC, "", region_id, records=total.num_changed)
    return total


def _yesterday(head: RegionHead, now: datetime) -> date:
    return service_date_of(now, ZoneInfo(head.time_zone)) - timedelta(days=1)


def _standing(session: Session, region_id: str, head: RegionHead, now: datetime) -> RecordBook:
    event_no, mark_no = journal_store.last_numbers(session, region_id)
    return RecordBook(
        event_no=event_no,
        mark_no=mark_no,
        publication_revision=publication_store.publication_state(session, region_id).revision,
        kept_until_date=_yesterday(head, now),
    )


def _is_behind(session: Session, region_id: str, now: datetime) -> bool:
    book = visit_record_store.record_book(session, region_id)
    head = publication_store.region_head(session, region_id)
    today = _yesterday(head, now) + timedelta(days=1)
    if any(on <= today for on in visit_record_store.due_dates(session, region_id)):
        return True
    return replace(_standing(session, region_id, head, now), revision=book.revision) != book


def _due_dates(
    session: Session, ledger: Ledger, book: RecordBook, head: RegionHead, now: datetime
) -> set[date]:
    """Service dates of which something may be known that was not."""
    region_id, yesterday = head.region_id, _yesterday(head, now)
    today = yesterday + timedelta(days=1)
    found = _journal_dates(session, ledger, book)
    found |= visit_record_store.due_dates(session, region_id)
    state = publication_store.publication_state(session, region_id)
    if book.publication_revision != state.revision:
        first = today - timedelta(days=LOOK_BACK_DAYS)
        told = publication_store.load_visits(session, region_id, from_date=first, until_date=today)
        found |= {v.service_date for v in told}
    if book.kept_until_date is None or book.kept_until_date < yesterday:
        after = book.kept_until_date
        told = publication_store.load_visits(
            session, region_id, from_date=after, until_date=yesterday
        )
        found |= {v.service_date for v in told} | {today}
    # What is settled is not replayed any more: its records stand, and persons correct them.
    return {on for on in found if on <= today and not ledger.is_settled(on)}


def _journal_dates(session: Session, ledger: Ledger, book: RecordBook) -> set[date]:
    """Dates of the visits that events new to the records may have changed.

    An event changes what comes after its place in time, and one that takes another back what comes
    after that; a mark of a clock moves the events of its device since the mark before.
    """
    region_id = ledger.region_id
    fresh = journal_store.load_events(session, region_id, after_no=book.event_no)
    marks = journal_store.load_marks(session, region_id, after_no=book.mark_no)
    if not fresh and not marks:
        return set()
    new = {EventId(e.event_id) for e in fresh}
    since = _since(ledger, {m.device_id: m.sequence for m in reversed(marks)})
    targets: set[str] = set()
    for event_id in new & ledger.journal.events.keys():
        body = ledger.journal.events[event_id].body
        if isinstance(body, VoidBody | DecisionBody):
            targets.add(body.event_id)
    found: set[date] = set()
    is_after = False
    for step in ledger.replay.steps:
        event = step.timed.event
        is_after = is_after or event.event_id in new or event.event_id in targets
        is_moved = event.device_id in since and event.sequence > since[event.device_id]
        is_after = is_after or is_moved
        if is_after and event.visit_id is not None:
            found.add(event.service_date)
    return found


def _since(ledger: Ledger, first_new: dict[str, int]) -> dict[str, int]:
    """By device, the number after which its events may have moved in time."""
    since: dict[str, int] = {}
    for device_id, number in first_new.items():
        own = [m.sequence for m in ledger.journal.marks if m.device_id == device_id]
        since[device_id] = max((n for n in own if n < number), default=0)
    return since
