"""A vehicle breaks down: the rest of its day goes to others or to another date, shown before.

Today's hand-over is searched by the planner from where everybody is; what nobody can hold today
gets a make-up visit, and the rest is cancelled. All of it is one exception, undone in one step.
Nothing is given to the vehicle itself, unless it is said when it goes on.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from sqlmodel import Session

from api.services import breakdown_step, make_up  # noqa: F401 (a step of the cascade)
from api.services.breakdown_asked import BreakdownAsked, BreakdownPreview, Decided, Instead
from api.services.breakdown_case import BreakdownCase, breakdown_case
from api.services.cancelling import names_of
from api.services.cascade import Change, ChangeOf, next_visits, run_cascade
from api.services.make_up import Offer
from api.services.publishing import begin_change
from data.db import audit_store, event_store, publication_store
from data.model.accounts import Caller
from data.model.calendar import MINUTE_S
from data.model.cancellation import ExceptionKind, ServiceException
from data.model.errors import ConflictError, NotFoundError, RequestError
from data.model.fleet import VehicleId
from data.model.publication import PromisedVisit, VisitId, VisitState
from planner.rescue_request import Placed

if TYPE_CHECKING:
    from planner.rescue import Rescue

NOTICE_S = 10 * MINUTE_S
"""What is shown takes for granted that crews know of it so much later: time to decide."""


def preview(
    session: Session, region_id: str, asked: BreakdownAsked, *, at: datetime
) -> BreakdownPreview:
    """What would become of the rest of a vehicle's day.

    Raises
    ------
    NotFoundError
        ``region.unknown``, ``breakdown.no_run`` where the vehicle has nothing today.
    InputError
        ``breakdown.nothing_left`` where all of its visits are over or under way;
        ``breakdown.back_past`` for a vehicle that goes on before now.
    """
    case = breakdown_case(session, region_id, asked, at=at, notice_s=NOTICE_S)
    from planner.rescue import rescue  # loads the search

    found = rescue(case.rest)
    stops, vehicles = names_of(session, region_id)
    left = {d.visit_id for d in found.left}
    missed = [v for v in case.due if str(v.visit_id) in left]
    offers: dict[VisitId, Offer | None] = {}
    if asked.with_other_days and missed:
        offers = make_up.offers_instead(
            session, region_id, missed, at=at, without=_not_going_on(asked, found)
        )
    return BreakdownPreview(
        head=case.head,
        asked=asked,
        on=case.moment.on,
        now_s=case.moment.now_s,
        rows=tuple(_rows(case, found, offers, at)),
        unable=found.unable,
        num_helpers=len(case.rest.helpers),
        is_measured=case.is_measured,
        added_drive_m=found.added_drive_m,
        stops=stops,
        vehicles=vehicles,
        seen=case.seen,
        lon=case.lon,
        lat=case.lat,
    )


def decide(
    session: Session,
    region_id: str,
    asked: BreakdownAsked,
    decided: Decided,
    *,
    by: Caller,
    at: datetime,
) -> ServiceException:
    """Do what was shown: visits handed over, moved to another date or cancelled, with all else.

    Raises
    ------
    ConflictError
        ``breakdown.changed`` where the visits are not those that were shown; as ``make_up.accept``.
    RequestError
        ``breakdown.impossible`` where the hand-over would by now break a rule or a promise, with
        what is wrong as ``problems``.
    """
    begin_change(session, region_id, None, at=at)
    case = breakdown_case(session, region_id, asked, at=at, notice_s=0)
    if decided.seen != case.seen:
        raise ConflictError("breakdown.changed")
    placed = _judged(case, decided)
    exception, change = _exception_of(session, case, decided, placed, asked, by=by, at=at)
    publication_store.add_exception(session, exception)
    effects = run_cascade(session, change)
    publication_store.save_exception(session, replace(exception, effects=effects))
    for other in decided.other_dates:
        choice = (other.vehicle_id, other.service_date, other.start_s)
        make_up.accept(session, region_id, other.visit_id, choice, by=by, at=at)
    audit_store.record(
        session,
        by,
        "visits.breakdown",
        exception.exception_id,
        region_id=region_id,
        vehicle=asked.vehicle_id,
        reason=asked.reason.value,
        visits=len(case.due),
        handed_over=len(decided.moves),
        other_date=len(decided.other_dates),
    )
    event_store.emit(
        session,
        "timetable",
        exception.exception_id,
        region_id,
        undone=False,
        visits=len(exception.visit_ids),
    )
    return publication_store.get_exception(session, region_id, exception.exception_id)


def _not_going_on(asked: BreakdownAsked, found: "Rescue") -> frozenset[VehicleId]:
    """The vehicle itself, unless it holds a visit again today: nobody knows when it will."""
    holds = any(p.vehicle_id == asked.vehicle_id for p in found.placed)
    return frozenset() if holds else frozenset({asked.vehicle_id})


def _rows(
    case: BreakdownCase, found: "Rescue", offers: Mapping[VisitId, Offer | None], at: datetime
) -> Iterator[Instead]:
    placed = {p.visit_id: p for p in found.placed}
    for visit in case.due:
        place = placed.get(str(visit.visit_id))
        after = None if place is None else _moved(visit, place, at)
        yield Instead(visit=visit, after=after, offer=offers.get(visit.visit_id))
    late = {o.visit_id: o.latest_s for h in case.rest.helpers for o in h.own}
    for visit_id, visit in case.own.items():
        place = placed.get(visit_id)
        if place is not None and not visit.start_s <= place.start_s <= late[visit_id]:
            yield Instead(visit=visit, after=_moved(visit, place, at), is_own=True)


def _moved(visit: PromisedVisit, place: Placed, at: datetime) -> PromisedVisit:
    return replace(
        visit,
        vehicle_id=place.vehicle_id,
        position=place.position,
        arrival_s=place.arrival_s,
        start_s=place.start_s,
        end_s=place.end_s,
        departure_s=place.departure_s,
        sequence=visit.sequence + 1,
        changed_at=at,
    )


def _judged(case: BreakdownCase, decided: Decided) -> dict[str, Placed]:
    """Where each visit that is moved goes, once the planner's checker has passed it again."""
    due = {str(v.visit_id) for v in case.due}
    known = due | case.own.keys()
    able = {h.vehicle.vehicle_id for h in case.rest.helpers}
    starts: dict[str, tuple[VehicleId, int]] = {}
    for move in decided.moves:
        if str(move.visit_id) not in known:
            raise NotFoundError("visit.unknown", visit_id=move.visit_id)
        if move.vehicle_id not in able:
            raise ConflictError("breakdown.no_helper", vehicle_id=move.vehicle_id)
        starts[str(move.visit_id)] = (move.vehicle_id, move.start_s)
    for other in decided.other_dates:
        if str(other.visit_id) not in due or str(other.visit_id) in starts:
            raise NotFoundError("visit.unknown", visit_id=other.visit_id)
    num_own = sum(i in case.own for i in starts)
    if num_own > case.rest.max_changes:
        raise RequestError(
            "breakdown.over_cap", found=num_own, limit=case.rest.max_changes, problems=[]
        )
    if not starts:
        return {}
    used = {v for v, _ in starts.values()}
    rest = replace(
        case.rest, helpers=tuple(h for h in case.rest.helpers if h.vehicle.vehicle_id in used)
    )
    from planner.rescue import judge_again  # loads the search

    judged = judge_again(rest, starts)
    if judged.broken:
        raise RequestError(
            "breakdown.impossible", count=len(judged.broken), problems=list(judged.broken)
        )
    return {p.visit_id: p for p in judged.placed}


