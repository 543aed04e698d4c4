"""Live events: what open pages want to know, in the order in which it became true.

Ids are handed out just before the commit, one transaction after the other. Otherwise an event of
a long transaction would get its id early and be committed late, and a page that had read past
that id would never see it.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import event, func
from sqlalchemy.orm import Session as OrmSession
from sqlmodel import Session, col, delete, select, text

from data.db.tables.records import EventRow
from data.model.records import LiveEvent

PENDING = "events"
LOCK = 4_201_001
"""Number of the advisory lock under which PostgreSQL hands out ids of events."""


def emit(
    session: Session,
    topic: str,
    subject: str = "",
    region_id: str | None = None,
    **facts: Any,
) -> None:
    """Tell open pages of something, if and when the transaction is committed.

    Parameters
    ----------
    topic
        ``job``, ``plan``, ``timetable``, ``notice`` …: the name of the event in the stream.
    subject
        Id of the thing.
    region_id
        Only who works in the region is told; ``None``: everybody signed in.
    **facts
        A few small values as JSON, no personal data; pages fetch the rest.
    """
    row = EventRow(
        at=datetime.now(UTC), topic=topic, subject=subject, region_id=region_id, facts=facts
    )
    session.info.setdefault(PENDING, []).append(row)


@event.listens_for(Session, "before_commit")
def _store_pending(session: OrmSession) -> None:
    pending = session.info.pop(PENDING, None)
    if not pending:
        return
    session.flush()
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"select pg_advisory_xact_lock({LOCK})"))
    session.add_all(pending)
    session.flush()


@event.listens_for(Session, "after_rollback")
def _forget_pending(session: OrmSession) -> None:
    session.info.pop(PENDING, None)


def events_after(session: Session, event_id: int, *, limit: int = 500) -> list[LiveEvent]:
    """Events that came after one, in order."""
    rows = session.exec(
        select(EventRow)
        .where(col(EventRow.event_id) > event_id)
        .order_by(col(EventRow.event_id))
        .limit(limit)
    )
    return [_event(row) for row in rows]


def newest_id(session: Session) -> int:
    """Id of the newest event; 0 where there is none."""
    return session.exec(select(func.max(EventRow.event_id))).one() or 0


def oldest_id(session: Session) -> int:
    """Id of the oldest event that is kept; 0 where there is none."""
    return session.exec(select(func.min(EventRow.event_id))).one() or 0


def drop_before(session: Session, at: datetime, *, topic: str | None = None) -> int:
    """Delete older events but the newest of all, so that no id is given twice; how many."""
    query = (
        delete(EventRow)
        .where(col(EventRow.at) < at)
        .where(col(EventRow.event_id) < newest_id(session))
    )
    if topic is not None:
        query = query.where(col(EventRow.topic) == topic)
    return int(session.exec(query).rowcount)


def _event(row: EventRow) -> LiveEvent:
    assert row.event_id is not None
    return LiveEvent(
        event_id=row.event_id,
        at=row.at,
        topic=row.topic,
        subject=row.subject,
        region_id=row.region_id,
        facts=row.facts,
    )
