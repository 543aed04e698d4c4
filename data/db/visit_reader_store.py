"""Readers served at stop visits on record, under pseudonyms."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Table, insert
from sqlmodel import Session, col, delete, select

from data.db.tables.visit_records import RecordBookRow, VisitReaderRow
from data.model.readers_served import ServedReader
from data.model.stop_counts import Band
from data.model.visit_record import VisitRecord

_READER: Table = VisitReaderRow.__table__  # type: ignore[attr-defined]
_AT_ONCE = 500


def reader_salt(session: Session, region_id: str) -> str:
    """The region's secret, by which pseudonyms cannot be guessed from readers' numbers."""
    row = session.get(RecordBookRow, region_id)
    if row is None:
        row = RecordBookRow(region_id=region_id)
        session.add(row)
    if not row.reader_salt:
        row.reader_salt = secrets.token_hex(32)
    session.flush()
    return row.reader_salt


def put_readers(
    session: Session,
    region_id: str,
    records: Iterable[VisitRecord],
    served: Mapping[str, Sequence[ServedReader]],
) -> int:
    """Store who was served at stop visits, in the place of what was known; gives what changed.

    Of a record that is not held nobody was served.
    """
    wanted = {r.key: r for r in records}
    before = readers_of(session, region_id, wanted)
    named = _named(session, region_id, wanted)
    changed = []
    told: dict[str, dict[str, Band | None]] = {}
    for key, record in wanted.items():
        bands = {s.reader: s.band for s in before.get(key, ())}
        some = {s.reader: s.band for s in served.get(key, ())} if record.is_held else {}
        # Ages that were known stay, though the reader has been forgotten since.
        told[key] = {reader: band or bands.get(reader) for reader, band in some.items()}
        known_as = {(record.service_date, str(record.vehicle_id))} if told[key] else set()
        # A record that moved to another date or vehicle takes its readers along.
        if told[key] != bands or named.get(key, set()) != known_as:
            changed.append(key)
    drop_readers(session, region_id, changed)
    rows = [
        {
            "region_id": region_id,
            "key": key,
            "reader": reader,
            "band": band.value if band else "",
            "service_date": wanted[key].service_date,
            "vehicle_id": str(wanted[key].vehicle_id),
        }
        for key in changed
        for reader, band in told[key].items()
    ]
    if rows:
        session.connection().execute(insert(_READER), rows)
    return len(changed)


def drop_readers(session: Session, region_id: str, keys: Iterable[str]) -> None:
    """Forget who was served at some stop visits."""
    wanted = list(keys)
    for at in range(0, len(wanted), _AT_ONCE):
        session.exec(
            delete(VisitReaderRow).where(
                col(VisitReaderRow.region_id) == region_id,
                col(VisitReaderRow.key).in_(wanted[at : at + _AT_ONCE]),
            )
        )


def readers_of(
    session: Session, region_id: str, keys: Iterable[str]
) -> dict[str, tuple[ServedReader, ...]]:
    """Who was served at some stop visits; those of which nothing is known are left out."""
    wanted, found = list(keys), dict[str, list[ServedReader]]()
    for at in range(0, len(wanted), _AT_ONCE):
        asked = select(VisitReaderRow.key, VisitReaderRow.reader, VisitReaderRow.band).where(
            col(VisitReaderRow.region_id) == region_id,
            col(VisitReaderRow.key).in_(wanted[at : at + _AT_ONCE]),
        )
        for key, reader, band in session.exec(asked):
            told = ServedReader(reader=reader, band=Band(band) if band else None)
            found.setdefault(key, []).append(told)
    return {key: tuple(some) for key, some in found.items()}


def _named(
    session: Session, region_id: str, keys: Iterable[str]
) -> dict[str, set[tuple[date, str]]]:
    """Under which service dates and vehicles the readers of some stop visits stand."""
    wanted, found = list(keys), dict[str, set[tuple[date, str]]]()
    for at in range(0, len(wanted), _AT_ONCE):
        asked = (
            select(
                col(VisitReaderRow.key),
                col(VisitReaderRow.service_date),
                col(VisitReaderRow.vehicle_id),
            )
            .where(
                col(VisitReaderRow.region_id) == region_id,
                col(VisitReaderRow.key).in_(wanted[at : at + _AT_ONCE]),
            )
            .distinct()
        )
        for key, on, vehicle_id in session.exec(asked):
            found.setdefault(key, set()).add((on, vehicle_id))
    return found


def readers_during(
    session: Session,
    region_id: str,
    *,
    from_date: date,
    until_date: date,
    vehicle_id: str | None = None,
) -> tuple[tuple[str, str, str], ...]:
    """Readers of a span, each once for a band of age (empty: not known) and a vehicle."""
    asked = select(VisitReaderRow.reader, VisitReaderRow.band, VisitReaderRow.vehicle_id).where(
        VisitReaderRow.region_id == region_id,
        col(VisitReaderRow.service_date) >= from_date,
        col(VisitReaderRow.service_date) <= until_date,
    )
    if vehicle_id is not None:
        asked = asked.where(VisitReaderRow.vehicle_id == vehicle_id)
    rows: Any = session.connection().execute(asked.distinct()).fetchall()
    return tuple(map(tuple, rows))
