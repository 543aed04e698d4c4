"""What readers of a region are told, as one value: public stops, their visits, notices."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from data.model.cancellation import Notice
from data.model.fleet import Vehicle, VehicleId
from data.model.geo import distance_m
from data.model.place import MunicipalityId, Settlement, SettlementId, Stop, StopId, StopKind
from data.model.publication import Moment, PromisedVisit, VisitId, VisitState
from data.model.visit_lines import VisitLine, visit_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicStop:
    """A stop as readers look for it; ``None`` is not known."""

    stop_id: StopId
    name: str
    lon: float
    lat: float
    community: str = ""
    kind: StopKind = StopKind.PUBLIC
    settlement_ids: tuple[SettlementId, ...] = ()
    people: int | None = None
    visits_expected: float | None = None
    """Persons' visits that one stop visit brings on average."""
    step_free: bool | None = None
    toilet: bool | None = None

    @classmethod
    def of(cls, stop: Stop) -> "PublicStop":
        """What readers and dispatchers of a timetable need of a stop."""
        estimate = stop.visits_expected
        return cls(
            stop_id=stop.stop_id,
            name=stop.name,
            lon=stop.lon,
            lat=stop.lat,
            community=stop.community,
            kind=stop.kind,
            settlement_ids=stop.settlement_ids,
            people=stop.people,
            visits_expected=None if estimate is None else round(estimate.mean, 1),
            step_free=stop.site.step_free,
            toilet=stop.site.toilet,
        )

    def to_json(self) -> dict[str, Any]:
        """As a timetable keeps it."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return values | {"kind": self.kind.value, "settlement_ids": list(self.settlement_ids)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "PublicStop":
        """The inverse of ``to_json``."""
        kind, settlements = StopKind(values["kind"]), tuple(values["settlement_ids"])
        return cls(**{**values, "kind": kind, "settlement_ids": settlements})


def places_of(stops: Iterable[Stop], vehicles: Iterable[Vehicle]) -> dict[str, Any]:
    """Stops and vehicles as a timetable keeps their names."""
    return {
        "stops": [PublicStop.of(s).to_json() for s in stops],
        "vehicles": [{"vehicle_id": v.vehicle_id, "name": v.name} for v in vehicles],
    }


@dataclass(frozen=True, kw_only=True)
class PublicTimetable:
    """Everything that pages and feeds of a region are made from.

    ``visits`` are all that were ever promised at these stops, by date and time, without those
    withdrawn; ``revision`` and ``changed_at`` tell when any of it changed.
    """

    region_id: str
    names: Mapping[str, str]
    time_zone: str
    language: str
    revision: int = 0
    changed_at: datetime | None = None
    version: int = 0
    from_date: date | None = None
    until_date: date | None = None
    stops: tuple[PublicStop, ...] = ()
    vehicles: Mapping[VehicleId, str] = field(default_factory=dict)
    visits: tuple[PromisedVisit, ...] = ()
    sequences: Mapping[StopId, int] = field(default_factory=dict)
    """For each stop how often calendars had to take over a change (RFC 5545, SEQUENCE)."""
    notices: tuple[Notice, ...] = ()
    settlements: tuple[Settlement, ...] = ()
    districts: Mapping[MunicipalityId, str] = field(default_factory=dict)
    """Names of the municipalities that settlements lie in."""
    phone: str = ""
    """Number that readers call."""

    def name_in(self, language: str) -> str:
        return self.names.get(language) or next(iter(self.names.values()), self.region_id)

    def district_of(self, place: Settlement) -> str:
        """The municipality of a settlement; empty where it is not known."""
        known = place.municipality_id
        return "" if known is None else self.districts.get(known, "")

    @cached_property
    def stop_of(self) -> Mapping[StopId, PublicStop]:
        """Stops by id."""
        return {s.stop_id: s for s in self.stops}

    @cached_property
    def visit_of(self) -> Mapping[VisitId, PromisedVisit]:
        """Visits by id."""
        return {v.visit_id: v for v in self.visits}

    @cached_property
    def visits_on(self) -> Mapping[date, tuple[PromisedVisit, ...]]:
        """Visits by service date, in order of their times."""
        found: dict[date, list[PromisedVisit]] = defaultdict(list)
        for visit in self.visits:
            found[visit.service_date].append(visit)
        by_time = {on: sorted(v, key=lambda v: (v.start_s, v.visit_id)) for on, v in found.items()}
        return {on: tuple(visits) for on, visits in by_time.items()}

    @cached_property
    def make_up_of(self) -> Mapping[VisitId, PromisedVisit]:
        """For each cancelled visit the one that stands in for it."""
        return {v.make_up_for: v for v in self.visits if v.make_up_for and v.is_coming}

    @cached_property
    def _of_stop(self) -> Mapping[StopId, tuple[PromisedVisit, ...]]:
        found: dict[StopId, list[PromisedVisit]] = {s.stop_id: [] for s in self.stops}
        for visit in self.visits:
            found[visit.stop_id].append(visit)
        return {stop_id: tuple(visits) for stop_id, visits in found.items()}

    def visits_of(self, stop_id: StopId) -> tuple[PromisedVisit, ...]:
        """All visits ever promised at a stop, by date and time."""
        return self._of_stop.get(stop_id, ())

    @cached_property
    def lines_of(self) -> Mapping[StopId, tuple[VisitLine, ...]]:
        """For each stop the lines of its printed timetable."""
        return {s.stop_id: visit_lines(self.visits_of(s.stop_id)) for s in self.stops}

    def coming(self, stop_id: StopId, now: Moment) -> tuple[PromisedVisit, ...]:
        """Visits of a stop that have not ended, cancelled ones too, by date and time."""
        visits = self.visits_of(stop_id)
        # What opened yesterday may be open over midnight.
        first = bisect_left(visits, now[0] - timedelta(days=1), key=lambda v: v.opens_date)
        return tuple(v for v in visits[first:] if v.ends > now)

    def next_visit(self, stop_id: StopId, now: Moment) -> PromisedVisit | None:
        """The next visit that is meant to happen."""
        return next((v for v in self.coming(stop_id, now) if v.is_coming), None)

    def notices_of(self, stop_id: StopId, on: date) -> tuple[Notice, ...]:
        """What readers of a stop are told on a date, the newest first."""
        return tuple(n for n in self.notices if n.stop_id == stop_id and n.is_shown(on))

    def nearest(
        self, lon: float, lat: float, *, most: int = 5
    ) -> tuple[tuple[PublicStop, float], ...]:
        """Stops by distance in metres from a position."""
        measured = [(s, distance_m(lon, lat, s.lon, s.lat)) for s in self.stops]
        return tuple(sorted(measured, key=lambda m: (m[1], m[0].stop_id))[:most])


def is_public(stop: PublicStop) -> bool:
    """Whether everybody may come; other stops are nobody's business but their own."""
    return stop.kind is StopKind.PUBLIC


def sequences_of(visits: Iterable[PromisedVisit]) -> dict[StopId, int]:
    """For each stop a number that grows with every change of its visits and never shrinks.

    It counts the publications that promised some and every change since; visits are never deleted.
    """
    changes: dict[StopId, int] = defaultdict(int)
    published: dict[StopId, set[datetime]] = defaultdict(set)
    for visit in visits:
        changes[visit.stop_id] += visit.sequence
        published[visit.stop_id].add(visit.published_at)
    return {stop_id: changes[stop_id] + len(at) - 1 for stop_id, at in published.items()}


def told_visits(
    visits: Sequence[PromisedVisit], stop_ids: Iterable[StopId]
) -> tuple[PromisedVisit, ...]:
    """The visits that readers are shown, by date and time."""
    known = frozenset(stop_ids)
    told = (v for v in visits if v.stop_id in known and v.state is not VisitState.WITHDRAWN)
    return tuple(sorted(told, key=lambda v: (v.opens_date, v.opens_s, v.visit_id)))
