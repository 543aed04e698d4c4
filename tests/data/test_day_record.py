"""Records of driven days: what became of each visit, drives between them, what may be learned."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from data.model.calendar import HOUR_S, MINUTE_S
from data.model.day_record import DayRecord, PlannedEnds, day_record, observed_visits
from data.model.day_stats import legs_of, spread_of, stats_of, stops_of
from data.model.fleet import VehicleId
from data.model.live import ActualState, DayEnds, StopActual
from data.model.observed import VisitStatus, observed_legs
from data.model.place import StopId
from data.model.publication import VisitId

DAY = date(2026, 12, 1)
BUS = VehicleId("kibo-1")
MIDNIGHT = datetime(2026, 11, 30, 22, 0, tzinfo=UTC)
"""In Kaliningrad, two hours east of Greenwich."""


def at(hours: float) -> datetime:
    return MIDNIGHT + timedelta(hours=hours)


def actual(stop: str, hours: float, state: ActualState, **more: Any) -> StopActual:
    """A visit promised for an hour from ``hours`` on, the vehicle there five minutes around."""
    values: dict[str, Any] = {
        "key": f"v-{stop}",
        "region_id": "r",
        "vehicle_id": BUS,
        "service_date": DAY,
        "visit_id": VisitId(f"v-{stop}"),
        "stop_id": StopId(stop),
        "lon": 21.8,
        "lat": 54.6,
        "position": 0,
        "state": state,
        "planned_arrival_at": at(hours - 0.1),
        "planned_open_at": at(hours),
        "planned_close_at": at(hours + 1),
        "planned_departure_at": at(hours + 1.1),
        "actual_from_at": at(hours - 0.1),
        "actual_until_at": at(hours + 1.1),
    }
    return StopActual(**values | more)


def record(*actuals: StopActual, **more: Any) -> DayRecord:
    ends = DayEnds(
        region_id="r",
        vehicle_id=BUS,
        service_date=DAY,
        departed_at=at(8),
        returned_at=at(17),
        driven_m=80_000,
        num_fixes=900,
    )
    planned = PlannedEnds(
        start_depot_id="base", end_depot_id="base", depart_s=8 * HOUR_S, return_s=17 * HOUR_S,
        drive_m=75_000,
    )  # fmt: skip
    drive_s = {
        ("base", "a"): 45 * MINUTE_S,
        ("a", "b"): 40 * MINUTE_S,
        ("b", "base"): 30 * MINUTE_S,
    }
    given: dict[str, Any] = {"ends": ends, "planned": planned, "drive_s": drive_s}
    return day_record("r", BUS, DAY, "Europe/Kaliningrad", actuals=actuals, **given | more)


def test_drives_lie_between_visits_and_the_depot() -> None:
    """Base at 8, a from 8:54 to 10:06, b from 10:54 to 12:06, base at 17: three drives."""
    found = record(actual("a", 9, ActualState.KEPT), actual("b", 11, ActualState.KEPT))
    assert [(leg.origin_id, leg.target_id, leg.drive_s, leg.planned_s) for leg in found.legs] == [
        ("base", "a", 54 * MINUTE_S, 45 * MINUTE_S),
        ("a", "b", 48 * MINUTE_S, 40 * MINUTE_S),
        ("b", "base", 294 * MINUTE_S, 30 * MINUTE_S),
    ]


def test_a_stop_on_the_way_makes_the_drive_no_sample() -> None:
    """An unplanned stand between a and b: neither report nor planner takes it for a drive."""
    halt = actual(
        "x", 10.4, ActualState.UNPLANNED, visit_id=None, stop_id=None, key="u",
        planned_arrival_at=None, planned_open_at=None, planned_close_at=None,
        planned_departure_at=None, actual_from_at=at(10.3), actual_until_at=at(10.6),
    )  # fmt: skip
    found = record(actual("a", 9, ActualState.KEPT), halt, actual("b", 11, ActualState.KEPT))
    assert ("a", "b") not in {(leg.origin_id, leg.target_id) for leg in found.legs}
    legs = observed_legs(observed_visits(found))
    assert ("a", "b") not in {(leg.origin_id, leg.target_id) for leg in legs}
    assert stats_of([found]).num_unplanned == 1


@pytest.mark.parametrize("hidden", ["is_arrival_seen", "is_departure_seen"])
def test_nothing_is_learned_from_a_gap(hidden: str) -> None:
    """A moment that nobody saw ends no drive and begins none."""
    gap = actual("a", 9, ActualState.KEPT, **{hidden: False})
    found = record(gap, actual("b", 11, ActualState.KEPT))
    legs = {(leg.origin_id, leg.target_id) for leg in observed_legs(observed_visits(found))}
    lost = ("base", "a") if hidden == "is_arrival_seen" else ("a", "b")
    assert lost not in legs
    assert lost not in {(leg.origin_id, leg.target_id) for leg in found.legs}
    assert len(legs) == 2


def test_a_missed_visit_is_told_as_not_held() -> None:
    """It counts as planned, not as held; the planner learns of it as cancelled."""
    gone = actual("b", 11, ActualState.SKIPPED, actual_from_at=None, actual_until_at=None)
    found = record(actual("a", 9, ActualState.KEPT), gone)
    stats = stats_of([found])
    assert (stats.num_planned, stats.num_held, stats.kept_ratio) == (2, 1, 0.5)
    told = {v.place_id: v.status for v in observed_visits(found)}
    assert told["b"] is VisitStatus.CANCELLED


def test_figures_add_up_by_hand() -> None:
    """Two in time, one twenty minutes late, one to come: 3 of 3 held, 2 of 3 in time."""
    late = actual("c", 13, ActualState.LATE, actual_from_at=at(13 + 1 / 3), late_s=20 * MINUTE_S)
    found = record(
        actual("a", 9, ActualState.KEPT),
        actual("b", 11, ActualState.KEPT),
        late,
        actual("d", 15, ActualState.TO_COME, actual_from_at=None, actual_until_at=None),
    )
    stats = stats_of([found])
    assert (stats.num_planned, stats.num_held, stats.num_kept, stats.num_late) == (3, 3, 2, 1)
    assert stats.punctual_ratio == pytest.approx(2 / 3)
    assert stats.num_to_come == 1
    assert stats.late is not None
    assert stats.late.mean_s == pytest.approx(400)
    assert stats.dwell_s == 72 * 60 * 2 + 46 * 60
    assert stats.driven_m == 80_000
    (worst, *_) = stops_of([found])
    assert (worst.stop_id, worst.num_kept) == ("c", 0)


def test_the_spread_of_a_drive_needs_two_days() -> None:
    """Mean and standard deviation by hand: 40 and 50 minutes have sd 7.07."""
    assert spread_of([]) is None
    one = spread_of([2400.0], [2400.0])
    assert one is not None
    assert one.sd_s is None
    two = spread_of([2400.0, 3000.0], [2400.0, 2400.0])
    assert two is not None
    assert two.sd_s == pytest.approx(424.264, abs=0.01)
    assert two.change_s == 300
    days = [
        record(actual("a", 9, ActualState.KEPT), actual("b", h, ActualState.KEPT)) for h in (11, 12)
    ]
    leg = next(leg for leg in legs_of(days) if (leg.origin_id, leg.target_id) == ("a", "b"))
    assert (leg.drive.num, leg.drive.mean_s) == (2, 78 * MINUTE_S)


def test_without_a_track_nothing_is_claimed() -> None:
    """No ends, no visits: the day is not tracked, its ratios are unknown rather than zero."""
    found = record(ends=None)
    assert not found.is_tracked
    assert stats_of([found]).kept_ratio is None
