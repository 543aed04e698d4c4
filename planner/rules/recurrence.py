"""Whether stops with a rule are visited on its dates, judged from the visits themselves.

The search expands a rule with ``dateutil``; here the calendar is walked date by date, and what the
rule leaves open is read off the visits.
"""

from calendar import monthrange
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from data.model.calendar import DAYS_PER_WEEK
from data.model.place import Stop
from data.model.plan import PlanRequest, Violation
from data.model.recurrence import (
    POSITIONS,
    Drop,
    Frequency,
    Recurrence,
    RecurrenceRule,
    week_number,
)
from planner.rules.view import PlanView

type _Belongs = Callable[[date], bool]


_OWN_DROPS = {
    Drop.EXCEPTION: "rule.visit_on_exception",
    Drop.SEASON: "rule.visit_out_of_season",
    Drop.SCHOOL: "rule.visit_out_of_school_time",
}
"""Visits on holidays and days without a vehicle are found by the rules of runs."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """One reading of a rule: all its dates, and those on which a visit is due, ascending."""

    nominal: tuple[date, ...]
    due: tuple[date, ...]


def recurrence_is_kept(view: PlanView) -> Iterator[Violation]:
    """A visited stop that has a rule is visited on every date that is due, and on no other.

    What the rule leaves open is chosen once for the stop. A date that is an exception, out of
    season or school time, a holiday, or that no able vehicle works on is dropped, never moved.
    """
    for stop_id, found in view.visits.items():
        stop = view.stops[stop_id]
        recurrence = view.request.recurrence_of(stop)
        if recurrence is None or not found:
            continue
        rhythm = rhythm_of(view, stop)
        dates = [view.date_of(run.day) for run, _ in found]
        for on, (run, visit) in zip(dates, found, strict=True):
            drop = view.request.drop_on(stop, on)
            if on in rhythm.due:
                continue
            if drop in _OWN_DROPS:
                yield view.of_visit(_OWN_DROPS[drop], run, visit)
            elif drop is None:
                yield view.of_visit("rule.visit_off_rule", run, visit, rule=recurrence.rule or "—")
        for on in rhythm.due:
            if on not in dates:
                yield view.of_stop(
                    "rule.visit_missed",
                    stop,
                    day=view.request.cycle.day_of(on),
                    date=on.isoformat(),
                    rule=recurrence.rule or "—",
                )
        if not recurrence.rule:
            yield from _period_is_full(view, stop, recurrence, dates)
        for on in sorted({on for on in dates if dates.count(on) > 1}):
            yield view.of_stop("rule.visit_twice", stop, date=on.isoformat(), found=dates.count(on))


def _period_is_full(
    view: PlanView, stop: Stop, recurrence: Recurrence, dates: list[date]
) -> Iterator[Violation]:
    """A stop that counts its visits in a period gets so many; a day may lose all its dates."""
    request, length = view.request, recurrence.period_weeks * DAYS_PER_WEEK

    def day_of(on: date) -> int:
        return request.cycle.day_of(on) % length

    found = {day_of(on) for on in dates if on not in recurrence.extra_dates}
    usable = {day_of(on) for on in _horizon(request) if request.drop_on(stop, on) is None}
    lost = {day_of(on) for on in _horizon(request) if _allows(stop, on)} - usable
    most = recurrence.period_visits
    if not most - len(lost) <= len(found) <= most:
        yield view.of_stop("rule.visits_wrong", stop, found=len(found), limit=most)


def rhythm_of(view: PlanView, stop: Stop) -> Rhythm:
    """The reading of a stop's rule that its visits fit best."""
    request = view.request
    visited = {view.date_of(run.day) for run, _ in view.visits[stop.stop_id]}
    recurrence = request.recurrence_of(stop)
    if recurrence is None:
        raise ValueError(f"stop {stop.stop_id} has no rule")
    seeds = visited - recurrence.extra_dates or visited
    rhythms = [_rhythm(request, stop, recurrence, b) for b in _readings(request, recurrence, seeds)]
    return min(rhythms, key=lambda r: len(visited.symmetric_difference(r.due)))


def is_owed_nothing(request: PlanRequest, stop: Stop) -> bool:
    """Whether no reading of a stop's rule has a date in the horizon on which a visit is due."""
    recurrence = request.recurrence_of(stop)
    if recurrence is None:
        return False
    dates = [on for on in _horizon(request) if _allows(stop, on)]
    return not any(
        _rhythm(request, stop, recurrence, belongs).due
        for belongs in _readings(request, recurrence, dates)
    )


def _allows(stop: Stop, on: date) -> bool:
    return not stop.weekdays or on.weekday() in stop.weekdays


def _horizon(request: PlanRequest) -> Iterator[date]:
    cycle = request.cycle
    on = cycle.first_date
    while on <= cycle.last_date:
        yield on
        on += timedelta(days=1)


