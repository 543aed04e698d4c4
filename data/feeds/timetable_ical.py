"""A plan's public timetable as an iCalendar file.

One event for each series of visits (stop, weekday, clock time) with its rule; dates without
service are ``EXDATE``. Private, on-request and technical stops are not published.

References
----------
RFC 5545: 3.3.10 (rules), 3.8.5.1 (exceptions), 3.6.5 (time zones).
"""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event

from data.model.crew import with_services
from data.model.labels import Labels
from data.model.place import StopKind
from data.model.plan import Plan, PlanRequest
from data.model.recurrence import RRULE_WEEKDAYS
from data.model.timetable import VisitSeries, visit_series

PRODID = "-//Bookmobile//Timetable//EN"


def write_ical(
    request: PlanRequest,
    plan: Plan,
    path: Path,
    *,
    until: date,
    label: Labels,
    prodid: str = PRODID,
    sequence: int = 0,
    made_at: datetime | None = None,
) -> int:
    """Write the public timetable and return the number of its events.

    Parameters
    ----------
    until
        Last date of the timetable, included.
    sequence
        Version of the timetable: raise it at each change, so that calendars take the new one.
    made_at
        ``DTSTAMP`` of the events, aware; the start of the cycle if not given, so that the same
        plan gives the same file.
    """
    zone = ZoneInfo(request.time_zone)
    start_date = request.cycle.start_date
    stamp = made_at or datetime.combine(start_date, time(), UTC)
    calendar = Calendar()
    calendar.add("prodid", prodid)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", label("ical.calendar_name"))
    calendar.add("x-wr-timezone", request.time_zone)
    numbers: Counter[str] = Counter()
    for series in visit_series(request, plan, until):
        if series.stop.kind is not StopKind.PUBLIC:
            continue
        numbers[series.stop.stop_id] += 1
        number = numbers[series.stop.stop_id]
        event = _event(series, zone, label)
        event.add("uid", f"{series.stop.stop_id}.{number}@{request.region_id}.bookmobile")
        event.add("dtstamp", stamp)
        event.add("sequence", sequence)
        calendar.add_component(event)
    # A margin of a year: a zone needs its last change before the first event.
    calendar.add_missing_timezones(
        first_date=start_date - timedelta(days=366), last_date=until + timedelta(days=366)
    )
    path.write_bytes(calendar.to_ical())
    return sum(numbers.values())


def _event(series: VisitSeries, zone: ZoneInfo, label: Labels) -> Event:
    stop = series.stop

    def opening(on: date) -> datetime:
        return _local(on, series.opens_s, zone)

    event = Event()
    summary = label("ical.summary", stop=stop.name)
    coming = with_services(series.services, label)
    event.add("summary", f"{summary}, {coming}" if coming else summary)
    event.add("dtstart", opening(series.dates[0]))
    event.add("dtend", _local(series.dates[0], series.closes_s, zone))
    event.add("rrule", _rrule(series, zone))
    if series.exceptions:
        event.add("exdate", [opening(on) for on in series.exceptions])
    place = stop.name if stop.community in {"", stop.name} else f"{stop.name}, {stop.community}"
    event.add("location", place)
    event.add("geo", (stop.lat, stop.lon))
    told = label("ical.description", vehicle=series.vehicle.name, place=place)
    event.add("description", f"{told}\n{coming[:1].upper()}{coming[1:]}." if coming else told)
    event.add("categories", [label("ical.category")])
    event.add("transp", "TRANSPARENT")
    return event


def _rrule(series: VisitSeries, zone: ZoneInfo) -> dict[str, object]:
    """The rule as the calendar library takes it; its end is in UTC, as its start has a zone."""
    rule = series.rule
    weekday = RRULE_WEEKDAYS[series.dates[0].weekday()]
    parts: dict[str, object] = {
        "FREQ": rule.frequency.value,
        "UNTIL": datetime.combine(series.end_date, time(23, 59, 59), zone).astimezone(UTC),
        "INTERVAL": rule.interval,
        "BYDAY": [f"{p or ''}{RRULE_WEEKDAYS[d]}" for p, d in rule.weekdays] or weekday,
        "WKST": "MO",
    }
    return parts | ({"BYMONTH": list(rule.months)} if rule.months else {})


def _local(on: date, seconds: int, zone: ZoneInfo) -> datetime:
    """A clock time of a date; clock arithmetic, so that a change of the clocks moves nothing."""
    return datetime.combine(on, time(), zone) + timedelta(seconds=seconds)
