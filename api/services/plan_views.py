"""A plan as a board shows it: what stays while it is edited, and what each step changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from api.services.plan_documents import OpenedPlan
from api.services.plan_words import rule_notes, told_step, told_violations
from api.words import Words
from data.model.calendar import DAYS_PER_WEEK
from data.model.pins import Pins
from data.model.plan import Plan, PlanRequest, Run, Violation
from planner.score import PlanSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class DayView:
    """A day of the cycle or of the dated horizon."""

    day: int
    date: date
    week: int
    name: str
    """Weekday and date in the reader's language."""
    is_working: bool
    note: str
    """Name of the holiday, or of the moved working day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleView:
    """A vehicle and the days on which it may run."""

    vehicle_id: str
    name: str
    depot_id: str
    working_days: list[int]
    duty_start_s: int
    duty_end_s: int
    abilities: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DepotView:
    """A base or a lodging."""

    depot_id: str
    name: str
    lon: float
    lat: float
    is_lodging: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StopView:
    """A stop that the plan may serve."""

    stop_id: str
    name: str
    community: str
    lon: float
    lat: float
    people: int | None
    visits_due: int
    service_s: int
    is_mandatory: bool
    has_travel: bool
    """Whether the ways to it are known; without them it cannot be put into a run."""
    needs: list[str]
    services: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardFrame:
    """What stays the same while a plan is edited, unless a new stop joins it."""

    plan_id: str
    region_id: str
    start_date: date
    num_weeks: int
    repeats: bool
    first_date: date
    last_date: date
    time_zone: str
    is_estimated: bool
    """Whether travel is estimated: no road network stood behind the figures."""
    notes: list[str]
    """What is to be known of the plan: rules that it keeps past their end."""
    days: list[DayView]
    vehicles: list[VehicleView]
    depots: list[DepotView]
    stops: list[StopView]


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitView:
    """A visit of a run; seconds from midnight."""

    stop_id: str
    arrival_s: int
    start_s: int
    end_s: int
    departure_s: int
    drive_s: int
    drive_m: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run with its visits in order."""

    vehicle_id: str
    day: int
    sign_on_s: int
    depart_s: int
    return_s: int
    sign_off_s: int
    drive_s: int
    drive_m: int
    work_s: int
    return_drive_s: int
    meal: tuple[int, int, int] | None
    """From, to, and the number of the visit before it."""
    start_depot_id: str
    end_depot_id: str
    specialists: list[str]
    visits: list[VisitView]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnservedView:
    """A stop without visits, and why in a few words."""

    stop_id: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedVisit:
    stop_id: str
    day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedRun:
    vehicle_id: str
    day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ForbiddenVisits:
    stop_id: str
    vehicle_id: str | None
    day: int | None
    weekday: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PinsView:
    """What is fixed."""

    visits: list[PinnedVisit]
    runs: list[PinnedRun]
    forbidden: list[ForbiddenVisits]


