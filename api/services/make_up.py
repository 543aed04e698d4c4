"""A visit instead of a cancelled one: free places on the following dates, accepted by one click.

The runs of two weeks are laid out as they are promised, and the planner looks where one more visit
fits without moving anybody else's time or breaking a rule. Days that may not be used are closed in
the copy of the calendar that the search sees.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session

from api.services.cascade import Change, ChangeOf, next_visits, run_cascade
from api.services.plan_documents import open_plan
from api.services.publishing import begin_change, region_closures
from data.db import audit_store, event_store, publication_store, region_store
from data.db.publication_store import Timetable
from data.model.accounts import Caller
from data.model.calendar import DAYS_PER_WEEK, Cycle
from data.model.cancellation import ServiceException
from data.model.errors import ConflictError, InputError
from data.model.fleet import VehicleId
from data.model.pins import Pins, VisitPin
from data.model.place import Stop, StopId
from data.model.plan import Plan, PlanRequest, StopVisit
from data.model.publication import (
    Closure,
    Moment,
    PromisedVisit,
    VisitId,
    VisitState,
    moment_of,
)
from data.model.recurrence import monday_of
from data.model.timetable import run_dates
from data.model.travel import TravelMatrix
from planner.edit import Add, Edit, Remove, apply
from planner.insert import Place, best_places

LOOK_AHEAD_WEEKS = 3
"""Weeks, the one of the cancelled visit included, in which a place is looked for."""
MOST_OFFERS = 6
_PER_WEEK = 6
_DAY_WORTH_S = 900
"""Driving that is worth coming a day sooner."""
_LEAST_OPEN_S = 20 * 60
"""Doors open for less are not worth the way."""
_ALIAS = "\N{ZERO WIDTH SPACE}make-up"
"""The stop under a second name: its regular visits stay what they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A free place for a make-up visit and what it costs."""

    missed_id: VisitId
    vehicle_id: VehicleId
    vehicle_name: str
    service_date: date
    arrival_s: int
    start_s: int
    end_s: int
    departure_s: int
    added_drive_s: int
    added_drive_m: int
    days_after: int
    """Days after the cancelled visit."""
    is_shorter: bool
    """Whether the doors are open for less than they were to be."""
    is_before_next: bool
    """Whether it comes before the stop's next regular visit."""

    @property
    def rank(self) -> tuple[bool, int, date, int]:
        """What readers and the fleet like best comes first."""
        waiting_s = self.days_after * _DAY_WORTH_S
        return (not self.is_before_next, waiting_s + self.added_drive_s, *self.key[1:])

    @property
    def key(self) -> tuple[VehicleId, date, int]:
        """What names the offer."""
        return self.vehicle_id, self.service_date, self.start_s


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A cancelled visit with everything the search reads."""

    missed: PromisedVisit
    exception: ServiceException
    timetable: Timetable
    now: Moment
    visits: tuple[PromisedVisit, ...]
    """All visits meant to happen, from the week before on."""
    closures: tuple[Closure, ...]
    last_date: date

    @property
    def first_date(self) -> date:
        """First date that may be offered: a day's notice, and after the cancelled visit."""
        return max(self.now[0], self.missed.service_date) + timedelta(days=1)

    @property
    def own_dates(self) -> frozenset[date]:
        """Dates on which the stop is visited anyway."""
        stop_id = self.missed.stop_id
        return frozenset(v.service_date for v in self.visits if v.stop_id == stop_id)


