"""The diary of a vehicle and month, as it is kept on paper: what was, each day, month, year so far.

Every number is a sum over stop visits on record; the same lines are what the number opens. Runs
and stops are counted as the state form does (DOMAIN §8): a run has a stop held, a stop is held.
"""

from calendar import monthrange
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from sqlmodel import Session

from data.db import (
    day_sheet_store,
    live_store,
    publication_store,
    regions_known_store,
    visit_record_store,
)
from data.db.publication_store import RegionHead
from data.model import measures
from data.model.fleet import VehicleId
from data.model.measures import Distinct, Over
from data.model.stop_counts import (
    LOAN_COUNTS,
    USER_COUNTS,
    VISIT_COUNTS,
    CountFault,
    add_counts,
    count_faults,
    totals_of,
)
from data.model.visit_record import RecordState, VisitRecord

SUMMED = (
    "visits_service",
    "visits_event",
    "users_new",
    "users_renewed",
    "loans_home",
    "views_onboard",
    "returns",
    "renewals",
    "references_total",
    "copies_made",
    "events_count",
    "event_participants",
    "requests_taken",
    "requests_filled",
    "refusals",
    "home_deliveries",
)
"""Counts that the page has a column for, in the order of the paper diary."""
FIGURES = (
    "runs", "stops", "partial", "skipped", "cancelled", "unknown", "gps", "faults", "corrections",
    "visits", "children", "youth", "users", "loans",
)  # fmt: skip
"""Figures besides counts that a number can be of."""
_NAMES = {
    "visits": VISIT_COUNTS,
    "loans": LOAN_COUNTS,
    "users": USER_COUNTS,
    **{b: tuple(f"{name}.{b}" for name in VISIT_COUNTS) for b in ("children", "youth")},
}
"""The counts that a figure adds up."""
NO_COUNTS, NOT_CONFIRMED = "diary.no_counts", "diary.not_confirmed"


def faults_of(record: VisitRecord) -> tuple[CountFault, ...]:
    """What cannot be right in a record, or has to be asked (DOMAIN §7, checks)."""
    found = list(count_faults(record.counts))
    if record.is_held and not record.is_gps_confirmed and not record.reason:
        found.append(CountFault(code=NOT_CONFIRMED))
    if record.is_held and not record.counts:
        found.append(CountFault(code=NO_COUNTS))
    if record.state is RecordState.SKIPPED and record.is_gps_confirmed:
        found.append(CountFault(code="diary.skipped_but_there"))
    if record.counts and not record.is_held:
        facts = {"state": record.state.value}
        found.append(CountFault(code="diary.counts_not_held", facts=facts))
    return tuple(found)


def has_figure(record: VisitRecord, figure: str) -> bool:
    """Whether a record is one of the lines behind a figure."""
    match figure:
        case "" | "runs":
            return figure == "" or record.is_held
        case "stops":
            return record.is_held
        case "partial" | "skipped" | "cancelled" | "unknown":
            return record.state.value == figure
        case "gps":
            return record.is_held and record.is_gps_confirmed
        case "faults":
            return bool(faults_of(record))
        case "corrections":
            return record.num_corrections > 0
    return record.is_held and value_of(record.counts, figure) != 0


def value_of(counts: Mapping[str, int], figure: str) -> int:
    """A figure of counts: one of DOMAIN §8, or a count over its bands."""
    return totals_of(counts, _NAMES.get(figure, (figure,)))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWay:
    """What a run drove and burnt: by the odometer of its day sheet, else by its track."""

    on: date
    vehicle_id: VehicleId
    km: float | None = None
    fuel: float | None = None
    is_odometer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Figures of some records; counts are those of stop visits held."""

    num_runs: int = 0
    num_stops: int = 0
    num_states: Mapping[str, int] = field(default_factory=dict)
    num_confirmed: int = 0
    num_faults: int = 0
    num_corrections: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    km: float | None = None
    fuel: float | None = None
    is_simulated: bool = False

    def value(self, figure: str) -> int:
        """A figure by its name."""
        own = {
            "runs": self.num_runs,
            "stops": self.num_stops,
            "gps": self.num_confirmed,
            "faults": self.num_faults,
            "corrections": self.num_corrections,
        }
        if figure in own:
            return own[figure]
        if figure in set(RecordState):
            return self.num_states.get(figure, 0)
        return value_of(self.counts, figure)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiaryDay:
    """One date with its lines."""

    on: date
    sums: Sums
    records: tuple[VisitRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diary:
    """A month; ``opening`` is what the year had before it, ``year`` what it has at its end."""

    head: RegionHead
    vehicle_id: VehicleId | None
    """``None``: all vehicles together."""
    first: date
    last: date
    opening: Sums
    days: tuple[DiaryDay, ...]
    month: Sums
    year: Sums
    vehicles: Mapping[str, str]
    """Names of the region's vehicles, and of those on record."""

    @property
    def year_first(self) -> date:
        return self.first.replace(month=1, day=1)

    @property
    def is_simulated(self) -> bool:
        return self.year.is_simulated


