"""The exchange schema of mobile-library stops: 18 columns, one row a stop and weekday.

A row keeps every value as text, so that what was read is written again byte for byte. What is
wrong with a value is reported and the value stays.

References
----------
LibrariesHacked, schema-librarydata, mobile-library-stops (Table Schema).
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, fields
from datetime import date, datetime, time, timedelta
from pathlib import Path

from dateutil.rrule import rrulestr

from data.feeds.report import ImportReport, Problem, Verdict
from data.feeds.tables import TableRow, read_csv
from data.feeds.values import CellError, parse_clock_s, parse_number
from data.model.errors import InputError

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
TYPES = ("Public", "Private", "Dynamic", "Other")
_POSTCODE = re.compile(
    r"([A-Za-z][A-Ha-hJ-Yj-y]?[0-9][A-Za-z0-9]? ?[0-9][A-Za-z]{2}|[Gg][Ii][Rr] ?0[Aa]{2})"
)
_REQUIRED = (
    "organisation",
    "mobile",
    "route",
    "stop",
    "day",
    "type",
    "arrival",
    "departure",
    "frequency",
    "start",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MobileStopRow:
    """One row of the schema, every value as it stands in the file."""

    organisation: str = ""
    mobile: str = ""
    route: str = ""
    community: str = ""
    stop: str = ""
    address: str = ""
    postcode: str = ""
    geox: str = ""
    geoy: str = ""
    day: str = ""
    type: str = ""
    arrival: str = ""
    departure: str = ""
    frequency: str = ""
    start: str = ""
    end: str = ""
    exceptions: str = ""
    timetable: str = ""


COLUMNS = tuple(field.name for field in fields(MobileStopRow))


def read_stops_csv(path: Path) -> tuple[tuple[MobileStopRow, ...], ImportReport]:
    """Rows in the order of the file, and what is wrong with them; no row is dropped.

    Raises
    ------
    InputError
        ``feeds.file.*``, or ``feeds.columns.missing`` where a required column is not there.
    """
    table = read_csv(path, head_is_first=True)
    for column in _REQUIRED:
        if column not in table.columns:
            raise InputError(
                "feeds.columns.missing",
                file=path.name,
                column=column,
                columns=", ".join(table.columns),
            )
    rows, problems = [], []
    for source in table.rows:
        row = MobileStopRow(**{c: source.cells.get(c, "") for c in COLUMNS})
        rows.append(row)
        problems += _problems(path.name, source, row, len(table.columns))
    report = ImportReport(
        file=path.name,
        entity="stops",
        num_rows=len(rows),
        num_loaded=len(rows),
        problems=tuple(problems),
        columns={c: c for c in table.columns if c in COLUMNS},
        unused_columns=tuple(c for c in table.columns if c not in COLUMNS),
        encoding=table.encoding,
    )
    return tuple(rows), report


def write_stops_csv(rows: Iterable[MobileStopRow], path: Path) -> None:
    """Write rows in the order given: UTF-8, comma, one line feed a row."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(astuple(row) for row in rows)
    path.write_text(text.getvalue(), encoding="utf-8", newline="")


def _problems(file: str, source: TableRow, row: MobileStopRow, width: int) -> list[Problem]:
    found = [
        Problem(
            code=code,
            verdict=Verdict.FLAGGED,
            facts={
                "file": file,
                "row": source.line,
                "column": column,
                "value": getattr(row, column),
                **facts,
            },
        )
        for code, column, facts in check_row(row)
    ]
    if source.num_cells > width:
        found.append(
            Problem(
                code="feeds.row.too_many_cells",
                verdict=Verdict.FLAGGED,
                facts={
                    "file": file,
                    "row": source.line,
                    "found": source.num_cells,
                    "expected": width,
                },
            )
        )
    return found


