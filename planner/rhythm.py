"""Patterns by rule: the sets of dates that a stop's recurrence leaves to choose from."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

from data.model.calendar import DAYS_PER_WEEK
from data.model.place import Stop
from data.model.plan import PlanRequest, Unserved
from data.model.recurrence import (
    POSITIONS,
    Drop,
    Frequency,
    Recurrence,
    RecurrenceRule,
    monday_of,
)
from planner.patterns import MOST_PATTERNS, allowed_patterns

NO_DATE = "unserved.no_date"
"""The rule gives no date in the horizon, or none that is not dropped."""
NO_RHYTHM = "unserved.no_rhythm"
"""On some date of every choice no visit is possible."""
MORE_LOST_RATIO = 0.25
"""A choice may lose so much more of its dates to holidays than the choice that loses least.

Without a limit the search would lay visits on holidays, for a dropped visit costs nothing.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """One choice that a rule leaves: its dates as cycle days, ascending.

    ``due`` are to be visited; of ``nominal``, all dates of the rule, some may be dropped. Dates
    that the stop names besides its rule are due but not nominal.
    """

    nominal: tuple[int, ...]
    due: tuple[int, ...]
    wanted: int
    """Dates that the stop itself does not drop: what holidays can take from."""

    @property
    def lost_ratio(self) -> float:
        """Share of the wanted dates that have no service."""
        return 1 - len(self.due) / self.wanted if self.wanted else 0.0


def patterns_of(
    request: PlanRequest, stop: Stop, days: Collection[int], limit: int = MOST_PATTERNS
) -> tuple[tuple[int, ...], ...]:
    """The sets of cycle days that a stop may be visited on, each ascending, all in order.

    Parameters
    ----------
    days
        Cycle days on which a visit is possible at all.
    limit
        Most patterns that are returned.
    """
    if request.recurrence_of(stop) is None:
        return allowed_patterns(
            num_days=request.cycle.num_days,
            visits=stop.visits_per_cycle,
            days=days,
            same_weekday=stop.same_weekday,
            min_gap_days=stop.min_gap_days,
            max_gap_days=stop.max_gap_days,
            limit=limit,
        )
    possible = set(days)
    found = [
        r
        for r in rhythms(request, stop, possible, limit)
        if possible.issuperset(r.due) and _keeps_gaps(request, stop, r)
    ]
    least = min((r.lost_ratio for r in found), default=0.0)
    kept = [r.due for r in found if r.lost_ratio <= least + MORE_LOST_RATIO]
    return tuple(sorted(dict.fromkeys(kept)))[:limit]


def visit_range(request: PlanRequest, stop: Stop) -> tuple[int, int]:
    """Fewest and most visits that a stop can have in the horizon, 0 where it has no date."""
    if request.recurrence_of(stop) is None:
        return stop.visits_per_cycle, stop.visits_per_cycle
    counts = [len(r.due) for r in rhythms(request, stop)]
    return min(counts, default=0), max(counts, default=0)


def counted(request: PlanRequest) -> PlanRequest:
    """The request with the least number of visits of each stop that has a rule."""
    stops = [
        s
        if s.recurrence is None
        else replace(s, visits_per_cycle=max(1, visit_range(request, s)[0]))
        for s in request.stops
    ]
    return replace(request, stops=tuple(stops))


def rhythms(
    request: PlanRequest,
    stop: Stop,
    days: Collection[int] | None = None,
    limit: int = MOST_PATTERNS,
) -> tuple[Rhythm, ...]:
    """The choices that a stop's rule leaves and that have a date to be visited.

    ``days`` helps where there would be many: choices with other due days may be left out.
    """
    recurrence = request.recurrence_of(stop)
    if recurrence is None:
        raise ValueError(f"stop {stop.stop_id} has no rule")
    cycle = request.cycle
    drops = {d: request.drop_on(stop, cycle.date_of(d)) for d in range(cycle.num_days)}
    extra = {cycle.day_of(on) for on in recurrence.extra_dates if _is_inside(request, on)}
    if recurrence.rule:
        nominal = _by_rule(request, stop, recurrence)
    else:
        free = {d for d, drop in drops.items() if drop is None}
        nominal = _by_period(request, stop, recurrence, free, days, limit)
    found = []
    for dates in nominal:
        both = sorted({*dates, *extra})
        due = tuple(d for d in both if drops[d] is None)
        wanted = sum(drops[d] is None or drops[d] in _FLEET_DROPS for d in both)
        if due:
            found.append(Rhythm(nominal=dates, due=due, wanted=wanted))
    return tuple(found)


def has_no_date(request: PlanRequest, stop: Stop) -> bool:
    """Whether a stop's rule gives it no date in the horizon, so that nothing is owed to it."""
    return request.recurrence_of(stop) is not None and not rhythms(request, stop)


