"""The GTFS feed over changes of clocks and of the year, with visits moved, cancelled, made up."""

import csv
import io
import zipfile
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import gtfs_guru

from api.words import Words
from data.feeds.gtfs import GtfsAddresses, gtfs_zip
from data.model.public_timetable import PublicTimetable
from data.model.publication import PromisedVisit, VisitId, VisitState, reconcile
from tests.data.test_publication import LATER, after, first_of, laid, publishing
from tests.data.test_visits_ical import timetable_of

URL = "https://bus.example.org"
WINTER = date(2026, 12, 21)
"""A Monday before Christmas; the clocks of London go forward on 28 March."""


def feed(timetable: PublicTimetable, from_date: date = WINTER) -> bytes:
    timetable = replace(timetable, names={"en": "Rutland"}, phone="+44 1572 722918")
    return gtfs_zip(
        timetable,
        Words("en"),
        language="en",
        from_date=from_date,
        addresses=GtfsAddresses(region=f"{URL}/r/rutland", stop=lambda i: f"{URL}/r/rutland/{i}"),
    )


def notices_of(text: bytes, folder: Path, on: date) -> list[str]:
    """Everything that the validator has to say: errors, warnings and remarks."""
    path = folder / "gtfs.zip"
    path.write_bytes(text)
    found = gtfs_guru.validate(str(path), date=on.isoformat())
    return [f"{n.severity} {n.code}: {n.message}" for n in found.notices]


def openings(text: bytes) -> list[tuple[str, datetime]]:
    """Stop and opening of each stop time, by the rule of GTFS: noon minus twelve hours."""
    archive = zipfile.ZipFile(io.BytesIO(text))

    def rows(name: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(archive.read(f"{name}.txt").decode(), newline="")))

    (agency,) = rows("agency")
    zone = ZoneInfo(agency["agency_timezone"])
    dates = {
        r["service_id"]: datetime.strptime(r["date"], "%Y%m%d") for r in rows("calendar_dates")
    }
    trips = {r["trip_id"]: dates[r["service_id"]].date() for r in rows("trips")}
    found = []
    for row in rows("stop_times"):
        hours, minutes, _ = map(int, row["arrival_time"].split(":"))
        noon = datetime.combine(trips[row["trip_id"]], time(12), zone).timestamp()
        at = datetime.fromtimestamp(noon + (hours - 12) * 3600 + minutes * 60, zone)
        found.append((row["stop_id"], at))
    return sorted(found, key=lambda one: (one[1], one[0]))


def weekly(num: int = 12) -> tuple[PromisedVisit, ...]:
    """Two stops each Monday, one after the other."""
    mondays = [WINTER + timedelta(7 * k) for k in range(num)]
    visits = [v for on in mondays for v in (laid(on, 10), laid(on, 13.25, "wing"))]
    now = publishing(WINTER, now=(WINTER, 0))
    return reconcile((), visits, publishing=now).to_store


def test_over_the_year_and_the_change_of_clocks(tmp_path: Path) -> None:
    """Nothing to remark; the doors open at ten by the clock in December, January and April."""
    text = feed(timetable_of(weekly()))
    assert notices_of(text, tmp_path, WINTER) == []
    told = openings(text)
    assert len(told) == 24
    assert {at.date().year for _, at in told} == {2026, 2027}
    assert {at.utcoffset() for _, at in told} == {timedelta(0)}
    assert {(at.hour, at.minute) for _, at in told} == {(10, 0), (13, 15)}
    summer = feed(timetable_of(weekly(20)), date(2027, 3, 22))
    assert notices_of(summer, tmp_path, date(2027, 3, 22)) == []
    told = openings(summer)
    assert {at.utcoffset() for _, at in told} == {timedelta(0), timedelta(hours=1)}
    assert {(at.hour, at.minute) for _, at in told} == {(10, 0), (13, 15)}


def test_moved_cancelled_and_made_up(tmp_path: Path) -> None:
    """What is cancelled is gone, what moved stands at its new time, and no error is found.

    A run with one stop left is of no use to a passenger, as the validator says; to a reader it is.
    """
    before = weekly(6)
    again = [
        replace(v, start_s=v.start_s + 1800, end_s=v.end_s + 1800, departure_s=v.departure_s + 1800)
        for on in (WINTER + timedelta(7 * k) for k in range(6))
        for v in (laid(on, 10), laid(on, 13.25, "wing"))
    ]
    moved = after(before, reconcile(before, again, publishing=publishing(WINTER, at=LATER)))
    gone = [
        replace(v, state=VisitState.CANCELLED, reason="weather", sequence=9)
        if v.service_date == WINTER + timedelta(7)
        else v
        for v in moved
    ]
    (extra,) = first_of(laid(WINTER + timedelta(9), 9, vehicle="south"))
    extra = replace(extra, visit_id=VisitId("extra"), make_up_for=gone[2].visit_id)
    text = feed(timetable_of((*gone, extra)))
    (remark,) = notices_of(text, tmp_path, WINTER)
    assert remark.startswith("WARNING unusable_trip")
    told = openings(text)
    assert len(told) == 11
    assert [at.date() for _, at in told if at.date() == WINTER + timedelta(7)] == []
    assert {(at.hour, at.minute) for _, at in told} == {(10, 30), (13, 45), (9, 0)}


def test_a_run_past_midnight_stays_on_its_date(tmp_path: Path) -> None:
    """Doors that open after midnight are told beyond 24:00 of the day on which the run began."""
    days = [WINTER + timedelta(k) for k in range(40)]
    visits = first_of(*(v for on in days for v in (laid(on, 22.5), laid(on, 24.5, "wing"))))
    text = feed(timetable_of(visits))
    assert notices_of(text, tmp_path, WINTER) == []
    assert [at.isoformat()[:16] for _, at in openings(text)][:2] == [
        "2026-12-21T22:30",
        "2026-12-22T00:30",
    ]
    archive = zipfile.ZipFile(io.BytesIO(text))
    assert "24:30:00" in archive.read("stop_times.txt").decode()
