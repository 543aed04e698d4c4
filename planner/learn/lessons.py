"""Everything that recorded days teach about a plan's places, roads and visitors."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from data.model.learned import Learned
from data.model.observed import ObservedVisit
from data.model.plan import Plan, PlanRequest
from planner.learn.demand import audiences, fit_demand
from planner.learn.mixed import Floats
from planner.learn.ratios import RatioFit, RatioPrior, SetAside, fit_ratio
from planner.learn.records import Records, samples_of

DRIVE_PRIOR = RatioPrior(
    overall_sd=0.3,
    level_sd={"leg": 0.12, "vehicle": 0.05, "hour": 0.05},
    day_sd=0.06,
    residual_sd=0.1,
    short_s=60.0,
    closed=frozenset({"vehicle", "hour"}),
)
STAY_PRIOR = RatioPrior(
    overall_sd=0.7, level_sd={"stop": 0.3}, day_sd=0.2, residual_sd=0.4, short_s=1.0
)
OPENING_PRIOR = RatioPrior(
    overall_sd=0.3, level_sd={"stop": 0.15}, day_sd=0.05, residual_sd=0.15, short_s=60.0
)
"""What is thought likely before any record; design defaults, soon outweighed by records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OddRecord:
    """A record that was set aside: what kind of time, when and where, observed and planned."""

    kind: str
    """``drive``, ``setup``, ``turnaround`` or ``opening``."""
    service_date: date
    vehicle_id: str
    place: str
    """Stop, or origin and target of a leg."""
    observed_s: float
    planned_s: float
    reason: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """What was learned, from which records, and which were set aside."""

    learned: Learned
    records: Records
    odd: tuple[OddRecord, ...]


def learn(
    request: PlanRequest, plan: Plan, visits: Iterable[ObservedVisit], files: tuple[str, ...] = ()
) -> Lessons:
    """Learn from recorded days, measured against the places and roads of a plan.

    Raises
    ------
    ValueError
        If the request has no travel.
    """
    if not request.travel:
        raise ValueError("nothing can be learned against a request without travel")
    records = samples_of(request, plan, visits)
    drive = fit_ratio(records.drive, DRIVE_PRIOR)
    setup = fit_ratio(records.setup, STAY_PRIOR)
    turnaround = fit_ratio(records.turnaround, STAY_PRIOR)
    opening = fit_ratio(records.opening, OPENING_PRIOR)
    return Lessons(
        learned=Learned(
            drive=drive.learned,
            setup=setup.learned,
            turnaround=turnaround.learned,
            opening=opening.learned,
            demand=fit_demand(records.counted, audiences(request)),
            num_days=records.num_days,
            first_date=records.first_date,
            last_date=records.last_date,
            files=files,
        ),
        records=records,
        odd=(
            *_odd_legs(records, drive),
            *_odd_stays("setup", records, setup),
            *_odd_stays("turnaround", records, turnaround),
            *_odd_stays("opening", records, opening),
        ),
    )


def _odd_legs(records: Records, fit: RatioFit) -> Iterable[OddRecord]:
    for aside in fit.set_aside:
        leg = records.drive_of[aside.index]
        yield OddRecord(
            kind="drive",
            service_date=leg.service_date,
            vehicle_id=str(leg.vehicle_id),
            place=records.drive.units["leg"][aside.index],
            observed_s=float(records.drive.observed_s[aside.index]),
            planned_s=float(records.drive.planned_s[aside.index]),
            reason=aside.reason,
            score=aside.score,
        )


def _odd_stays(kind: str, records: Records, fit: RatioFit) -> Iterable[OddRecord]:
    samples = {
        "setup": (records.setup, records.setup_of),
        "turnaround": (records.turnaround, records.turnaround_of),
        "opening": (records.opening, records.opening_of),
    }
    sample, visits = samples[kind]
    for aside in fit.set_aside:
        yield _odd_stay(kind, visits[aside.index], sample.observed_s, sample.planned_s, aside)


def _odd_stay(
    kind: str, visit: ObservedVisit, observed_s: Floats, planned_s: Floats, aside: SetAside
) -> OddRecord:
    return OddRecord(
        kind=kind,
        service_date=visit.service_date,
        vehicle_id=str(visit.vehicle_id),
        place=visit.place_id,
        observed_s=float(observed_s[aside.index]),
        planned_s=float(planned_s[aside.index]),
        reason=aside.reason,
        score=aside.score,
    )
