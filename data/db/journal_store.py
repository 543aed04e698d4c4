"""The journal of a region as it is kept: events, clocks, and what was refused."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import String, bindparam, cast, or_, update
from sqlmodel import Session, col, func, select

from data.db.tables.circulation import (
    ClockMarkRow,
    JournalClockRow,
    JournalEventRow,
    RefusedEventRow,
)
from data.model.errors import NotFoundError
from data.model.journal_kept import KeptEvent, KeptMark, RefusedEvent

_AT_ONCE = 500


def add_events(session: Session, region_id: str, events: Iterable[KeptEvent]) -> None:
    """Store events that are new; the region's turn must be held."""
    session.add_all(
        JournalEventRow(
            region_id=region_id,
            event_id=event.event_id,
            device_id=event.device_id,
            sequence=event.sequence,
            digest=event.digest,
            received_at=event.received_at,
            carried_by=event.carried_by,
            facts=dict(event.document),
        )
        for event in events
    )
    session.flush()


def load_events(session: Session, region_id: str, *, after_no: int = 0) -> tuple[KeptEvent, ...]:
    """Events that are not settled, in the order in which they came."""
    asked = (
        select(JournalEventRow)
        .where(
            JournalEventRow.region_id == region_id,
            col(JournalEventRow.settled_at).is_(None),
            col(JournalEventRow.event_no) > after_no,
        )
        .order_by(col(JournalEventRow.event_no))
    )
    return tuple(_event(row) for row in session.exec(asked))


def set_settled(session: Session, region_id: str, settled: Mapping[str, datetime]) -> None:
    """Note that the base holds what events came to, and when they happened."""
    told = update(JournalEventRow).where(
        col(JournalEventRow.region_id) == region_id,
        col(JournalEventRow.event_id) == bindparam("told_id"),
    )
    rows = [{"told_id": key, "told_at": at} for key, at in settled.items()]
    session.connection().execute(told.values(settled_at=bindparam("told_at")), rows)


def settled_ids(session: Session, region_id: str, event_ids: Sequence[str]) -> dict[str, str]:
    """Of some events those that are settled, by id, with their digests."""
    found: dict[str, str] = {}
    for at in range(0, len(event_ids), _AT_ONCE):
        asked = select(JournalEventRow.event_id, JournalEventRow.digest).where(
            JournalEventRow.region_id == region_id,
            col(JournalEventRow.settled_at).is_not(None),
            col(JournalEventRow.event_id).in_(event_ids[at : at + _AT_ONCE]),
        )
        found |= dict(session.exec(asked).all())
    return found


def settled_sequences(
    session: Session, region_id: str, device_id: str, numbers: Sequence[int]
) -> dict[int, str]:
    """Settled events of a device by their numbers."""
    found: dict[int, str] = {}
    for at in range(0, len(numbers), _AT_ONCE):
        asked = select(JournalEventRow.sequence, JournalEventRow.event_id).where(
            JournalEventRow.region_id == region_id,
            JournalEventRow.device_id == device_id,
            col(JournalEventRow.settled_at).is_not(None),
            col(JournalEventRow.sequence).in_(numbers[at : at + _AT_ONCE]),
        )
        found |= dict(session.exec(asked).all())
    return found


def settled_that_tell(
    session: Session, region_id: str, texts: Sequence[str], *, limit: int | None = None
) -> tuple[KeptEvent, ...]:
    """Settled events in whose documents any of some ids stands, by when they happened."""
    document = cast(JournalEventRow.facts, String)
    wanted = [document.contains(json.dumps(text), autoescape=True) for text in texts if text]
    if not wanted:
        return ()
    asked = select(JournalEventRow).where(
        JournalEventRow.region_id == region_id,
        col(JournalEventRow.settled_at).is_not(None),
        or_(*wanted),
    )
    asked = asked.order_by(col(JournalEventRow.settled_at).desc()).limit(limit)
    return tuple(_event(row) for row in reversed(session.exec(asked).all()))


def anchors(session: Session, region_id: str) -> dict[str, Mapping[str, Any]]:
    """Where the settled parts of journals end, by device, as documents."""
    asked = select(JournalClockRow.device_id, JournalClockRow.facts).where(
        JournalClockRow.region_id == region_id
    )
    return dict(session.exec(asked).all())


def set_anchors(
    session: Session, region_id: str, documents: Mapping[str, Mapping[str, Any]]
) -> None:
    """Keep where the settled parts of journals end."""
    for device_id, document in documents.items():
        row = session.get(JournalClockRow, (region_id, device_id))
        if row is None:
            row = JournalClockRow(region_id=region_id, device_id=device_id)
            session.add(row)
        row.facts = dict(document)
    session.flush()


