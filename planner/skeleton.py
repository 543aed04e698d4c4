"""A short cycle that repeats as the skeleton of a dated horizon.

Half a year of dates is large to search, though its weeks hardly differ. The rhythm is found first,
on the cycle that most of the stops' rules divide, without holidays and seasons; laid on the dates,
it is where the search of all dates begins.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from data.model.calendar import DAYS_PER_WEEK, Cycle, ServiceCalendar
from data.model.pins import NO_PINS
from data.model.place import Stop, StopId
from data.model.plan import Plan, PlanRequest, Run
from data.model.recurrence import Frequency, Recurrence, parse_frequency
from planner.rhythm import counted, rhythms

_LEAST_REPEATS = 2
"""A horizon with fewer repetitions of the cycle is searched at once."""
_LEAST_SHARE = 0.9
"""So is one where fewer of the stops keep the cycle's rhythm. Measured on Kaliningrad oblast, 26
weeks and 60 s: a skeleton wins 3 % of the prize where all keep it, loses 14 % where a third do."""


@dataclass(frozen=True, slots=True)
class _Pace:
    """How often a stop is visited, in weeks."""

    weeks: int
    visits: int
    is_monthly: bool


def skeleton_of(request: PlanRequest) -> PlanRequest | None:
    """The repeating request like a dated one; ``None`` where it would not help.

    Its weeks are those that the rules of most stops divide, the fewest of equals. The few stops
    whose rule does not divide them get as many visits as come nearest, to keep room for them.
    """
    cycle = request.cycle
    if cycle.repeats or request.pins or request.change_cap is not None:
        return None
    paces = {s.stop_id: _pace(request, s) for s in request.stops}
    keeping = {
        w: sum(not p.is_monthly and w % p.weeks == 0 for p in paces.values())
        for w in range(1, Cycle.MAX_WEEKS + 1)
    }
    weeks = max(keeping, key=lambda w: (keeping[w], -w))
    if cycle.num_weeks < _LEAST_REPEATS * weeks or keeping[weeks] < _LEAST_SHARE * len(paces):
        return None
    return counted(
        replace(
            request,
            cycle=Cycle(start_date=cycle.start_date, num_weeks=weeks),
            calendar=ServiceCalendar(weekdays=request.calendar.weekdays),
            vehicles=tuple(replace(v, off_dates=frozenset()) for v in request.vehicles),
            stops=tuple(
                _repeated(s, request.recurrence_of(s), paces, weeks) for s in request.stops
            ),
            pins=NO_PINS,
        )
    )


def _pace(request: PlanRequest, stop: Stop) -> _Pace:
    recurrence = request.recurrence_of(stop) or Recurrence()
    if not recurrence.rule:
        return _Pace(recurrence.period_weeks, recurrence.period_visits, is_monthly=False)
    told = parse_frequency(recurrence.rule)
    rule = recurrence.parsed
    is_monthly = rule is not None and rule.frequency is Frequency.MONTHLY
    return _Pace(told.num_weeks, told.visits, is_monthly=is_monthly)


def _repeated(
    stop: Stop, recurrence: Recurrence | None, paces: Mapping[StopId, _Pace], weeks: int
) -> Stop:
    pace = paces[stop.stop_id]
    rule = recurrence.parsed if recurrence is not None else None
    if recurrence is None or pace.is_monthly or weeks % pace.weeks:
        named = frozenset(day for _, day in rule.weekdays) if rule is not None else frozenset()
        return replace(
            stop,
            recurrence=None,
            visits_per_cycle=max(1, round(weeks * pace.visits / pace.weeks)),
            weekdays=named or stop.weekdays,
            same_weekday=len(named) <= 1 and stop.same_weekday,
            min_gap_days=1,
            max_gap_days=None,
        )
    if rule is not None:
        plain = replace(rule, months=(), count=None, until=None).text
        begun = Recurrence(rule=plain, start_date=recurrence.start_date)
    else:
        begun = Recurrence(
            period_weeks=recurrence.period_weeks, period_visits=recurrence.period_visits
        )
    return replace(stop, recurrence=begun)


def laid_on(request: PlanRequest, cycle: Cycle, plan: Plan) -> Plan:
    """A repeating plan on the dates of a request: what falls on due dates of its stops.

    A stop whose laid visits are not all the dates of one choice of its rule is left out.
    """
    by_day: dict[int, list[Run]] = {}
    for run in plan.runs:
        by_day.setdefault(run.day, []).append(run)
    laid = [
        replace(run, day=day)
        for day in range(request.cycle.num_days)
        for run in by_day.get(_like(request, cycle, day), ())
    ]
    days: dict[StopId, set[int]] = {}
    for run in laid:
        for visit in run.visits:
            days.setdefault(visit.stop_id, set()).add(run.day)
    kept = {
        s.stop_id: _due_of(request, s, days[s.stop_id]) for s in request.stops if s.stop_id in days
    }
    runs = []
    for run in laid:
        visits = tuple(v for v in run.visits if run.day in kept.get(v.stop_id, frozenset()))
        if visits:
            runs.append(replace(run, visits=visits, meal=None))
    return Plan(runs=tuple(runs))


def brought_to(request: PlanRequest, cycle: Cycle, plan: Plan) -> Plan:
    """A plan of another horizon as a start for this one.

    A plan of a cycle is laid on dates; one of dates keeps the runs whose dates are here too. Where
    this horizon repeats the days stay as they are numbered.
    """
    if request.cycle.repeats or request.cycle.counts_like(cycle):
        return plan
    if cycle.repeats:
        return laid_on(request, cycle, plan)
    runs = (replace(r, day=request.cycle.day_of(cycle.date_of(r.day))) for r in plan.runs)
    return replace(plan, runs=tuple(r for r in runs if 0 <= r.day < request.cycle.num_days))


def _like(request: PlanRequest, cycle: Cycle, day: int) -> int:
    """The cycle's day that a day of the horizon repeats."""
    return cycle.day_of(request.cycle.date_of(day)) % (cycle.num_weeks * DAYS_PER_WEEK)


def _due_of(request: PlanRequest, stop: Stop, days: set[int]) -> frozenset[int]:
    """Due days of the fullest choice of a stop's rule that the laid days hold."""
    found = [frozenset(r.due) for r in rhythms(request, stop) if days.issuperset(r.due)]
    return max(found, key=len, default=frozenset())
