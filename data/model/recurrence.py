"""Recurrence rules (RFC 5545 RRULE) of stop visits: from the days of a cycle and back.

Only what timetables of mobile libraries use is written and read: every n-th week, or named
weekdays of a month. Dates of other rules are a matter for ``data.feeds``.

References
----------
RFC 5545, section 3.3.10, doi:10.17487/RFC5545.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from data.model.calendar import DAYS_PER_WEEK, Cycle, ServiceCalendar

RRULE_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
WEEKS_PER_MONTH = 4
"""A month in cycles: "the second Tuesday" is once in a cycle of four weeks."""
_POSITIONS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyRecurrence:
    """Every ``interval_weeks`` weeks from ``start_date``, whose weekday is the weekday."""

    start_date: date
    interval_weeks: int

    @property
    def rrule(self) -> str:
        return f"FREQ=WEEKLY;INTERVAL={self.interval_weeks}"

    @property
    def weekday(self) -> int:
        return self.start_date.weekday()

    def dates(self, first: date, last: date) -> tuple[date, ...]:
        """Dates from ``first`` to ``last``, both included."""
        step = self.interval_weeks * DAYS_PER_WEEK
        ahead = max(0, -(-(first - self.start_date).days // step))
        day = self.start_date + timedelta(days=ahead * step)
        found = []
        while day <= last:
            found.append(day)
            day += timedelta(days=step)
        return tuple(found)

    def exceptions(
        self, calendar: ServiceCalendar, until: date, off_dates: Iterable[date] = ()
    ) -> tuple[date, ...]:
        """The EXDATE list: dates up to ``until`` on which there is no service after all."""
        off = frozenset(off_dates)
        return tuple(
            day
            for day in self.dates(self.start_date, until)
            if day in off or not calendar.is_working(day)
        )


def recurrences(days: Sequence[int], cycle: Cycle) -> tuple[WeeklyRecurrence, ...]:
    """The fewest weekly rules that give exactly the days of a pattern, in every repetition.

    Parameters
    ----------
    days
        Cycle days of the pattern.

    Returns
    -------
    tuple[WeeklyRecurrence, ...]
        By start date. The days of a weekday that recur evenly are one rule; otherwise each rule
        takes the largest part that does.

    Raises
    ------
    ValueError
        If a day lies outside the cycle.
    """
    if any(not 0 <= day < cycle.num_days for day in days):
        raise ValueError(f"days {list(days)} lie outside a cycle of {cycle.num_days} days")
    rules = []
    for weekday in range(DAYS_PER_WEEK):
        weeks = {day // DAYS_PER_WEEK for day in days if day % DAYS_PER_WEEK == weekday}
        for first_week, interval in _even_parts(weeks, cycle.num_weeks):
            start = cycle.date_of(first_week * DAYS_PER_WEEK + weekday)
            rules.append(WeeklyRecurrence(start_date=start, interval_weeks=interval))
    return tuple(sorted(rules, key=lambda rule: (rule.start_date, rule.interval_weeks)))


def _even_parts(weeks: set[int], num_weeks: int) -> list[tuple[int, int]]:
    """First week and interval of disjoint even series that make up ``weeks``, longest first."""
    left, parts = set(weeks), []
    for interval in (d for d in range(1, num_weeks + 1) if num_weeks % d == 0):
        for first in range(interval):
            series = set(range(first, num_weeks, interval))
            if series <= left:
                parts.append((first, interval))
                left -= series
    return parts


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleFrequency:
    """How often a rule comes: ``visits`` in every ``num_weeks`` weeks.

    ``weeks_of_month`` are the positions of a monthly rule, from 1; -1 is the last.
    """

    num_weeks: int
    visits: int
    weekdays: frozenset[int] = frozenset()
    """Weekdays that the rule names; empty where its start date tells."""
    weeks_of_month: tuple[int, ...] = ()


def parse_frequency(rrule: str) -> CycleFrequency:
    """The frequency of a weekly or monthly rule, counted in weeks.

    A month counts as four weeks, as the rounds of mobile libraries do.

    Raises
    ------
    ValueError
        Where the text is no such rule.
    """
    parts = _parts(rrule)
    interval = int(parts.get("INTERVAL", "1"))
    if interval < 1:
        raise ValueError(f"interval {interval} of {rrule!r}")
    named = [_byday(text) for text in parts.get("BYDAY", "").split(",") if text]
    weekdays = frozenset(weekday for _, weekday in named)
    if parts.get("FREQ") == "WEEKLY":
        if any(position for position, _ in named):
            raise ValueError(f"a weekly rule names no positions: {rrule!r}")
        return CycleFrequency(num_weeks=interval, visits=len(weekdays) or 1, weekdays=weekdays)
    if parts.get("FREQ") == "MONTHLY" and named:
        positions = _positions(parts, named)
        visits = sum(_WEEKS_OF.get(p, 1) for p in positions) if positions else 0
        if not visits:
            raise ValueError(f"a monthly rule needs positions: {rrule!r}")
        return CycleFrequency(
            num_weeks=interval * WEEKS_PER_MONTH,
            visits=visits,
            weekdays=weekdays,
            weeks_of_month=tuple(sorted({p for p in positions if p})),
        )
    raise ValueError(f"neither weekly nor a weekday of the month: {rrule!r}")


_WEEKS_OF = {0: WEEKS_PER_MONTH}
"""A weekday without a position comes every week of the month."""


def _positions(parts: dict[str, str], named: list[tuple[int, int]]) -> list[int]:
    if "BYSETPOS" in parts:
        return [int(p) for p in parts["BYSETPOS"].split(",")]
    return [position for position, _ in named]


def _parts(rrule: str) -> dict[str, str]:
    parts = {}
    for part in rrule.strip().removeprefix("RRULE:").split(";"):
        key, equals, value = part.partition("=")
        if not equals or not value or key.upper() in parts:
            raise ValueError(f"no recurrence rule: {rrule!r}")
        parts[key.upper()] = value.upper()
    return parts


def _byday(text: str) -> tuple[int, int]:
    """Position (0 for none) and weekday of ``2TU``, ``-1FR`` or ``MO``."""
    number, name = text[:-2], text[-2:]
    if name not in RRULE_WEEKDAYS:
        raise ValueError(f"no weekday: {text!r}")
    position = int(number) if number else 0
    if number and not 1 <= abs(position) <= _POSITIONS:
        raise ValueError(f"no week of a month: {text!r}")
    return position, RRULE_WEEKDAYS.index(name)
