"""Requests for stops, as they are stored."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import Session, col, delete, select, update

from data.db.tables.stop_requests import StopRequestRow
from data.model.errors import NotFoundError
from data.model.stop_request import CONTACT_DAYS, KEEP_DAYS, RequestState, StopRequest


def add_request(session: Session, request: StopRequest, token_hash: str) -> None:
    """Keep a new request."""
    values = asdict(request) | {"state": request.state.value, "score": dict(request.score)}
    session.add(StopRequestRow(token_hash=token_hash, **values))
    session.flush()


def get_request(session: Session, region_id: str, request_id: str) -> StopRequest:
    """A request of a region.

    Raises
    ------
    NotFoundError
        ``stop_request.unknown``.
    """
    return _request(_row(session, region_id, request_id))


def request_of_token(session: Session, region_id: str, token_hash: str) -> StopRequest:
    """The request that a secret address is of.

    Raises
    ------
    NotFoundError
        ``stop_request.unknown``.
    """
    asked = select(StopRequestRow).where(
        StopRequestRow.region_id == region_id, StopRequestRow.token_hash == token_hash
    )
    row = session.exec(asked).first()
    if row is None:
        raise NotFoundError("stop_request.unknown")
    return _request(row)


def list_requests(
    session: Session, region_id: str, *, states: Sequence[RequestState] = (), limit: int = 500
) -> tuple[StopRequest, ...]:
    """Requests of a region, the newest first."""
    asked = select(StopRequestRow).where(StopRequestRow.region_id == region_id)
    if states:
        asked = asked.where(col(StopRequestRow.state).in_([s.value for s in states]))
    newest = col(StopRequestRow.created_at).desc()
    rows = session.exec(asked.order_by(newest, col(StopRequestRow.request_id)).limit(limit))
    return tuple(_request(row) for row in rows)


def counted_requests(session: Session, region_id: str) -> tuple[StopRequest, ...]:
    """Requests that a person has let count among those who are expected."""
    asked = select(StopRequestRow).where(
        StopRequestRow.region_id == region_id, col(StopRequestRow.counted_people).is_not(None)
    )
    rows = session.exec(asked.order_by(col(StopRequestRow.created_at)))
    return tuple(_request(row) for row in rows)


def count_open(session: Session, region_id: str) -> int:
    """How many wait for an answer."""
    asked = select(func.count()).where(
        StopRequestRow.region_id == region_id, StopRequestRow.state == RequestState.OPEN.value
    )
    return int(session.exec(asked).one())


def save_request(session: Session, request: StopRequest) -> None:
    """Write what has become of a request."""
    row = _row(session, request.region_id, request.request_id)
    row.state, row.answer = request.state.value, request.answer
    row.answered_at, row.answered_by = request.answered_at, request.answered_by
    row.score, row.scored_at = dict(request.score), request.scored_at
    row.counted_people = request.counted_people
    row.counted_at, row.counted_by = request.counted_at, request.counted_by
    session.add(row)
    session.flush()


def erase_old(session: Session, now: datetime) -> int:
    """Forget how to reach those that were answered long ago, and requests that are old."""
    answered = now - timedelta(days=CONTACT_DAYS)
    session.exec(
        update(StopRequestRow)
        .where(col(StopRequestRow.answered_at) < answered, col(StopRequestRow.contact) != "")
        .values(contact="")
    )
    old = now - timedelta(days=KEEP_DAYS)
    done = session.exec(delete(StopRequestRow).where(col(StopRequestRow.created_at) < old))
    return int(done.rowcount)


def _row(session: Session, region_id: str, request_id: str) -> StopRequestRow:
    row = session.get(StopRequestRow, request_id)
    if row is None or row.region_id != region_id:
        raise NotFoundError("stop_request.unknown")
    return row


def _request(row: StopRequestRow) -> StopRequest:
    values = row.model_dump(exclude={"token_hash"})
    return StopRequest(**values | {"state": RequestState(row.state)})
