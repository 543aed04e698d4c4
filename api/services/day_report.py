"""Reports of driven days: plan against actual for each vehicle, and what a span of days shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlmodel import Session

from api.services.cancelling import names_of
from api.services.promised_days import PromisedDay, promised_days
from data.db import day_sheet_store, live_store, publication_store
from data.db.publication_store import RegionHead
from data.model.day_record import DayRecord, PlannedEnds, RecordedVisit, day_record
from data.model.day_sheet import DaySheet, OdometerCheck, check_odometer, next_sheet
from data.model.day_stats import (
    DayStats,
    LegStats,
    StopStats,
    legs_of,
    stats_of,
    stops_of,
)
from data.model.errors import InputError
from data.model.fleet import VehicleId
from data.model.live import ActualSource, ActualState, DayEnds, StopActual
from data.model.publication import PromisedVisit, moment_of
from fleet.leg_times import planned_times

MOST_DAYS = 92
USUAL_DAYS = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleDay:
    """One vehicle's date: what was promised, what was, what was written down."""

    day: PromisedDay
    record: DayRecord
    stats: DayStats
    sheet: DaySheet | None
    check: OdometerCheck

    @property
    def vehicle_id(self) -> VehicleId:
        return self.day.vehicle_id

    @property
    def name(self) -> str:
        return self.day.name


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReport:
    """All vehicles of a date; ``total`` counts those that were followed."""

    head: RegionHead
    on: date
    is_over: bool
    vehicles: tuple[VehicleDay, ...]
    total: DayStats
    places: Mapping[str, str]
    """Names of stops and depots."""

    def place(self, place_id: str | None) -> str:
        return "" if place_id is None else self.places.get(place_id, place_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodReport:
    """A span of dates, both ends included."""

    head: RegionHead
    first: date
    last: date
    days: tuple[tuple[date, DayStats], ...]
    """Dates with a vehicle that was followed."""
    vehicles: tuple[tuple[VehicleId, DayStats], ...]
    total: DayStats
    stops: tuple[StopStats, ...]
    legs: tuple[LegStats, ...]
    sheets: tuple[DaySheet, ...]
    records: tuple[DayRecord, ...]
    places: Mapping[str, str]
    names: Mapping[str, str]
    """Names of vehicles."""

    def place(self, place_id: str | None) -> str:
        return "" if place_id is None else self.places.get(place_id, place_id)


def day_report(session: Session, region_id: str, on: date, *, at: datetime) -> DayReport:
    """The report of a date.

    Raises
    ------
    NotFoundError
        ``region.unknown``.
    """
    head = publication_store.region_head(session, region_id)
    today = moment_of(at, head.time_zone)[0]
    days = promised_days(session, region_id, on)
    actuals = live_store.load_actuals(session, region_id, from_date=on, until_date=on)
    ends = {
        e.vehicle_id: e
        for e in live_store.load_days(session, region_id, from_date=on, until_date=on)
    }
    places: dict[str, str] = {}
    found = []
    for day in days:
        own = [a for a in actuals if a.vehicle_id == day.vehicle_id]
        record = _record(region_id, day, own, ends.get(day.vehicle_id))
        sheet = day_sheet_store.get_sheet(session, region_id, day.vehicle_id, on)
        end = ends.get(day.vehicle_id)
        check = check_odometer(
            sheet,
            record.driven_m if record.is_tracked else None,
            unseen_m=end.unseen_m if end else 0.0,
            last=day_sheet_store.last_sheet(session, region_id, day.vehicle_id, on),
        )
        found.append(
            VehicleDay(day=day, record=record, stats=stats_of([record]), sheet=sheet, check=check)
        )
        places |= _places(day)
    stops, _ = names_of(session, region_id)
    places |= {str(i): s.name for i, s in stops.items()}
    return DayReport(
        head=head,
        on=on,
        is_over=on < today,
        vehicles=tuple(found),
        total=stats_of(v.record for v in found if v.record.is_tracked),
        places=places,
    )


def period_report(session: Session, region_id: str, first: date, last: date) -> PeriodReport:
    """The report of a span of dates.

    Raises
    ------
    InputError
        ``days.ends_before``, ``days.too_long``.
    NotFoundError
        ``region.unknown``.
    """
    check_span(first, last)
    head = publication_store.region_head(session, region_id)
    records, places = _records(session, region_id, first, last)
    stops, vehicles = names_of(session, region_id)
    places |= {str(i): s.name for i, s in stops.items()}
    dates = sorted({r.service_date for r in records})
    ids = list(dict.fromkeys(r.vehicle_id for r in records))
    return PeriodReport(
        head=head,
        first=first,
        last=last,
        days=tuple((on, stats_of(r for r in records if r.service_date == on)) for on in dates),
        vehicles=tuple((i, stats_of(r for r in records if r.vehicle_id == i)) for i in sorted(ids)),
        total=stats_of(records),
        stops=stops_of(records),
        legs=legs_of(records),
        sheets=day_sheet_store.list_sheets(session, region_id, from_date=first, until_date=last),
        records=records,
        places=places,
        names=vehicles,
    )


def check_span(first: date, last: date) -> None:
    """Refuse a span that is none or too long to be shown at once."""
    if last < first:
        raise InputError("days.ends_before", first=first.isoformat(), last=last.isoformat())
    if (last - first).days >= MOST_DAYS:
        raise InputError("days.too_long", days=(last - first).days + 1, limit=MOST_DAYS)


def driven_records(
    session: Session, region_id: str, first: date, last: date
) -> tuple[DayRecord, ...]:
    """The records of vehicles that were followed, for learning."""
    return _records(session, region_id, first, last)[0]


def _records(
    session: Session, region_id: str, first: date, last: date
) -> tuple[tuple[DayRecord, ...], dict[str, str]]:
    actuals = live_store.load_actuals(session, region_id, from_date=first, until_date=last)
    ends = live_store.load_days(session, region_id, from_date=first, until_date=last)
    by_day = {(e.service_date, e.vehicle_id): e for e in ends if e.num_fixes}
    own: dict[tuple[date, VehicleId], list[StopActual]] = {}
    for actual in actuals:
        own.setdefault((actual.service_date, actual.vehicle_id), []).append(actual)
    records: list[DayRecord] = []
    places: dict[str, str] = {}
    for number in range((last - first).days + 1):
        on = first + timedelta(days=number)
        if any(key[0] == on for key in by_day):
            for day in promised_days(session, region_id, on):
                key = on, day.vehicle_id
                if key in by_day:
                    records.append(_record(region_id, day, own.get(key, []), by_day[key]))
                    places |= _places(day)
    return tuple(records), places


def _record(
    region_id: str,
    day: PromisedDay,
    actuals: Sequence[StopActual],
    ends: DayEnds | None,
) -> DayRecord:
    run = day.run
    times = planned_times(day.request, str(run.vehicle_id), run.place_ids)

    def clock(at: datetime | None) -> int | None:
        return None if at is None else round(run.clock_s(at))

    found = day_record(
        region_id,
        run.vehicle_id,
        run.service_date,
        run.time_zone,
        planned=PlannedEnds(
            start_depot_id=run.start_depot_id,
            end_depot_id=run.end_depot_id,
            depart_s=clock(run.depart_at),
            return_s=clock(run.return_at),
            drive_m=run.drive_m,
        ),
        actuals=actuals,
        ends=ends,
        drive_s=times.drive_s,
    )
    found = replace(found, visits=tuple(_with_meal(v, day) for v in found.visits))
    known = {v.visit_id for v in found.visits}
    missing = [_promised(v, ActualState.TO_COME) for v in day.visits if v.visit_id not in known]
    missing += [
        _promised(v, ActualState.CANCELLED) for v in day.cancelled if v.visit_id not in known
    ]
    if not missing:
        return found
    every = sorted(
        (*found.visits, *(_with_meal(v, day) for v in missing)),
        key=lambda v: v.arrival_s or 0 if v.planned_arrival_s is None else v.planned_arrival_s,
    )
    return replace(found, visits=tuple(every))


def _with_meal(visit: RecordedVisit, day: PromisedDay) -> RecordedVisit:
    """The visit with the meal that is planned at its place after closing: a stay, not a delay."""
    meals = {
        str(v.visit_id): stop.meal_s for v, stop in zip(day.visits, day.run.stops, strict=True)
    }
    meal_s = meals.get(str(visit.visit_id), 0)
    if not meal_s or visit.planned_departure_s is None:
        return visit
    return replace(visit, planned_departure_s=visit.planned_departure_s + meal_s)


def _promised(visit: PromisedVisit, state: ActualState) -> RecordedVisit:
    """A visit of which nothing but the promise is known."""
    return RecordedVisit(
        key=str(visit.visit_id),
        state=state,
        visit_id=visit.visit_id,
        stop_id=str(visit.stop_id),
        planned_arrival_s=visit.arrival_s,
        planned_open_s=visit.start_s,
        planned_close_s=visit.end_s,
        planned_departure_s=visit.departure_s,
        source=ActualSource.PLANNED,
    )


def _places(day: PromisedDay) -> dict[str, str]:
    depots = {str(d.depot_id): d.name for d in day.request.depots}
    return depots | {str(s.stop_id): s.name for s in day.request.stops}


def sheet_for(session: Session, region_id: str, vehicle_id: VehicleId, on: date) -> DaySheet:
    """The sheet of a vehicle and date, or one begun from its last; revision 0 is not stored."""
    known = day_sheet_store.get_sheet(session, region_id, vehicle_id, on)
    if known is not None:
        return known
    blank = DaySheet(region_id=region_id, vehicle_id=vehicle_id, service_date=on)
    return next_sheet(day_sheet_store.last_sheet(session, region_id, vehicle_id, on), blank)
