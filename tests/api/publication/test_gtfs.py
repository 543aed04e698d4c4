"""GTFS and GTFS Realtime: valid, without passengers, and of one another's ids."""

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
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
from data.model.telemetry import Fix
from data.model.tracker import Protocol
from tests.api.publication.office import REGION, Office
from tests.api.tracking.depot import REGION as ROAD_REGION
from tests.api.tracking.depot import Depot, depot
from tests.api.tracking.test_followed_day import fixes_of_day
from tests.fleet.days import drive

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
def road(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Depot, str | None]]:
    """A real server that follows a vehicle, and the secret of its tracker."""
    with depot(tmp_path_factory.mktemp("gtfs"), fixes_of_day()[0].fix_at) as one:
        yield one, one.add(Protocol.BOOKMOBILE).secret


def followed(road: tuple[Depot, str | None], until: datetime) -> Depot:
    """The server after everything that the vehicle sent up to an instant."""
    one, secret = road
    part = [f for f in fixes_of_day() if f.fix_at <= until]
    one.now = until
    one.send(secret, part)
    one.follow()
    return one


def feed_of(one: Depot, name: str) -> rt.FeedMessage:
    answer = one.client.get(f"/r/{ROAD_REGION}/gtfs-rt/{name}.pb")
    assert answer.headers["content-type"] == "application/x-protobuf"
    return message(answer.content)


def test_realtime_follows_a_vehicle_from_stop_to_stop(
    road: tuple[Depot, str | None], tmp_path: Path
) -> None:
    """Nothing at home; at the stop's own place while it stands; then on the leg, not where GPS was.

    Trips, stops and sequences are those of the feed, which has no error.
    """
    first = drive(0, seed=1).visits[0]
    assert first.from_at is not None
    assert first.until_at is not None
    one = followed(road, fixes_of_day()[0].fix_at)
    assert len(feed_of(one, "vehicle-positions").entity) == 0
    base = f"/r/{ROAD_REGION}"
    answer = one.client.get(f"{base}/gtfs.zip")
    assert answer.headers["content-type"] == "application/zip"
    assert errors_of(answer.content, tmp_path, "2026-12-01") == []
    again = one.client.get(f"{base}/gtfs.zip", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304
    found = tables(answer.content)
    known = {(r["trip_id"], r["stop_id"], r["stop_sequence"]) for r in found["stop_times"]}
    stops = {r["stop_id"]: (float(r["stop_lon"]), float(r["stop_lat"])) for r in found["stops"]}

    one = followed(road, first.from_at + timedelta(minutes=20))
    (standing,) = [e.vehicle for e in feed_of(one, "vehicle-positions").entity]
    assert standing.current_status == rt.VehiclePosition.STOPPED_AT
    here = (standing.position.longitude, standing.position.latitude)
    assert here == pytest.approx(stops[standing.stop_id], abs=1e-5)
    assert standing.timestamp == int(_fix(one).fix_at.timestamp())

    one = followed(road, first.until_at + timedelta(minutes=4))
    (driving,) = [e.vehicle for e in feed_of(one, "vehicle-positions").entity]
    assert driving.current_status == rt.VehiclePosition.IN_TRANSIT_TO
    assert driving.stop_id != standing.stop_id
    for told in (standing, driving):
        assert told.trip.trip_id.endswith("@2026-12-01")
        assert (told.trip.trip_id, told.stop_id, str(told.current_stop_sequence)) in known
    raw, there = _fix(one), driving.position
    away_m = distance_m(there.longitude, there.latitude, raw.lon, raw.lat)
    assert 1 < away_m < 3000, "on the leg, near the vehicle, and not its raw place"
    assert one.client.get(f"{base}/gtfs-rt/other.pb").status_code == 404

    (update,) = [e.trip_update for e in feed_of(one, "trip-updates").entity]
    assert update.trip.trip_id == driving.trip.trip_id
    told_stops = {
        (update.trip.trip_id, s.stop_id, str(s.stop_sequence)) for s in update.stop_time_update
    }
    assert told_stops == {k for k in known if k[0] == update.trip.trip_id}
    times = [
        (s.arrival.time, s.departure.time)
        for s in update.stop_time_update
        if s.schedule_relationship == rt.TripUpdate.StopTimeUpdate.SCHEDULED
    ]
    assert len(times) == 5
    flat = [t for pair in times for t in pair]
    assert flat == sorted(flat)
    assert update.stop_time_update[-1].arrival.uncertainty > 0


def _fix(one: Depot) -> Fix:
    """Where the vehicle was last."""
    raw = one.vehicle()
    assert raw is not None
    assert raw.fix is not None
    return raw.fix
