"""Promised visits as the lines of a printed timetable, each with the rule that it follows.

A line is one stop, vehicle, weekday and clock time. Its dates are put under one rule where that
takes few exceptions, else under several. The first visit of a line gives the line its lasting
name: visits are never deleted, so the name stays while the rhythm does.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from math import gcd

from data.model.calendar import DAYS_PER_WEEK
from data.model.fleet import VehicleId
from data.model.place import StopId
from data.model.publication import PromisedVisit, VisitId
from data.model.recurrence import Frequency, RecurrenceRule, week_number

_MOST_WEEKS = 6
"""Longest cycle whose weeks are told apart."""
_LINE_COST = 2
"""A further line is worth as much as so many exceptions."""

_LEAST_MONTHS = 3
"""Fewer dates a week of the month are no rule of months."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitLine:
    """Visits of one line, by date; without a rule it is a single visit."""

    visits: tuple[PromisedVisit, ...]
    rule: RecurrenceRule | None = None
    exceptions: tuple[date, ...] = ()
    """Dates that the rule gives between the first visit and the last, and that have none."""

    @property
    def line_id(self) -> VisitId:
        return self.visits[0].visit_id

    @property
    def first(self) -> PromisedVisit:
        return self.visits[0]

    @property
    def stop_id(self) -> StopId:
        return self.visits[0].stop_id

    @property
    def vehicle_id(self) -> VehicleId:
        return self.visits[0].vehicle_id

    @property
    def weekday(self) -> int:
        return self.visits[0].opens_date.weekday()

    @property
    def last_date(self) -> date:
        return self.visits[-1].opens_date


def visit_lines(visits: Iterable[PromisedVisit]) -> tuple[VisitLine, ...]:
    """The lines of visits, by first date and time; withdrawn visits are left out.

    A make-up visit is a line of its own: it belongs to no rhythm.
    """
    groups: dict[tuple[object, ...], dict[date, PromisedVisit]] = defaultdict(dict)
    for visit in visits:
        if not visit.is_told:
            continue
        own = visit.visit_id if visit.make_up_for is not None else ""
        weekday, services = visit.opens_date.weekday(), tuple(sorted(visit.services))
        clock = (visit.vehicle_id, weekday, visit.opens_s, visit.closes_s, services)
        group = groups[visit.stop_id, own, *clock]
        if visit.opens_date in group:
            # Two openings alike on one date: the second cannot be under the same rule.
            groups[visit.stop_id, visit.visit_id, *clock][visit.opens_date] = visit
        else:
            group[visit.opens_date] = visit
    lines = [line for group in groups.values() for line in _lines_of(group)]
    return tuple(sorted(lines, key=_order))


def _order(line: VisitLine) -> tuple[date, int, str, str]:
    return line.first.opens_date, line.first.opens_s, line.stop_id, line.line_id


def _lines_of(group: dict[date, PromisedVisit]) -> Iterator[VisitLine]:
    for part in rhythms(sorted(group)):
        yield VisitLine(
            visits=tuple(group[on] for on in part.dates),
            rule=part.rule,
            exceptions=part.exceptions,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """Dates under one rule; a single date has none."""

    dates: tuple[date, ...]
    rule: RecurrenceRule | None
    exceptions: tuple[date, ...] = ()


def rhythms(dates: Sequence[date]) -> tuple[Rhythm, ...]:
    """Ascending dates of one weekday under as few rules with as few exceptions as can be."""
    if not dates:
        return ()
    ways = [*_by_weeks(dates), *_by_month(dates)]
    return min(ways, key=_cost)


def _cost(way: tuple[Rhythm, ...]) -> tuple[int, int]:
    exceptions = sum(len(r.exceptions) for r in way)
    return exceptions + _LINE_COST * len(way), len(way)


def _by_weeks(dates: Sequence[date]) -> Iterator[tuple[Rhythm, ...]]:
    """Weeks of a cycle of one, two … weeks told apart."""
    for weeks in range(1, _MOST_WEEKS + 1):
        classes: dict[int, list[date]] = defaultdict(list)
        for on in dates:
            classes[week_number(on) % weeks].append(on)
        yield tuple(_weekly(part) for part in classes.values())


def _weekly(dates: Sequence[date]) -> Rhythm:
    weeks = gcd(*(week_number(on) - week_number(dates[0]) for on in dates))
    if len(dates) == 1:
        return Rhythm(dates=tuple(dates), rule=None)
    return _ruled(dates, RecurrenceRule(frequency=Frequency.WEEKLY, interval=weeks))


def _by_month(dates: Sequence[date]) -> Iterator[tuple[Rhythm, ...]]:
    """The same weeks of every month, counted from its start, if they have come often enough."""
    positions = sorted({(on.day - 1) // DAYS_PER_WEEK + 1 for on in dates})
    months = [on.year * 12 + on.month for on in dates]
    if len(dates) < _LEAST_MONTHS * len(positions):
        return
    interval = gcd(*(month - months[0] for month in months)) or 1
    rule = RecurrenceRule(
        frequency=Frequency.MONTHLY,
        interval=interval,
        weekdays=tuple((p, dates[0].weekday()) for p in positions),
    )
    yield (_ruled(dates, rule),)


def _ruled(dates: Sequence[date], rule: RecurrenceRule) -> Rhythm:
    told = rule.dates(dates[0], dates[0], dates[-1])
    known = set(dates)
    return Rhythm(
        dates=tuple(dates), rule=rule, exceptions=tuple(on for on in told if on not in known)
    )
