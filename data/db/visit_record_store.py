"""Stop visits on record, and the corrections of their counts.

Records are read as plain rows: a report sums tens of thousands of them.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Table, Text, cast, type_coerce
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import NullType
from sqlmodel import Session, col, delete, func, select

from data.db.tables.visit_records import (
    CountCorrectionRow,
    RecordBookRow,
    RecordDueRow,
    VisitRecordRow,
)
from data.db.turns import take_turn
from data.model.counted_visit import CountedVisit
from data.model.errors import NotFoundError
from data.model.fleet import VehicleId
from data.model.place import StopId
from data.model.stop_counts import CountMethod, add_counts
from data.model.visit_record import CountCorrection, RecordState, VisitRecord

_RECORD: Table = VisitRecordRow.__table__  # type: ignore[attr-defined]
_DUE: Table = RecordDueRow.__table__  # type: ignore[attr-defined]
_TIMES = ("planned_open_at", "planned_close_at", "opened_at", "closed_at")
_FIELDS = tuple(VisitRecord.__dataclass_fields__)
_READ: dict[str, Any] = {
    **dict(_RECORD.columns.items()),
    "is_planned": _RECORD.columns["visit_id"].is_not(None)
    | _RECORD.columns["planned_open_at"].is_not(None),
    "counts": cast(_RECORD.columns["counts"], Text),
    # As the database has them: SQLite's text is read here in a tenth of the time.
    **{n: type_coerce(_RECORD.columns[n], NullType()) for n in ("service_date", *_TIMES)},
}
"""What is read for a field."""
_STATES = {state.value: state for state in RecordState}
_AT_ONCE = 500
_READ_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordBook:
    """How far a region's records are kept up with what is known.

    ``revision`` grows with every change of a record or correction.
    """

    revision: int = 0
    event_no: int = 0
    mark_no: int = 0
    publication_revision: int = 0
    kept_until_date: date | None = None


def record_book(session: Session, region_id: str) -> RecordBook:
    """How far a region's records are kept up; at nought where none was ever made."""
    row = session.get(RecordBookRow, region_id)
    if row is None:
        return RecordBook()
    return RecordBook(**{n: getattr(row, n) for n in RecordBook.__dataclass_fields__})


def hold_records(session: Session, region_id: str) -> RecordBook:
    """Take the region's turn to change its records; kept to the end of the transaction."""
    take_turn(session, f"records:{region_id}")
    row = session.get(RecordBookRow, region_id)
    if row is not None:
        session.refresh(row)
    return record_book(session, region_id)


def note_book(session: Session, region_id: str, book: RecordBook) -> None:
    """Note how far the records are kept up; the revision goes on by itself."""
    row = _book_row(session, region_id)
    for name in RecordBook.__dataclass_fields__:
        if name != "revision":
            setattr(row, name, getattr(book, name))
    session.flush()


def note_due(session: Session, region_id: str, on: date) -> None:
    """Note that something new is known of a service date."""
    if session.get(RecordDueRow, (region_id, on)) is None:
        is_sqlite = session.get_bind().dialect.name == "sqlite"
        insert = (sqlite.insert if is_sqlite else postgresql.insert)(_DUE)
        asked = insert.values(region_id=region_id, service_date=on).on_conflict_do_nothing()
        session.connection().execute(asked)


def due_dates(session: Session, region_id: str) -> frozenset[date]:
    """Service dates of which something new is known."""
    asked = select(col(RecordDueRow.service_date)).where(RecordDueRow.region_id == region_id)
    return frozenset(session.exec(asked))


def drop_due(session: Session, region_id: str, dates: Iterable[date]) -> None:
    """Their records have been made anew."""
    for on in dates:
        session.exec(
            delete(RecordDueRow).where(
                col(RecordDueRow.region_id) == region_id, col(RecordDueRow.service_date) == on
            )
        )


def put_records(session: Session, records: Iterable[VisitRecord]) -> int:
    """Store records, each in the place of what was on record of its visit; gives how many."""
    rows = [_values(record) for record in records]
    if not rows:
        return 0
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    insert = (sqlite.insert if is_sqlite else postgresql.insert)(_RECORD)
    changed = {c.name: insert.excluded[c.name] for c in _RECORD.columns if not c.primary_key}
    asked = insert.on_conflict_do_update(index_elements=list(_RECORD.primary_key), set_=changed)
    session.connection().execute(asked, rows)
    for region_id in {row["region_id"] for row in rows}:
        _book_row(session, region_id).revision += 1
    session.flush()
    return len(rows)


