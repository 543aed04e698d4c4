"""Recorded visits give the legs between them."""

from datetime import date

import pytest

from data.model.fleet import VehicleId
from data.model.observed import ObservedVisit, VisitStatus, observed_legs

DAY = date(2026, 11, 30)
KIBO = VehicleId("kibo-1")


def seen(place: str, *, arrived: int | None = None, left: int | None = None) -> ObservedVisit:
    return ObservedVisit(
        service_date=DAY, vehicle_id=KIBO, place_id=place, arrival_s=arrived, departure_s=left
    )


def test_legs_lead_from_departure_to_arrival_in_order_of_time() -> None:
    """The order of the rows does not matter; the depot begins and ends the day."""
    visits = (
        seen("kamenskoe", arrived=36_000, left=40_000),
        seen("depot", arrived=41_500),
        seen("depot", left=34_800),
    )
    legs = observed_legs(visits)
    assert [(leg.origin_id, leg.target_id, leg.drive_s) for leg in legs] == [
        ("depot", "kamenskoe", 1200),
        ("kamenskoe", "depot", 1500),
    ]


def test_a_cancelled_visit_was_not_driven_to_and_a_gap_is_no_leg() -> None:
    """The leg passes a cancelled place; one without its departure is not made up."""
    cancelled = ObservedVisit(
        service_date=DAY,
        vehicle_id=KIBO,
        place_id="zagorskoe",
        arrival_s=36_500,
        status=VisitStatus.CANCELLED,
    )
    visits = (
        seen("depot", left=34_800),
        cancelled,
        seen("kamenskoe", arrived=37_000),
        seen("kalinovka", arrived=42_000, left=45_000),
    )
    legs = observed_legs(visits)
    assert [(leg.origin_id, leg.target_id) for leg in legs] == [("depot", "kamenskoe")]


def test_times_that_go_backwards_are_refused() -> None:
    """No vehicle leaves before it came."""
    with pytest.raises(ValueError, match="backwards"):
        seen("kamenskoe", arrived=40_000, left=39_000)
