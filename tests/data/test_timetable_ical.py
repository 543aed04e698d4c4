"""The published calendar, read back by a second library, says what the plan says."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrule, rruleset, rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar, Event

from api.words import Words
from data.feeds.timetable_ical import write_ical
from data.model.calendar import Cycle, ServiceCalendar
from data.model.place import StopId
from data.model.plan import Plan, PlanRequest
from data.model.timetable import visit_dates
from tests import plan_example as example

UNTIL = date(2026, 8, 30)


def written(path: Path, request: PlanRequest, plan: Plan, until: date = UNTIL) -> list[Event]:
    write_ical(request, plan, path, until=until, label=Words("en"))
    calendar = Calendar.from_ical(path.read_bytes())
    return [c for c in calendar.subcomponents if isinstance(c, Event)]


def openings(event: Event) -> list[datetime]:
    """The instants of an event as dateutil expands them."""
    rules = rruleset()
    start = prop(event, "DTSTART").dt
    rule = rrulestr(prop(event, "RRULE").to_ical().decode(), dtstart=start)
    assert isinstance(rule, rrule)
    rules.rrule(rule)
    if "EXDATE" in event:
        for each in prop(event, "EXDATE").dts:
            rules.exdate(each.dt)
    return list(rules)


def prop(event: Event, name: str) -> Any:
    return event[name]


def stop_of(event: Event) -> StopId:
    return StopId(str(prop(event, "UID")).split(".", maxsplit=1)[0])


def test_a_second_library_finds_the_same_dates(tmp_path: Path) -> None:
    """Expanded by dateutil, the events of a stop give our own dates, over both clock changes."""
    request, plan = example.request(), example.plan()
    events = written(tmp_path / "t.ics", request, plan)
    zone = ZoneInfo("Europe/London")
    for stop_id in ("cottesmore", "exton"):
        found = [o for e in events if stop_of(e) == stop_id for o in openings(e)]
        assert sorted(o.astimezone(zone).date() for o in found) == list(
            visit_dates(request, plan, StopId(stop_id), UNTIL)
        )
        opens = {o.astimezone(zone).time() for o in found}
        assert len(opens) == 1, "the clock time stays when the clocks change"


def test_dates_by_hand(tmp_path: Path) -> None:
    """Every other Monday from 2 March without May Day; 6 April is not of that rhythm."""
    request, plan = example.request(), example.plan()
    dates = visit_dates(request, plan, example.EXTON.stop_id, date(2026, 5, 11))
    expected = [(3, 2), (3, 16), (3, 30), (4, 13), (4, 27), (5, 11)]
    assert dates == tuple(date(2026, m, d) for m, d in expected)
    assert visit_dates(request, plan, example.BRAUNSTON.stop_id, UNTIL) == ()
    assert visit_dates(request, plan, example.EXTON.stop_id, date(2026, 3, 1)) == ()
    [exton] = [e for e in written(tmp_path / "t.ics", request, plan) if stop_of(e) == "exton"]
    assert prop(exton, "RRULE")["INTERVAL"] == [2]


def test_vehicle_off_dates_and_holidays_are_exceptions() -> None:
    """A vehicle's inspection day drops that vehicle's visit alone."""
    request, plan = example.request(), example.plan()
    dates = visit_dates(request, plan, example.WING.stop_id, date(2026, 4, 30))
    assert date(2026, 3, 4) in dates
    assert date(2026, 4, 1) not in dates, "North is off that day"
    assert date(2026, 4, 15) in dates, "South is not"


def test_only_public_stops_are_published(tmp_path: Path) -> None:
    """A school's stop and a stop on request are nobody's business but their own."""
    events = written(tmp_path / "t.ics", example.request(), example.plan())
    assert {stop_of(e) for e in events} == {"cottesmore", "exton"}
    assert "School" not in (tmp_path / "t.ics").read_text("utf-8")


def test_different_clock_times_are_different_events(tmp_path: Path) -> None:
    """Two visits of a stop at different times are two events of the full cycle."""
    request = example.request()
    public = tuple(replace(s, kind=example.EXTON.kind) for s in request.stops)
    events = written(tmp_path / "t.ics", replace(request, stops=public), example.plan())
    wing = [e for e in events if stop_of(e) == "wing"]
    assert [prop(e, "RRULE")["INTERVAL"] for e in wing] == [[4], [4]]
    assert len({str(prop(e, "UID")) for e in events}) == len(events)


def test_the_calendar_is_complete_and_stable(tmp_path: Path) -> None:
    """Zone, place, end and version are there; the same plan gives the same bytes."""
    request, plan = example.request(), example.plan()
    events = written(tmp_path / "a.ics", request, plan)
    written(tmp_path / "b.ics", request, plan)
    text = (tmp_path / "a.ics").read_bytes()
    assert text == (tmp_path / "b.ics").read_bytes()
    assert b"BEGIN:VTIMEZONE" in text
    assert b"TZID:Europe/London" in text
    event = events[0]
    assert prop(event, "RRULE")["UNTIL"] == [datetime(2026, 8, 30, 22, 59, 59, tzinfo=UTC)]
    assert prop(event, "SEQUENCE") == 0
    assert str(prop(event, "LOCATION")) == "Cottesmore, The Green, Cottesmore"
    assert prop(event, "GEO").to_ical() == "52.7126;-0.6638"
    assert prop(event, "DTEND").dt - prop(event, "DTSTART").dt == timedelta(hours=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ical")


@settings(max_examples=40, deadline=None)
@given(
    weeks=st.integers(1, 6),
    visits=st.sets(
        st.tuples(st.integers(0, 41), st.sampled_from([9, 10, 15])), min_size=1, max_size=6
    ),
    closed=st.sets(st.integers(0, 200), max_size=12),
    horizon=st.integers(0, 200),
)
def test_any_cycle_expands_alike(
    folder: Path, weeks: int, visits: set[tuple[int, int]], closed: set[int], horizon: int
) -> None:
    """Whatever the days, times and holidays, both expansions agree."""
    cycle = Cycle(start_date=date(2026, 3, 2), num_weeks=weeks)
    request = replace(
        example.request(),
        cycle=cycle,
        calendar=ServiceCalendar(
            weekdays=frozenset(range(7)), closed_dates={cycle.date_of(d): "" for d in closed}
        ),
    )
    days = {d % cycle.num_days: h for d, h in visits}
    runs = tuple(
        example.make_run(example.SOUTH, d, [(example.EXTON, h * 3600)]) for d, h in days.items()
    )
    plan, until = Plan(runs=runs), cycle.date_of(horizon)
    events = written(folder / "any.ics", request, plan, until)
    found = sorted(o.date() for e in events for o in openings(e))
    assert found == list(visit_dates(request, plan, example.EXTON.stop_id, until))
