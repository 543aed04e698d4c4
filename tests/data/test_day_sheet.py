"""What is written down of a day: odometer against GPS, a sheet begun from the last one."""

from datetime import date
from typing import Any

import pytest

from data.model.day_sheet import DaySheet, OdometerVerdict, check_odometer, next_sheet
from data.model.errors import InputError
from data.model.fleet import VehicleId

DAY = date(2026, 12, 1)


def sheet(**more: Any) -> DaySheet:
    values: dict[str, Any] = {
        "region_id": "r",
        "vehicle_id": VehicleId("kibo-1"),
        "service_date": DAY,
    }
    return DaySheet(**values | more)


@pytest.mark.parametrize(
    ("out", "back", "track_m", "unseen_m", "verdict"),
    [
        (1000, 1100, 98_500, 0, OdometerVerdict.AGREES),
        (1000, 1100, 93_000, 0, OdometerVerdict.DIFFERS),
        (1000, 1100, 93_000, 4_000, OdometerVerdict.AGREES),
        (1000, 1010, 8_500, 0, OdometerVerdict.AGREES),
        (1000, 1010, 7_500, 0, OdometerVerdict.DIFFERS),
        (None, 1010, 7_500, 0, OdometerVerdict.NO_ODOMETER),
        (1000, 1010, None, 0, OdometerVerdict.NO_TRACK),
    ],
)
def test_an_odometer_is_held_against_the_track(
    out: float | None, back: float, track_m: float | None, unseen_m: float, verdict: OdometerVerdict
) -> None:
    """Within 5 % or 2 km, and what lies in gaps of the track, they agree."""
    found = check_odometer(
        sheet(odometer_out_km=out, odometer_in_km=back), track_m, unseen_m=unseen_m
    )
    assert found.verdict is verdict


def test_kilometres_between_two_days_are_seen() -> None:
    """The morning's odometer is 30 km beyond last evening's: somebody drove in between."""
    last = sheet(service_date=date(2026, 11, 30), odometer_in_km=970)
    found = check_odometer(sheet(odometer_out_km=1000), 0.0, last=last)
    assert (found.between_km, found.is_broken_off) == (30, True)
    joined = check_odometer(sheet(odometer_out_km=970), 0.0, last=last)
    assert not joined.is_broken_off


def test_a_sheet_begins_from_the_last() -> None:
    """Owner, driver and odometer are taken over, the number counts on, the rest is empty."""
    last = sheet(
        service_date=date(2026, 11, 30), number="0099", owner_name="Библиотека", driver="Иванов",
        odometer_out_km=900, odometer_in_km=970, fuel=20, note="дождь",
    )  # fmt: skip
    found = next_sheet(last, sheet())
    assert (found.number, found.owner_name, found.driver) == ("0100", "Библиотека", "Иванов")
    assert (found.odometer_out_km, found.odometer_in_km, found.fuel) == (970, None, None)
    assert (found.note, found.revision) == ("", 0)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"odometer_out_km": 100, "odometer_in_km": 99}, "waybill.odometer_back"),
        ({"odometer_out_km": 100, "odometer_in_km": 5000}, "waybill.odometer_far"),
        ({"odometer_out_km": -1}, "waybill.bad_amount"),
        ({"fuel": 1e9}, "waybill.bad_amount"),
        ({"out_s": 3600, "in_s": 60}, "waybill.back_before_out"),
        ({"technical_s": 200_000}, "waybill.bad_clock"),
        ({"driver": "x" * 201}, "waybill.too_long"),
        ({"owner_ogrn": "12"}, "waybill.bad_ogrn"),
        ({"valid_until": date(2026, 11, 1)}, "waybill.ended"),
    ],
)
def test_what_cannot_be_is_refused(values: dict[str, Any], code: str) -> None:
    """Each with its own code."""
    with pytest.raises(InputError) as refused:
        sheet(**values)
    assert refused.value.code == code
