"""A vehicle breaks down: the rest of its day goes to others or to another date, shown before.

Today's hand-over is searched by the planner from where everybody is; what nobody can hold today
gets a make-up visit, and the rest is cancelled. All of it is one exception, undone in one step.
"""

import hashlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlmodel import Session

from api.services import breakdown_step, make_up  # noqa: F401 (a step of the cascade)
from api.services.cancelling import names_of
from api.services.cascade import Change, ChangeOf, next_visits, run_cascade
from api.services.helpers_now import (
    Moment,
    due_of,
    helper_of,
    live_day,
    visits_to_come,
    whereabouts,
)
from api.services.make_up import Offer
from api.services.promised_days import PromisedDay, promised_day, promised_days
from api.services.publishing import begin_change, region_closures
from api.services.weeks_used import weeks_used
from data.db import audit_store, event_store, publication_store, region_store
from data.db.publication_store import RegionHead
from data.model.accounts import Caller
from data.model.calendar import MINUTE_S
from data.model.cancellation import NOTE_CHARS, CancelReason, ExceptionKind, ServiceException
from data.model.errors import ConflictError, InputError, NotFoundError, RequestError
from data.model.fleet import CrewRules, VehicleId
from data.model.place import StopId
from data.model.public_timetable import PublicStop
from data.model.publication import PromisedVisit, VisitId, VisitState, moment_of
from planner.rescue_request import Helper, Placed, RestOfDay, WeekUse

if TYPE_CHECKING:
    from planner.rescue import Rescue

