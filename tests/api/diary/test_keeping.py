"""Records follow what is known: promise, crew, journal, track, corrections; each thing once."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from data.db import live_store, visit_record_store
from data.db.engine import writing
from data.model.live import ActualSource, ActualState, DayEnds, StopActual
from data.model.service_time import instant_of
from data.model.stop_counts import CountMethod
from data.model.visit_record import CountCorrection, RecordState
from tests.api.circulation.library import STOPS
from tests.api.diary.book import Book, book
from tests.api.tracking.depot import NORTH, REGION
from tests.fleet.days import DAY

ZONE = ZoneInfo("Europe/Kaliningrad")
EVENING = instant_of(DAY, 22 * 3600, ZONE)
FIRST, SECOND, THIRD = (str(s) for s in STOPS[:3])


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Book]:
    with book(tmp_path) as made:
        yield made


def opens(one: Book, stop: str) -> datetime:
    """When the doors were promised to open."""
    return instant_of(DAY, one.visits[stop].start_s, ZONE)


def closes(one: Book, stop: str) -> datetime:
    return instant_of(DAY, one.visits[stop].end_s, ZONE)


def hold(one: Book, stop: str) -> None:
    """Tap opening and closing at the promised times, five readers, one loan."""
    one.write("open", opens(one, stop), stop)
    one.write("count", opens(one, stop), stop, counts={"visits_service.adult": 5})
    loan = one.tablet.lend(f"i{len(one.tablet.events)}", "p1", opens(one, stop))
    loan |= {"visit_id": one.visits[stop].visit_id, "stop_id": stop}
    one.write("close", closes(one, stop), stop)


def see(one: Book, stop: str, state: ActualState, source: ActualSource) -> None:
    """Let the follower find something of a stop."""
    visit = one.visits[stop]
    found = StopActual(
        key=str(visit.visit_id), region_id=REGION, vehicle_id=NORTH, service_date=DAY,
        visit_id=visit.visit_id, stop_id=visit.stop_id, lon=21.8, lat=54.6,
        position=visit.position, state=state, source=source,
        actual_from_at=opens(one, stop), actual_until_at=closes(one, stop),
    )  # fmt: skip
    ends = DayEnds(region_id=REGION, vehicle_id=NORTH, service_date=DAY)
    with writing(one.library.engine) as session:
        live_store.put_actuals(session, ends, [found])


def test_what_the_crew_wrote_is_on_record_and_on_the_board(one: Book) -> None:
    """Taps and loans make a held visit by hand, a skip tells why, the rest is not known."""
    hold(one, FIRST)
    one.write("skip", opens(one, SECOND), SECOND, reason="road")
    one.library.depot.now = EVENING
    one.sync()
    assert one.keep().num_changed >= len(STOPS)
    held = one.records[FIRST]
    assert held.state is RecordState.DONE
    assert held.opened_at == opens(one, FIRST)
    assert not held.is_gps_confirmed
    assert held.counts["visits_service.adult"] == 5
    assert held.num_loans == 1
    assert set(held.count_methods) == {CountMethod.TAPPED, CountMethod.JOURNAL}
    assert held.counted_by == (one.tablet.device.device_id,)
    assert held.name != FIRST
    skipped = one.records[SECOND]
    assert (skipped.state, skipped.reason) == (RecordState.SKIPPED, "road")
    assert one.records[THIRD].state is RecordState.UNKNOWN
    board = one.actuals
    assert (board[FIRST].state, board[FIRST].source) == (ActualState.KEPT, ActualSource.HAND)
    assert board[SECOND].state is ActualState.SKIPPED
    assert THIRD not in board
    assert one.keep().num_changed == 0


def test_a_track_confirms_and_speaks_where_nobody_wrote(one: Book) -> None:
    """It is confirmed only where the vehicle was seen; taps keep their times."""
    hold(one, FIRST)
    one.library.depot.now = EVENING
    one.sync()
    one.keep()
    see(one, FIRST, ActualState.KEPT, ActualSource.MEASURED)
    assert one.keep().num_changed == 1
    assert one.records[FIRST].is_gps_confirmed
    assert one.actuals[FIRST].source is ActualSource.MEASURED
    see(one, SECOND, ActualState.KEPT, ActualSource.MEASURED)
    one.keep()
    seen = one.records[SECOND]
    assert seen.state is RecordState.DONE
    assert seen.is_gps_confirmed
    assert seen.counts == {}
    assert seen.opened_at == opens(one, SECOND)


def test_a_late_event_changes_an_old_record_and_leaves_a_trail(one: Book) -> None:
    """Three days later a tablet brings counts: the log tells what was on record before."""
    one.library.depot.now = EVENING + timedelta(days=1)
    one.keep()
    assert one.records[FIRST].state is RecordState.UNKNOWN
    assert one.audit("record.late") == []
    one.write("open", opens(one, FIRST), FIRST)
    one.write("count", opens(one, FIRST), FIRST, counts={"visits_service": 3})
    one.library.depot.now = EVENING + timedelta(days=3)
    one.sync()
    done = one.keep()
    assert (done.num_changed, done.num_late) == (1, 1)
    (told,) = one.audit("record.late")
    assert told.subject == one.visits[FIRST].visit_id
    assert told.facts["state"] == ["unknown", "done"]
    assert told.facts["counts"] == {"visits_service": [0, 3]}


def test_an_event_taken_back_is_out_of_the_record(one: Book) -> None:
    """The stop is not known again, on the board as well."""
    event = one.write("open", opens(one, FIRST), FIRST)
    one.library.depot.now = EVENING
    one.sync()
    one.keep()
    assert one.records[FIRST].is_held
    one.tablet.write("void", EVENING, event_id=event["event_id"])
    one.sync()
    one.keep()
    assert one.records[FIRST].state is RecordState.UNKNOWN
    assert one.actuals[FIRST].state is ActualState.UNKNOWN


def test_a_correction_stays_whatever_comes_later(one: Book) -> None:
    """Later counts add to it; the record tells how often it was corrected."""
    hold(one, FIRST)
    one.library.depot.now = EVENING
    one.sync()
    one.keep()
    with writing(one.library.engine) as session:
        told = CountCorrection(
            correction_id="c1", region_id=REGION, key=str(one.visits[FIRST].visit_id),
            name="visits_service.adult", amount=-2, reason="two drivers", corrected_at=EVENING,
            corrected_by="olga",
        )  # fmt: skip
        visit_record_store.add_correction(session, told)
    assert one.records[FIRST].num_visits == 3
    one.write("count", closes(one, FIRST), FIRST, counts={"visits_service.adult": 1})
    one.sync()
    one.keep()
    assert one.records[FIRST].num_visits == 4
    assert one.records[FIRST].num_corrections == 1


def test_an_unplanned_stop_has_a_record_of_its_own(one: Book) -> None:
    """By its own key and name; a stand of the track at the place confirms it."""
    at = opens(one, FIRST) - timedelta(minutes=30)
    event = one.tablet.write("unplanned_stop", at, name="У моста", lon=21.80, lat=54.60)
    counted = one.tablet.write("count", at, counts={"visits_service": 2})
    opened = one.tablet.write("open", at)
    for told in (event, counted, opened):
        told["visit_id"] = "unplanned-1"
    one.library.depot.now = EVENING
    one.sync()
    one.keep()
    record = one.records["unplanned-1"]
    assert (record.name, record.visit_id, record.state) == ("У моста", None, RecordState.DONE)
    assert not record.is_gps_confirmed
    stand = StopActual(
        key="u1", region_id=REGION, vehicle_id=NORTH, service_date=DAY, visit_id=None,
        stop_id=None, lon=21.801, lat=54.6, position=None, state=ActualState.UNPLANNED,
        actual_from_at=at - timedelta(minutes=1), actual_until_at=at + timedelta(minutes=9),
        source=ActualSource.MEASURED,
    )  # fmt: skip
    ends = DayEnds(region_id=REGION, vehicle_id=NORTH, service_date=DAY)
    with writing(one.library.engine) as session:
        live_store.put_actuals(session, ends, [stand])
    one.keep()
    assert one.records["unplanned-1"].is_gps_confirmed


def test_doors_that_opened_late_make_a_part(one: Book) -> None:
    """Readers who lost more than ten minutes got a part of what was promised."""
    one.write("open", opens(one, FIRST) + timedelta(minutes=11), FIRST)
    one.write("open", opens(one, SECOND) + timedelta(minutes=9), SECOND)
    one.library.depot.now = EVENING
    one.sync()
    one.keep()
    assert one.records[FIRST].state is RecordState.PARTIAL
    assert one.actuals[FIRST].state is ActualState.LATE
    assert one.records[SECOND].state is RecordState.DONE
