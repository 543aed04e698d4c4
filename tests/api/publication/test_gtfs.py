"""GTFS and GTFS Realtime: valid, without passengers, and of one another's ids."""

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import gtfs_guru
import pytest
from google.transit import gtfs_realtime_pb2 as rt

from api.services.public import Published, read_published
from api.services.public_gtfs import region_gtfs
from api.services.public_now import NowViews, read_road
from api.services.public_pages import PublicPages
from api.services.public_realtime import Realtime
from api.web.public_links import ServedLinks
from api.words import Words
from data.db.engine import reading
from data.feeds.gtfs import GtfsAddresses, gtfs_zip
from data.model.cancellation import CancelReason, Scope
from data.model.errors import InputError
from data.model.geo import distance_m
from data.model.tracker import Protocol
from tests.api.publication.office import REGION, Office
from tests.api.tracking.depot import REGION as ROAD_REGION
from tests.api.tracking.depot import Depot, depot
from tests.api.tracking.test_followed_day import fixes_of_day

URL = "https://bus.example.org"


def published(office: Office) -> Published:
    with reading(office.engine) as session:
        return read_published(session, REGION)


def pages(office: Office, told: Published | None = None, language: str = "ru") -> PublicPages:
    known = told or published(office)
    return PublicPages(
        published=known,
        now=known.now(office.now),
        words=Words(language),
        links=ServedLinks(region_id=REGION, public_url=URL),
    )


def tables(feed: bytes) -> dict[str, list[dict[str, str]]]:
    archive = zipfile.ZipFile(io.BytesIO(feed))
    return {
        name.removesuffix(".txt"): list(
            csv.DictReader(io.StringIO(archive.read(name).decode(), newline=""))
        )
        for name in archive.namelist()
    }


def errors_of(feed: bytes, folder: Path, on: str) -> list[str]:
    path = folder / "gtfs.zip"
    path.write_bytes(feed)
    found = gtfs_guru.validate(str(path), date=on)
    return [f"{e.code}: {e.message}" for e in found.errors()]


def message(body: bytes) -> rt.FeedMessage:
    found = rt.FeedMessage()
    found.ParseFromString(body)
    assert found.IsInitialized()
    return found


def test_the_feed_is_valid_and_seats_nobody(office: Office, tmp_path: Path) -> None:
    """No error; every promised visit on its date and minute; pick-up and drop-off forbidden."""
    office.publish()
    feed = region_gtfs(office.engine, pages(office))
    assert errors_of(feed, tmp_path, "2026-11-30") == []
    found = tables(feed)
    assert {(r["pickup_type"], r["drop_off_type"]) for r in found["stop_times"]} == {("1", "1")}
    assert {r["exception_type"] for r in found["calendar_dates"]} == {"1"}
    dates = {r["service_id"]: r["date"] for r in found["calendar_dates"]}
    trips = {r["trip_id"]: dates[r["service_id"]] for r in found["trips"]}
    told = {
        (trips[r["trip_id"]], r["stop_id"], r["arrival_time"][:5], r["departure_time"][:5])
        for r in found["stop_times"]
    }
    wanted = {
        (
            v.service_date.strftime("%Y%m%d"),
            str(v.stop_id),
            f"{v.start_s // 3600:02}:{v.start_s % 3600 // 60:02}",
            f"{v.end_s // 3600:02}:{v.end_s % 3600 // 60:02}",
        )
        for v in published(office).timetable.visits
    }
    assert told == wanted
    assert "Калиновка" in {r["stop_name"] for r in found["stops"]}
    assert found["agency"][0]["agency_name"] == "Библиобус, Черняховский район"
    assert feed == region_gtfs(office.engine, pages(office)), "the same to the byte"


def test_a_cancelled_visit_leaves_the_feed_and_is_an_alert(office: Office, tmp_path: Path) -> None:
    """Alerts name stops that the feed has, in both languages, with cause and effect."""
    office.publish()
    first = published(office).timetable.visits[0]
    office.cancel(Scope.VISIT, CancelReason.WEATHER, visit_id=first.visit_id)
    shown = pages(office)
    feed = region_gtfs(office.engine, shown)
    assert errors_of(feed, tmp_path, "2026-11-30") == []
    found = tables(feed)
    day = first.service_date.strftime("%Y%m%d")
    assert (f"{first.vehicle_id}@{first.service_date}", str(first.stop_id)) not in {
        (r["trip_id"], r["stop_id"]) for r in found["stop_times"]
    }, day
    with reading(office.engine) as session:
        road = read_road(session, REGION, at=office.now, today=shown.now[0])
    alerts = message(Realtime(shown, NowViews(shown.views, road), office.now).alerts())
    told = [e.alert for e in alerts.entity]
    assert told
    stops = {r["stop_id"] for r in found["stops"]}
    assert {i.stop_id for a in told for i in a.informed_entity} <= stops
    one = next(a for a in told if a.effect == rt.Alert.NO_SERVICE)
    assert one.cause == rt.Alert.WEATHER
    assert {t.language for t in one.header_text.translation} == {"ru", "en"}
    assert one.url.translation[0].text.startswith(f"{URL}/r/{REGION}/stops/")


