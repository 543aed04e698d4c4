"""Recorded days as samples: which times can be learned from, against which planned ones."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from data.model.calendar import DAY_S, HOUR_S
from data.model.fleet import VehicleId
from data.model.observed import ObservedLeg, ObservedVisit, VisitStatus, observed_legs
from data.model.place import Stop
from data.model.plan import Plan, PlanRequest
from data.model.travel import UNREACHABLE
from planner.learn.ratios import Sample

LEAST_BASE_S = 60
"""Planned seconds of setup or turnaround that a stop with none is measured against."""
LEAST_TURNAROUND_S = 30
"""Shorter turnarounds count as this: a diary kept to the minute has zeros."""
HOUR_BANDS = ((0, "00-07"), (7, "07-09"), (9, "09-12"), (12, "12-15"), (15, "15-18"), (18, "18-24"))

_ARROW = " \N{RIGHTWARDS ARROW} "

type VisitTime = tuple[ObservedVisit, float, float]
"""A visit with an observed and a planned time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """The samples of recorded days; ``*_of`` are the records behind each row of a sample.

    ``skipped`` counts, by reason code, what could not be used.
    """

    drive: Sample
    drive_of: tuple[ObservedLeg, ...]
    setup: Sample
    setup_of: tuple[ObservedVisit, ...]
    turnaround: Sample
    turnaround_of: tuple[ObservedVisit, ...]
    opening: Sample
    opening_of: tuple[ObservedVisit, ...]
    counted: tuple[tuple[Stop, ObservedVisit], ...]
    """Held visits whose visitors were counted, with their stops."""
    skipped: dict[str, int]
    num_days: int
    first_date: date | None
    last_date: date | None


def leg_unit(origin_id: str, target_id: str) -> str:
    """The name of a leg as a unit of pooling."""
    return f"{origin_id}{_ARROW}{target_id}"


def places_of(unit: str) -> tuple[str, str]:
    """Origin and target of a leg by its name as a unit."""
    origin, _, target = unit.partition(_ARROW)
    return origin, target


def hour_band(seconds: int) -> str:
    """The part of the day that a time of day falls into."""
    hour = seconds % DAY_S / HOUR_S
    return next(name for start, name in reversed(HOUR_BANDS) if hour >= start)


def setup_base_s(stop: Stop) -> int:
    """The setup that a stop's is measured against: what it was before anything was learned."""
    given = stop.setup_s if stop.given_setup_s is None else stop.given_setup_s
    return max(LEAST_BASE_S, given)


def teardown_base_s(stop: Stop) -> int:
    """The same for the time from closing to departure."""
    given = stop.teardown_s if stop.given_teardown_s is None else stop.given_teardown_s
    return max(LEAST_BASE_S, given)


def samples_of(request: PlanRequest, plan: Plan, visits: Iterable[ObservedVisit]) -> Records:
    """Sort recorded visits into samples, against the places and roads of a plan.

    Notes
    -----
    Driving is measured against what the roads said before anything was learned. Setup is known
    where the vehicle came too late to wait for the published opening. The turnaround runs from when
    the doors should have closed, their planned open time after they opened, to the departure; a
    meal taken there is taken off, and where the plan has one that the record does not tell, the
    turnaround is not known. Only visits held as planned tell of setup, turnaround and opening.
    """
    held = tuple(visits)
    skipped: dict[str, int] = {}
    legs = _known_legs(request, held, skipped)
    stops = {str(s.stop_id): s for s in request.stops}
    depots = {str(d.depot_id) for d in request.depots}
    meals = _meals(plan)
    setup: list[VisitTime] = []
    turnaround: list[VisitTime] = []
    opening: list[VisitTime] = []
    counted = []
    for visit in held:
        stop = stops.get(visit.place_id)
        if stop is None:
            if visit.place_id not in depots:
                _count(skipped, "learn.skip.place")
            continue
        if visit.status in {VisitStatus.CANCELLED, VisitStatus.MOVED}:
            _count(skipped, f"learn.skip.{visit.status.value}")
            continue
        if visit.visits is not None:
            counted.append((stop, visit))
        if visit.status is not VisitStatus.DONE:
            _count(skipped, "learn.skip.partial")
            continue
        _setup(stop, visit, setup, skipped)
        _stay(stop, visit, opening, turnaround, skipped, has_meal=_meal_at(request, meals, visit))
    dates = [v.service_date for v in held]
    return Records(
        drive=_drive_sample(request, legs),
        drive_of=tuple(legs),
        setup=_sample(setup),
        setup_of=tuple(v for v, _, _ in setup),
        turnaround=_sample(turnaround),
        turnaround_of=tuple(v for v, _, _ in turnaround),
        opening=_sample(opening, with_visits=True),
        opening_of=tuple(v for v, _, _ in opening),
        counted=tuple(counted),
        skipped=dict(sorted(skipped.items())),
        num_days=len({(v.service_date, v.vehicle_id) for v in held}),
        first_date=min(dates, default=None),
        last_date=max(dates, default=None),
    )


