"""Time: windows of a day, the cycle or the dated horizon, working days and holidays.

Planned times are integer seconds from local midnight of the service date; they may pass 86 400.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import ClassVar, Self

from data.model.seasons import SchoolCalendar

MINUTE_S = 60
HOUR_S = 3600
DAY_S = 86_400
DAYS_PER_WEEK = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A span of the day in which the doors may be open, ``start_s`` to ``end_s``.

    The whole service time lies inside it. ``weekdays`` empty means every weekday (Monday is 0).
    """

    start_s: int
    end_s: int
    weekdays: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        if not 0 <= self.start_s < self.end_s:
            raise ValueError(f"window ends ({self.end_s} s) before it starts ({self.start_s} s)")

    def applies_on(self, weekday: int) -> bool:
        return not self.weekdays or weekday in self.weekdays


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """The horizon of a plan: ``num_weeks`` weeks from a Monday.

    A cycle repeats: its last day is followed by its first. A dated horizon (``repeats`` false)
    does not: each of its days is one date, and nothing follows the last. Days count from 0 on
    ``start_date``; day ``d`` falls on weekday ``d % 7``. ``from_date`` and ``until_date`` cut the
    first and the last week of a dated horizon; days beyond them have no service.
    """

    start_date: date
    num_weeks: int
    repeats: bool = True
    from_date: date | None = None
    until_date: date | None = None

    MAX_WEEKS: ClassVar[int] = 6
    MAX_DATED_WEEKS: ClassVar[int] = 53

    def __post_init__(self) -> None:
        if self.start_date.weekday() != 0:
            raise ValueError(f"a cycle starts on a Monday, {self.start_date} is none")
        most = self.MAX_WEEKS if self.repeats else self.MAX_DATED_WEEKS
        if not 1 <= self.num_weeks <= most:
            raise ValueError(f"a cycle has 1 to {most} weeks, not {self.num_weeks}")
        if self.repeats and (self.from_date or self.until_date):
            raise ValueError("a repeating cycle has no first and last date of service")
        if not self.date_of(0) <= self.first_date <= self.last_date <= self._end_date:
            raise ValueError(f"{self.first_date} to {self.last_date} lie outside the horizon")

    @classmethod
    def between(cls, first: date, last: date) -> Self:
        """The dated horizon from ``first`` to ``last``, both included."""
        monday = first - timedelta(days=first.weekday())
        return cls(
            start_date=monday,
            num_weeks=(last - monday).days // DAYS_PER_WEEK + 1,
            repeats=False,
            from_date=first,
            until_date=last,
        )

    @property
    def num_days(self) -> int:
        return self.num_weeks * DAYS_PER_WEEK

    @property
    def _end_date(self) -> date:
        return self.date_of(self.num_days - 1)

    @property
    def first_date(self) -> date:
        """First date that the plan may use."""
        return self.from_date or self.start_date

    @property
    def last_date(self) -> date:
        """Last date that the plan may use; a repeating cycle goes on after it."""
        return self.until_date or self._end_date

    def covers(self, on: date) -> bool:
        """Whether the plan speaks of a date: of any for a cycle, which repeats."""
        return self.repeats or self.first_date <= on <= self.last_date

    def date_of(self, day: int) -> date:
        """Service date of a cycle day (beyond the cycle it counts on)."""
        return self.start_date + timedelta(days=day)

    def day_of(self, on: date) -> int:
        """Cycle day of a date, as ``date_of`` counts."""
        return (on - self.start_date).days

    def counts_like(self, other: "Cycle") -> bool:
        """Whether a day's number means the same in both: weeks of a cycle, or the same dates."""
        is_alike = (self.repeats, self.num_weeks) == (other.repeats, other.num_weeks)
        return is_alike and (self.repeats or self.start_date == other.start_date)

    @staticmethod
    def weekday_of(day: int) -> int:
        return day % DAYS_PER_WEEK


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceCalendar:
    """Which dates have service at all."""

    weekdays: frozenset[int] = frozenset({0, 1, 2, 3, 4})
    closed_dates: Mapping[date, str] = field(default_factory=dict)
    """Holidays and other dates with no service, with their names."""
    extra_dates: Mapping[date, str] = field(default_factory=dict)
    """Dates that work although their weekday does not (moved working days)."""
    schools: Mapping[str, SchoolCalendar] = field(default_factory=dict)
    """School calendars by name."""

    def is_working(self, day: date) -> bool:
        if day in self.closed_dates:
            return False
        return day.weekday() in self.weekdays or day in self.extra_dates