def offers(
    session: Session, region_id: str, visit_id: VisitId, *, at: datetime, most: int = MOST_OFFERS
) -> tuple[Offer, ...]:
    """Places for a visit instead of a cancelled one, the best first; empty where there is none.

    Where the doors can nowhere be open as long as they were to be, half as long is looked for.

    Raises
    ------
    NotFoundError
        ``region.unknown``, ``visit.unknown``.
    ConflictError
        ``make_up.not_cancelled``, ``make_up.has_one``.
    """
    case = _case(session, region_id, visit_id, at)
    opened = open_plan(session, case.timetable.plan_id)
    whole_s = case.missed.end_s - case.missed.start_s
    for open_s in dict.fromkeys((whole_s, max(_LEAST_OPEN_S, whole_s // 2))):
        if open_s > whole_s:
            continue
        found = [
            offer
            for monday in _mondays(case)
            for offer in _offers_of_week(opened.request, opened.plan, case, monday, open_s)
        ]
        if found:
            return tuple(sorted(found, key=lambda o: o.rank)[:most])
    return ()


def _mondays(case: _Case) -> Iterator[date]:
    first = monday_of(case.first_date)
    for week in range(LOOK_AHEAD_WEEKS):
        monday = first + timedelta(weeks=week)
        if monday <= case.last_date:
            yield monday


def accept(
    session: Session,
    region_id: str,
    visit_id: VisitId,
    choice: tuple[VehicleId, date, int],
    *,
    by: Caller,
    at: datetime,
) -> PromisedVisit:
    """Promise the make-up visit, if its place is still free.

    Parameters
    ----------
    choice
        ``Offer.key``: vehicle, service date, opening in seconds.

    Raises
    ------
    ConflictError
        As ``offers``, and ``make_up.gone`` where the place is not offered any more.
    """
    begin_change(session, region_id, None, at=at)
    known = offers(session, region_id, visit_id, at=at, most=LOOK_AHEAD_WEEKS * _PER_WEEK)
    offer = next((o for o in known if o.key == choice), None)
    if offer is None:
        raise ConflictError("make_up.gone", date=choice[1].isoformat())
    case = _case(session, region_id, visit_id, at)
    visit = _promised(case, offer, at)
    change = _change(session, case, visit, at)
    effects = run_cascade(session, change)
    grown = replace(case.exception, effects=(*case.exception.effects, *effects))
    publication_store.save_exception(session, grown)
    audit_store.record(
        session,
        by,
        "visits.make_up",
        visit.visit_id,
        region_id=region_id,
        missed=visit_id,
        date=visit.opens_date.isoformat(),
    )
    event_store.emit(session, "timetable", visit.visit_id, region_id, make_up_for=visit_id)
    return visit


def _case(session: Session, region_id: str, visit_id: VisitId, at: datetime) -> _Case:
    head = publication_store.region_head(session, region_id)
    now = moment_of(at, head.time_zone)
    (missed,) = publication_store.get_visits(session, region_id, [visit_id])
    if missed.state is not VisitState.CANCELLED:
        raise ConflictError("make_up.not_cancelled", date=missed.opens_date.isoformat())
    exceptions = publication_store.list_exceptions(
        session, region_id, from_date=missed.service_date, until_date=missed.service_date
    )
    exception = next((e for e in exceptions if visit_id in e.visit_ids), None)
    if exception is None:
        raise ConflictError("make_up.not_cancelled", date=missed.opens_date.isoformat())
    first = max(now[0], missed.service_date) + timedelta(days=1)
    last = monday_of(first) + timedelta(weeks=LOOK_AHEAD_WEEKS, days=-1)
    timetable, ends = _holding(session, region_id, first)
    start = monday_of(first) - timedelta(weeks=1)
    visits = publication_store.load_visits(
        session, region_id, from_date=start, until_date=last, states=[VisitState.PLANNED]
    )
    for visit in publication_store.load_visits(
        session, region_id, from_date=now[0], stop_id=missed.stop_id, states=[VisitState.PLANNED]
    ):
        if visit.make_up_for == visit_id:
            raise ConflictError("make_up.has_one", date=visit.opens_date.isoformat())
    closing = publication_store.list_exceptions(
        session, region_id, from_date=start, until_date=last
    )
    own = region_closures(region_store.load_region(session, region_id))
    return _Case(
        missed=missed,
        exception=exception,
        timetable=timetable,
        now=now,
        visits=visits,
        closures=(*(c for e in closing if (c := e.closure) is not None), *own),
        last_date=min(last, ends),
    )


def _holding(session: Session, region_id: str, on: date) -> tuple[Timetable, date]:
    """The timetable that holds on a date, and the last date for which it does."""
    later: Timetable | None = None
    for timetable in publication_store.list_timetables(session, region_id):
        if timetable.from_date <= on:
            ends = timetable.until_date
            if later is not None:
                ends = min(ends, later.from_date - timedelta(days=1))
            return timetable, ends
        later = timetable
    raise InputError("make_up.no_timetable", date=on.isoformat())


def _offers_of_week(
    request: PlanRequest, plan: Plan, case: _Case, monday: date, open_s: int
) -> Iterator[Offer]:
    known = next((s for s in request.stops if s.stop_id == case.missed.stop_id), None)
    if known is None:
        return
    stop = _once(known, open_s)
    dated, laid = _as_promised(request, plan, case, monday, stop)
    names = {v.vehicle_id: v.name for v in request.vehicles}
    following = sorted(on for on in case.own_dates if on > case.missed.service_date)
    for place in best_places(dated, laid, stop, most=_PER_WEEK):
        edit = place.edits[0]
        visit = _visit_of(place, stop.stop_id)
        on = dated.cycle.date_of(edit.day)
        yield Offer(
            missed_id=case.missed.visit_id,
            vehicle_id=edit.vehicle_id,
            vehicle_name=names[edit.vehicle_id],
            service_date=on,
            arrival_s=visit.arrival_s,
            start_s=visit.start_s,
            end_s=visit.end_s,
            departure_s=visit.departure_s,
            added_drive_s=place.added_drive_s,
            added_drive_m=place.added_drive_m,
            days_after=(on - case.missed.service_date).days,
            is_shorter=open_s < case.missed.end_s - case.missed.start_s,
            is_before_next=not following or on < following[0],
        )


def _visit_of(place: Place, stop_id: StopId) -> StopVisit:
    return next(v for r in place.judgement.plan.runs for v in r.visits if v.stop_id == stop_id)


def _once(stop: Stop, open_s: int) -> Stop:
    """The stop as it is to be visited once more, whoever comes along."""
    return replace(
        stop,
        stop_id=StopId(stop.stop_id + _ALIAS),
        service_s=open_s,
        service_most_s=None,
        visits_per_cycle=1,
        recurrence=None,
        min_gap_days=1,
        max_gap_days=None,
        services=frozenset(),
        services_visits=None,
        mandatory=False,
    )


def _as_promised(
    request: PlanRequest, plan: Plan, case: _Case, monday: date, stop: Stop
) -> tuple[PlanRequest, Plan]:
    """The runs of a week and of the one before as they are promised, and what they are judged by.

    The week before is there for rules of two weeks. Every promised time is pinned.
    """
    start = monday - timedelta(weeks=1)
    last = monday + timedelta(days=DAYS_PER_WEEK - 1)
    cycle = Cycle(start_date=start, num_weeks=2, repeats=False)
    runs = tuple(
        replace(run, day=(on - start).days)
        for run in plan.runs
        for on in run_dates(request, plan, run, last)
        if on >= start
    )
    promised = {
        (v.vehicle_id, (v.service_date - start).days, v.stop_id): v
        for v in case.visits
        if start <= v.service_date <= last
    }
    visited = {v.stop_id for v in promised.values()} | {v.stop_id for r in runs for v in r.visits}
    travel = {
        vehicle_id: _with_alias(matrix, case.missed.stop_id, stop.stop_id)
        for vehicle_id, matrix in request.travel.items()
    }
    dated = replace(
        request,
        cycle=cycle,
        stops=(*(s for s in request.stops if s.stop_id in visited), stop),
        travel=travel,
        pins=Pins(),
        change_cap=None,
        specialists=(),
    )
    bare = Plan(runs=tuple(replace(r, specialist_ids=()) for r in runs))
    edits = _edits(bare, promised)
    laid = apply(dated, bare, edits) if edits else bare
    pins = tuple(
        VisitPin(
            stop_id=v.stop_id,
            day=r.day,
            vehicle_id=r.vehicle_id,
            earliest_s=v.start_s,
            latest_s=v.start_s,
        )
        for r in laid.runs
        for v in r.visits
    )
    return replace(_closed(dated, case, start), pins=Pins(visits=pins)), laid


def _edits(
    plan: Plan, promised: Mapping[tuple[VehicleId, int, StopId], PromisedVisit]
) -> list[Edit]:
    """What makes the plan's runs those that are promised: cancelled ones out, make-ups in."""
    planned = {(r.vehicle_id, r.day, v.stop_id) for r in plan.runs for v in r.visits}
    edits: list[Edit] = [
        Remove(stop_id=stop_id, day=day)
        for vehicle_id, day, stop_id in sorted(planned - promised.keys())
    ]
    for vehicle_id, day, stop_id in sorted(promised.keys() - planned):
        visit = promised[vehicle_id, day, stop_id]
        edits.append(Add(stop_id=stop_id, vehicle_id=vehicle_id, day=day, at_s=visit.start_s))
    return edits


def _closed(request: PlanRequest, case: _Case, start: date) -> PlanRequest:
    """The request with every date closed that may not be offered."""
    dates = [start + timedelta(days=k) for k in range(request.cycle.num_days)]
    open_dates = range(DAYS_PER_WEEK, request.cycle.num_days)
    barred = {
        on
        for k, on in enumerate(dates)
        if k not in open_dates
        or not case.first_date <= on <= case.last_date
        or on in case.own_dates
        or any(c.vehicle_id is None and c.from_date <= on <= c.until_date for c in case.closures)
    }
    off: dict[VehicleId, set[date]] = {}
    for closure in case.closures:
        if closure.vehicle_id is not None:
            days = {on for on in dates if closure.from_date <= on <= closure.until_date}
            off.setdefault(closure.vehicle_id, set()).update(days)
    closed = {**request.calendar.closed_dates, **dict.fromkeys(barred, "")}
    vehicles = tuple(
        replace(v, off_dates=v.off_dates | off.get(v.vehicle_id, set())) for v in request.vehicles
    )
    return replace(
        request, calendar=replace(request.calendar, closed_dates=closed), vehicles=vehicles
    )


def _with_alias(matrix: TravelMatrix, point: str, alias: str) -> TravelMatrix:
    """The matrix with a point under a second name."""
    if point not in matrix.index:
        return matrix
    order = np.append(np.arange(len(matrix.point_ids)), matrix.index[point])
    cut = np.ix_(order, order)

    def wider(part: NDArray[np.int32] | None) -> Any:
        return None if part is None else part[cut]

    return TravelMatrix(
        point_ids=(*matrix.point_ids, alias),
        travel_s=matrix.travel_s[cut],
        travel_m=matrix.travel_m[cut],
        source=matrix.source,
        is_estimated=matrix.is_estimated,
        base_s=wider(matrix.base_s),
        buffer_s=wider(matrix.buffer_s),
    )


def _promised(case: _Case, offer: Offer, at: datetime) -> PromisedVisit:
    same_run: Sequence[PromisedVisit] = [
        v
        for v in case.visits
        if (v.vehicle_id, v.service_date) == (offer.vehicle_id, offer.service_date)
    ]
    return PromisedVisit(
        visit_id=VisitId(uuid.uuid4().hex),
        region_id=case.missed.region_id,
        timetable_id=case.timetable.timetable_id,
        stop_id=case.missed.stop_id,
        vehicle_id=offer.vehicle_id,
        service_date=offer.service_date,
        position=max((v.position for v in same_run), default=-1) + 1,
        arrival_s=offer.arrival_s,
        start_s=offer.start_s,
        end_s=offer.end_s,
        departure_s=offer.departure_s,
        make_up_for=case.missed.visit_id,
        published_at=at,
        changed_at=at,
    )


def _change(session: Session, case: _Case, visit: PromisedVisit, at: datetime) -> Change:
    stop_ids = (visit.stop_id,)
    coming = publication_store.load_visits(
        session,
        visit.region_id,
        from_date=case.now[0] - timedelta(days=1),
        stop_id=visit.stop_id,
        states=[VisitState.PLANNED],
    )
    return Change(
        kind=ChangeOf.MAKE_UP,
        region_id=visit.region_id,
        at=at,
        now=case.now,
        before=(case.missed,),
        after=(visit,),
        next_before=next_visits(coming, stop_ids, case.now),
        next_after=next_visits([*coming, visit], stop_ids, case.now),
        exception_id=case.exception.exception_id,
        reason=case.exception.reason,
    )