def check_row(row: MobileStopRow) -> Iterator[tuple[str, str, dict[str, object]]]:
    """What a row breaks of the schema: code, column, facts."""
    for column in _REQUIRED:
        if not getattr(row, column).strip():
            yield "feeds.cell.missing", column, {}
    if row.postcode and not _POSTCODE.fullmatch(row.postcode):
        yield "feeds.stops.postcode", "postcode", {}
    for column, limit in (("geox", 180), ("geoy", 90)):
        yield from _check_degrees(row, column, limit)
    if row.day and row.day not in DAYS:
        yield "feeds.cell.not_one_of", "day", {"choices": ", ".join(DAYS)}
    if row.type and row.type not in TYPES:
        yield "feeds.cell.not_one_of", "type", {"choices": ", ".join(TYPES)}
    yield from _check_times(row)
    yield from _check_dates(row)


def _check_degrees(
    row: MobileStopRow, column: str, limit: int
) -> Iterator[tuple[str, str, dict[str, object]]]:
    try:
        degrees = parse_number(getattr(row, column))
    except CellError as wrong:
        yield wrong.code, column, {}
        return
    if degrees is not None and abs(degrees) > limit:
        yield "feeds.cell.out_of_range", column, {"least": -limit, "most": limit}


def _check_times(row: MobileStopRow) -> Iterator[tuple[str, str, dict[str, object]]]:
    clocks = {}
    for column in ("arrival", "departure"):
        try:
            clocks[column] = parse_clock_s(getattr(row, column))
        except CellError as wrong:
            yield wrong.code, column, {}
    arrival, departure = clocks.get("arrival"), clocks.get("departure")
    if arrival is not None and departure is not None and departure <= arrival:
        yield "feeds.stops.departure_before_arrival", "departure", {"arrival": row.arrival}


def _check_dates(row: MobileStopRow) -> Iterator[tuple[str, str, dict[str, object]]]:
    dates: dict[str, date] = {}
    for column in ("start", "end"):
        text = getattr(row, column)
        if not text:
            continue
        try:
            dates[column] = date.fromisoformat(text)
        except ValueError:
            yield "feeds.cell.not_a_date", column, {}
    if "start" in dates and "end" in dates and dates["end"] < dates["start"]:
        yield "feeds.stops.end_before_start", "end", {"start": row.start}
    if "start" in dates and row.day in DAYS and DAYS[dates["start"].weekday()] != row.day:
        facts: dict[str, object] = {"day": row.day, "weekday": DAYS[dates["start"].weekday()]}
        yield "feeds.stops.start_on_other_day", "start", facts
    for part in filter(None, row.exceptions.split(",")):
        try:
            date.fromisoformat(part.strip())
        except ValueError:
            yield "feeds.cell.not_a_date", "exceptions", {"value": part.strip()}
    if row.frequency:
        try:
            rrulestr(row.frequency, dtstart=datetime(2000, 1, 3))
        except (ValueError, KeyError, TypeError, AttributeError):
            yield "feeds.stops.not_a_rule", "frequency", {}


def visit_dates(row: MobileStopRow, first: date, last: date) -> tuple[date, ...]:
    """Dates of a row's visits from ``first`` to ``last``, both included, ascending.

    The rule runs from the row's start date to its end date, if it has one; dates in its
    ``exceptions`` are left out. Where the start date is of another weekday than the row's day,
    the rule begins on the first such day after it: the day is what the reader was told.

    Raises
    ------
    InputError
        ``feeds.cell.not_a_date`` or ``feeds.stops.not_a_rule`` where the row's start, end,
        exceptions or frequency cannot be read.
    """
    start = _day_of(row, "start", row.start)
    end = min(last, _day_of(row, "end", row.end)) if row.end else last
    if row.day in DAYS:
        start += timedelta(days=(DAYS.index(row.day) - start.weekday()) % len(DAYS))
    excepted = {
        _day_of(row, "exceptions", part.strip()) for part in filter(None, row.exceptions.split(","))
    }
    try:
        rule = rrulestr(row.frequency, dtstart=datetime.combine(start, time()))
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise InputError(
            "feeds.stops.rule_of_stop", stop=row.stop, route=row.route, value=row.frequency
        ) from wrong
    span = datetime.combine(first, time()), datetime.combine(end, time())
    return tuple(day.date() for day in rule.between(*span, inc=True) if day.date() not in excepted)


def _day_of(row: MobileStopRow, column: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as wrong:
        raise InputError(
            "feeds.stops.date_of_stop", stop=row.stop, route=row.route, column=column, value=text
        ) from wrong