def test_hostile_names_break_nothing(office: Office, tmp_path: Path) -> None:
    """Quotes, line ends, commas and controls in names stay values of one line."""
    office.publish()
    told = published(office)
    stops = tuple(replace(s, name=f'{s.name}"\r\n,trip_id\x00 =1+1') for s in told.timetable.stops)
    hostile = replace(told, timetable=replace(told.timetable, stops=stops))
    feed = region_gtfs(office.engine, pages(office, hostile))
    assert errors_of(feed, tmp_path, "2026-11-30") == []
    names = {r["stop_name"] for r in tables(feed)["stops"]}
    assert all(name.endswith('" ,trip_id  =1+1') for name in names)


def test_without_visits_or_address_there_is_no_feed(office: Office) -> None:
    """Both say what to do."""
    with pytest.raises(InputError, match=r"gtfs\.no_address"):
        GtfsAddresses(region="/r/x", stop=str)
    office.publish()
    timetable = published(office).timetable
    with pytest.raises(InputError, match=r"gtfs\.nothing"):
        gtfs_zip(
            timetable,
            Words("en"),
            language="en",
            from_date=timetable.visits[-1].service_date + timedelta(days=1),
            addresses=GtfsAddresses(region=URL, stop=str),
        )


@pytest.fixture(scope="module")
def road(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Depot]:
    """A driven day on a real server."""
    fixes = fixes_of_day()
    with depot(tmp_path_factory.mktemp("gtfs"), fixes[0].fix_at) as one:
        secret = one.add(Protocol.BOOKMOBILE).secret
        for start in range(0, len(fixes) // 3, 200):
            part = fixes[start : min(start + 200, len(fixes) // 3)]
            one.now = part[-1].fix_at
            one.send(secret, part)
        one.follow()
        yield one


def test_realtime_names_what_the_feed_has(road: Depot, tmp_path: Path) -> None:
    """Trips, stops and sequences are the feed's; the place is on the way, not where it was told."""
    base = f"/r/{ROAD_REGION}"
    answer = road.client.get(f"{base}/gtfs.zip")
    assert answer.headers["content-type"] == "application/zip"
    assert errors_of(answer.content, tmp_path, "2026-12-01") == []
    again = road.client.get(f"{base}/gtfs.zip", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304
    found = tables(answer.content)
    known = {(r["trip_id"], r["stop_id"], r["stop_sequence"]) for r in found["stop_times"]}
    updates = message(road.client.get(f"{base}/gtfs-rt/trip-updates.pb").content)
    (update,) = [e.trip_update for e in updates.entity]
    assert update.trip.trip_id.endswith("@2026-12-01")
    told = {(update.trip.trip_id, s.stop_id, str(s.stop_sequence)) for s in update.stop_time_update}
    assert told == {k for k in known if k[0] == update.trip.trip_id}
    times = [
        (s.arrival.time, s.departure.time)
        for s in update.stop_time_update
        if s.schedule_relationship == rt.TripUpdate.StopTimeUpdate.SCHEDULED
    ]
    assert len(times) == 5
    flat = [t for pair in times for t in pair]
    assert flat == sorted(flat)
    assert update.stop_time_update[-1].arrival.uncertainty > 0
    places = message(road.client.get(f"{base}/gtfs-rt/vehicle-positions.pb").content)
    for entity in places.entity:
        vehicle = entity.vehicle
        assert (vehicle.trip.trip_id, vehicle.stop_id, str(vehicle.current_stop_sequence)) in known
    raw = road.vehicle()
    assert raw is not None
    assert raw.fix is not None
    if places.entity:
        there = places.entity[0].vehicle.position
        away_m = distance_m(there.longitude, there.latitude, raw.fix.lon, raw.fix.lat)
        assert away_m < 6000
        assert (round(there.longitude, 5), round(there.latitude, 5)) != (
            round(raw.fix.lon, 5),
            round(raw.fix.lat, 5),
        )
    assert road.client.get(f"{base}/gtfs-rt/other.pb").status_code == 404
