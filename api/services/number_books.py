"""What numbers of a region's reports are taken apart with, read once for all their parts."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from sqlmodel import Session

from api.services.known_stops import known_stops
from api.services.report_costs import prices_of, run_costs
from api.services.report_readers import SpanReaders
from api.services.report_review import Judged, judged_stops
from data.db import report_store, visit_reader_store, visit_record_store
from data.model.fleet import VehicleId
from data.model.place import StopId
from data.model.public_timetable import PublicStop
from data.model.readers_served import ReaderCount, ServedReader
from data.model.region import Region
from data.model.report import Drill
from data.model.report_settings import ReportSettings
from data.model.service_costs import RunCost
from data.model.stat_form import StatForm
from data.model.stock_figures import StockItem
from data.model.visit_record import VisitRecord

type _Part = tuple[date, date, str | None, str | None]


@dataclass(slots=True, kw_only=True)
class NumberBooks:
    """A region with its diary, runs, stock and verdicts, each read when it is first asked for."""

    session: Session
    region: Region
    forms: tuple[StatForm, ...]
    _records: dict[_Part, tuple[VisitRecord, ...]] = field(default_factory=dict)
    _costs: dict[_Part, tuple[RunCost, ...]] = field(default_factory=dict)
    _judged: dict[_Part, list[Judged]] = field(default_factory=dict)
    _settings: ReportSettings | None = None
    _stock: tuple[StockItem, ...] | None = None

    @property
    def settings(self) -> ReportSettings:
        """What the region says for its reports."""
        if self._settings is None:
            self._settings = report_store.get_settings(self.session, self.region.region_id)
        return self._settings

    @property
    def stock(self) -> tuple[StockItem, ...]:
        """All items."""
        if self._stock is None:
            self._stock = report_store.load_stock(self.session, self.region.region_id)
        return self._stock

    @property
    def stops(self) -> dict[str, PublicStop]:
        """Stops that the diary may speak of."""
        return known_stops(self.session, self.region.region_id, self.region.stops)

    def records(self, drill: Drill, *, all_stops: bool = False) -> tuple[VisitRecord, ...]:
        """The stop visits of a number's span, vehicle and stop."""
        part = _part(drill, all_stops=all_stops)
        if part not in self._records:
            self._records[part] = visit_record_store.load_records(
                self.session,
                self.region.region_id,
                from_date=part[0],
                until_date=part[1],
                vehicle_id=VehicleId(part[2]) if part[2] else None,
                stop_id=StopId(part[3]) if part[3] else None,
            )
        return self._records[part]

    def costs(self, drill: Drill) -> tuple[RunCost, ...]:
        """The runs of a number's span and vehicle, whichever stops they held."""
        part = _part(drill, all_stops=True)
        if part not in self._costs:
            self._costs[part] = run_costs(
                self.session,
                self.region,
                prices_of(self.settings, self.region),
                self.records(drill, all_stops=True),
            )
        return self._costs[part]

    def judged(self, drill: Drill) -> list[Judged]:
        """The stops of a number's span and vehicle with their verdicts."""
        part = _part(drill, all_stops=True)
        if part not in self._judged:
            records = self.records(drill, all_stops=True)
            self._judged[part] = judged_stops(
                self.session, self.region, self.settings, records, drill.until_date
            )
        return self._judged[part]

    def readers(self, drill: Drill) -> ReaderCount:
        """Different readers of a number's span and vehicle."""
        read = SpanReaders(
            session=self.session,
            region_id=self.region.region_id,
            vehicle_id=drill.vehicle_id or None,
        )
        span = drill.from_date, drill.until_date
        return read.count(span, self.records(drill, all_stops=True))

    def served(self, records: Iterable[VisitRecord]) -> dict[str, tuple[ServedReader, ...]]:
        """Who was served at some stop visits."""
        keys = [r.key for r in records]
        return visit_reader_store.readers_of(self.session, self.region.region_id, keys)


def _part(drill: Drill, *, all_stops: bool) -> _Part:
    stop_id = None if all_stops else drill.stop_id
    return drill.from_date, drill.until_date, drill.vehicle_id or None, stop_id or None
