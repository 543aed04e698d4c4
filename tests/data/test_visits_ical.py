"""The calendar feed, expanded by a second library, says what the page says."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrule, rruleset, rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar, Event

from api.words import Words
from data.feeds.stops_csv import read_stops_csv, visit_dates
from data.feeds.stops_schema import scheduled_stops
from data.feeds.visits_ical import visits_ical
from data.model.fleet import VehicleId
from data.model.place import StopId
from data.model.public_timetable import (
    PublicStop,
    PublicTimetable,
    sequences_of,
    told_visits,
)
from data.model.publication import (
    LaidVisit,
    PromisedVisit,
    VisitId,
    VisitState,
    reconcile,
)
from tests.data.test_publication import FIRST, LATER, PLANS, after, first_of, laid, publishing
from tests.data.test_stops_csv import FILES, UK

ZONE = "Europe/London"
STOPS = (
    PublicStop(stop_id=StopId("exton"), name="Exton", lon=-0.6347, lat=52.6887),
    PublicStop(stop_id=StopId("wing"), name="Wing", lon=-0.6836, lat=52.6172, community="Rutland"),
)
type Told = tuple[str, datetime, datetime, str]
"""Stop, opening, closing, status."""


def timetable_of(visits: tuple[PromisedVisit, ...], **more: Any) -> PublicTimetable:
    return PublicTimetable(
        region_id="rutland",
        names={"en": "Rutland"},
        time_zone=ZONE,
        language="en",
        changed_at=LATER,
        stops=more.pop("stops", STOPS),
        vehicles={VehicleId("north"): "North", VehicleId("south"): "South"},
        visits=told_visits(visits, (StopId("exton"), StopId("wing"))),
        sequences=sequences_of(visits),
        **more,
    )


def feed(timetable: PublicTimetable, language: str = "en") -> bytes:
    return visits_ical(
        timetable,
        timetable.visits,
        Words(language),
        name="Rutland",
        address="https://library.example/r/rutland/timetable.ics",
        stop_address=lambda stop_id: f"https://library.example/r/rutland/stops/{stop_id}",
    )


def prop(event: Event, name: str) -> Any:
    return event[name]


def events_of(text: bytes) -> list[Event]:
    return [c for c in Calendar.from_ical(text).subcomponents if isinstance(c, Event)]


def expanded(text: bytes) -> list[Told]:
    """Every instance as a calendar program shows it (RFC 5545: rules, exceptions, overrides)."""
    by_uid: dict[str, list[Event]] = {}
    for event in events_of(text):
        by_uid.setdefault(str(prop(event, "UID")), []).append(event)
    told = []
    for events in by_uid.values():
        (master,) = [e for e in events if "RECURRENCE-ID" not in e]
        overrides = {prop(e, "RECURRENCE-ID").dt: e for e in events if e is not master}
        starts = _starts(master)
        assert set(overrides) <= set(starts), "an override replaces an instance that is there"
        for start in starts:
            told.append(_told(overrides.get(start, master), start))
    return sorted(told)


def _starts(master: Event) -> list[datetime]:
    start = prop(master, "DTSTART").dt
    if "RRULE" not in master:
        return [start]
    rules = rruleset()
    rule = rrulestr(prop(master, "RRULE").to_ical().decode(), dtstart=start)
    assert isinstance(rule, rrule)
    rules.rrule(rule)
    if "EXDATE" in master:
        for each in prop(master, "EXDATE").dts:
            rules.exdate(each.dt)
    return list(rules)


def _told(event: Event, start: datetime) -> Told:
    length = prop(event, "DTEND").dt - prop(event, "DTSTART").dt
    stop = str(prop(event, "URL")).rpartition("/")[2]
    return stop, start, start + length, str(prop(event, "STATUS"))


def own(timetable: PublicTimetable) -> list[Told]:
    """The same from the visits themselves."""
    zone = ZoneInfo(ZONE)

    def local(on: date, seconds: int) -> datetime:
        return datetime.combine(on, datetime.min.time(), zone) + timedelta(seconds=seconds)

    return sorted(
        (
            str(v.stop_id),
            local(v.opens_date, v.opens_s),
            local(v.opens_date, v.closes_s),
            "CANCELLED" if v.state is VisitState.CANCELLED else "CONFIRMED",
        )
        for v in timetable.visits
    )


def biweekly(num: int = 8) -> tuple[PromisedVisit, ...]:
    return first_of(*(laid(FIRST + timedelta(14 * k), 10) for k in range(num)))


def with_state(
    visits: tuple[PromisedVisit, ...], number: int, **changes: Any
) -> tuple[PromisedVisit, ...]:
    changed = list(visits)
    changed[number] = replace(changed[number], **changes)
    return tuple(changed)


def test_a_rhythm_is_one_event_over_the_change_of_clocks() -> None:
    """Every second Monday at ten, before and after 29 March."""
    timetable = timetable_of(biweekly())
    (event,) = events_of(feed(timetable))
    assert prop(event, "RRULE")["INTERVAL"] == [2]
    assert prop(event, "SEQUENCE") == 0
    assert expanded(feed(timetable)) == own(timetable)
    assert {start.hour for _, start, _, _ in expanded(feed(timetable))} == {10}


def test_a_cancelled_visit_is_a_cancelled_instance() -> None:
    """Its day stays in the calendar, marked, with the reason; the others go on."""
    visits = with_state(biweekly(), 2, state=VisitState.CANCELLED, reason="weather", sequence=1)
    timetable = timetable_of(visits)
    master, instance = events_of(feed(timetable, "ru"))
    assert prop(instance, "UID") == prop(master, "UID")
    assert prop(instance, "RECURRENCE-ID").dt == prop(instance, "DTSTART").dt
    assert prop(instance, "RECURRENCE-ID").params["TZID"] == ZONE
    assert str(prop(instance, "STATUS")) == "CANCELLED"
    assert str(prop(instance, "SUMMARY")) == "Отменено: Библиобус: Exton"
    assert "погода" in str(prop(instance, "DESCRIPTION"))
    assert prop(master, "SEQUENCE") == prop(instance, "SEQUENCE") == 1
    assert expanded(feed(timetable)) == own(timetable)


def test_the_first_visit_may_be_cancelled() -> None:
    """The series still begins with it and keeps its name; its other days are as they were."""
    visits = with_state(biweekly(), 0, state=VisitState.CANCELLED, reason="road", sequence=1)
    timetable = timetable_of(visits)
    master, _ = events_of(feed(timetable))
    assert str(prop(master, "STATUS")) == "CONFIRMED"
    assert str(prop(master, "UID")).startswith(visits[0].visit_id)
    assert expanded(feed(timetable)) == own(timetable)


def test_undo_is_a_greater_sequence() -> None:
    """Calendars that have seen the cancellation take the restored visit over."""
    visits = with_state(biweekly(), 2, sequence=2)
    (event,) = events_of(feed(timetable_of(visits)))
    assert prop(event, "SEQUENCE") == 2
    assert expanded(feed(timetable_of(visits))) == own(timetable_of(visits))


def test_a_make_up_visit_is_an_event_of_its_own() -> None:
    """It names the day that it stands in for, and the cancelled one names it."""
    visits = with_state(biweekly(), 2, state=VisitState.CANCELLED, reason="illness", sequence=1)
    extra = replace(
        first_of(laid(FIRST + timedelta(30), 15, vehicle="south"))[0],
        visit_id=VisitId("extra"),
        make_up_for=visits[2].visit_id,
        published_at=LATER,
    )
    timetable = timetable_of((*visits, extra))
    assert expanded(feed(timetable)) == own(timetable)
    told = {str(prop(e, "UID")): e for e in events_of(feed(timetable))}
    assert "30 March" in str(prop(told["extra@rutland.bookmobile"], "DESCRIPTION"))
    cancelled = next(e for e in events_of(feed(timetable)) if "RECURRENCE-ID" in e)
    assert "1 April, 15:00" in str(prop(cancelled, "DESCRIPTION"))
    assert prop(cancelled, "SEQUENCE") == 2


def test_the_calendar_carries_what_programs_ask_for() -> None:
    """Zone, refresh, source, name; the same timetable gives the same bytes."""
    text = feed(timetable_of(biweekly()))
    assert text == feed(timetable_of(biweekly()))
    for part in (
        b"BEGIN:VTIMEZONE", b"TZID:Europe/London", b"REFRESH-INTERVAL;VALUE=DURATION:PT6H",
        b"X-PUBLISHED-TTL:PT6H", b"NAME:Rutland", b"METHOD:PUBLISH",
        b"SOURCE;VALUE=URI:https://library.example/r/rutland/timetable.ics",
    ):  # fmt: skip
        assert part in text
    assert b"\n" not in text.replace(b"\r\n", b"")


def test_a_hostile_name_stays_a_name() -> None:
    """Line ends, commas and markup in a stop's name make no new property and no new event."""
    name = "Exton\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:evil, <script>alert(1)</script>;\\"
    stops = (replace(STOPS[0], name=name, community="a\nb"), STOPS[1])
    timetable = timetable_of(biweekly(), stops=stops)
    (event,) = events_of(feed(timetable))
    assert "evil" not in str(prop(event, "UID"))
    assert "<script>alert(1)</script>;\\" in str(prop(event, "SUMMARY"))


