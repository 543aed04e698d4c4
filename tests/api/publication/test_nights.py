"""Stop visits after midnight: ahead until their hour, though their service date is over."""

import csv
import io
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from google.transit import gtfs_realtime_pb2 as rt

from api.services.public import read_published
from api.services.public_gtfs import region_gtfs
from api.services.public_now import NowViews, OnTheRoad, Place
from api.services.public_pages import PublicPages
from api.services.public_realtime import Realtime
from api.services.public_views import PublicViews
from api.web.public_links import ServedLinks
from api.words import Words
from data.db import publication_store
from data.db.engine import reading, writing
from data.model.cancellation import next_visit
from data.model.errors import InputError
from data.model.live import Phase, VehicleNow
from data.model.place import StopId
from data.model.publication import Moment, PromisedVisit, VisitState
from data.model.telemetry import DeviceId, Fix
from tests.api.publication.office import REGION, Office

TUESDAY = date(2026, 12, 1)
WEDNESDAY = TUESDAY + timedelta(days=1)
STOP = StopId("kaluzhskoe")
HOUR_S = 3600
BEFORE = datetime(2026, 12, 1, 22, 10, tzinfo=UTC)
"""Ten past midnight in Kaliningrad, on Wednesday."""
OPEN = BEFORE + timedelta(hours=1, minutes=10)
AFTER = BEFORE + timedelta(hours=2)


@pytest.fixture
def night(office: Office) -> Office:
    """Tuesday's run opens at a stop at one o'clock of the night for an hour."""
    office.publish()
    visit = office.visit(STOP, TUESDAY)
    start_s = 25 * HOUR_S
    moved = replace(
        visit, arrival_s=start_s, start_s=start_s, end_s=start_s + HOUR_S,
        departure_s=start_s + HOUR_S,
    )  # fmt: skip
    with writing(office.engine) as session:
        publication_store.put_visits(session, [moved])
    return office


def test_a_visit_of_the_night_begins_on_the_next_date(night: Office) -> None:
    """Its opening and closing are told by the clock of the date on which they are."""
    visit = night.visit(STOP, TUESDAY)
    assert visit.begins == (WEDNESDAY, HOUR_S)
    assert visit.ends == (WEDNESDAY, 2 * HOUR_S)
    over_midnight = replace(visit, arrival_s=0, start_s=23 * HOUR_S, end_s=25 * HOUR_S)
    assert over_midnight.begins == (TUESDAY, 23 * HOUR_S)
    assert over_midnight.ends == (WEDNESDAY, HOUR_S)


def test_undone_after_midnight_it_is_restored_and_told(night: Office) -> None:
    """At ten past midnight a visit at one is still ahead: who was told otherwise is told so."""
    visit = night.visit(STOP, TUESDAY)
    night.now = BEFORE - timedelta(hours=2)
    done = night.cancel("visit", visit_id=visit.visit_id)
    night.now = BEFORE
    night.undo(done.exception_id)
    assert night.visit(STOP, TUESDAY).state is VisitState.PLANNED
    (notice,) = [n for n in night.notices() if n.stop_id == STOP]
    assert notice.facts["date"] == WEDNESDAY.isoformat()
    assert notice.facts["visit_ids"] == [visit.visit_id]


def test_undone_after_its_hour_it_stays_cancelled(night: Office) -> None:
    """What was not held was not held."""
    visit = night.visit(STOP, TUESDAY)
    night.now = BEFORE
    done = night.cancel("visit", visit_id=visit.visit_id)
    night.now = AFTER
    with pytest.raises(InputError, match=r"cancel\.passed"):
        night.undo(done.exception_id)


def test_the_rest_of_a_run_is_cancelled_after_midnight(night: Office) -> None:
    """The day of the run is over, its last stop is not."""
    visit = night.visit(STOP, TUESDAY)
    night.now = BEFORE
    done = night.cancel("run", vehicle_id=visit.vehicle_id, from_date=TUESDAY)
    assert done.visit_ids == (visit.visit_id,)
    night.now = AFTER
    with pytest.raises(InputError, match=r"cancel\.past"):
        night.cancel("run", vehicle_id=visit.vehicle_id, from_date=TUESDAY)


