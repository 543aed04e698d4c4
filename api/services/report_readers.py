"""Different readers served in a span, where they are known by their ids."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from sqlmodel import Session

from data.db import visit_reader_store
from data.model.counted_visit import Counted
from data.model.readers_served import ReaderCount, count_of

type Span = tuple[date, date]


@dataclass(slots=True, kw_only=True)
class SpanReaders:
    """Readers of a region's spans, each span read once."""

    session: Session
    region_id: str
    vehicle_id: str | None = None
    """Of one bookmobile alone."""
    _read: dict[Span, dict[str | None, list[tuple[str, str]]]] = field(default_factory=dict)
    _counts: dict[tuple[Span, str | None], ReaderCount] = field(default_factory=dict)

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