def test_nothing_published_is_an_empty_calendar() -> None:
    """No visit, no event, still a calendar."""
    assert events_of(feed(timetable_of(()))) == []


@settings(max_examples=150, deadline=None)
@given(
    first=PLANS,
    second=PLANS,
    cancelled=st.sets(st.integers(0, 27)),
    day=st.integers(0, 40),
)
def test_whatever_is_published_and_cancelled_expands_alike(
    first: list[LaidVisit], second: list[LaidVisit], cancelled: set[int], day: int
) -> None:
    """After two publications and any cancellations both expansions agree; sequences grow."""
    before = first_of(*first)
    from_date = FIRST + timedelta(day)
    now = publishing(from_date, now=(from_date, 0), at=LATER)
    stored = list(after(before, reconcile(before, second, publishing=now)))
    for k in sorted(cancelled):
        if k < len(stored) and stored[k].is_coming:
            stored[k] = replace(stored[k], state=VisitState.CANCELLED, reason="road", sequence=9)
    timetable = timetable_of(tuple(stored))
    assert expanded(feed(timetable)) == own(timetable)
    older, newer = sequences_of(before), timetable.sequences
    assert all(newer[stop_id] >= number for stop_id, number in older.items())
    uids = [str(prop(e, "UID")) for e in events_of(feed(timetable)) if "RECURRENCE-ID" not in e]
    assert len(set(uids)) == len(uids)


