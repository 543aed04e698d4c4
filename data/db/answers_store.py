"""Answers to requests that named an idempotency key."""

from datetime import datetime

from sqlmodel import Session, col, delete

from data.db.tables.records import AnswerRow
from data.db.turns import take_turn
from data.model.records import KeptAnswer


def kept_answer(session: Session, key: str) -> KeptAnswer | None:
    """The answer kept under a key.

    A second request with the key waits here until the first is done.
    """
    take_turn(session, f"answer {key}")
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
