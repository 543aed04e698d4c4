"""Promised visits in the exchange schema of mobile-library stops, as text for anybody to fetch.

The schema knows no cancelled visits: they are exceptions of their row. A cell that a spreadsheet
would take for a formula gets an apostrophe.

References
----------
LibrariesHacked, schema-librarydata, mobile-library-stops (Table Schema).
OWASP, "CSV Injection".
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import astuple
from datetime import date

from data.feeds.spreadsheet_text import harmless
from data.feeds.stops_csv import COLUMNS, DAYS, MobileStopRow
from data.model.calendar import DAY_S, HOUR_S, MINUTE_S
from data.model.geo import COORDINATE_DIGITS
from data.model.public_timetable import PublicTimetable
from data.model.publication import PromisedVisit
from data.model.recurrence import Frequency, RecurrenceRule, week_number
from data.model.visit_lines import VisitLine, visit_lines

_ONCE = RecurrenceRule(frequency=Frequency.WEEKLY)


def visits_csv(
    timetable: PublicTimetable,
    visits: Sequence[PromisedVisit],
    *,
    organisation: str,
    timetable_url: str,
    from_date: date,
) -> bytes:
    """One row for each line of the timetable that still has visits on or after a date."""
    rows = [
        _row(timetable, line, organisation, timetable_url)
        for line in visit_lines(visits)
        if any(v.is_coming and v.opens_date >= from_date for v in line.visits)
    ]
    rows.sort(key=lambda r: (r.mobile, DAYS.index(r.day), r.route, r.arrival, r.stop))
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([harmless(cell) for cell in astuple(row)] for row in rows)
    return text.getvalue().encode()


def _row(
    timetable: PublicTimetable, line: VisitLine, organisation: str, timetable_url: str
) -> MobileStopRow:
    stop, first = timetable.stop_of[line.stop_id], line.first
    day = DAYS[line.weekday]
    cancelled = [v.opens_date for v in line.visits if not v.is_coming]
    return MobileStopRow(
        organisation=organisation,
        mobile=timetable.vehicles.get(line.vehicle_id, line.vehicle_id),
        route=f"{day} {_weeks(line)}",
        community=stop.community,
        stop=stop.name,
        geox=f"{stop.lon:.{COORDINATE_DIGITS}f}",
        geoy=f"{stop.lat:.{COORDINATE_DIGITS}f}",
        day=day,
        type="Public",
        arrival=_clock(first.opens_s),
        departure=_clock(first.closes_s),
        frequency=(line.rule or _ONCE).text,
        start=first.opens_date.isoformat(),
        end=line.last_date.isoformat(),
        exceptions=",".join(on.isoformat() for on in sorted({*line.exceptions, *cancelled})),
        timetable=timetable_url,
    )


def _weeks(line: VisitLine) -> str:
    """Which weeks a line has: of its interval, of the month, or its one date."""
    rule = line.rule
    if rule is None:
        return line.first.opens_date.isoformat()
    if rule.frequency is Frequency.MONTHLY:
        months = "" if rule.interval == 1 else f"{rule.interval} "
        return f"{'+'.join(str(p) for p, _ in rule.weekdays)}/{months}month"
    return f"{week_number(line.first.opens_date) % rule.interval + 1}/{rule.interval}"


def _clock(seconds: int) -> str:
    of_day = seconds % DAY_S
    return f"{of_day // HOUR_S:02d}:{of_day % HOUR_S // MINUTE_S:02d}"
