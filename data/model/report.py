"""A report as values: tables of numbers and codes, and from each number the lines behind it.

Screen, paper, workbook, CSV and the API all show the same ``Report``; none computes a figure.
"""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from data.model.errors import InputError


class ReportKind(StrEnum):
    """The reports that there are."""

    FORM = "form"
    SERVICES = "services"
    TARGETS = "targets"
    PUNCTUALITY = "punctuality"
    REVIEW = "review"
    STOCK = "stock"
    COSTS = "costs"


class CellKind(StrEnum):
    """How a value is written."""

    TEXT = "text"
    COUNT = "count"
    NUMBER = "number"
    RATIO = "ratio"
    """In [0, 1] or a change; told as a percentage."""
    MONEY = "money"
    DATE = "date"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A text as a code with its facts; people's words are found at the rim."""

    code: str
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A name by language."""

    names: Mapping[str, str]

    def name_in(self, language: str) -> str:
        return self.names.get(language) or next(iter(self.names.values()), "")


type Value = str | int | float | Decimal | date | Said | Named | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """What is behind a number: a measure over a span and part of the diary.

    A measure is a name (``visits``, ``cost``, ``stock.items``, ``FORM:FIGURE``) or a formula of
    measures: ``share(a,b)`` and ``per(a,b)`` divide, ``growth(a)`` holds a span against another,
    ``growth(a,b)`` a measure against another, ``sum(a,b)`` adds.
    """

    measure: str
    from_date: date
    until_date: date
    vehicle_id: str | None = None
    stop_id: str | None = None
    place: str = ""
    """Of stock: ``vehicle:ID``, ``store:ID``, ``point:ID``; ``own:ID`` is a vehicle with store."""
    against: tuple[date, date] | None = None
    """The span that growth is told against."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A value, how it is written where that is not its column's way, what is behind it."""

    value: Value = None
    kind: CellKind | None = None
    drill: Drill | None = None
    setting: str = ""
    """Field of the report settings that a person gave the value in."""
    is_estimate: bool = False
    note: Said | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportColumn:
    """A column: words ``reports.col.<code>`` with its facts."""

    code: str
    kind: CellKind = CellKind.TEXT
    facts: Mapping[str, object] = field(default_factory=dict)


class ChartKind(StrEnum):
    COLUMNS = "columns"
    """Time across, a column for each series."""
    BARS = "bars"
    """A bar for each row, the longest names beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportChart:
    """How a table is drawn: numbers of its columns; the table itself stands beside."""

    kind: ChartKind
    series: tuple[int, ...]
    most_rows: int = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTable:
    """A table: words ``reports.table.<code>``; the first column names the row."""

    code: str
    columns: tuple[ReportColumn, ...]
    rows: tuple[tuple[Cell, ...], ...]
    chart: ReportChart | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
    has_total: bool = False
    """Whether the last row is the sum of the others."""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"table {self.code}: {len(row)} cells, {len(self.columns)} heads")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPlace:
    """A place that a report speaks of, with its figures by code."""

    place_id: str
    name: str
    lon: float
    lat: float
    figures: Mapping[str, str | int | float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportAsked:
    """What somebody wants to see. Both dates are in.

    ``form_id`` empty: the edition that holds on the last date.
    """

    kind: ReportKind
    region_id: str
    from_date: date
    until_date: date
    vehicle_id: str | None = None
    form_id: str = ""

    def __post_init__(self) -> None:
        check_report_span(self.from_date, self.until_date)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report; ``num_simulated`` of its stop visits were never driven."""

    asked: ReportAsked
    tables: tuple[ReportTable, ...]
    notes: tuple[Said, ...] = ()
    places: tuple[ReportPlace, ...] = ()
    form: Named | None = None
    num_simulated: int = 0

    @property
    def main_table(self) -> ReportTable:
        """The table that the report is about."""
        code = self.asked.kind.value
        return next((t for t in self.tables if t.code == code), self.tables[0])


def until_today(first: date, last: date, today: date) -> date:
    """The last date of a span that can be told: nothing is on record of days to come.

    A span that lies all ahead stays what it is.
    """
    return last if last <= today else max(first, today)


MOST_REPORT_DAYS = 1_100
"""Three years at once, and some days."""
FIRST_YEAR = 1990


def check_report_span(first: date, last: date) -> None:
    """Refuse a span that is none, too long, or of another age.

    Raises
    ------
    InputError
        ``reports.ends_before``, ``reports.too_long``, ``reports.no_year``.
    """
    if last < first:
        raise InputError("reports.ends_before", first=first.isoformat(), last=last.isoformat())
    if first.year < FIRST_YEAR or last.year > 2200:
        raise InputError("reports.no_year", first=first.isoformat(), last=last.isoformat())
    days = (last - first).days + 1
    if days > MOST_REPORT_DAYS:
        raise InputError("reports.too_long", days=days, limit=MOST_REPORT_DAYS)


def year_earlier(day: date) -> date:
    """The same date a year before; 29 February becomes the 28th."""
    return _in_year(day, day.year - 1)


def same_span(first: date, last: date, years: int = 1) -> tuple[date, date]:
    """A span so many years before; one that ends with its month ends with that month there, too.

    >>> same_span(date(2025, 2, 1), date(2025, 2, 28))[1]
    datetime.date(2024, 2, 29)
    """
    end = _in_year(last, last.year - years)
    if (last + timedelta(days=1)).day == 1:
        end = end.replace(day=monthrange(end.year, end.month)[1])
    return _in_year(first, first.year - years), end


def _in_year(day: date, year: int) -> date:
    return day.replace(year=year, day=min(day.day, monthrange(year, day.month)[1]))
