"""A visit instead of a cancelled one: free places on the following dates, accepted by one click.

The runs of two weeks are laid out as they are promised, and the planner looks where one more visit
fits without moving anybody else's time or breaking a rule. Days that may not be used are closed in
the copy of the calendar that the search sees.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlmodel import Session

from api.services import circulation_step  # noqa: F401 (a step of the cascade)
from api.services.cascade import Change, ChangeOf, next_visits, run_cascade
from api.services.dated_runs import MissedVisit, once_more, runs_as_promised
from api.services.plan_documents import open_plan
from api.services.publishing import begin_change, region_closures
from data.db import audit_store, event_store, publication_store, region_store
from data.db.publication_store import Timetable
from data.model.accounts import Caller
from data.model.cancellation import ExceptionKind, ServiceException
from data.model.errors import ConflictError, InputError
from data.model.fleet import VehicleId
from data.model.place import StopId
from data.model.plan import Plan, PlanRequest, StopVisit
from data.model.publication import (
    Moment,
    PromisedVisit,
    VisitId,
    VisitState,
    moment_of,
)
from data.model.recurrence import monday_of
from planner.insert import Place, best_places

LOOK_AHEAD_WEEKS = 3
"""Weeks, the one of the cancelled visit included, in which a place is looked for."""
MOST_OFFERS = 6
_PER_WEEK = 6
_DAY_WORTH_S = 900
"""Driving that is worth coming a day sooner."""
_LEAST_OPEN_S = 20 * 60
"""Doors open for less are not worth the way."""


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
    return _offers_of(session, _case(session, region_id, visit_id, at), most)


def offers_instead(
    session: Session,
    region_id: str,
    missed: Sequence[PromisedVisit],
    *,
    at: datetime,
    without: frozenset[VehicleId] = frozenset(),
) -> dict[VisitId, Offer | None]:
    """The best place for each of some visits about to be cancelled; none is taken twice.

    Parameters
    ----------
    without
        Vehicles that are about to be out of service besides those that are.
    """
    found: dict[VisitId, Offer | None] = {}
    taken: list[PromisedVisit] = []
    gone = frozenset(v.visit_id for v in missed)
    for visit in missed:
        case = _case_of(session, region_id, visit, _to_be(visit, at), at, without)
        left = [v for v in case.visits if v.visit_id not in gone]
        case = replace(case, visits=(*left, *taken))
        offer = next(iter(_offers_of(session, case, 1)), None)
        found[visit.visit_id] = offer
        if offer is not None:
            taken.append(_promised(case, offer, at))
    return found


def _to_be(visit: PromisedVisit, at: datetime) -> ServiceException:
    """The exception that cancelling a visit would be; it is not stored."""
    return ServiceException(
        exception_id="",
        region_id=visit.region_id,
        kind=ExceptionKind.CANCELLED,
        from_date=visit.service_date,
        until_date=visit.service_date,
        visit_ids=(visit.visit_id,),
        created_at=at,
    )


def _offers_of(session: Session, case: MissedVisit, most: int) -> tuple[Offer, ...]:
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


def _mondays(case: MissedVisit) -> Iterator[date]:
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


def _case(session: Session, region_id: str, visit_id: VisitId, at: datetime) -> MissedVisit:
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
    for visit in publication_store.load_visits(
        session, region_id, from_date=now[0], stop_id=missed.stop_id, states=[VisitState.PLANNED]
    ):
        if visit.make_up_for == visit_id:
            raise ConflictError("make_up.has_one", date=visit.opens_date.isoformat())
    return _case_of(session, region_id, missed, exception, at)


def _case_of(
    session: Session,
    region_id: str,
    missed: PromisedVisit,
    exception: ServiceException,
    at: datetime,
    without: frozenset[VehicleId] = frozenset(),
) -> MissedVisit:
    head = publication_store.region_head(session, region_id)
    now = moment_of(at, head.time_zone)
    first = max(now[0], missed.service_date) + timedelta(days=1)
    last = monday_of(first) + timedelta(weeks=LOOK_AHEAD_WEEKS, days=-1)
    timetable, ends = _holding(session, region_id, first)
    start = monday_of(first) - timedelta(weeks=1)
    visits = publication_store.load_visits(
        session, region_id, from_date=start, until_date=last, states=[VisitState.PLANNED]
    )
    closing = publication_store.list_exceptions(
        session, region_id, from_date=start, until_date=last
    )
    own = region_closures(region_store.load_region(session, region_id))
    return MissedVisit(
        missed=missed,
        exception=exception,
        timetable=timetable,
        now=now,
        visits=visits,
        closures=(*(c for e in closing if (c := e.closure) is not None), *own),
        without=without | _broken_down(session, region_id, now),
        last_date=min(last, ends),
    )


def _broken_down(session: Session, region_id: str, now: Moment) -> frozenset[VehicleId]:
    """Vehicles that broke down today and hold nothing any more: who knows until when."""
    today = now[0]
    exceptions = publication_store.list_exceptions(
        session, region_id, from_date=today, until_date=today, kinds=[ExceptionKind.BREAKDOWN]
    )
    broken = {e.vehicle_id for e in exceptions if e.vehicle_id is not None}
    if not broken:
        return frozenset()
    visits = publication_store.load_visits(
        session, region_id, from_date=today, until_date=today, states=[VisitState.PLANNED]
    )
    going_on = {v.vehicle_id for v in visits if v.begins > now}
    return frozenset(broken - going_on)


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
    request: PlanRequest, plan: Plan, case: MissedVisit, monday: date, open_s: int
) -> Iterator[Offer]:
    known = next((s for s in request.stops if s.stop_id == case.missed.stop_id), None)
    if known is None:
        return
    stop = once_more(known, open_s, by_some=bool(case.without))
    dated, laid = runs_as_promised(request, plan, case, monday, stop)
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


def _promised(case: MissedVisit, offer: Offer, at: datetime) -> PromisedVisit:
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


def _change(session: Session, case: MissedVisit, visit: PromisedVisit, at: datetime) -> Change:
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
