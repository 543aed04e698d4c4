"""Recurrence rules (RFC 5545 RRULE) of stop visits, and what a stop asks for by one.

Rules of weeks and months are known, with every part that timetables of mobile libraries use;
any other part is refused by name.

References
----------
RFC 5545, section 3.3.10, doi:10.17487/RFC5545.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from dateutil import rrule

from data.model.calendar import DAYS_PER_WEEK, ServiceCalendar
from data.model.seasons import SchoolTime, Season, in_seasons

RRULE_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
WEEKS_PER_MONTH = 4
"""A month in cycles: "the second Tuesday" is once in a cycle of four weeks."""
POSITIONS = (1, 2, 3, 4, -1)
"""Weeks of the month that every month has; -1 is the last."""
_MOST_POSITION = 5
_FREE = {"WKST"}
"""Parts that may stand in a rule and say nothing more: weeks begin on Monday."""


class Frequency(StrEnum):
    """The unit of a rule's interval."""

    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurrenceRule:
    """An RRULE by its parts; weekdays count from Monday, 0, positions from 1, -1 is the last.

    ``weekdays`` are pairs of position and weekday as in ``BYDAY``, position 0 for none.
    """

    frequency: Frequency
    interval: int = 1
    weekdays: tuple[tuple[int, int], ...] = ()
    positions: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    count: int | None = None
    until: date | None = None

    @property
    def text(self) -> str:
        """The rule as RFC 5545 writes it."""
        parts = [f"FREQ={self.frequency.value}"]
        if self.interval > 1 or self.frequency is Frequency.WEEKLY:
            parts.append(f"INTERVAL={self.interval}")
        if self.months:
            parts.append(f"BYMONTH={_joined(self.months)}")
        if self.month_days:
            parts.append(f"BYMONTHDAY={_joined(self.month_days)}")
        if self.weekdays:
            days = [f"{p or ''}{RRULE_WEEKDAYS[d]}" for p, d in self.weekdays]
            parts.append(f"BYDAY={','.join(days)}")
        if self.positions:
            parts.append(f"BYSETPOS={_joined(self.positions)}")
        if self.count is not None:
            parts.append(f"COUNT={self.count}")
        if self.until is not None:
            parts.append(f"UNTIL={self.until:%Y%m%d}")
        return ";".join(parts)

    def dates(self, start: date, first: date, last: date) -> tuple[date, ...]:
        """Dates from ``first`` to ``last``, both included, of the rule begun on ``start``."""
        if last < first:
            return ()
        found = self._expansion(start).between(_noon(first), _noon(last), inc=True)
        return tuple(moment.date() for moment in found)

    def _expansion(self, start: date) -> rrule.rrule:
        named = [
            rrule.weekday(day, position) if position else rrule.weekday(day)
            for position, day in self.weekdays
        ]
        return rrule.rrule(
            rrule.WEEKLY if self.frequency is Frequency.WEEKLY else rrule.MONTHLY,
            dtstart=_noon(start),
            interval=self.interval,
            wkst=rrule.MO,
            count=self.count,
            until=None if self.until is None else _noon(self.until),
            bysetpos=self.positions or None,
            bymonth=self.months or None,
            bymonthday=self.month_days or None,
            byweekday=named or None,
        )


def _noon(on: date) -> datetime:
    return datetime.combine(on, time(12))


def _joined(numbers: tuple[int, ...]) -> str:
    return ",".join(str(n) for n in numbers)