def why_no_dates(request: PlanRequest, stop: Stop) -> Unserved:
    """Why no set of dates can serve a stop that has a rule."""
    recurrence = request.recurrence_of(stop)
    cycle = request.cycle
    facts = {
        "stop": stop.name,
        "rule": recurrence.rule if recurrence and recurrence.rule else "—",
        "first": cycle.first_date.isoformat(),
        "last": cycle.last_date.isoformat(),
    }
    reason = NO_DATE if has_no_date(request, stop) else NO_RHYTHM
    return Unserved(stop_id=stop.stop_id, reason=reason, facts=facts)


_FLEET_DROPS = frozenset({Drop.CLOSED, Drop.NO_VEHICLE})


def _is_inside(request: PlanRequest, on: date) -> bool:
    return request.cycle.first_date <= on <= request.cycle.last_date


def _by_rule(request: PlanRequest, stop: Stop, recurrence: Recurrence) -> Iterator[tuple[int, ...]]:
    cycle = request.cycle
    first, last = cycle.first_date, cycle.last_date
    if not cycle.repeats:
        first = max(first, recurrence.start_date or first)
        last = min(last, recurrence.end_date or last)
    for rule, start in _choices(request, stop, recurrence):
        yield tuple(cycle.day_of(on) for on in rule.dates(start, first, last))


def _choices(
    request: PlanRequest, stop: Stop, recurrence: Recurrence
) -> Iterator[tuple[RecurrenceRule, date]]:
    """What a rule leaves open, written out: a rule that leaves nothing open, and its start."""
    rule, start = recurrence.parsed, recurrence.start_date
    assert rule is not None  # the caller looks
    open_days = sorted(stop.weekdays or range(DAYS_PER_WEEK))
    if start is not None:
        if request.cycle.repeats:
            step = rule.interval * DAYS_PER_WEEK
            behind = max(0, -(-(start - request.cycle.start_date).days // step))
            start -= timedelta(days=behind * step)
        if rule.positions and not rule.weekdays:
            rule = _on_weekday(rule, rule.positions, start.weekday())
        yield rule, start
        return
    if rule.frequency is Frequency.WEEKLY:
        ruled = [rule] if rule.weekdays else [_on_weekday(rule, (0,), day) for day in open_days]
        monday = monday_of(request.cycle.first_date)
        starts = [monday + timedelta(weeks=k) for k in range(rule.interval)]
    else:
        weeks = [rule.positions] if rule.positions else [(p,) for p in POSITIONS]
        is_fixed = rule.weekdays or rule.month_days
        ruled = (
            [rule]
            if is_fixed
            else [_on_weekday(rule, positions, day) for day in open_days for positions in weeks]
        )
        starts = [_month_after(request.cycle.first_date, k) for k in range(rule.interval)]
    for chosen in ruled:
        for begun in starts:
            yield chosen, begun


def _on_weekday(rule: RecurrenceRule, positions: tuple[int, ...], day: int) -> RecurrenceRule:
    return replace(rule, weekdays=tuple((p, day) for p in positions), positions=())


def _month_after(on: date, months: int) -> date:
    """The first day of the month so many months after a date's."""
    number = on.year * 12 + on.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def _by_period(
    request: PlanRequest,
    stop: Stop,
    recurrence: Recurrence,
    free: set[int],
    possible: Collection[int] | None,
    limit: int,
) -> Iterator[tuple[int, ...]]:
    """Patterns of one period, repeated to the end of the horizon."""
    cycle = request.cycle
    length = recurrence.period_weeks * DAYS_PER_WEEK
    inside = [
        d
        for d in range(cycle.num_days)
        if _is_inside(request, on := cycle.date_of(d))
        and (recurrence.start_date is None or recurrence.start_date <= on)
        and (recurrence.end_date is None or on <= recurrence.end_date)
    ]
    due = {d for d in inside if d in free}
    if stop.weekdays:
        due = {d for d in due if d % DAYS_PER_WEEK in stop.weekdays}
    residues = {d % length for d in due}
    if possible is not None:
        residues -= {d % length for d in due if d not in possible}
    for pattern in allowed_patterns(
        num_days=length,
        visits=recurrence.period_visits,
        days=residues,
        same_weekday=stop.same_weekday,
        min_gap_days=stop.min_gap_days,
        max_gap_days=stop.max_gap_days,
        limit=limit,
    ):
        chosen = set(pattern)
        yield tuple(d for d in inside if d % length in chosen)


def _keeps_gaps(request: PlanRequest, stop: Stop, rhythm: Rhythm) -> bool:
    """Whether the dates of the rule keep the stop's gaps, those that are dropped included."""
    dates = [*rhythm.nominal]
    if request.cycle.repeats and dates:
        dates.append(dates[0] + request.cycle.num_days)
    most = stop.max_gap_days
    return all(
        stop.min_gap_days <= b - a and (most is None or b - a <= most) for a, b in pairwise(dates)
    )
