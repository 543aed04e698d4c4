"""Time: windows of a day, the repeating cycle, working days and holidays.

Planned times are integer seconds from local midnight of the service date; they may pass 86 400.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import ClassVar

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
    """The repeating horizon: ``num_weeks`` weeks from a Monday.

    Cycle days count from 0 on ``start_date``; day ``d`` falls on weekday ``d % 7``.
    """

    start_date: date
    num_weeks: int

    MAX_WEEKS: ClassVar[int] = 6

    def __post_init__(self) -> None:
        if self.start_date.weekday() != 0:
            raise ValueError(f"a cycle starts on a Monday, {self.start_date} is none")
        if not 1 <= self.num_weeks <= self.MAX_WEEKS:
            raise ValueError(f"a cycle has 1 to {self.MAX_WEEKS} weeks, not {self.num_weeks}")

    @property
    def num_days(self) -> int:
        return self.num_weeks * DAYS_PER_WEEK

    def date_of(self, day: int) -> date:
        """Service date of a cycle day (beyond the cycle it counts on)."""
        return self.start_date + timedelta(days=day)

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

    def is_working(self, day: date) -> bool:
        if day in self.closed_dates:
            return False
        return day.weekday() in self.weekdays or day in self.extra_dates
