"""What waits to be sent: taken by one sender at a time, for a while."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, inspect
from sqlmodel import Session, col, or_, select, update

from data.db.tables.letters import LetterRow
from data.db.tables.reports import ReportDeliveryRow

WAITING = "waiting"


def has_due[Row: (LetterRow, ReportDeliveryRow)](
    session: Session, kind: type[Row], now: datetime
) -> bool:
    """Whether anything is to be sent."""
    asked = select(kind.tries).where(kind.state == WAITING, col(kind.due_at) <= now)
    return session.exec(asked.limit(1)).first() is not None


def claim_due[Row: (LetterRow, ReportDeliveryRow)](
    session: Session,
    kind: type[Row],
    now: datetime,
    lasts: timedelta,
    *only: ColumnElement[bool],
) -> Row | None:
    """What has been due longest, for whoever asks alone; ``None`` where nothing is.

    One more try is counted. Whoever dies with it loses it after ``lasts``, counted from ``now``:
    a round that has gone on for a while adds what has passed since. ``only`` are further
    conditions.
    """
    key = inspect(kind).primary_key[0]
    is_due = (
        col(kind.state) == WAITING,
        col(kind.due_at) <= now,
        or_(col(kind.claimed_until_at).is_(None), col(kind.claimed_until_at) < now),
        *only,
    )
    first = select(key).where(*is_due).order_by(col(kind.due_at), key)
    while (found := session.exec(first.limit(1)).first()) is not None:
        done = session.exec(
            update(kind)
            .where(key == found, *is_due)
            .values(claimed_until_at=now + lasts, tries=col(kind.tries) + 1)
            .execution_options(synchronize_session=False)
        )
        if done.rowcount == 1:
            return session.get(kind, found, populate_existing=True)
        # Another sender was quicker.
    return None