def _rhythm(request: PlanRequest, stop: Stop, recurrence: Recurrence, belongs: _Belongs) -> Rhythm:
    is_bound = not request.cycle.repeats
    nominal = tuple(
        on
        for on in _horizon(request)
        if belongs(on)
        and not (is_bound and recurrence.start_date and on < recurrence.start_date)
        and not (is_bound and recurrence.end_date and on > recurrence.end_date)
    )
    extra = {on for on in recurrence.extra_dates if on in set(_horizon(request))}
    due = sorted(on for on in {*nominal, *extra} if request.drop_on(stop, on) is None)
    return Rhythm(nominal, tuple(due))


def _readings(
    request: PlanRequest, recurrence: Recurrence, seeds: Iterable[date]
) -> list[_Belongs]:
    """Every way to read a rule in which one of the seeds is a date of it; never none."""
    rule, seeds = recurrence.parsed, sorted(seeds)
    if rule is None:
        return [_by_period(request, recurrence, seeds)]
    start = recurrence.start_date
    if start is not None:
        # The rule begun on a date leaves nothing open.
        seeds = [start]
    if not seeds:
        return [lambda _: False]
    readings = (
        _weekly(rule, seeds)
        if rule.frequency is Frequency.WEEKLY
        else _monthly(rule, seeds, is_begun=start is not None)
    )
    limited = [_within(rule, belongs) for belongs in readings]
    if rule.count is not None and start is not None:
        return [_first(rule.count, start, request.cycle.last_date, b) for b in limited]
    return limited


def _by_period(request: PlanRequest, recurrence: Recurrence, seeds: list[date]) -> _Belongs:
    """The days of the period that have a visit; where they are too few, the first is doubtful."""
    cycle = request.cycle
    length = recurrence.period_weeks * DAYS_PER_WEEK
    days = {cycle.day_of(on) % length for on in seeds}
    return lambda on: cycle.day_of(on) % length in days


def _weekly(rule: RecurrenceRule, seeds: list[date]) -> list[_Belongs]:
    def reading(phase: int, weekdays: frozenset[int]) -> _Belongs:
        return lambda on: week_number(on) % rule.interval == phase and on.weekday() in weekdays

    named = frozenset(day for _, day in rule.weekdays)
    chosen = {(week_number(on) % rule.interval, named or frozenset({on.weekday()})) for on in seeds}
    return [reading(phase, days) for phase, days in sorted(chosen, key=lambda c: (c[0], *c[1]))]


def _monthly(rule: RecurrenceRule, seeds: list[date], *, is_begun: bool) -> list[_Belongs]:
    def reading(phase: int, in_month: _Belongs) -> _Belongs:
        return lambda on: (on.year * 12 + on.month) % rule.interval == phase and in_month(on)

    found = []
    for phase in sorted({(on.year * 12 + on.month) % rule.interval for on in seeds}):
        found += [reading(phase, in_month) for in_month in _months(rule, seeds, is_begun=is_begun)]
    return found


def _months(rule: RecurrenceRule, seeds: list[date], *, is_begun: bool) -> list[_Belongs]:
    """What days of a month a rule may mean."""
    if rule.month_days:
        return [lambda on: on.day in rule.month_days or on.day - _length(on) - 1 in rule.month_days]
    if rule.weekdays and not rule.positions:
        return [lambda on: any(_is_nth(on, p, d) for p, d in rule.weekdays)]
    if rule.weekdays:
        named = frozenset(day for _, day in rule.weekdays)
        return [
            lambda on: on.weekday() in named and _counts(on, named) & set(rule.positions) != set()
        ]
    if is_begun and not rule.positions:
        return [lambda on: on.day == seeds[0].day]
    weekdays = sorted({on.weekday() for on in seeds})
    weeks = [rule.positions] if rule.positions else [(p,) for p in POSITIONS]
    return [_on_weekday(day, positions) for day in weekdays for positions in weeks]


def _on_weekday(day: int, positions: tuple[int, ...]) -> _Belongs:
    return lambda on: any(_is_nth(on, p, day) for p in positions)


def _length(on: date) -> int:
    return monthrange(on.year, on.month)[1]


def _is_nth(on: date, position: int, day: int) -> bool:
    """Whether a date is the n-th such weekday of its month; any for position 0."""
    from_start = (on.day - 1) // DAYS_PER_WEEK + 1
    from_end = (_length(on) - on.day) // DAYS_PER_WEEK + 1
    return on.weekday() == day and position in (0, from_start, -from_end)


def _counts(on: date, weekdays: frozenset[int]) -> set[int]:
    """Which of the month's dates on these weekdays a date is, from its start and from its end."""
    same = [k for k in range(1, _length(on) + 1) if on.replace(day=k).weekday() in weekdays]
    at = same.index(on.day)
    return {at + 1, at - len(same)}


def _within(rule: RecurrenceRule, belongs: _Belongs) -> _Belongs:
    if not rule.months and rule.until is None:
        return belongs
    return lambda on: (
        belongs(on)
        and (not rule.months or on.month in rule.months)
        and (rule.until is None or on <= rule.until)
    )


def _first(count: int, start: date, last: date, belongs: _Belongs) -> _Belongs:
    """Only the first so many dates from the start."""
    dates: set[date] = set()
    on = start
    while on <= last and len(dates) < count:
        if belongs(on):
            dates.add(on)
        on += timedelta(days=1)
    return dates.__contains__