def drop_records(session: Session, region_id: str, keys: Iterable[str]) -> int:
    """Take records out: of visits that were withdrawn before anything was known of them."""
    wanted = list(dict.fromkeys(keys))
    num = 0
    for at in range(0, len(wanted), _AT_ONCE):
        done = session.exec(
            delete(VisitRecordRow).where(
                col(VisitRecordRow.region_id) == region_id,
                col(VisitRecordRow.key).in_(wanted[at : at + _AT_ONCE]),
            )
        )
        num += int(done.rowcount)
    if num:
        _book_row(session, region_id).revision += 1
        session.flush()
    return num


def load_records(
    session: Session,
    region_id: str,
    *,
    from_date: date,
    until_date: date,
    vehicle_id: VehicleId | None = None,
    stop_id: StopId | None = None,
) -> tuple[VisitRecord, ...]:
    """Records of a span of dates, both ends in, by date, vehicle and time."""
    asked = _during(_select(_FIELDS), region_id, from_date, until_date, vehicle_id)
    if stop_id is not None:
        asked = asked.where(VisitRecordRow.stop_id == stop_id)
    return tuple(sorted(_records(session, asked), key=_order))


def load_counted(
    session: Session,
    region_id: str,
    *,
    from_date: date,
    until_date: date,
    vehicle_id: VehicleId | None = None,
) -> tuple[CountedVisit, ...]:
    """What sums look at in the records of a span, both ends in, by date and vehicle."""
    fields = CountedVisit._fields
    asked = _during(_select(fields), region_id, from_date, until_date, vehicle_id)
    asked = asked.order_by(VisitRecordRow.service_date, VisitRecordRow.vehicle_id)
    return tuple(map(CountedVisit._make, _rows(session, asked, fields)))


def records_of(session: Session, region_id: str, keys: Iterable[str]) -> dict[str, VisitRecord]:
    """Some records by their keys; those that there are not are left out."""
    wanted = list(dict.fromkeys(keys))
    found: dict[str, VisitRecord] = {}
    for at in range(0, len(wanted), _AT_ONCE):
        asked = _select(_FIELDS).where(
            VisitRecordRow.region_id == region_id,
            col(VisitRecordRow.key).in_(wanted[at : at + _AT_ONCE]),
        )
        found |= {record.key: record for record in _records(session, asked)}
    return found


def record_of(session: Session, region_id: str, key: str) -> VisitRecord:
    """One stop visit on record.

    Raises
    ------
    NotFoundError
        ``record.unknown``.
    """
    found = records_of(session, region_id, [key]).get(key)
    if found is None:
        raise NotFoundError("record.unknown", key=key[:64])
    return found


def record_span(session: Session, region_id: str) -> tuple[date, date] | None:
    """First and last service date on record; ``None`` where nothing is."""
    asked = select(func.min(VisitRecordRow.service_date), func.max(VisitRecordRow.service_date))
    first, last = session.exec(asked.where(VisitRecordRow.region_id == region_id)).one()
    return None if first is None or last is None else (first, last)


def add_correction(session: Session, correction: CountCorrection) -> VisitRecord:
    """Add a correction and put it into the record's counts; gives the record as it is then.

    Raises
    ------
    NotFoundError
        ``record.unknown``.
    """
    record = record_of(session, correction.region_id, correction.key)
    names = CountCorrection.__dataclass_fields__
    session.add(CountCorrectionRow(**{name: getattr(correction, name) for name in names}))
    changed = replace(
        record,
        counts=add_counts((record.counts, {correction.name: correction.amount})),
        num_corrections=record.num_corrections + 1,
    )
    put_records(session, [changed])
    return changed