@dataclass(frozen=True, slots=True, kw_only=True)
class ViolationView:
    """A broken rule in words, and what of the board it is about.

    ``days`` are cycle days. Without ``stop_id`` it is about the vehicle's runs of those days,
    without days about all visits of the stop.
    """

    code: str
    text: str
    stop_id: str | None
    vehicle_id: str | None
    days: list[int]
    is_late: bool
    is_new: bool
    """Whether the rule held before the step that is judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryView:
    """A plan in figures for a cycle, or for all of a dated horizon."""

    people_reached: int
    people_total: int
    stops_served: int
    stops_total: int
    visits: int
    drive_m: int
    drive_s: int
    work_s: int
    open_s: int
    vehicle_days_used: int
    vehicle_days_available: int
    work_min_s: int
    work_max_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """The last step: what was done, by whom, when."""

    text: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardState:
    """What a step changes; ``version`` guards against lost updates."""

    plan_id: str
    name: str
    version: int
    revision: int
    can_undo: bool
    can_redo: bool
    is_archived: bool
    is_draft: bool
    """Whether rules are broken: such a plan is not to be published."""
    step: StepView
    runs: list[RunView]
    unserved: list[UnservedView]
    pins: PinsView
    violations: list[ViolationView]
    summary: SummaryView


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """Everything that a board shows."""

    frame: BoardFrame
    state: BoardState


def board_frame(words: Words, opened: OpenedPlan) -> BoardFrame:
    """What stays the same while a plan is edited."""
    request = opened.request
    cycle = request.cycle
    known = set.union(*(set(m.index) for m in request.travel.values()), set())
    return BoardFrame(
        plan_id=opened.stored.plan_id,
        region_id=opened.stored.region_id,
        start_date=cycle.start_date,
        num_weeks=cycle.num_weeks,
        repeats=cycle.repeats,
        first_date=cycle.first_date,
        last_date=cycle.last_date,
        time_zone=request.time_zone,
        is_estimated=any(m.is_estimated for m in request.travel.values()),
        notes=rule_notes(words, request),
        days=[_day(words, request, day) for day in range(cycle.num_days)],
        vehicles=[
            VehicleView(
                vehicle_id=v.vehicle_id,
                name=v.name,
                depot_id=v.depot_id,
                working_days=list(request.working_days(v)),
                duty_start_s=v.duty_start_s,
                duty_end_s=v.duty_end_s,
                abilities=sorted(v.abilities),
            )
            for v in request.vehicles
        ],
        depots=[
            DepotView(
                depot_id=d.depot_id, name=d.name, lon=d.lon, lat=d.lat, is_lodging=d.is_lodging
            )
            for d in request.depots
        ],
        stops=[
            StopView(
                stop_id=s.stop_id,
                name=s.name,
                community=s.community,
                lon=s.lon,
                lat=s.lat,
                people=s.people,
                visits_due=s.visits_per_cycle,
                service_s=s.service_s,
                is_mandatory=s.mandatory,
                has_travel=str(s.stop_id) in known,
                needs=sorted(s.needs),
                services=sorted(s.services),
            )
            for s in request.stops
        ],
    )


def _day(words: Words, request: PlanRequest, day: int) -> DayView:
    on = request.cycle.date_of(day)
    calendar = request.calendar
    return DayView(
        day=day,
        date=on,
        week=day // DAYS_PER_WEEK,
        name=words.day(on, "EEE d MMM"),
        is_working=request.cycle.covers(on) and calendar.is_working(on),
        note=calendar.closed_dates.get(on) or calendar.extra_dates.get(on) or "",
    )


def board_state(
    words: Words,
    opened: OpenedPlan,
    violations: Sequence[Violation],
    summary: PlanSummary,
    names: Mapping[str, str],
    *,
    broken: Sequence[Violation] = (),
) -> BoardState:
    """A state of a plan in the reader's language.

    Parameters
    ----------
    names
        Names of accounts by id.
    broken
        Violations that the step just taken has caused.
    """
    stored, request, plan = opened.stored, opened.request, opened.plan
    return BoardState(
        plan_id=stored.plan_id,
        name=stored.name,
        version=stored.version,
        revision=stored.revision,
        can_undo=stored.can_undo,
        can_redo=stored.can_redo,
        is_archived=stored.archived_at is not None,
        is_draft=bool(violations),
        step=StepView(
            text=told_step(words, stored.step),
            at=stored.changed_at,
            by=names.get(stored.changed_by or "", ""),
        ),
        runs=runs_view(request, plan),
        unserved=unserved_view(words, plan),
        pins=_pins(request.pins),
        violations=violations_view(words, request, violations, broken),
        summary=summary_view(summary),
    )


def runs_view(request: PlanRequest, plan: Plan) -> list[RunView]:
    """All runs of a plan."""
    vehicles = {v.vehicle_id: v for v in request.vehicles}
    people = {s.specialist_id: s.name for s in request.specialists}

    def shown(run: Run) -> RunView:
        start, end = run.ends(vehicles[run.vehicle_id])
        meal = run.meal
        return RunView(
            vehicle_id=run.vehicle_id,
            day=run.day,
            sign_on_s=run.sign_on_s,
            depart_s=run.depart_s,
            return_s=run.return_s,
            sign_off_s=run.sign_off_s,
            drive_s=run.drive_s,
            drive_m=run.drive_m,
            work_s=run.work_s,
            return_drive_s=run.return_drive_s,
            meal=None if meal is None else (meal.start_s, meal.end_s, meal.after_visit),
            start_depot_id=start,
            end_depot_id=end,
            specialists=[people.get(i, str(i)) for i in run.specialist_ids],
            visits=[
                VisitView(
                    stop_id=v.stop_id,
                    arrival_s=v.arrival_s,
                    start_s=v.start_s,
                    end_s=v.end_s,
                    departure_s=v.departure_s,
                    drive_s=v.drive_s,
                    drive_m=v.drive_m,
                )
                for v in run.visits
            ],
        )

    return [shown(run) for run in plan.runs if run.vehicle_id in vehicles]


def unserved_view(words: Words, plan: Plan) -> list[UnservedView]:
    """Stops left out, with their reasons."""
    return [
        UnservedView(stop_id=left.stop_id, code=left.reason, reason=words(left.reason))
        for left in plan.unserved
    ]


def violations_view(
    words: Words,
    request: PlanRequest,
    violations: Sequence[Violation],
    broken: Sequence[Violation] = (),
) -> list[ViolationView]:
    """Broken rules in words; those in ``broken`` are marked as new."""
    told = told_violations(words, request, violations)
    new = {t.key for t in told_violations(words, request, broken)}
    return [
        ViolationView(
            code=t.code,
            text=t.text,
            stop_id=t.stop_id,
            vehicle_id=t.vehicle_id,
            days=list(t.days),
            is_late=t.is_late,
            is_new=t.key in new,
        )
        for t in told
    ]


def _pins(pins: Pins) -> PinsView:
    return PinsView(
        visits=[PinnedVisit(stop_id=p.stop_id, day=p.day) for p in pins.visits],
        runs=[PinnedRun(vehicle_id=k.vehicle_id, day=k.day) for k in pins.kept],
        forbidden=[
            ForbiddenVisits(
                stop_id=b.stop_id, vehicle_id=b.vehicle_id, day=b.day, weekday=b.weekday
            )
            for b in pins.forbidden
        ],
    )


def summary_view(summary: PlanSummary) -> SummaryView:
    """A plan's figures as a board tells them."""
    return SummaryView(
        people_reached=summary.people_reached,
        people_total=summary.people_total,
        stops_served=summary.stops_served,
        stops_total=summary.stops_served + summary.stops_unserved,
        visits=summary.visits,
        drive_m=summary.drive_m,
        drive_s=summary.drive_s,
        work_s=summary.work_s,
        open_s=summary.open_s,
        vehicle_days_used=summary.vehicle_days_used,
        vehicle_days_available=summary.vehicle_days_available,
        work_min_s=summary.work_min_s,
        work_max_s=summary.work_max_s,
    )
