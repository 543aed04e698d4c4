"""The timetable of a plan: its cycle laid on the calendar, date by date.

A plan of a cycle repeats. A repetition that falls on a date without service (a holiday, a vehicle's
inspection day) is dropped, never moved; of a tour with nights away all days are, for a vehicle that
does not go out cannot come home. A plan of dates is its own timetable and ends with them.
"""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from math import gcd

from data.model.calendar import DAY_S, DAYS_PER_WEEK, MINUTE_S
from data.model.fleet import Vehicle, VehicleId
from data.model.nights import tour_days
from data.model.place import Stop, StopId
from data.model.plan import Plan, PlanRequest, Run
from data.model.recurrence import POSITIONS, Frequency, RecurrenceRule, week_number
from data.model.riders import services_at, services_on

POSITION_ORDER = (1, 2, 3, 4, 5, -5, -4, -3, -2, -1)
"""Weeks of the month in the order in which people name them."""

type _Clock = tuple[VehicleId, int, int, int, frozenset[str]]
"""Vehicle, weekday, opening, closing, services aboard: what visits of one series share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitSeries:
    """Stop visits that one line of a printed timetable announces.

    One vehicle opens at one stop on one weekday at one clock time, by a rule begun on the first of
    ``dates``. ``exceptions`` are the dates of the rule up to ``end_date`` that are dropped.
    ``opens_s`` and ``closes_s`` are whole minutes of the date itself, as printed: seconds of the
    plan are cut off.
    """

    stop: Stop
    vehicle: Vehicle
    day: int
    """First cycle day of the series."""
    opens_s: int
    closes_s: int
    rule: RecurrenceRule
    """Every n-th week, or weeks of the month on this weekday."""
    dates: tuple[date, ...]
    exceptions: tuple[date, ...]
    end_date: date
    """Last date for which the rule holds."""
    services: frozenset[str] = frozenset()
    """Services that the stop asks for and that come on these dates."""


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

    Visits of equal clock time that divide the cycle evenly are one series; on a dated horizon,
    those that follow the stop's rule, or else the longest common interval of weeks. A series with
    no date up to ``until`` is left out.
    """
    vehicles = {v.vehicle_id: v for v in request.vehicles}
    stops = {s.stop_id: s for s in request.stops}
    grouped: dict[StopId, dict[_Clock, list[int]]] = defaultdict(dict)
    for run in plan.runs:
        for visit in run.visits:
            minutes = (_whole_minutes(visit.start_s), _whole_minutes(visit.end_s))
            services = services_at(request, run, stops[visit.stop_id])
            clock = (run.vehicle_id, run.day % DAYS_PER_WEEK, *minutes, services)
            grouped[visit.stop_id].setdefault(clock, []).append(run.day)
    series = []
    for stop in request.stops:
        found = []
        for clock, on_days in grouped[stop.stop_id].items():
            vehicle_id, _, opens_s, closes_s, services = clock
            vehicle = vehicles[vehicle_id]
            late = timedelta(days=opens_s // DAY_S)
            if not request.cycle.repeats:
                times_s = (opens_s % DAY_S, opens_s % DAY_S + closes_s - opens_s)
                dated = _dated_series(request, stop, vehicle, on_days, late, times_s, until)
                found += [replace(s, services=services) for s in dated]
                continue
            for days in _rhythms(tuple(sorted(on_days)), request.cycle.num_days):
                kept, dropped = _repeated(request, plan, vehicle, days, until - late)
                one = VisitSeries(
                    stop=stop,
                    vehicle=vehicle,
                    day=days[0],
                    opens_s=opens_s % DAY_S,
                    closes_s=opens_s % DAY_S + closes_s - opens_s,
                    rule=_every(request.cycle.num_weeks // len(days)),
                    dates=tuple(d + late for d in kept),
                    exceptions=tuple(d + late for d in dropped if kept and d > kept[0]),
                    end_date=until,
                    services=services,
                )
                found += _by_services(request, plan, one, late)
        series += sorted((s for s in found if s.dates), key=lambda s: (s.day, s.opens_s))
    return tuple(series)


def _by_services(
    request: PlanRequest, plan: Plan, series: VisitSeries, late: timedelta
) -> list[VisitSeries]:
    """The series, and apart from it each date on which a specialist of it is off."""
    if not series.services or not series.dates:
        return [series]
    runs = {r.day: r for r in plan.runs if r.vehicle_id == series.vehicle.vehicle_id}
    coming = {
        on: services_on(
            request,
            runs[request.cycle.day_of(on - late) % request.cycle.num_days],
            series.stop,
            on - late,
        )
        for on in series.dates
    }
    whole = tuple(on for on in series.dates if coming[on] == series.services)
    less = [
        replace(series, rule=_every(1), dates=(on,), exceptions=(), end_date=on, services=found)
        for on, found in coming.items()
        if found != series.services
    ]
    if not less:
        return [series]
    gone = sorted({*series.exceptions, *series.dates} - {*whole})
    exceptions = tuple(on for on in gone if whole and on > whole[0])
    return [replace(series, dates=whole, exceptions=exceptions), *less]


def _every(weeks: int) -> RecurrenceRule:
    return RecurrenceRule(frequency=Frequency.WEEKLY, interval=weeks)


def _dated_series(
    request: PlanRequest,
    stop: Stop,
    vehicle: Vehicle,
    days: Sequence[int],
    late: timedelta,
    times_s: tuple[int, int],
    until: date,
) -> list[VisitSeries]:
    """Dates of one weekday and clock time as series: by the stop's rule, the rest by weeks."""
    last = min(until, request.cycle.last_date + late)
    left = sorted({request.cycle.date_of(day) + late for day in days})
    left = [on for on in left if on <= last]
    recurrence = request.recurrence_of(stop)
    series = []
    while left:
        rule = _rule_of(left, recurrence.parsed if recurrence else None)
        told = rule.dates(left[0], left[0], last)
        if left[0] not in told:
            # A date besides the rule.
            rule, told = _every(1), (left[0],)
        dates = [on for on in left if on in told]
        # A series that stops before the plan does, or has one date alone, ends with its last date.
        goes_on = len(dates) > 1 and told[-1] == dates[-1]
        end = last if goes_on else dates[-1]
        series.append(
            VisitSeries(
                stop=stop,
                vehicle=vehicle,
                day=request.cycle.day_of(dates[0] - late),
                opens_s=times_s[0],
                closes_s=times_s[1],
                rule=rule,
                dates=tuple(dates),
                exceptions=tuple(on for on in told if on <= end and on not in dates),
                end_date=end,
            )
        )
        left = [on for on in left if on not in told]
    return series


def _rule_of(dates: Sequence[date], asked: RecurrenceRule | None) -> RecurrenceRule:
    """The rule that dates of one weekday follow: like the one asked for, or every n-th week."""
    weeks = _every(gcd(*(week_number(on) - week_number(dates[0]) for on in dates)) or 1)
    if asked is None or asked.month_days:
        return weeks
    if asked.frequency is Frequency.WEEKLY:
        return replace(_every(asked.interval), months=asked.months)
    weekday = dates[0].weekday()
    positions = _common_positions(dates)
    if len({day for _, day in asked.weekdays}) <= 1:
        positions = {p for p, _ in asked.weekdays if p} or set(asked.positions) or positions
    if not positions:
        return weeks
    if not asked.weekdays and not asked.positions:
        positions = {next(p for p in POSITIONS if p in positions)}
    return replace(
        asked,
        weekdays=tuple((p, weekday) for p in sorted(positions, key=POSITION_ORDER.index)),
        positions=(),
        count=None,
        until=None,
    )


def _common_positions(dates: Sequence[date]) -> set[int]:
    """Weeks of the month, from its start or its end, that all dates lie in."""
    found = set(POSITION_ORDER)
    for on in dates:
        days = monthrange(on.year, on.month)[1]
        found &= {(on.day - 1) // DAYS_PER_WEEK + 1, -((days - on.day) // DAYS_PER_WEEK + 1)}
    return found


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
