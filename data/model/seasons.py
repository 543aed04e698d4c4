"""Parts of the year: seasons that return every year, and the terms of schools."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

_LEAP_YEAR = 2024


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """A part of every year, first and last day included; it may lie over new year."""

    first_month: int
    first_day: int
    last_month: int
    last_day: int

    def __post_init__(self) -> None:
        for month, day in ((self.first_month, self.first_day), (self.last_month, self.last_day)):
            date(_LEAP_YEAR, month, day)

    def contains(self, on: date) -> bool:
        """Whether a date lies in the season. 29 February ends a season of other years earlier."""
        first = (self.first_month, self.first_day)
        last = (self.last_month, self.last_day)
        now = (on.month, on.day)
        return first <= now <= last if first <= last else now >= first or now <= last

    @property
    def text(self) -> str:
        """The season as tables write it: ``05-15/09-30``."""
        return (
            f"{self.first_month:02d}-{self.first_day:02d}/{self.last_month:02d}-{self.last_day:02d}"
        )


def parse_season(text: str) -> Season:
    """The season of ``05-15/09-30``; ``ValueError`` where the text is none."""
    first, slash, last = text.strip().partition("/")
    ends = [part.strip().split("-") for part in (first, last)]
    if not slash or any(len(end) != 2 or not all(p.isdecimal() for p in end) for end in ends):
        raise ValueError(f"no season: {text!r}")
    (first_month, first_day), (last_month, last_day) = ([int(p) for p in end] for end in ends)
    return Season(
        first_month=first_month, first_day=first_day, last_month=last_month, last_day=last_day
    )


class SchoolTime(StrEnum):
    """When a stop is visited by the school year."""

    TERM = "term"
    HOLIDAYS = "holidays"


@dataclass(frozen=True, slots=True, kw_only=True)
class DateSpan:
    """Dates from ``first`` to ``last``, both included."""

    first: date
    last: date
    name: str = ""

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"a span ends ({self.last}) before it begins ({self.first})")


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolCalendar:
    """Terms of schools, and holidays as far as they are named.

    Between the first and the last date that the spans name, what is no term is a holiday; beyond
    them nothing is known.
    """

    terms: tuple[DateSpan, ...]
    holidays: tuple[DateSpan, ...] = ()

    def __post_init__(self) -> None:
        if not self.terms and not self.holidays:
            raise ValueError("a school calendar has a term or a holiday")

    @property
    def first(self) -> date:
        """First date of which the calendar knows."""
        return min(s.first for s in (*self.terms, *self.holidays))

    @property
    def last(self) -> date:
        """Last date of which the calendar knows."""
        return max(s.last for s in (*self.terms, *self.holidays))

    def time_of(self, on: date) -> SchoolTime | None:
        """Term or holidays; ``None`` where the calendar does not know."""
        if not self.first <= on <= self.last:
            return None
        in_term = any(s.first <= on <= s.last for s in self.terms)
        return SchoolTime.TERM if in_term else SchoolTime.HOLIDAYS


def in_seasons(seasons: Iterable[Season], on: date) -> bool:
    """Whether a date lies in one of the seasons; without any, every date does."""
    seasons = tuple(seasons)
    return not seasons or any(season.contains(on) for season in seasons)
