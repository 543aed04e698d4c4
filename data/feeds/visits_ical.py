"""Promised visits as an iCalendar feed: what changes on the page changes in people's calendars.

A line of the timetable is one event with its rule; dates that the rule has and readers do not are
``EXDATE``. A cancelled visit of a line is an instance of its own with ``STATUS:CANCELLED``.

References
----------
RFC 5545: 3.8.4.4 (RECURRENCE-ID), 3.8.5 (recurrence), 3.8.7.4 (SEQUENCE), 3.6.5 (time zones).
RFC 7986: REFRESH-INTERVAL, SOURCE, NAME.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event

from data.model.crew import with_services
from data.model.labels import Labels
from data.model.place import StopId
from data.model.public_timetable import PublicStop, PublicTimetable
from data.model.publication import PromisedVisit, VisitState
from data.model.recurrence import RRULE_WEEKDAYS, RecurrenceRule
from data.model.visit_lines import VisitLine, visit_lines

PRODID = "-//Bookmobile//Timetable//EN"
REFRESH = timedelta(hours=6)
"""How often subscribed calendars are asked to look again."""
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)


def visits_ical(
    timetable: PublicTimetable,
    visits: Sequence[PromisedVisit],
    label: Labels,
    *,
    name: str,
    address: str,
    stop_address: Callable[[StopId], str],
) -> bytes:
    """A calendar of some of a timetable's visits.

    Parameters
    ----------
    visits
        All that were ever promised of their stops, so that a line keeps its name.
    name
        What the calendar is called.
    address
        Where the feed itself is found.
    stop_address
        Gives the page of a stop.
    """
    zone = ZoneInfo(timetable.time_zone)
    calendar = Calendar()
    calendar.add("prodid", PRODID)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("x-wr-timezone", timetable.time_zone)
    calendar.add("refresh-interval", REFRESH, parameters={"value": "DURATION"})
    calendar.add("x-published-ttl", f"PT{REFRESH // timedelta(hours=1)}H")
    if address:
        calendar.add("source", address, parameters={"value": "URI"})
    maker = _Maker(timetable, label, zone, stop_address)
    for line in visit_lines(visits):
        for event in maker.events(line):
            calendar.add_component(event)
    if visits:
        # A margin of a year: a zone needs its last change before the first event.
        dates = [v.opens_date for v in visits]
        calendar.add_missing_timezones(
            first_date=min(dates) - timedelta(days=366), last_date=max(dates) + timedelta(days=366)
        )
    text: bytes = calendar.to_ical()
    return text


class _Maker:
    """Makes the events of lines."""

    def __init__(
        self,
        timetable: PublicTimetable,
        label: Labels,
        zone: ZoneInfo,
        stop_address: Callable[[StopId], str],
    ) -> None:
        self._timetable = timetable
        self._label = label
        self._zone = zone
        self._stop_address = stop_address

    def events(self, line: VisitLine) -> Iterator[Event]:
        """The event of a line, then an instance for each of its cancelled visits."""
        uid = f"{line.line_id}@{self._timetable.region_id}.bookmobile"
        if line.rule is None:
            yield self._event(line.first, uid)
            return
        regular = next((v for v in line.visits if not _is_cancelled(v)), line.first)
        master = self._event(regular, uid, at=line.first, is_series=True)
        master.add("rrule", _rrule(line.rule, line, self._zone))
        if line.exceptions:
            master.add("exdate", [self._local(on, line.first.opens_s) for on in line.exceptions])
        yield master
        for visit in line.visits:
            if _is_cancelled(visit):
                instance = self._event(visit, uid)
                instance.add("recurrence-id", self._local(visit.opens_date, visit.opens_s))
                yield instance

    def _event(
        self,
        visit: PromisedVisit,
        uid: str,
        *,
        at: PromisedVisit | None = None,
        is_series: bool = False,
    ) -> Event:
        stop = self._timetable.stop_of[visit.stop_id]
        when = at or visit
        is_cancelled = _is_cancelled(visit) and not is_series
        event = Event()
        event.add("uid", uid)
        event.add("dtstamp", self._timetable.changed_at or _NEVER)
        event.add("sequence", self._timetable.sequences.get(visit.stop_id, 0))
        event.add("dtstart", self._local(when.opens_date, when.opens_s))
        event.add("dtend", self._local(when.opens_date, when.closes_s))
        event.add("status", "CANCELLED" if is_cancelled else "CONFIRMED")
        event.add("summary", self._summary(visit, stop, is_cancelled=is_cancelled))
        place = _place(stop)
        event.add("location", place)
        event.add("geo", (stop.lat, stop.lon))
        event.add("description", self._description(visit, place, is_cancelled=is_cancelled))
        address = self._stop_address(stop.stop_id)
        if address:
            event.add("url", address)
        event.add("categories", [self._label("ical.category")])
        event.add("transp", "TRANSPARENT")
        return event

    def _summary(self, visit: PromisedVisit, stop: PublicStop, *, is_cancelled: bool) -> str:
        summary = self._label("ical.summary", stop=stop.name)
        if is_cancelled:
            return self._label("public.ical.cancelled", summary=summary)
        coming = with_services(visit.services, self._label)
        return f"{summary}, {coming}" if coming else summary

    def _description(self, visit: PromisedVisit, place: str, *, is_cancelled: bool) -> str:
        label = self._label
        if is_cancelled:
            told = [label(f"cancel.reason.{visit.reason}")] if visit.reason else []
            instead = self._timetable.make_up_of.get(visit.visit_id)
            if instead is not None:
                told.append(
                    label(
                        "public.instead",
                        date=label.day(instead.opens_date, "d MMMM"),
                        time=label.clock(instead.opens_s),
                    )
                )
            return "\n".join(told)
        vehicle = self._timetable.vehicles.get(visit.vehicle_id, visit.vehicle_id)
        lines = [label("ical.description", vehicle=vehicle, place=place)]
        coming = with_services(visit.services, label)
        if coming:
            lines.append(f"{coming[:1].upper()}{coming[1:]}.")
        missed = self._timetable.visit_of.get(visit.make_up_for) if visit.make_up_for else None
        if missed is not None:
            lines.append(label("public.makes_up", date=label.day(missed.opens_date, "d MMMM")))
        return "\n".join(lines)

    def _local(self, on: date, seconds: int) -> datetime:
        """A clock time of a date; a change of the clocks moves nothing."""
        return datetime.combine(on, time(), self._zone) + timedelta(seconds=seconds)


def _is_cancelled(visit: PromisedVisit) -> bool:
    return visit.state is VisitState.CANCELLED


def _place(stop: PublicStop) -> str:
    return stop.name if stop.community in {"", stop.name} else f"{stop.name}, {stop.community}"


def _rrule(rule: RecurrenceRule, line: VisitLine, zone: ZoneInfo) -> dict[str, object]:
    """The rule as the calendar library takes it; its end is in UTC, as its start has a zone."""
    days = [f"{p or ''}{RRULE_WEEKDAYS[d]}" for p, d in rule.weekdays]
    return {
        "FREQ": rule.frequency.value,
        "UNTIL": datetime.combine(line.last_date, time(23, 59, 59), zone).astimezone(UTC),
        "INTERVAL": rule.interval,
        "BYDAY": days or RRULE_WEEKDAYS[line.weekday],
        "WKST": "MO",
    }