UK_ROWS = 15
"""Rows of each published table that are followed through half a year."""


@pytest.mark.skipif(not UK.exists(), reason="shared data not at hand")
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_published_timetables_expand_alike(path: Path) -> None:
    """Rules of real councils: a calendar program shows the dates that their table says."""
    rows, _ = read_stops_csv(path)
    zone, visits, stops = ZoneInfo(ZONE), [], []
    wanted: list[Told] = []
    for number, row in enumerate(rows[:: max(1, len(rows) // UK_ROWS)]):
        (scheduled, _), stop_id = scheduled_stops([row]), StopId(f"s{number}")
        for one in scheduled:
            stop = one.stop
            stops.append(PublicStop(stop_id=stop_id, name=stop.name, lon=stop.lon, lat=stop.lat))
            start = one.start_date
            for on in visit_dates(row, start, start + timedelta(weeks=26)):
                visits.append(visit_on(on, stop_id, one.arrival_s, one.departure_s))
                begins, ends = (
                    datetime.combine(on, time(s // 3600, s % 3600 // 60), zone)
                    for s in (one.arrival_s, one.departure_s)
                )
                wanted.append((stop_id, begins, ends, "CONFIRMED"))
    told = told_visits(visits, (s.stop_id for s in stops))
    timetable = replace(timetable_of((), stops=tuple(stops)), visits=told)
    assert len(wanted) > len(stops) > 0
    assert expanded(feed(timetable)) == sorted(wanted)


def visit_on(on: date, stop_id: StopId, start_s: int, end_s: int) -> PromisedVisit:
    return PromisedVisit(
        visit_id=VisitId(f"{stop_id}@{on}"),
        region_id="rutland",
        timetable_id="t",
        stop_id=stop_id,
        vehicle_id=VehicleId("north"),
        service_date=on,
        position=0,
        arrival_s=start_s,
        start_s=start_s,
        end_s=end_s,
        departure_s=end_s,
        published_at=LATER,
        changed_at=LATER,
    )
