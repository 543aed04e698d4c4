"""Odometers that a crew writes down on its tablet, and what the day's sheet makes of them."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from api.services.way_sheets import read_aboard
from data.db import day_sheet_store
from data.db.engine import reading, writing
from data.model.day_sheet import DaySheet
from tests.api.circulation.library import MORNING, Library, TabletAt, library, pair
from tests.api.tracking.depot import NORTH, REGION
from tests.fleet.days import DAY

EVENING = MORNING + timedelta(hours=8)


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Library]:
    with library(tmp_path) as made:
        yield made


def sheet(one: Library) -> DaySheet | None:
    with reading(one.engine) as session:
        return day_sheet_store.get_sheet(session, REGION, NORTH, DAY)


def write(one: Library, **told: object) -> None:
    """What a person writes into the sheet."""
    with writing(one.engine) as session:
        made = DaySheet(region_id=REGION, vehicle_id=NORTH, service_date=DAY, **told)  # type: ignore[arg-type]
        day_sheet_store.put_sheet(session, made, expect_revision=None, by=None, at=MORNING)


def yesterday(one: Library) -> None:
    with writing(one.engine) as session:
        made = DaySheet(
            region_id=REGION, vehicle_id=NORTH, service_date=DAY - timedelta(days=1),
            number="0041", driver="Рулев К.", odometer_out_km=900.0, odometer_in_km=1000.0,
        )  # fmt: skip
        day_sheet_store.put_sheet(session, made, expect_revision=0, by=None, at=MORNING)


def test_readings_make_the_sheet_of_the_day(one: Library) -> None:
    """Both ends with their hours and the fuel; driver and number come from the last sheet."""
    yesterday(one)
    device, token = pair(one.engine, 1)
    assert one.day(token)["way"]["last_km"] == 1000.0
    tablet = TabletAt(device=device, off_s=-86_400)
    tablet.write("odometer", MORNING, end="out", odometer_km=1000.4)
    tablet.write("odometer", EVENING, end="in", odometer_km=1121.0, fuel=30.5)
    for _ in range(2):
        one.bring(token, tablet)
    found = sheet(one)
    assert found is not None
    assert (found.odometer_out_km, found.odometer_in_km, found.fuel) == (1000.4, 1121.0, 30.5)
    assert (found.out_s, found.in_s) == (8 * 3600, 16 * 3600)
    assert (found.number, found.driver, found.revision) == ("0042", "Рулев К.", 1)
    told = one.day(token)["way"]
    assert (told["out_km"], told["in_km"], told["last_date"]) == (1000.4, 1121.0, "2026-11-30")


def test_a_slip_is_corrected_and_taken_back(one: Library) -> None:
    """The last reading of an end counts; without one the sheet says what it would without."""
    yesterday(one)
    device, token = pair(one.engine, 1)
    tablet = TabletAt(device=device)
    slip = tablet.write("odometer", MORNING, end="out", odometer_km=1400.0)
    one.bring(token, tablet)
    tablet.write("void", MORNING, event_id=slip["event_id"])
    right = tablet.write("odometer", MORNING + timedelta(minutes=1), end="out", odometer_km=1004.0)
    one.bring(token, tablet)
    found = sheet(one)
    assert found is not None and found.odometer_out_km == 1004.0
    tablet.write("void", MORNING + timedelta(minutes=2), event_id=right["event_id"])
    one.bring(token, tablet)
    found = sheet(one)
    assert found is not None and found.odometer_out_km == 1000.0


def test_what_a_person_wrote_stays_and_the_reading_is_shown(one: Library) -> None:
    """A dispatcher's value is not written over; the day shows the tablet's beside it."""
    write(one, odometer_out_km=1010.0)
    device, token = pair(one.engine, 1)
    tablet = TabletAt(device=device)
    tablet.write("odometer", MORNING, end="out", odometer_km=1001.0)
    tablet.write("odometer", EVENING, end="in", odometer_km=1130.0)
    one.bring(token, tablet)
    found = sheet(one)
    assert found is not None
    assert (found.odometer_out_km, found.odometer_in_km) == (1010.0, 1130.0)
    with one.service.ledgers.reading(one.engine, REGION) as (_, ledger):
        (told,) = read_aboard(ledger, DAY, {NORTH: found})[NORTH]
    assert (told.odometer_km, told.sheet_km) == (1001.0, 1010.0)


@pytest.mark.parametrize("back_km", [900.0, 9000.0])
def test_a_way_that_cannot_be_spoils_nothing(one: Library, back_km: float) -> None:
    """An odometer that goes back or too far is kept in the journal, and not put into the sheet."""
    device, token = pair(one.engine, 1)
    tablet = TabletAt(device=device)
    tablet.write("odometer", MORNING, end="out", odometer_km=1000.0)
    tablet.write("odometer", EVENING, end="in", odometer_km=back_km)
    answers = one.bring(token, tablet)["answers"]
    assert [a["answer"] for a in answers] == ["accepted", "accepted"]
    found = sheet(one)
    assert found is not None
    assert (found.odometer_out_km, found.odometer_in_km) == (1000.0, None)
    with one.service.ledgers.reading(one.engine, REGION) as (_, ledger):
        (told,) = read_aboard(ledger, DAY, {NORTH: found})[NORTH]
    assert told.odometer_km == back_km


def test_a_reading_beyond_reason_is_refused(one: Library) -> None:
    """It is told with field and limit, and nothing of it is stored."""
    device, token = pair(one.engine, 1)
    tablet = TabletAt(device=device)
    tablet.write("odometer", MORNING, end="out", odometer_km=-3)
    tablet.write("odometer", MORNING, end="noon", odometer_km=5)
    answers = one.bring(token, tablet)["answers"]
    assert [a["code"] for a in answers] == ["journal.out_of_range", "journal.bad_value"]
    assert sheet(one) is None
