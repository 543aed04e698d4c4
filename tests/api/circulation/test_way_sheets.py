"""Odometers that a crew writes down on its tablet, and what the day's sheet makes of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from api.services.way_sheets import read_aboard
from data.db import day_sheet_store
from data.db.engine import reading, writing
from data.model.day_sheet import DaySheet
from tests.api.circulation.library import MORNING, Library, TabletAt, library, pair
from tests.api.tracking.depot import NORTH, REGION
from tests.fleet.days import DAY

EVENING = MORNING + timedelta(hours=8)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """Shared: each test has a tablet and a date of its own."""
    with library(tmp_path_factory.mktemp("library")) as made:
        yield made


@dataclass(slots=True, kw_only=True)
class Aboard(TabletAt):
    """A tablet whose events are of a date of its own."""

    on: date = DAY

    def read(self, at: datetime, **body: Any) -> dict[str, Any]:
        event = self.write("odometer", at, **body)
        event["service_date"] = self.on.isoformat()
        return event


def sheet(one: Library, on: date = DAY) -> DaySheet | None:
    with reading(one.engine) as session:
        return day_sheet_store.get_sheet(session, REGION, NORTH, on)


def write(one: Library, on: date, **told: object) -> None:
    """What a person writes into the sheet."""
    with writing(one.engine) as session:
        made = DaySheet(region_id=REGION, vehicle_id=NORTH, service_date=on, **told)  # type: ignore[arg-type]
        day_sheet_store.put_sheet(session, made, expect_revision=None, by=None, at=MORNING)


def day_before(one: Library, on: date = DAY) -> None:
    write(
        one, on - timedelta(days=1), number="0041", driver="Рулев К.", odometer_out_km=900.0,
        odometer_in_km=1000.0,
    )  # fmt: skip


def test_readings_make_the_sheet_of_the_day(one: Library) -> None:
    """Both ends with their hours and the fuel; driver and number come from the last sheet."""
    day_before(one)
    device, token = pair(one.engine, 1)
    assert one.day(token)["way"]["last_km"] == 1000.0
    tablet = Aboard(device=device, off_s=-86_400)
    tablet.read(MORNING, end="out", odometer_km=1000.4)
    tablet.read(EVENING, end="in", odometer_km=1121.0, fuel=30.5)
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
    on = DAY + timedelta(days=2)
    day_before(one, on)
    device, token = pair(one.engine, 2)
    tablet = Aboard(device=device, on=on)
    slip = tablet.read(MORNING, end="out", odometer_km=1400.0)
    one.bring(token, tablet)
    tablet.write("void", MORNING, event_id=slip["event_id"])
    right = tablet.read(MORNING + timedelta(minutes=1), end="out", odometer_km=1004.0)
    one.bring(token, tablet)
    found = sheet(one, on)
    assert found is not None and found.odometer_out_km == 1004.0
    tablet.write("void", MORNING + timedelta(minutes=2), event_id=right["event_id"])
    one.bring(token, tablet)
    found = sheet(one, on)
    assert found is not None and found.odometer_out_km == 1000.0


def test_what_a_person_wrote_stays_and_the_reading_is_shown(one: Library) -> None:
    """A dispatcher's value is not written over; the day shows the tablet's beside it."""
    on = DAY + timedelta(days=4)
    write(one, on, odometer_out_km=1010.0)
    device, token = pair(one.engine, 3)
    tablet = Aboard(device=device, on=on)
    tablet.read(MORNING, end="out", odometer_km=1001.0)
    tablet.read(EVENING, end="in", odometer_km=1130.0)
    one.bring(token, tablet)
    found = sheet(one, on)
    assert found is not None
    assert (found.odometer_out_km, found.odometer_in_km) == (1010.0, 1130.0)
    with one.service.ledgers.reading(one.engine, REGION) as (_, ledger):
        (told,) = read_aboard(ledger, on, {NORTH: found})[NORTH]
    assert (told.odometer_km, told.sheet_km) == (1001.0, 1010.0)


@pytest.mark.parametrize(("number", "back_km"), [(6, 900.0), (8, 9000.0)])
def test_a_way_that_cannot_be_spoils_nothing(one: Library, number: int, back_km: float) -> None:
    """An odometer that goes back or too far is kept in the journal, and not put into the sheet."""
    on = DAY + timedelta(days=number)
    device, token = pair(one.engine, number)
    tablet = Aboard(device=device, on=on)
    tablet.read(MORNING, end="out", odometer_km=1000.0)
    tablet.read(EVENING, end="in", odometer_km=back_km)
    answers = one.bring(token, tablet)["answers"]
    assert [a["answer"] for a in answers] == ["accepted", "accepted"]
    found = sheet(one, on)
    assert found is not None
    assert (found.odometer_out_km, found.odometer_in_km) == (1000.0, None)
    with one.service.ledgers.reading(one.engine, REGION) as (_, ledger):
        (told,) = read_aboard(ledger, on, {NORTH: found})[NORTH]
    assert told.odometer_km == back_km


def test_a_reading_beyond_reason_is_refused(one: Library) -> None:
    """It is told with field and limit, and nothing of it is stored."""
    on = DAY + timedelta(days=10)
    device, token = pair(one.engine, 10)
    tablet = Aboard(device=device, on=on)
    tablet.read(MORNING, end="out", odometer_km=-3)
    tablet.read(MORNING, end="noon", odometer_km=5)
    answers = one.bring(token, tablet)["answers"]
    assert [a["code"] for a in answers] == ["journal.out_of_range", "journal.bad_value"]
    assert sheet(one, on) is None