def parse_rule(text: str) -> RecurrenceRule:
    """The rule of an RRULE text; letter case and a leading ``RRULE:`` do not matter.

    Raises
    ------
    ValueError
        Where the text is no rule of weeks or months, or has a part that is not known.
    """
    parts = _parts(text)
    try:
        frequency = Frequency(parts.pop("FREQ", ""))
    except ValueError as wrong:
        raise ValueError(f"neither weekly nor monthly: {text!r}") from wrong
    until = parts.pop("UNTIL", None)
    count = parts.pop("COUNT", None)
    rule = RecurrenceRule(
        frequency=frequency,
        interval=_whole(parts.pop("INTERVAL", "1"), text),
        weekdays=tuple(_byday(p, text) for p in parts.pop("BYDAY", "").split(",") if p),
        positions=_numbers(parts, "BYSETPOS", _MOST_POSITION, text, signed=True),
        month_days=_numbers(parts, "BYMONTHDAY", 31, text, signed=True),
        months=_numbers(parts, "BYMONTH", 12, text, signed=False),
        count=None if count is None else _whole(count, text),
        until=None if until is None else _until(until, text),
    )
    unknown = sorted(set(parts) - _FREE)
    if unknown:
        raise ValueError(f"unknown part {unknown[0]} of {text!r}")
    if parts.get("WKST", "MO") != "MO":
        raise ValueError(f"weeks begin on Monday: {text!r}")
    if rule.count is not None and rule.until is not None:
        raise ValueError(f"COUNT and UNTIL exclude one another: {text!r}")
    _check_parts(rule, text)
    return rule


def _check_parts(rule: RecurrenceRule, text: str) -> None:
    has_positions = any(position for position, _ in rule.weekdays)
    if rule.frequency is Frequency.WEEKLY and (has_positions or rule.positions or rule.month_days):
        raise ValueError(f"a weekly rule names no weeks or days of a month: {text!r}")
    if has_positions and rule.positions:
        raise ValueError(f"BYSETPOS and positions in BYDAY exclude one another: {text!r}")
    if rule.month_days and (rule.weekdays or rule.positions):
        raise ValueError(f"BYMONTHDAY goes with no weekdays: {text!r}")


