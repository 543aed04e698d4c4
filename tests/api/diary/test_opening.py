"""When the doors of a stop visit were open: taps, else what arrival and departure leave of it."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from api.services.visit_records_fold import Known, PlaceThen, record_of
from data.model.fleet import VehicleId
from data.model.live import ActualSource, ActualState, StopActual
from data.model.place import StopId
from data.model.publication import PromisedVisit, VisitId
from data.model.punctuality import late_min, stay_change_min
from data.model.stock import ItemPlace, PlaceKind
from data.model.visit_record import RecordState, VisitRecord
from fleet.crew_log import VisitLog

ON = date(2026, 11, 27)
OPENS = datetime(2026, 11, 27, 10, tzinfo=UTC)
CLOSES = OPENS + timedelta(hours=1)
VISIT = PromisedVisit(
    stop_id=StopId("a"), vehicle_id=VehicleId("v"), service_date=ON, position=0,
    arrival_s=35_400, start_s=36_000, end_s=39_600, departure_s=40_200, visit_id=VisitId("1"),
    region_id="k", timetable_id="t", published_at=OPENS, changed_at=OPENS,
)  # fmt: skip
"""Ten minutes of setting up before it opens, and of packing up after it closes."""


def minutes(at: datetime, number: float) -> datetime:
    return at + timedelta(minutes=number)


def kept(*, track: tuple[float, float] | None = None, late_s: int = 0, **taps: Any) -> VisitRecord:
    """The record of arrival and departure by the track, minutes from opening and closing."""
    actual = log = None
    if track is not None:
        actual = StopActual(
            key="1", region_id="k", vehicle_id=VISIT.vehicle_id, service_date=ON,
            visit_id=VISIT.visit_id, stop_id=VISIT.stop_id, lon=20.5, lat=54.7, position=0,
            state=ActualState.KEPT, source=ActualSource.MEASURED, late_s=late_s,
            actual_from_at=minutes(OPENS, track[0]), actual_until_at=minutes(CLOSES, track[1]),
        )  # fmt: skip
    if taps:
        place = ItemPlace(kind=PlaceKind.VEHICLE, key="v")
        log = VisitLog(visit_id="1", service_date=ON, place=place, **taps)
    known = Known(region_id="k", key="1", visit=VISIT, actual=actual, log=log)
    made = record_of(known, PlaceThen(name="A"), ZoneInfo("UTC"), now=minutes(CLOSES, 600))
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("told", "late", "change", "state"),
    [
        # A minute before the planned arrival, gone with the planned departure.
        ({"track": (-11, 10)}, 0, 0, RecordState.DONE),
        # On its way early and back late: the promise is kept, no more.
        ({"track": (-25, 40)}, 0, 0, RecordState.DONE),
        # Arrived at the opening: ten minutes of setting up are lost to readers.
        ({"track": (0, 10), "late_s": 600}, 10, -10, RecordState.DONE),
        # Twenty minutes late, but so much longer: the stay was as promised.
        ({"track": (10, 30), "late_s": 1200}, 20, 0, RecordState.PARTIAL),
        # Left half an hour before closing.
        ({"track": (-10, -30)}, 0, -30, RecordState.PARTIAL),
    ],
)
def test_a_track_tells_of_presence_and_the_promise_of_doors(
    told: Mapping[str, Any], late: float, change: float, state: RecordState
) -> None:
    """Who comes early opens on the minute; who comes late opens when set up."""
    record = kept(**told)
    assert late_min(record) == pytest.approx(late)
    assert stay_change_min(record) == pytest.approx(change)
    assert record.open_s == 3600 + change * 60
    assert record.state is state
    assert record.is_gps_confirmed


def test_taps_of_doors_go_before_all_else() -> None:
    """What the crew tapped of the doors stands, be it early or long."""
    record = kept(track=(-11, 40), opened_at=minutes(OPENS, -5), closed_at=minutes(CLOSES, 25))
    assert late_min(record) == -5
    assert stay_change_min(record) == 30


def test_a_tap_of_arrival_is_no_opening() -> None:
    """The crew tapped arrival and departure alone: the doors were open as promised."""
    record = kept(arrived_at=minutes(OPENS, -12), departed_at=minutes(CLOSES, 15))
    assert (record.opened_at, record.closed_at) == (OPENS, CLOSES)
    assert record.state is RecordState.DONE


def test_a_short_halt_is_not_turned_round() -> None:
    """Gone before everything was set up: no time with open doors, and none below zero."""
    record = kept(track=(55, 0), late_s=3900)
    assert record.opened_at == record.closed_at == CLOSES
    assert record.open_s == 0
