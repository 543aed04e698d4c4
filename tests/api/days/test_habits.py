"""How crews make up for delays, learned from followed days."""

from dataclasses import replace
from datetime import date

import pytest

from api.services.learned_times import _late_stays
from data.model.calendar import HOUR_S, MINUTE_S
from data.model.day_record import DayRecord, PlannedEnds, RecordedVisit
from data.model.fleet import VehicleId
from data.model.live import ActualSource, ActualState
from data.model.publication import VisitId
from fleet.habits import LEAST_VISITS, recovered
from tests.fleet.days import world

VISIT = RecordedVisit(
    key="v",
    state=ActualState.LATE,
    visit_id=VisitId("v"),
    stop_id="s4",
    planned_arrival_s=10 * HOUR_S - 10 * MINUTE_S,
    planned_open_s=10 * HOUR_S,
    planned_close_s=11 * HOUR_S,
    planned_departure_s=11 * HOUR_S + 5 * MINUTE_S,
    # Twenty minutes late, and gone when half of that was made good.
    arrival_s=10 * HOUR_S + 10 * MINUTE_S,
    departure_s=11 * HOUR_S + 15 * MINUTE_S,
    late_s=20 * MINUTE_S,
)


def days(*visits: RecordedVisit) -> list[DayRecord]:
    """A day of the vehicle with each visit."""
    return [
        DayRecord(
            region_id="kaliningrad",
            vehicle_id=VehicleId("kibo-1"),
            service_date=date(2026, 12, 1),
            planned=PlannedEnds(),
            visits=(visit,),
        )
        for visit in visits
    ]


def test_half_of_a_delay_made_good() -> None:
    """A stay of 65 instead of 75 minutes after twenty minutes of delay: half was taken back."""
    found = recovered(_late_stays(world(), days(*[VISIT] * LEAST_VISITS)))
    assert found == pytest.approx(0.5)


def test_what_was_not_seen_teaches_nothing() -> None:
    """Times in a gap, by hand or too few leave the habit unknown."""
    unseen = replace(VISIT, is_departure_seen=False)
    by_hand = replace(VISIT, source=ActualSource.HAND)
    few = [VISIT] * (LEAST_VISITS - 1)
    assert recovered(_late_stays(world(), days(*few, unseen, by_hand))) is None