@pytest.mark.parametrize("at", [BEFORE, OPEN, AFTER])
def test_readers_see_it_until_the_doors_close(night: Office, at: datetime) -> None:
    """The next visit of the stop is that of this night until two o'clock."""
    visit = night.visit(STOP, TUESDAY)
    with reading(night.engine) as session:
        published = read_published(session, REGION)
    now: Moment = published.now(at)
    told = published.timetable.next_visit(STOP, now)
    assert told is not None
    assert (told.visit_id == visit.visit_id) is (at != AFTER)
    stored = [v for v in night.visits() if v.stop_id == STOP]
    found = next_visit(stored, now)
    assert found is not None
    assert found.visit_id == told.visit_id


def test_doors_open_over_midnight_are_open(night: Office) -> None:
    """A visit from eleven to one is still to be reached at ten past midnight."""
    visit = night.visit(STOP, TUESDAY)
    late: PromisedVisit = replace(
        visit, arrival_s=23 * HOUR_S, start_s=23 * HOUR_S, end_s=25 * HOUR_S
    )
    with writing(night.engine) as session:
        publication_store.put_visits(session, [late])
    with reading(night.engine) as session:
        published = read_published(session, REGION)
    told = published.timetable.next_visit(STOP, published.now(BEFORE))
    assert told is not None
    assert told.visit_id == visit.visit_id


def test_over_midnight_the_page_says_that_it_is_open(night: Office) -> None:
    """At ten past midnight a visit from eleven to one is the one under way, on every view."""
    visit = night.visit(STOP, TUESDAY)
    late = replace(visit, arrival_s=23 * HOUR_S, start_s=23 * HOUR_S, end_s=25 * HOUR_S)
    with writing(night.engine) as session:
        publication_store.put_visits(session, [late])
    with reading(night.engine) as session:
        published = read_published(session, REGION)
    links = ServedLinks(region_id=REGION, public_url="")
    views = PublicViews(published.timetable, published.now(BEFORE), Words("en"), links)
    assert views.visit(late).distance == "now, by the timetable"
    ((_, (first, *_)), *_) = views.run_days(late.vehicle_id, most=1)
    assert first.visit_id == visit.visit_id
    (now,) = NowViews(views, OnTheRoad.of([], [], BEFORE)).vehicles()
    assert [s.place for s in now.stops if s.visit_id == visit.visit_id] == [Place.HERE]


def test_realtime_names_only_what_the_feed_has(night: Office) -> None:
    """After midnight the run of yesterday is in both; an alert names a stop of the feed or none."""
    later = next(v for v in night.visits() if v.stop_id == STOP and v.service_date > WEDNESDAY)
    night.cancel("visit", visit_id=later.visit_id)
    night.now = BEFORE
    with reading(night.engine) as session:
        published = read_published(session, REGION)
    pages = PublicPages(
        published=published, now=published.now(BEFORE), words=Words("en"),
        links=ServedLinks(region_id=REGION, public_url="https://bus.example.org"),
    )  # fmt: skip
    archive = zipfile.ZipFile(io.BytesIO(region_gtfs(None, pages)))

    def column(table: str, name: str) -> set[str]:
        text = archive.read(f"{table}.txt").decode()
        return {row[name] for row in csv.DictReader(io.StringIO(text, newline=""))}

    visit = night.visit(STOP, TUESDAY)
    trip = f"{visit.vehicle_id}@{TUESDAY}"
    at_stop = VehicleNow(
        region_id=REGION, vehicle_id=visit.vehicle_id, service_date=TUESDAY, at=BEFORE,
        fix=Fix(device_id=DeviceId("bus"), fix_at=BEFORE, lon=21.85, lat=54.8),
        phase=Phase.STANDING,
    )  # fmt: skip
    seen = NowViews(pages.views, OnTheRoad.of([at_stop], [], BEFORE))
    realtime = Realtime(pages, seen, BEFORE)
    updates = rt.FeedMessage.FromString(realtime.trip_updates())
    assert [e.trip_update.trip.trip_id for e in updates.entity] == [trip]
    assert trip in column("trips", "trip_id")
    alerts = rt.FeedMessage.FromString(realtime.alerts())
    named = {i.stop_id for e in alerts.entity for i in e.alert.informed_entity if i.stop_id}
    assert named
    assert named <= column("stops", "stop_id")
