"""A breakdown as the search reads it: what is left of the day, who may help, and from where."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from sqlmodel import Session

from api.services.breakdown_asked import BreakdownAsked
from api.services.helpers_now import (
    Moment,
    due_of,
    helper_of,
    live_day,
    visits_to_come,
    whereabouts,
)
from api.services.promised_days import PromisedDay, promised_day, promised_days
from api.services.publishing import region_closures
from api.services.weeks_used import weeks_used
from data.db import publication_store, region_store
from data.db.publication_store import RegionHead
from data.model.calendar import MINUTE_S
from data.model.cancellation import ExceptionKind
from data.model.errors import InputError, NotFoundError
from data.model.fleet import CrewRules, VehicleId
from data.model.publication import PromisedVisit, moment_of
from planner.rescue_request import Helper, RestOfDay, WeekUse

_MEAL_S = 30 * MINUTE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakdownCase:
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


def breakdown_case(
    session: Session, region_id: str, asked: BreakdownAsked, *, at: datetime, notice_s: int
) -> BreakdownCase:
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
    return BreakdownCase(
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
