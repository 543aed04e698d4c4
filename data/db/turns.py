"""Who comes second waits: transactions that must not go on side by side.

SQLite has one writer at a time, and whoever begins to write sees all that was committed. On
PostgreSQL two transactions may read the same state, find it right and both change it, so that the
second silently undoes the first.
"""

from sqlmodel import Session, text


def take_turn(session: Session, subject: str) -> None:
    """Wait until no other transaction holds a turn of the same subject; kept to the end of this."""
    if session.get_bind().dialect.name == "postgresql":
        lock = text("select pg_advisory_xact_lock(hashtextextended(:subject, 0))")
        session.execute(lock, {"subject": subject})
