"""The timetable of a plan: its cycle laid on the calendar, date by date.

A plan covers one cycle and repeats. A repetition that falls on a date without service (a holiday,
a vehicle's inspection day) is dropped, never moved; of a tour with nights away all days are, for a
vehicle that does not go out cannot come home.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from data.model.calendar import DAY_S, DAYS_PER_WEEK, MINUTE_S
from data.model.fleet import Vehicle, VehicleId
from data.model.nights import tour_days
from data.model.place import Stop, StopId
from data.model.plan import Plan, PlanRequest, Run

type _Clock = tuple[VehicleId, int, int, int]
"""Vehicle, weekday, opening and closing: what visits of one series share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitSeries:
    """Stop visits that one line of a printed timetable announces.

    One vehicle opens at one stop on one weekday at one clock time, every ``interval_weeks`` weeks
    from the first of ``dates``. ``exceptions`` are the dates of that rhythm that are dropped.
    ``opens_s`` and ``closes_s`` are whole minutes of the date itself, as printed: seconds of the
    plan are cut off.
    """

    stop: Stop
    vehicle: Vehicle
    day: int
    """First cycle day of the series."""
    opens_s: int
    closes_s: int
    interval_weeks: int
    dates: tuple[date, ...]
    exceptions: tuple[date, ...]


def run_dates(request: PlanRequest, plan: Plan, run: Run, until: date) -> tuple[date, ...]:
    """Service dates of a run in all repetitions of the cycle, ``until`` included."""
    vehicle = next(v for v in request.vehicles if v.vehicle_id == run.vehicle_id)
    kept, _ = _repeated(request, plan, vehicle, (run.day,), until)
    return kept


def visit_dates(request: PlanRequest, plan: Plan, stop_id: StopId, until: date) -> tuple[date, ...]:
    """Dates on which the doors open at a stop, ascending, ``until`` included.

    Two visits on one date are two entries.
    """
    dates = []
    for run in plan.runs:
        for visit in run.visits:
            if visit.stop_id == stop_id:
                late = timedelta(days=visit.start_s // DAY_S)
                dates += [d + late for d in run_dates(request, plan, run, until - late)]
    return tuple(sorted(dates))


def visit_series(request: PlanRequest, plan: Plan, until: date) -> tuple[VisitSeries, ...]:
    """All visits of a plan as series, by stop (in the order of the request) and cycle day.

    Visits of equal clock time that divide the cycle evenly are one series; a series with no date
    up to ``until`` is left out.
    """
    vehicles = {v.vehicle_id: v for v in request.vehicles}
    grouped: dict[StopId, dict[_Clock, list[int]]] = defaultdict(dict)
    for run in plan.runs:
        for visit in run.visits:
            minutes = (_whole_minutes(visit.start_s), _whole_minutes(visit.end_s))
            clock = (run.vehicle_id, run.day % DAYS_PER_WEEK, *minutes)
            grouped[visit.stop_id].setdefault(clock, []).append(run.day)
    series = []
    for stop in request.stops:
        found = []
        for (vehicle_id, _, opens_s, closes_s), on_days in grouped[stop.stop_id].items():
            vehicle = vehicles[vehicle_id]
            late = timedelta(days=opens_s // DAY_S)
            for days in _rhythms(tuple(sorted(on_days)), request.cycle.num_days):
                kept, dropped = _repeated(request, plan, vehicle, days, until - late)
                found.append(
                    VisitSeries(
                        stop=stop,
                        vehicle=vehicle,
                        day=days[0],
                        opens_s=opens_s % DAY_S,
                        closes_s=opens_s % DAY_S + closes_s - opens_s,
                        interval_weeks=request.cycle.num_weeks // len(days),
                        dates=tuple(d + late for d in kept),
                        exceptions=tuple(d + late for d in dropped if kept and d > kept[0]),
                    )
                )
        series += sorted((s for s in found if s.dates), key=lambda s: (s.day, s.opens_s))
    return tuple(series)


def _whole_minutes(seconds: int) -> int:
    return seconds - seconds % MINUTE_S


def _rhythms(days: tuple[int, ...], num_days: int) -> tuple[tuple[int, ...], ...]:
    """Cycle days of one weekday and clock time, together if they recur evenly, else apart."""
    step = num_days // len(days)
    gaps = [b - a for a, b in pairwise((*days, days[0] + num_days))]
    if all(gap == step for gap in gaps):
        return (days,)
    return tuple((day,) for day in days)


def _repeated(
    request: PlanRequest, plan: Plan, vehicle: Vehicle, days: tuple[int, ...], until: date
) -> tuple[tuple[date, ...], tuple[date, ...]]:
    """Dates of cycle days in every repetition: those kept and those dropped, ascending."""
    tours = _tours(plan, vehicle, days)
    cycle = request.cycle
    last_day = cycle.day_of(until)
    kept: list[date] = []
    dropped: list[date] = []
    most = last_day if cycle.repeats else min(last_day, 0)
    for cycle_start in range(0, most + 1, cycle.num_days):
        for day in days:
            if cycle_start + day > last_day:
                continue
            on = request.cycle.date_of(cycle_start + day)
            dates = (request.cycle.date_of(cycle_start + d) for d in tours[day])
            is_kept = all(request.may_run_on(vehicle, d) for d in dates)
            (kept if is_kept else dropped).append(on)
    return tuple(kept), tuple(dropped)


def _tours(plan: Plan, vehicle: Vehicle, days: tuple[int, ...]) -> dict[int, tuple[int, ...]]:
    """For each cycle day the days of the tour that it is part of, or itself alone."""
    runs = {r.day: r for r in plan.runs if r.vehicle_id == vehicle.vehicle_id}
    return {
        day: tour_days(plan, runs[day])
        if day in runs and (runs[day].start_depot_id or runs[day].end_depot_id)
        else (day,)
        for day in days
    }