def _count(skipped: dict[str, int], code: str) -> None:
    skipped[code] = skipped.get(code, 0) + 1


def _known_legs(
    request: PlanRequest, visits: Sequence[ObservedVisit], skipped: dict[str, int]
) -> list[ObservedLeg]:
    """The legs between places of the plan that a road joins."""
    known = []
    for leg in observed_legs(visits):
        matrix = request.travel.get(leg.vehicle_id) or next(iter(request.travel.values()))
        if leg.origin_id not in matrix.index or leg.target_id not in matrix.index:
            _count(skipped, "learn.skip.leg_place")
        elif leg.origin_id == leg.target_id:
            _count(skipped, "learn.skip.leg_same")
        elif matrix.unlearned_seconds(leg.origin_id, leg.target_id) in {UNREACHABLE, 0}:
            _count(skipped, "learn.skip.leg_no_road")
        else:
            known.append(leg)
    return known


def _drive_sample(request: PlanRequest, legs: Sequence[ObservedLeg]) -> Sample:
    planned = []
    for leg in legs:
        matrix = request.travel.get(leg.vehicle_id) or next(iter(request.travel.values()))
        planned.append(matrix.unlearned_seconds(leg.origin_id, leg.target_id))
    return Sample(
        observed_s=np.array([leg.drive_s for leg in legs], np.float64),
        planned_s=np.array(planned, np.float64),
        units={
            "leg": [leg_unit(leg.origin_id, leg.target_id) for leg in legs],
            "vehicle": [str(leg.vehicle_id) for leg in legs],
            "hour": [hour_band(leg.depart_s) for leg in legs],
        },
        days=[_day(leg.service_date, leg.vehicle_id) for leg in legs],
    )


def _sample(times: Sequence[VisitTime], *, with_visits: bool = False) -> Sample:
    counts = [float("nan") if v.visits is None else float(v.visits) for v, _, _ in times]
    return Sample(
        observed_s=np.array([observed for _, observed, _ in times], np.float64),
        planned_s=np.array([planned for _, _, planned in times], np.float64),
        units={"stop": [v.place_id for v, _, _ in times]},
        days=[_day(v.service_date, v.vehicle_id) for v, _, _ in times],
        visits=np.array(counts, np.float64) if with_visits else None,
    )


def _day(on: date, vehicle_id: VehicleId) -> str:
    return f"{on.isoformat()} {vehicle_id}"


def _setup(
    stop: Stop, visit: ObservedVisit, found: list[VisitTime], skipped: dict[str, int]
) -> None:
    if visit.arrival_s is None or visit.open_s is None or visit.planned_open_s is None:
        _count(skipped, "learn.skip.setup_unknown")
        return
    base_s = setup_base_s(stop)
    if visit.arrival_s + base_s < visit.planned_open_s:
        _count(skipped, "learn.skip.setup_waited")
        return
    found.append((visit, float(max(1, visit.open_s - visit.arrival_s)), float(base_s)))


def _stay(
    stop: Stop,
    visit: ObservedVisit,
    opening: list[VisitTime],
    turnaround: list[VisitTime],
    skipped: dict[str, int],
    *,
    has_meal: bool,
) -> None:
    if visit.open_s is None or visit.close_s is None:
        _count(skipped, "learn.skip.doors_unknown")
        return
    planned_s = stop.service_s
    if visit.planned_open_s is not None and visit.planned_close_s is not None:
        planned_s = visit.planned_close_s - visit.planned_open_s
    open_s = visit.close_s - visit.open_s
    opening.append((visit, float(open_s), float(planned_s)))
    if visit.departure_s is None or (has_meal and visit.meal_s is None):
        _count(skipped, "learn.skip.turnaround_unknown")
        return
    after_s = visit.departure_s - visit.close_s - (visit.meal_s or 0)
    turnaround_s = max(LEAST_TURNAROUND_S, after_s + max(0, open_s - planned_s))
    turnaround.append((visit, float(turnaround_s), float(teardown_base_s(stop))))


def _meals(plan: Plan) -> frozenset[tuple[str, int, str]]:
    """Vehicle, cycle day and stop of every meal of a plan."""
    return frozenset(
        (str(run.vehicle_id), run.day, str(run.visits[run.meal.after_visit].stop_id))
        for run in plan.runs
        if run.meal is not None
    )


def _meal_at(
    request: PlanRequest, meals: frozenset[tuple[str, int, str]], visit: ObservedVisit
) -> bool:
    day = (visit.service_date - request.cycle.start_date).days % request.cycle.num_days
    return (str(visit.vehicle_id), day, visit.place_id) in meals