def _exception_of(
    session: Session,
    case: BreakdownCase,
    decided: Decided,
    placed: Mapping[str, Placed],
    asked: BreakdownAsked,
    *,
    by: Caller,
    at: datetime,
) -> tuple[ServiceException, Change]:
    moved = {str(m.visit_id) for m in decided.moves}
    before: list[PromisedVisit] = []
    after: list[PromisedVisit] = []
    for visit in (*case.due, *case.own.values()):
        visit_id = str(visit.visit_id)
        if visit_id in moved:
            now = _moved(visit, placed[visit_id], at)
        elif visit_id in case.own:
            continue
        else:
            now = replace(
                visit,
                state=VisitState.CANCELLED,
                reason=asked.reason.value,
                sequence=visit.sequence + 1,
                changed_at=at,
            )
        before.append(visit)
        after.append(now)
    exception = ServiceException(
        exception_id=uuid.uuid4().hex,
        region_id=case.head.region_id,
        kind=ExceptionKind.BREAKDOWN,
        from_date=case.moment.on,
        until_date=case.moment.on,
        vehicle_id=asked.vehicle_id,
        visit_ids=tuple(v.visit_id for v in after),
        reason=asked.reason.value,
        note=asked.note.strip(),
        created_at=at,
        created_by=by.account_id,
    )
    now_moment = (case.moment.on, case.moment.now_s)
    coming = publication_store.load_visits(
        session, case.head.region_id, from_date=case.moment.on, states=[VisitState.PLANNED]
    )
    ids = tuple(dict.fromkeys(v.stop_id for v in after))
    changed = {v.visit_id: v for v in after}
    change = Change(
        kind=ChangeOf.BREAKDOWN,
        region_id=case.head.region_id,
        at=at,
        now=now_moment,
        before=tuple(before),
        after=tuple(after),
        next_before=next_visits(coming, ids, now_moment),
        next_after=next_visits((changed.get(v.visit_id, v) for v in coming), ids, now_moment),
        exception_id=exception.exception_id,
        reason=exception.reason,
        note=exception.note,
    )
    return exception, change
