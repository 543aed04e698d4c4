"""The days of vehicles as they are promised: published visits between the depots of their runs."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from sqlmodel import Session

from api.services.plan_documents import open_plan
from data.db import publication_store
from data.db.publication_store import Timetable
from data.model.fleet import Vehicle, VehicleId
from data.model.place import Stop
from data.model.plan import Plan, PlanRequest, Run
from data.model.publication import PromisedVisit, VisitState
from data.model.service_time import instant_of
from data.model.timetable import run_dates
from fleet.planned import PlannedRun, planned_of_visits

TO_BE_HELD = (VisitState.PLANNED, VisitState.DONE, VisitState.PARTIAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromisedDay:
    """What one vehicle is promised to do on a date.

    ``visits`` are those that are meant to be held, in the order of the run's stops.
    """

    run: PlannedRun
    visits: tuple[PromisedVisit, ...]
    cancelled: tuple[PromisedVisit, ...]
    vehicle: Vehicle | None
    request: PlanRequest
    plan: Plan
    plan_run: Run | None
    """The plan's run of that date; ``None`` where the plan has none."""

    @property
    def vehicle_id(self) -> VehicleId:
        return self.run.vehicle_id

    @property
    def name(self) -> str:
        return self.vehicle.name if self.vehicle else str(self.vehicle_id)

    @property
    def is_as_planned(self) -> bool:
        """Whether the promised stops are those of the plan's run, in its order."""
        planned = [v.stop_id for v in self.plan_run.visits] if self.plan_run else []
        return planned == [v.stop_id for v in self.visits]


def timetable_on(session: Session, region_id: str, on: date) -> Timetable | None:
    """The timetable that holds on a date; ``None`` where none does."""
    found = (
        t
        for t in publication_store.list_timetables(session, region_id)
        if t.from_date <= on <= t.until_date
    )
    return next(found, None)


def promised_days(
    session: Session, region_id: str, on: date, *, vehicle_id: VehicleId | None = None
) -> tuple[PromisedDay, ...]:
    """Every vehicle that has visits on a date, those cancelled included, in order of the fleet.

    Raises
    ------
    NotFoundError
        ``plan.unknown``.
    """
    visits = publication_store.load_visits(
        session, region_id, from_date=on, until_date=on, vehicle_id=vehicle_id
    )
    visits = tuple(v for v in visits if v.is_told)
    if not visits:
        return ()
    timetables = publication_store.list_timetables(session, region_id)
    return tuple(_days(session, timetables, visits, on))


def promised_span(
    session: Session, region_id: str, first: date, last: date
) -> tuple[PromisedDay, ...]:
    """Every vehicle's promised days of a span, from one reading of what is published.

    Raises
    ------
    NotFoundError
        ``plan.unknown``.
    """
    told = publication_store.load_visits(session, region_id, from_date=first, until_date=last)
    by_date: dict[date, list[PromisedVisit]] = defaultdict(list)
    for visit in told:
        if visit.is_told:
            by_date[visit.service_date].append(visit)
    timetables = publication_store.list_timetables(session, region_id) if by_date else ()
    return tuple(
        day for on, visits in by_date.items() for day in _days(session, timetables, visits, on)
    )


def _days(
    session: Session, timetables: Iterable[Timetable], visits: Sequence[PromisedVisit], on: date
) -> Iterator[PromisedDay]:
    """A date's days in order of the fleet, by the timetable that holds on it."""
    known = tuple(timetables)
    own = next((t for t in known if t.timetable_id == visits[0].timetable_id), None)
    timetable = next((t for t in known if t.from_date <= on <= t.until_date), own)
    if timetable is None:
        return
    opened = open_plan(session, timetable.plan_id)
    request = opened.request
    ids = list(dict.fromkeys(v.vehicle_id for v in visits))
    order = {v.vehicle_id: k for k, v in enumerate(request.vehicles)}
    ids.sort(key=lambda i: (order.get(i, len(order)), i))
    for i in ids:
        yield promised_day(request, opened.plan, (v for v in visits if v.vehicle_id == i), i, on)


def promised_day(
    request: PlanRequest,
    plan: Plan,
    visits: Iterable[PromisedVisit],
    vehicle_id: VehicleId,
    on: date,
) -> PromisedDay:
    """One vehicle's day; stops that the plan does not know are left out."""
    stops: dict[str, Stop] = {str(s.stop_id): s for s in request.stops}
    known = [v for v in visits if str(v.stop_id) in stops]
    held = tuple(
        sorted((v for v in known if v.state in TO_BE_HELD), key=lambda v: (v.start_s, v.visit_id))
    )
    vehicle = next((v for v in request.vehicles if v.vehicle_id == vehicle_id), None)
    plan_run = _plan_run(request, plan, vehicle, on)
    start_id = end_id = None
    if plan_run is not None and vehicle is not None:
        start_id, end_id = plan_run.ends(vehicle)
    elif vehicle is not None:
        start_id, end_id = vehicle.depot_id, vehicle.end_depot_id or vehicle.depot_id
    depots = {d.depot_id: d for d in request.depots}
    run = planned_of_visits(
        held,
        stops,
        vehicle_id=vehicle_id,
        on=on,
        time_zone=request.time_zone,
        start_depot=depots.get(start_id) if start_id else None,
        end_depot=depots.get(end_id) if end_id else None,
    )
    found = PromisedDay(
        run=run,
        visits=held,
        cancelled=tuple(v for v in known if v.state is VisitState.CANCELLED),
        vehicle=vehicle,
        request=request,
        plan=plan,
        plan_run=plan_run,
    )
    return replace(found, run=_with_ends(found))


def _plan_run(request: PlanRequest, plan: Plan, vehicle: Vehicle | None, on: date) -> Run | None:
    if vehicle is None:
        return None
    for run in plan.runs:
        is_its = run.vehicle_id == vehicle.vehicle_id and run.day % 7 == on.weekday()
        if is_its and on in run_dates(request, plan, run, on):
            return run
    return None


def _with_ends(day: PromisedDay) -> PlannedRun:
    """The run with departure, return, way and meal: the plan's where they still hold."""
    run = day.run
    if not run.stops or run.start_depot_id is None or run.end_depot_id is None:
        return run
    zone = ZoneInfo(run.time_zone)
    ids = run.place_ids
    matrix = day.request.travel.get(run.vehicle_id) or next(iter(day.request.travel.values()))
    pairs = tuple(pairwise(ids))
    is_known = all(i in matrix.index for i in ids)
    drive_m = sum(matrix.metres(a, b) for a, b in pairs) if is_known else None
    depart_at = run.stops[0].arrival_at
    return_at = run.stops[-1].departure_at
    if is_known:
        depart_at -= timedelta(seconds=matrix.seconds(*pairs[0]))
        return_at += timedelta(seconds=matrix.seconds(*pairs[-1]))
    plan_run = day.plan_run
    stops = run.stops
    if plan_run is not None and day.is_as_planned:
        depart_at = instant_of(run.service_date, plan_run.depart_s, zone)
        return_at = instant_of(run.service_date, plan_run.return_s, zone)
        drive_m = plan_run.drive_m
        if plan_run.meal is not None:
            meal = plan_run.meal
            stops = tuple(
                replace(s, meal_s=meal.end_s - meal.start_s)
                if s.position == meal.after_visit
                else s
                for s in stops
            )
    return replace(run, stops=stops, depart_at=depart_at, return_at=return_at, drive_m=drive_m)
