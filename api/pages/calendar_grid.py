"""A month or a year as weeks of days, each day with what it brings."""

import calendar
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from api.services.calendar_days import Entry, EntryKind
from data.model.calendar import ServiceCalendar


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day of a month's grid."""

    on: date
    in_month: bool
    is_working: bool
    is_today: bool
    entries: tuple[Entry, ...] = ()

    @property
    def kinds(self) -> tuple[EntryKind, ...]:
        """Kinds of its entries, each once, in their order."""
        return tuple(dict.fromkeys(entry.kind for entry in self.entries))


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A month as weeks from Monday to Sunday."""

    first: date
    weeks: tuple[tuple[Day, ...], ...]

    @property
    def days(self) -> Iterator[Day]:
        """The month's own days."""
        return (day for week in self.weeks for day in week if day.in_month)


def month_of(
    year: int, month: int, service: ServiceCalendar, entries: Iterable[Entry], today: date
) -> Month:
    """A month with its entries."""
    found = tuple(entries)
    weeks = tuple(
        tuple(
            Day(
                on=on,
                in_month=on.month == month,
                is_working=service.is_working(on),
                is_today=on == today,
                entries=tuple(e for e in found if e.first <= on <= e.last),
            )
            for on in week
        )
        for week in calendar.Calendar().monthdatescalendar(year, month)
    )
    return Month(first=date(year, month, 1), weeks=weeks)


def months_of(
    year: int, service: ServiceCalendar, entries: Iterable[Entry], today: date
) -> tuple[Month, ...]:
    """The twelve months of a year."""
    found = tuple(entries)
    return tuple(month_of(year, month, service, found, today) for month in range(1, 13))


def shifted(year: int, month: int, by: int) -> tuple[int, int]:
    """Year and month so many months later."""
    number = year * 12 + month - 1 + by
    return number // 12, number % 12 + 1