def _parts(text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in text.strip().upper().removeprefix("RRULE:").rstrip(";").split(";"):
        key, equals, value = (p.strip() for p in part.partition("="))
        if not equals or not value or key in parts:
            raise ValueError(f"no recurrence rule: {text!r}")
        parts[key] = value
    return parts


def _whole(value: str, text: str) -> int:
    if not value.isdecimal() or int(value) < 1:
        raise ValueError(f"{value} is no whole number above 0 in {text!r}")
    return int(value)


def _numbers(
    parts: dict[str, str], key: str, most: int, text: str, *, signed: bool
) -> tuple[int, ...]:
    """A list of whole numbers, each once; negative ones count from the end."""
    found = []
    for value in filter(None, parts.pop(key, "").split(",")):
        digits = value.lstrip("+-") if signed else value
        if not digits.isdecimal() or not 1 <= int(digits) <= most:
            raise ValueError(f"{key} of {text!r}")
        found.append(-int(digits) if value.startswith("-") else int(digits))
    return tuple(dict.fromkeys(found))


def _byday(part: str, text: str) -> tuple[int, int]:
    """Position (0 for none) and weekday of ``2TU``, ``-1FR`` or ``MO``."""
    number, name = part[:-2].strip(), part[-2:]
    if name not in RRULE_WEEKDAYS:
        raise ValueError(f"no weekday: {part!r} of {text!r}")
    digits = number.lstrip("+-")
    if number and (not digits.isdecimal() or not 1 <= int(digits) <= _MOST_POSITION):
        raise ValueError(f"no week of a month: {part!r} of {text!r}")
    position = int(number) if number else 0
    return position, RRULE_WEEKDAYS.index(name)


def _until(value: str, text: str) -> date:
    try:
        return datetime.strptime(value[:8], "%Y%m%d").replace(tzinfo=None).date()
    except ValueError as wrong:
        raise ValueError(f"UNTIL of {text!r}") from wrong


class Drop(StrEnum):
    """Why a date that a rule gives has no visit."""

    EXCEPTION = "exception"
    SEASON = "season"
    SCHOOL = "school"
    CLOSED = "closed"
    NO_VEHICLE = "no_vehicle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """When a stop is to be visited, as its timetable says it.

    Notes
    -----
    ``rule`` is an RRULE. What it leaves open is for the planner to choose, once for the stop:
    without ``start_date`` the first week or month of an interval above 1; without ``BYDAY`` the
    weekday; without ``BYDAY``, ``BYSETPOS`` and ``BYMONTHDAY`` in a monthly rule the week of the
    month. With ``start_date`` the rule means what RFC 5545 says of it.

    An empty ``rule`` asks for ``period_visits`` visits on the same days of every ``period_weeks``
    weeks, counted from the first Monday of the horizon, with the stop's gaps between them.

    A date of the rule that is an exception, out of season or out of school time is dropped, never
    moved. ``extra_dates`` are visited besides, in every season.
    """

    rule: str = ""
    period_weeks: int = 4
    period_visits: int = 1
    start_date: date | None = None
    end_date: date | None = None
    exceptions: frozenset[date] = frozenset()
    extra_dates: frozenset[date] = frozenset()
    seasons: tuple[Season, ...] = ()
    school_time: SchoolTime | None = None
    school: str = ""
    """Name of the school calendar that ``school_time`` is judged by."""

    def __post_init__(self) -> None:
        rule = parse_rule(self.rule) if self.rule else None
        if rule is not None and rule.count is not None and self.start_date is None:
            raise ValueError(f"COUNT needs a first date: {self.rule!r}")
        if self.period_weeks < 1 or self.period_visits < 1:
            raise ValueError(f"{self.period_visits} visits in {self.period_weeks} weeks")
        if self.start_date and self.end_date and self.end_date < self.start_date:
            raise ValueError(f"ends {self.end_date}, before {self.start_date}")
        if (self.school_time is None) != (not self.school):
            raise ValueError("school time and school calendar go together")

    @property
    def parsed(self) -> RecurrenceRule | None:
        """The rule by its parts; ``None`` where there is none."""
        return parse_rule(self.rule) if self.rule else None

    @property
    def is_plain(self) -> bool:
        """Whether nothing but the rule and its first date is asked for."""
        return not (
            self.end_date or self.exceptions or self.extra_dates or self.seasons or self.school_time
        )

    def drop_on(self, on: date, calendar: ServiceCalendar) -> Drop | None:
        """Why the stop itself wants no visit on a date of its rule; ``None`` if it does."""
        if on in self.exceptions:
            return Drop.EXCEPTION
        if on in self.extra_dates:
            return None
        if not in_seasons(self.seasons, on):
            return Drop.SEASON
        if self.school_time is not None:
            school = calendar.schools.get(self.school)
            if school is None or school.time_of(on) is not self.school_time:
                return Drop.SCHOOL
        return None


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


def parse_frequency(rrule_text: str) -> CycleFrequency:
    """The frequency of a weekly or monthly rule, counted in weeks.

    A month counts as four weeks, as the rounds of mobile libraries do.

    Raises
    ------
    ValueError
        Where the text is no such rule.
    """
    rule = parse_rule(rrule_text)
    weekdays = frozenset(day for _, day in rule.weekdays)
    if rule.frequency is Frequency.WEEKLY:
        return CycleFrequency(num_weeks=rule.interval, visits=len(weekdays) or 1, weekdays=weekdays)
    return CycleFrequency(
        num_weeks=rule.interval * WEEKS_PER_MONTH,
        visits=_visits_a_month(rule),
        weekdays=weekdays,
        weeks_of_month=tuple(sorted({*rule.positions, *(p for p, _ in rule.weekdays if p)})),
    )


def _visits_a_month(rule: RecurrenceRule) -> int:
    if rule.month_days or rule.positions:
        return len(rule.month_days) or len(rule.positions)
    return sum(1 if position else WEEKS_PER_MONTH for position, _ in rule.weekdays) or 1


def week_number(on: date) -> int:
    """Weeks from Monday, 1 January of year 1, to a date's Monday."""
    return (on.toordinal() - 1) // DAYS_PER_WEEK


def monday_of(on: date) -> date:
    """The Monday of a date's week."""
    return on - timedelta(days=on.weekday())
