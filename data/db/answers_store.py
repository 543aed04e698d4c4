"""Answers to requests that named an idempotency key."""

from datetime import datetime

from sqlmodel import Session, col, delete, text

from data.db.tables.records import AnswerRow
from data.model.records import KeptAnswer


def kept_answer(session: Session, key: str) -> KeptAnswer | None:
    """The answer kept under a key.

    On PostgreSQL a second request with the key waits here until the first is done; on SQLite
    there is one writer at a time anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        lock = text("select pg_advisory_xact_lock(hashtextextended(:key, 0))")
        session.execute(lock, {"key": key})
    row = session.get(AnswerRow, key)
    if row is None:
        return None
    return KeptAnswer(
        key=row.key,
        request_hash=row.request_hash,
        status=row.status,
        headers=row.headers,
        body=row.body,
        at=row.at,
    )


def keep_answer(session: Session, answer: KeptAnswer) -> None:
    """Keep an answer, in the transaction of what it tells."""
    session.add(
        AnswerRow(
            key=answer.key,
            request_hash=answer.request_hash,
            status=answer.status,
            headers=dict(answer.headers),
            body=answer.body,
            at=answer.at,
        )
    )


def drop_before(session: Session, at: datetime) -> int:
    """Delete older answers; how many."""
    return int(session.exec(delete(AnswerRow).where(col(AnswerRow.at) < at)).rowcount)