def list_corrections(
    session: Session,
    region_id: str,
    *,
    from_date: date | None = None,
    until_date: date | None = None,
    key: str | None = None,
    keys: Iterable[str] | None = None,
) -> tuple[CountCorrection, ...]:
    """Corrections in the order in which they were made: of some records, or of service dates."""
    asked = select(CountCorrectionRow).where(CountCorrectionRow.region_id == region_id)
    if key is not None:
        asked = asked.where(CountCorrectionRow.key == key)
    if from_date is not None or until_date is not None:
        asked = asked.join(
            VisitRecordRow,
            (col(VisitRecordRow.region_id) == col(CountCorrectionRow.region_id))
            & (col(VisitRecordRow.key) == col(CountCorrectionRow.key)),
        )
    if from_date is not None:
        asked = asked.where(col(VisitRecordRow.service_date) >= from_date)
    if until_date is not None:
        asked = asked.where(col(VisitRecordRow.service_date) <= until_date)
    rows: list[CountCorrectionRow] = []
    if keys is None:
        rows += session.exec(asked)
    else:
        wanted = list(dict.fromkeys(keys))
        for at in range(0, len(wanted), _AT_ONCE):
            some = wanted[at : at + _AT_ONCE]
            rows += session.exec(asked.where(col(CountCorrectionRow.key).in_(some)))
    return tuple(sorted(map(_correction, rows), key=lambda c: (c.corrected_at, c.correction_id)))


def _book_row(session: Session, region_id: str) -> RecordBookRow:
    row = session.get(RecordBookRow, region_id)
    if row is None:
        row = RecordBookRow(region_id=region_id)
        session.add(row)
        session.flush()
    return row


def _select(fields: Sequence[str]) -> Any:
    return select(*(_READ[name] for name in fields))


def _rows(session: Session, asked: Any, fields: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Rows of ``_select`` with their values decoded, a column at a time."""
    for rows in session.connection().execute(asked).partitions(_READ_AT_ONCE):
        told = zip(fields, zip(*rows, strict=True), strict=True)
        yield from zip(*(_decoded(name, values) for name, values in told), strict=True)


def _decoded(name: str, values: Sequence[Any]) -> Iterable[Any]:
    """The values of a column, of which many are alike."""
    match name:
        case "counts":
            # One text of them all is read faster than each by itself.
            return list(json.loads(f"[{','.join(values)}]"))
        case "state":
            return [_STATES[value] for value in values]
        case "is_planned":
            return map(bool, values)
        case "service_date" | "counted_by" | "count_methods":
            way = {"service_date": _date, "counted_by": _words, "count_methods": _methods}[name]
            known = {told: way(told) for told in set(values)}
            return [known[told] for told in values]
        case _ if name in _TIMES:
            return map(_instant, values)
    return values


def _date(value: str | date) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _words(told: str) -> tuple[str, ...]:
    return tuple(told.split())


def _instant(value: str | datetime | None) -> datetime | None:
    """An instant as PostgreSQL and SQLite keep it."""
    if isinstance(value, str):
        return datetime.fromisoformat(f"{value}+00:00")
    return None if value is None else value.astimezone(UTC)


def _methods(told: str) -> tuple[CountMethod, ...]:
    return tuple(CountMethod(m) for m in told.split())


def _during(
    asked: Any, region_id: str, from_date: date, until_date: date, vehicle_id: str | None
) -> Any:
    asked = asked.where(
        VisitRecordRow.region_id == region_id,
        col(VisitRecordRow.service_date) >= from_date,
        col(VisitRecordRow.service_date) <= until_date,
    )
    if vehicle_id is not None:
        asked = asked.where(VisitRecordRow.vehicle_id == vehicle_id)
    return asked


def _order(record: VisitRecord) -> tuple[Any, ...]:
    at = record.planned_open_at or record.opened_at
    return (record.service_date, record.vehicle_id, at is None, at, record.key)


def _values(record: VisitRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in _FIELDS} | {
        "state": record.state.value,
        "counts": dict(record.counts),
        "counted_by": " ".join(record.counted_by),
        "count_methods": " ".join(m.value for m in record.count_methods),
    }


def _records(session: Session, asked: Any) -> Iterator[VisitRecord]:
    for row in _rows(session, asked, _FIELDS):
        yield VisitRecord(**dict(zip(_FIELDS, row, strict=True)))


def _correction(row: CountCorrectionRow) -> CountCorrection:
    return CountCorrection(
        **{name: getattr(row, name) for name in CountCorrection.__dataclass_fields__}
    )