NOTICE_S = 10 * MINUTE_S
"""What is shown takes for granted that crews know of it so much later: time to decide."""
MOST_LATE_MIN = 180
_MEAL_S = 30 * MINUTE_S
MOST_CHANGES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakdownAsked:
    """What has happened, and what may be done about it."""

    vehicle_id: VehicleId
    reason: CancelReason = CancelReason.BREAKDOWN
    note: str = ""
    back_at_s: int | None = None
    """When it goes on, seconds from midnight; ``None``: not today."""
    helpers: frozenset[VehicleId] | None = None
    """Vehicles that may help; ``None``: every other one."""
    most_late_min: int = 30
    """Minutes by which a visit may open later than promised."""
    max_changes: int = 0
    """Promised times of the helpers' own visits that may move."""
    with_other_days: bool = True
    """Whether another date is looked for where nobody can come today."""

    def __post_init__(self) -> None:
        if len(self.note) > NOTE_CHARS:
            raise InputError("cancel.note_long", length=len(self.note), limit=NOTE_CHARS)
        if self.reason is CancelReason.OTHER and not self.note.strip():
            raise InputError("cancel.needs_note")
        if not 0 <= self.most_late_min <= MOST_LATE_MIN:
            raise InputError("breakdown.late_range", value=self.most_late_min, limit=MOST_LATE_MIN)
        if not 0 <= self.max_changes <= MOST_CHANGES:
            raise InputError("breakdown.changes_range", value=self.max_changes, limit=MOST_CHANGES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instead:
    """What a promised visit becomes: ``after`` today, an ``offer`` of another date, or neither."""

    visit: PromisedVisit
    after: PromisedVisit | None = None
    offer: Offer | None = None
    is_own: bool = False
    """Whether it is a helper's own visit, whose time moves."""

    @property
    def is_same_time(self) -> bool:
        return self.after is not None and self.after.opens_s == self.visit.opens_s

    @property
    def later_min(self) -> int:
        return 0 if self.after is None else (self.after.opens_s - self.visit.opens_s) // MINUTE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakdownPreview:
    """What a breakdown would come to."""

    head: RegionHead
    asked: BreakdownAsked
    on: date
    now_s: int
    rows: tuple[Instead, ...]
    unable: tuple[VehicleId, ...]
    num_helpers: int
    is_measured: bool
    """Whether the position of the vehicle itself is known from its tracker."""
    added_drive_m: int
    stops: Mapping[StopId, PublicStop]
    vehicles: Mapping[str, str]
    seen: str
    """Stands for exactly these visits in exactly this state."""
    lon: float | None = None
    lat: float | None = None

    @property
    def handed_over(self) -> tuple[Instead, ...]:
        return tuple(r for r in self.rows if r.after is not None and not r.is_own)

    @property
    def other_date(self) -> tuple[Instead, ...]:
        return tuple(r for r in self.rows if r.offer is not None)

    @property
    def cancelled(self) -> tuple[Instead, ...]:
        return tuple(r for r in self.rows if r.after is None and r.offer is None)

    @property
    def own_moved(self) -> tuple[Instead, ...]:
        return tuple(r for r in self.rows if r.is_own)

    def stop_name(self, stop_id: StopId) -> str:
        stop = self.stops.get(stop_id)
        return stop.name if stop else stop_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A visit that is held today by a vehicle, its doors opening at ``start_s``."""

    visit_id: VisitId
    vehicle_id: VehicleId
    start_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherDate:
    """A cancelled visit that is made up for."""

    visit_id: VisitId
    vehicle_id: VehicleId
    service_date: date
    start_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What is to be done of what was shown; a visit that neither list names is cancelled."""

    seen: str
    moves: tuple[Move, ...] = ()
    other_dates: tuple[OtherDate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A breakdown with everything that the search reads."""

    head: RegionHead
    moment: Moment
    day: PromisedDay
    due: tuple[PromisedVisit, ...]
    rest: RestOfDay
    own: Mapping[str, PromisedVisit] = field(default_factory=dict)
    is_measured: bool = False
    lon: float | None = None
    lat: float | None = None

    @property
    def seen(self) -> str:
        visits = sorted((*self.due, *self.own.values()), key=lambda v: v.visit_id)
        told = "\n".join(f"{v.visit_id} {v.sequence}" for v in visits)
        return hashlib.sha256(told.encode()).hexdigest()[:32]


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
    case = _case(session, region_id, asked, at=at, notice_s=NOTICE_S)
    from planner.rescue import rescue  # loads the search

    found = rescue(case.rest)
    stops, vehicles = names_of(session, region_id)
    left = {d.visit_id for d in found.left}
    missed = [v for v in case.due if str(v.visit_id) in left]
    offers: dict[VisitId, Offer | None] = {}
    if asked.with_other_days and missed:
        offers = make_up.offers_instead(session, region_id, missed, at=at)
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
    case = _case(session, region_id, asked, at=at, notice_s=0)
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


def _case(
    session: Session, region_id: str, asked: BreakdownAsked, *, at: datetime, notice_s: int
) -> _Case:
    head = publication_store.region_head(session, region_id)
    on, now_s = moment_of(at, head.time_zone)
    moment = Moment(on=on, now_s=now_s, at=at)
    days = promised_days(session, region_id, on)
    day = next((d for d in days if d.vehicle_id == asked.vehicle_id), None)
    if day is None:
        raise NotFoundError("breakdown.no_run", vehicle_id=asked.vehicle_id, date=on.isoformat())
    live = live_day(session, region_id, asked.vehicle_id, moment)
    due = visits_to_come(day, live, moment)
    if not due:
        raise InputError("breakdown.nothing_left", vehicle=day.name)
    if asked.back_at_s is not None and asked.back_at_s < now_s:
        raise InputError("breakdown.back_past")
    weeks = weeks_used(session, region_id, day.request, on)
    helpers, own = _helpers(session, region_id, asked, days, day, moment, notice_s, weeks)
    if asked.back_at_s is not None:
        week = weeks.get(asked.vehicle_id)
        helper = helper_of(day, live, moment, notice_s=notice_s, week=week)
        if helper is not None:
            rules = day.request.crew_rules.get(asked.vehicle_id, CrewRules())
            helpers.append(_repaired(helper, asked.back_at_s, rules))
    where = whereabouts(day, live, moment)
    return _Case(
        head=head,
        moment=moment,
        day=day,
        due=due,
        own=own,
        rest=RestOfDay(
            request=day.request,
            on=on,
            due=tuple(due_of(day.request, v, moment) for v in due),
            helpers=tuple(helpers),
            most_late_s=asked.most_late_min * MINUTE_S,
            max_changes=asked.max_changes,
        ),
        is_measured=where is not None and where.is_measured,
        lon=None if where is None else where.lon,
        lat=None if where is None else where.lat,
    )


def _helpers(
    session: Session,
    region_id: str,
    asked: BreakdownAsked,
    days: Sequence[PromisedDay],
    broken: PromisedDay,
    moment: Moment,
    notice_s: int,
    weeks: Mapping[VehicleId, WeekUse],
) -> tuple[list[Helper], dict[str, PromisedVisit]]:
    """The other vehicles that may be on the road today, and their own visits to come."""
    off = _closed(session, region_id, moment.on)
    by_vehicle = {d.vehicle_id: d for d in days}
    helpers: list[Helper] = []
    own: dict[str, PromisedVisit] = {}
    for vehicle in broken.request.vehicles:
        vehicle_id = vehicle.vehicle_id
        is_wanted = asked.helpers is None or vehicle_id in asked.helpers
        may_run = broken.request.may_run_on(vehicle, moment.on) or vehicle_id in by_vehicle
        if vehicle_id == asked.vehicle_id or vehicle_id in off or not (is_wanted and may_run):
            continue
        day = by_vehicle.get(vehicle_id) or promised_day(
            broken.request, broken.plan, (), vehicle_id, moment.on
        )
        live = live_day(session, region_id, vehicle_id, moment)
        week = weeks.get(vehicle_id)
        helper = helper_of(day, live, moment, notice_s=notice_s, week=week)
        if helper is not None:
            helpers.append(helper)
            own |= {str(v.visit_id): v for v in visits_to_come(day, live, moment)}
    return helpers, own


def _repaired(helper: Helper, back_at_s: int, rules: CrewRules) -> Helper:
    """The vehicle itself when it goes on; who waits long enough has eaten, the rest is work."""
    wait_s = max(0, back_at_s - helper.free_at_s)
    meal_s = max(rules.meal_min_s or 0, _MEAL_S)
    eats = not helper.has_eaten and wait_s >= meal_s
    return replace(
        helper,
        own=(),
        free_at_s=back_at_s,
        has_eaten=helper.has_eaten or eats,
        worked_s=helper.worked_s + wait_s - (meal_s if eats else 0) if helper.is_out else 0,
    )


def _closed(session: Session, region_id: str, on: date) -> set[VehicleId]:
    """Vehicles that are not to be on the road on a date."""
    exceptions = publication_store.list_exceptions(session, region_id, from_date=on, until_date=on)
    closures = [c for e in exceptions if (c := e.closure) is not None]
    closures += region_closures(region_store.load_region(session, region_id))
    off = {c.vehicle_id for c in closures if c.from_date <= on <= c.until_date}
    broken = {e.vehicle_id for e in exceptions if e.kind is ExceptionKind.BREAKDOWN}
    return {vehicle_id for vehicle_id in off | broken if vehicle_id is not None}


def _rows(
    case: _Case, found: "Rescue", offers: Mapping[VisitId, Offer | None], at: datetime
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


def _judged(case: _Case, decided: Decided) -> dict[str, Placed]:
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
    case: _Case,
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
