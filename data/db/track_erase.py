"""Forgetting what was told of one date: for a day that is driven anew, as the demo's is."""

from datetime import date, datetime

from sqlmodel import Session, col, delete, select, update

from data.db.tables.tracking import (
    AlertRow,
    DayEndsRow,
    FixRow,
    FollowerRow,
    StopActualRow,
    TrackChunkRow,
    TrackerRow,
    VehicleNowRow,
)
from data.model.track_bytes import SLOT_S, us_of

_US = 1_000_000


def forget_day(
    session: Session, region_id: str, on: date, from_at: datetime, until_at: datetime
) -> None:
    """Erase fixes, live state, what became of stop visits and warnings of a region's date."""
    numbers = select(TrackerRow.tracker_no).where(TrackerRow.region_id == region_id)
    first, last = us_of(from_at), us_of(until_at)
    session.exec(
        delete(FixRow).where(
            col(FixRow.tracker_no).in_(numbers),
            col(FixRow.fix_us) >= first,
            col(FixRow.fix_us) < last,
        )
    )
    session.exec(
        delete(TrackChunkRow).where(
            col(TrackChunkRow.tracker_no).in_(numbers),
            col(TrackChunkRow.slot) >= first // (SLOT_S * _US),
            col(TrackChunkRow.slot) < last // (SLOT_S * _US),
        )
    )
    # Whoever followed is gone, whatever time it was for him.
    session.exec(update(FollowerRow).values(owner=None, owned_until_at=None))
    session.exec(delete(VehicleNowRow).where(col(VehicleNowRow.region_id) == region_id))
    for table in (StopActualRow, DayEndsRow, AlertRow):
        session.exec(
            delete(table).where(
                col(table.region_id) == region_id,
                col(table.service_date) == on,
            )
        )
    session.flush()
