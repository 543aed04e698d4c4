"""Users of a span: different readers where all are known by their ids, else registrations."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from sqlmodel import Session

from api.services.report_frame import ReportFrame, num_of
from data.db import visit_reader_store
from data.model.counted_visit import Counted
from data.model.measures import Sums
from data.model.readers_served import ReaderCount, count_of
from data.model.report import Said

type Span = tuple[date, date]
READERS, USERS = "readers", "users"
"""Different readers; registrations."""


def users_note(readers: ReaderCount) -> Said:
    """Whether users are different persons, and why not."""
    if readers.is_whole:
        return Said(code="reports.note.users_by_id")
    if readers.num_readers:
        facts = {"known": readers.num_known, "unknown": readers.num_unknown}
        return Said(code="reports.note.users_in_part", facts=facts)
    return Said(code="reports.note.users_registered")


def other_users(key: str, usual: str) -> Said | None:
    """What users are where a report tells them another way elsewhere."""
    if key == usual:
        return None
    return Said(code=f"reports.users.by_{'ids' if key == READERS else 'registrations'}")


@dataclass(slots=True, kw_only=True)
class SpanReaders:
    """Readers of a region's spans, each span read once."""

    session: Session
    region_id: str
    vehicle_id: str | None = None
    """Of one bookmobile alone."""
    _read: dict[Span, dict[str | None, list[tuple[str, str]]]] = field(default_factory=dict)
    _counts: dict[tuple[Span, str | None], ReaderCount] = field(default_factory=dict)

    @classmethod
    def of(cls, session: Session, frame: ReportFrame) -> "SpanReaders":
        """Those of what a report is asked for."""
        return cls(
            session=session,
            region_id=frame.region.region_id,
            vehicle_id=frame.asked.vehicle_id,
        )

    def users(self, span: Span, sums: Sums, vehicle_id: str | None = None) -> tuple[str, int]:
        """The measure that tells a span's users (DOMAIN §8), and what it comes to."""
        found = self.count(span, sums.records, vehicle_id)
        return (READERS, found.num_readers) if found.is_whole else (USERS, num_of(USERS, sums))

    def count(
        self, span: Span, records: Iterable[Counted], vehicle_id: str | None = None
    ) -> ReaderCount:
        """How many different readers some stop visits served, and of how many nobody knows whom.

        ``records`` are those of the span, and of the bookmobile where one is named.
        """
        key = span, vehicle_id
        if key not in self._counts:
            own = self._readers(span).get(vehicle_id, [])
            self._counts[key] = count_of(own, records)
        return self._counts[key]

    def _readers(self, span: Span) -> dict[str | None, list[tuple[str, str]]]:
        """Readers of a span with their bands, by bookmobile; ``None`` is all together."""
        if span not in self._read:
            found: dict[str | None, list[tuple[str, str]]] = {None: []}
            for reader, band, vehicle in visit_reader_store.readers_during(
                self.session,
                self.region_id,
                from_date=span[0],
                until_date=span[1],
                vehicle_id=self.vehicle_id,
            ):
                found[None].append((reader, band))
                found.setdefault(vehicle, []).append((reader, band))
            self._read[span] = found
        return self._read[span]
