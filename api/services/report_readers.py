"""Different readers served in a span, where they are known by their ids."""

from collections.abc import Iterable
from datetime import date

from sqlmodel import Session

from data.db import visit_reader_store
from data.model.readers_served import ReaderCount, num_unknown
from data.model.visit_record import VisitRecord


def readers_served(
    session: Session,
    region_id: str,
    span: tuple[date, date],
    vehicle_id: str | None,
    records: Iterable[VisitRecord],
) -> ReaderCount:
    """How many different readers some stop visits served, and of how many nobody knows whom.

    ``records`` are those of the span and vehicle.
    """
    first, last = span
    total, by_band = visit_reader_store.count_readers(
        session, region_id, from_date=first, until_date=last, vehicle_id=vehicle_id
    )
    known: frozenset[str] = frozenset()
    if total:
        known = visit_reader_store.known_keys(
            session, region_id, from_date=first, until_date=last, vehicle_id=vehicle_id
        )
    return ReaderCount(
        num_readers=total,
        by_band=by_band,
        num_known=len(known),
        num_unknown=num_unknown(records, known),
    )