def last_numbers(session: Session, region_id: str) -> tuple[int, int]:
    """The greatest numbers of the region's events and marks; 0 where it has none."""
    event_no = select(func.max(JournalEventRow.event_no)).where(
        JournalEventRow.region_id == region_id
    )
    mark_no = select(func.max(ClockMarkRow.mark_no)).where(ClockMarkRow.region_id == region_id)
    return session.exec(event_no).one() or 0, session.exec(mark_no).one() or 0


def add_marks(session: Session, region_id: str, marks: Iterable[KeptMark]) -> None:
    """Store marks of clocks; the region's turn must be held."""
    session.add_all(
        ClockMarkRow(
            region_id=region_id,
            device_id=mark.device_id,
            sequence=mark.sequence,
            device_at=mark.device_at,
            server_at=mark.server_at,
        )
        for mark in marks
    )
    session.flush()


def load_marks(session: Session, region_id: str, *, after_no: int = 0) -> tuple[KeptMark, ...]:
    """Marks in the order in which they came."""
    asked = (
        select(ClockMarkRow)
        .where(ClockMarkRow.region_id == region_id, col(ClockMarkRow.mark_no) > after_no)
        .order_by(col(ClockMarkRow.mark_no))
    )
    return tuple(
        KeptMark(
            device_id=row.device_id,
            sequence=row.sequence,
            device_at=row.device_at,
            server_at=row.server_at,
            mark_no=row.mark_no or 0,
        )
        for row in session.exec(asked)
    )


def add_refused(session: Session, region_id: str, refused: Sequence[RefusedEvent]) -> None:
    """Keep what could not be taken, each once however often it is sent."""
    digests = [one.digest for one in refused]
    asked = select(RefusedEventRow.digest).where(
        RefusedEventRow.region_id == region_id, col(RefusedEventRow.digest).in_(digests)
    )
    known = set(session.exec(asked))
    for one in refused:
        if one.digest in known:
            continue
        known.add(one.digest)
        session.add(
            RefusedEventRow(
                region_id=region_id,
                digest=one.digest,
                device_id=one.device_id,
                event_id=one.event_id,
                code=one.code,
                reasons=dict(one.reasons),
                facts=dict(one.document),
                carried_by=one.carried_by,
                refused_at=one.refused_at,
            )
        )
    session.flush()


def list_refused(
    session: Session, region_id: str, *, with_seen: bool = False, limit: int = 200
) -> tuple[RefusedEvent, ...]:
    """What could not be taken, the newest first."""
    asked = select(RefusedEventRow).where(RefusedEventRow.region_id == region_id)
    if not with_seen:
        asked = asked.where(col(RefusedEventRow.seen_at).is_(None))
    asked = asked.order_by(col(RefusedEventRow.refused_no).desc()).limit(limit)
    return tuple(_refused(row) for row in session.exec(asked))


def set_seen(session: Session, region_id: str, refused_no: int, at: datetime) -> RefusedEvent:
    """Put a refused event aside: a person has looked at it.

    Raises
    ------
    NotFoundError
        ``circulation.unknown_refused``.
    """
    row = session.get(RefusedEventRow, refused_no)
    if row is None or row.region_id != region_id:
        raise NotFoundError("circulation.unknown_refused", number=refused_no)
    row.seen_at = row.seen_at or at
    session.flush()
    return _refused(row)


def set_documents(
    session: Session, region_id: str, documents: Mapping[str, Mapping[str, Any]]
) -> None:
    """Put other documents in the place of events', by their ids: what told of a person is gone."""
    for event_id, document in documents.items():
        asked = select(JournalEventRow).where(
            JournalEventRow.region_id == region_id, JournalEventRow.event_id == event_id
        )
        session.exec(asked).one().facts = dict(document)
    session.flush()


def blank_refused(session: Session, region_id: str, patron_id: str, card: str) -> None:
    """Forget what refused events say that speak of a person."""
    asked = select(RefusedEventRow).where(RefusedEventRow.region_id == region_id)
    for row in session.exec(asked):
        body = row.facts.get("body")
        told = body if isinstance(body, dict) else {}
        if told.get("patron_id") == patron_id or (card and told.get("card") == card):
            row.facts = {}
            row.reasons = {}
    session.flush()


def _event(row: JournalEventRow) -> KeptEvent:
    return KeptEvent(
        event_id=row.event_id,
        device_id=row.device_id,
        sequence=row.sequence,
        digest=row.digest,
        received_at=row.received_at,
        carried_by=row.carried_by,
        document=row.facts,
        event_no=row.event_no or 0,
    )


def _refused(row: RefusedEventRow) -> RefusedEvent:
    return RefusedEvent(
        digest=row.digest,
        code=row.code,
        refused_at=row.refused_at,
        carried_by=row.carried_by,
        document=row.facts,
        reasons=row.reasons,
        device_id=row.device_id,
        event_id=row.event_id,
        refused_no=row.refused_no or 0,
        seen_at=row.seen_at,
    )
