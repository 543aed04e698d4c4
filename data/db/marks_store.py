"""Marks of devices' clocks, as whoever looks after devices asks for them."""

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session, col, select

from data.db.tables.circulation import ClockMarkRow
from data.model.journal_kept import KeptMark


def recent_marks(
    session: Session, region_ids: Iterable[str], *, since_at: datetime, device_id: str = ""
) -> tuple[KeptMark, ...]:
    """Marks of several regions' devices since a time, or of one device's journals."""
    asked = select(ClockMarkRow).where(
        col(ClockMarkRow.region_id).in_(list(region_ids)), col(ClockMarkRow.server_at) >= since_at
    )
    if device_id:
        asked = asked.where(col(ClockMarkRow.device_id).startswith(device_id, autoescape=True))
    return tuple(
        KeptMark(
            device_id=row.device_id,
            sequence=row.sequence,
            device_at=row.device_at,
            server_at=row.server_at,
        )
        for row in session.exec(asked)
    )
