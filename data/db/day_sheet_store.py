"""Sheets of driven days: odometer, fuel, waybill."""

from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from data.db.tables.days import DaySheetRow
from data.model.day_sheet import DaySheet
from data.model.errors import ConflictError
from data.model.fleet import VehicleId

_COLUMNS = (
    "region_id",
    "vehicle_id",
    "service_date",
    "number",
    "odometer_out_km",
    "odometer_in_km",
    "fuel",
    "revision",
)


def get_sheet(session: Session, region_id: str, vehicle_id: VehicleId, on: date) -> DaySheet | None:
    """The sheet of a vehicle and date; ``None`` where nothing was written down."""
    row = session.get(DaySheetRow, (region_id, vehicle_id, on))
    return None if row is None else _sheet(row)


def list_sheets(
    session: Session,
    region_id: str,
    *,
    from_date: date,
    until_date: date,
    vehicle_id: VehicleId | None = None,
) -> tuple[DaySheet, ...]:
    """Sheets of a span of dates, both ends included, by date and vehicle."""
    asked = select(DaySheetRow).where(
        DaySheetRow.region_id == region_id,
        col(DaySheetRow.service_date) >= from_date,
        col(DaySheetRow.service_date) <= until_date,
    )
    if vehicle_id is not None:
        asked = asked.where(DaySheetRow.vehicle_id == vehicle_id)
    asked = asked.order_by(col(DaySheetRow.service_date), col(DaySheetRow.vehicle_id))
    return tuple(_sheet(row) for row in session.exec(asked))


def last_sheet(
    session: Session, region_id: str, vehicle_id: VehicleId, before: date
) -> DaySheet | None:
    """The vehicle's last sheet before a date."""
    asked = (
        select(DaySheetRow)
        .where(
            DaySheetRow.region_id == region_id,
            DaySheetRow.vehicle_id == vehicle_id,
            col(DaySheetRow.service_date) < before,
        )
        .order_by(col(DaySheetRow.service_date).desc())
        .limit(1)
    )
    row = session.exec(asked).first()
    return None if row is None else _sheet(row)


def put_sheet(
    session: Session,
    sheet: DaySheet,
    *,
    expect_revision: int | None,
    by: str | None,
    at: datetime,
) -> DaySheet:
    """Store a sheet, or what has become of it.

    Parameters
    ----------
    expect_revision
        Of the stored sheet, 0 where there is none yet; ``None`` takes whatever there is.

    Raises
    ------
    ConflictError
        ``store.stale``.
    """
    key = (sheet.region_id, sheet.vehicle_id, sheet.service_date)
    row = session.get(DaySheetRow, key)
    found = 0 if row is None else row.revision
    if expect_revision not in (None, found):
        subject = f"{sheet.vehicle_id} {sheet.service_date.isoformat()}"
        raise ConflictError("store.stale", subject=subject, found=found, expected=expect_revision)
    values = _values(replace(sheet, revision=found + 1)) | {"changed_at": at, "changed_by": by}
    if row is None:
        try:
            with session.begin_nested():
                session.add(DaySheetRow(**values))
        except IntegrityError:
            subject = f"{sheet.vehicle_id} {sheet.service_date.isoformat()}"
            raise ConflictError("store.stale", subject=subject, found=1, expected=0) from None
    else:
        for name, value in values.items():
            setattr(row, name, value)
        session.flush()
    return replace(sheet, revision=found + 1)


def _values(sheet: DaySheet) -> dict[str, Any]:
    every = asdict(sheet)
    own = {name: every.pop(name) for name in _COLUMNS}
    if every["valid_until"] is not None:
        every["valid_until"] = every["valid_until"].isoformat()
    return own | {"facts": {n: v for n, v in every.items() if v not in (None, "")}}


def _sheet(row: DaySheetRow) -> DaySheet:
    facts = dict(row.facts)
    if facts.get("valid_until"):
        facts["valid_until"] = date.fromisoformat(facts["valid_until"])
    return DaySheet(**{name: getattr(row, name) for name in _COLUMNS}, **facts)
