"""A person corrects a count on record: with a reason, beside what was, never in its place."""

import uuid
import zlib
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from api.services.duty import service_date_of
from data.db import audit_store, event_store, publication_store, visit_record_store
from data.model.accounts import Caller, Role
from data.model.errors import AccessError, ConflictError, InputError
from data.model.stop_counts import MOST_COUNTED, NAMES
from data.model.visit_record import CountCorrection, VisitRecord

CREW_DAYS = 3
"""A crew may correct what is not older; later a librarian or dispatcher does."""
EDITORS = (Role.DISPATCHER, Role.LIBRARIAN)


def mark_of(record: VisitRecord) -> int:
    """A number that tells a record as it was seen from what has become of it (``If-Match``)."""
    told = (record.state, sorted(record.counts.items()), record.num_corrections)
    return zlib.crc32(repr(told).encode()) % 1_000_000_000


def may_correct(asking: Caller, record: VisitRecord, today: date) -> bool:
    """Whether somebody may correct a record.

    Librarians and dispatchers may. A crew may for three days, its own counts: those of its vehicle
    on its tablet, and on an account those that no other account has made.
    """
    if asking.may(*EDITORS):
        return True
    if not asking.may(Role.CREW) or record.service_date <= today - timedelta(days=CREW_DAYS):
        return False
    if asking.device_id is not None:
        return asking.vehicle_id == record.vehicle_id
    return not record.counted_by or asking.account_id in record.counted_by


def correct(
    session: Session,
    region_id: str,
    key: str,
    *,
    name: str,
    value: int,
    reason: str,
    expect_mark: int | None,
    by: Caller,
    at: datetime,
) -> VisitRecord:
    """Set a count of a record by a correction; gives the record as it is then.

    Raises
    ------
    AccessError
        ``record.not_yours``.
    ConflictError
        ``record.stale`` where it is no longer as it was seen.
    InputError
        ``counts.unknown``, ``counts.too_many``, ``record.same``, ``record.no_reason``,
        ``record.long_reason``.
    NotFoundError
        ``region.unknown``, ``record.unknown``.
    """
    head = publication_store.region_head(session, region_id)
    visit_record_store.hold_records(session, region_id)
    record = visit_record_store.record_of(session, region_id, key)
    if not may_correct(by, record, service_date_of(at, ZoneInfo(head.time_zone))):
        raise AccessError("record.not_yours", days=CREW_DAYS)
    if expect_mark is not None and expect_mark != mark_of(record):
        raise ConflictError("record.stale", stop=record.name)
    if name not in NAMES:
        raise InputError("counts.unknown", name=name[:64])
    if not 0 <= value <= MOST_COUNTED:
        raise InputError("counts.too_many", name=name, value=value, limit=MOST_COUNTED)
    was = record.counts.get(name, 0)
    if value == was:
        raise InputError("record.same", name=name, value=value)
    correction = CountCorrection(
        correction_id=uuid.uuid4().hex,
        region_id=region_id,
        key=key,
        name=name,
        amount=value - was,
        reason=reason.strip(),
        corrected_at=at,
        corrected_by=by.account_id or by.device_id or "",
    )
    changed = visit_record_store.add_correction(session, correction)
    audit_store.record(
        session, by, "record.correct", key, region_id=region_id,
        date=record.service_date.isoformat(), stop=record.name, name=name, before=was, after=value,
        reason=correction.reason,
    )  # fmt: skip
    event_store.emit(session, "records", key, region_id, corrections=changed.num_corrections)
    return changed
