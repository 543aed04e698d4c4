"""A plan's timetable in the exchange schema of mobile-library stops.

Private stops are never exported. The schema's values are English whatever the plan's language;
names stay as they are.

References
----------
LibrariesHacked, schema-librarydata, mobile-library-stops (Table Schema).
"""

from datetime import date
from pathlib import Path

from data.feeds.stops_csv import DAYS, MobileStopRow, write_stops_csv
from data.model.calendar import DAY_S, DAYS_PER_WEEK, HOUR_S, MINUTE_S, Cycle
from data.model.crew import CHILDREN, CONSULTANT, LAWYER, SOCIAL
from data.model.geo import COORDINATE_DIGITS
from data.model.place import StopKind
from data.model.plan import Plan, PlanRequest
from data.model.recurrence import Frequency
from data.model.timetable import VisitSeries, visit_series

_SERVICES = {
    CHILDREN: "children's librarian",
    CONSULTANT: "consultant",
    SOCIAL: "social-service officer",
    LAWYER: "lawyer",
}
_TYPES = {
    StopKind.PUBLIC: "Public",
    StopKind.ON_REQUEST: "Dynamic",
    StopKind.TECHNICAL: "Other",
}


def write_timetable(
    request: PlanRequest,
    plan: Plan,
    path: Path,
    *,
    organisation: str,
    timetable_url: str,
    until: date,
) -> int:
    """Write one row a stop, weekday and clock time, and return the number of rows.

    Arrival and departure are the times between which the doors are open; the route is the weekday
    with the weeks of the cycle (``Monday 1+3/4``). In a plan of dates it is the weekday with the
    week of the rule's interval (``Monday 1/2``) or the weeks of the month (``Tuesday 2+4/month``).
    Services that come along are named after it (``Monday 1/2, with children's librarian``).

    Parameters
    ----------
    until
        Last date of the timetable, included; it is the rows' ``end`` unless they end before.
    """
    rows = [
        _row(series, organisation, timetable_url, request.cycle)
        for series in visit_series(request, plan, until)
        if series.stop.kind in _TYPES
    ]
    rows.sort(key=lambda r: (r.mobile, DAYS.index(r.day), r.route, r.arrival))
    write_stops_csv(rows, path)
    return len(rows)


def _row(series: VisitSeries, organisation: str, timetable_url: str, cycle: Cycle) -> MobileStopRow:
    stop = series.stop
    day = DAYS[series.dates[0].weekday()]
    return MobileStopRow(
        organisation=organisation,
        mobile=series.vehicle.name,
        route=f"{day} {_weeks(series, cycle)}{_with(series)}",
        community=stop.community,
        stop=stop.name,
        geox=f"{stop.lon:.{COORDINATE_DIGITS}f}",
        geoy=f"{stop.lat:.{COORDINATE_DIGITS}f}",
        day=day,
        type=_TYPES[stop.kind],
        arrival=_clock(series.opens_s),
        departure=_clock(series.closes_s),
        frequency=series.rule.text,
        start=series.dates[0].isoformat(),
        end=series.end_date.isoformat(),
        exceptions=",".join(on.isoformat() for on in series.exceptions),
        timetable=timetable_url,
    )


def _with(series: VisitSeries) -> str:
    """Who comes along, in English as all of the schema's own words; other codes as they are."""
    if not series.services:
        return ""
    return ", with " + ", ".join(_SERVICES.get(s, s) for s in sorted(series.services))


def _weeks(series: VisitSeries, cycle: Cycle) -> str:
    """Which weeks of the cycle, of the rule's interval or of the month a series has."""
    rule, first = series.rule, series.day // DAYS_PER_WEEK
    if rule.frequency is Frequency.MONTHLY:
        months = "" if rule.interval == 1 else f"{rule.interval} "
        return f"{'+'.join(str(p) for p, _ in rule.weekdays)}/{months}month"
    if not cycle.repeats:
        return f"{first % rule.interval + 1}/{rule.interval}"
    weeks = range(first, cycle.num_weeks, rule.interval)
    return f"{'+'.join(str(w + 1) for w in weeks)}/{cycle.num_weeks}"


def _clock(seconds: int) -> str:
    of_day = seconds % DAY_S
    return f"{of_day // HOUR_S:02d}:{of_day % HOUR_S // MINUTE_S:02d}"