def month_of(on: date) -> tuple[date, date]:
    """First and last date of a date's month."""
    return on.replace(day=1), on.replace(day=monthrange(on.year, on.month)[1])


def diary_of(
    session: Session, region_id: str, on: date, *, vehicle_id: VehicleId | None = None
) -> Diary:
    """The diary of the month that a date lies in.

    Raises
    ------
    NotFoundError
        ``region.unknown``.
    """
    head = publication_store.region_head(session, region_id)
    first, last = month_of(on)
    year_first = first.replace(month=1, day=1)
    records = visit_record_store.load_records(
        session, region_id, from_date=year_first, until_date=last, vehicle_id=vehicle_id
    )
    ways = ways_of(session, region_id, year_first, last, vehicle_id=vehicle_id)
    by_date: dict[date, list[VisitRecord]] = defaultdict(list)
    for record in records:
        by_date[record.service_date].append(record)
    before = [r for r in records if r.service_date < first]
    within = [r for r in records if r.service_date >= first]
    dates = sorted({d for d in (*by_date, *(w.on for w in ways)) if d >= first})
    return Diary(
        head=head,
        vehicle_id=vehicle_id,
        first=first,
        last=last,
        opening=sums_of(before, [w for w in ways if w.on < first]),
        days=tuple(
            DiaryDay(
                on=d,
                sums=sums_of(by_date[d], [w for w in ways if w.on == d]),
                records=tuple(by_date[d]),
            )
            for d in dates
        ),
        month=sums_of(within, [w for w in ways if w.on >= first]),
        year=sums_of(records, ways),
        vehicles=vehicles_of(session, region_id, records),
    )


def lines_of(
    session: Session,
    region_id: str,
    first: date,
    last: date,
    *,
    vehicle_id: VehicleId | None = None,
    figure: str = "",
) -> tuple[VisitRecord, ...]:
    """The lines behind a figure of a span of dates."""
    found = visit_record_store.load_records(
        session, region_id, from_date=first, until_date=last, vehicle_id=vehicle_id
    )
    return tuple(r for r in found if has_figure(r, figure))


def sums_of(records: Iterable[VisitRecord], ways: Sequence[RunWay] = ()) -> Sums:
    """The figures of some records and of the ways of their runs."""
    told = list(records)
    added = measures.sums_of(told)
    kms = [way.km for way in ways if way.km is not None]
    fuels = [way.fuel for way in ways if way.fuel is not None]
    return Sums(
        num_runs=added.num_things[Distinct.RUNS],
        num_stops=added.num_over[Over.HELD],
        num_states=Counter(r.state.value for r in told),
        num_confirmed=added.num_over[Over.CONFIRMED],
        num_faults=sum(bool(faults_of(r)) for r in told),
        num_corrections=sum(r.num_corrections for r in told),
        counts=add_counts([added.counts]),
        km=round(sum(kms), 1) if kms else None,
        fuel=round(sum(fuels), 1) if fuels else None,
        is_simulated=any(r.is_simulated for r in told),
    )


def vehicles_of(
    session: Session, region_id: str, records: Iterable[VisitRecord] = ()
) -> dict[str, str]:
    """Vehicles that a diary can be of, by id."""
    names = dict(regions_known_store.vehicle_names(session, [region_id]).get(region_id, {}))
    for record in records:
        names.setdefault(str(record.vehicle_id), str(record.vehicle_id))
    return names


def ways_of(
    session: Session,
    region_id: str,
    first: date,
    last: date,
    *,
    vehicle_id: VehicleId | None = None,
) -> tuple[RunWay, ...]:
    """The runs behind kilometres and fuel of a span, by date and vehicle."""
    found: dict[tuple[date, VehicleId], RunWay] = {}
    for day in live_store.load_days(
        session, region_id, from_date=first, until_date=last, vehicle_id=vehicle_id
    ):
        if day.driven_km is not None:
            found[day.service_date, day.vehicle_id] = RunWay(
                on=day.service_date, vehicle_id=day.vehicle_id, km=day.driven_km
            )
    for sheet in day_sheet_store.list_sheets(
        session, region_id, from_date=first, until_date=last, vehicle_id=vehicle_id
    ):
        key = sheet.service_date, sheet.vehicle_id
        way = found.get(key, RunWay(on=sheet.service_date, vehicle_id=sheet.vehicle_id))
        if sheet.odometer_km is not None:
            way = replace(way, km=sheet.odometer_km, is_odometer=True)
        found[key] = replace(way, fuel=sheet.fuel)
    told = [way for way in found.values() if way.km is not None or way.fuel is not None]
    return tuple(sorted(told, key=lambda way: (way.on, way.vehicle_id)))
