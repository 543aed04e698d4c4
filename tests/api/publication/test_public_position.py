"""Residents see a vehicle on the way of its run between public stops, and nowhere else."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from api.services.public_position import Way, WayLeg, snapped
from api.services.public_way import WIDTH, drawn
from data.model.fleet import VehicleId
from data.model.geo import distance_m
from data.model.live import Phase, VehicleNow
from data.model.place import StopId
from data.model.publication import PromisedVisit, VisitId
from data.model.telemetry import DeviceId, Fix

AT = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
DEPOT, FIRST, SECOND = (21.8119, 54.6244), (21.9000, 54.7000), (22.0000, 54.7000)
"""Chernyakhovsk and two villages of its district."""
KINK = (21.95, 54.75)


def visit(name: str, start_s: int) -> PromisedVisit:
    return PromisedVisit(
        visit_id=VisitId(name),
        region_id="r",
        timetable_id="t",
        stop_id=StopId(name),
        vehicle_id=VehicleId("bus"),
        service_date=date(2026, 12, 1),
        position=0,
        arrival_s=start_s - 600,
        start_s=start_s,
        end_s=start_s + 3600,
        departure_s=start_s + 4200,
        published_at=AT,
        changed_at=AT,
    )


ONE, TWO = visit("one", 36_000), visit("two", 43_200)
WAY = Way(
    visits=(ONE, TWO),
    places={ONE.visit_id: FIRST, TWO.visit_id: SECOND},
    legs=(
        WayLeg(ONE, (DEPOT, FIRST), follows_road=False),
        WayLeg(TWO, (FIRST, KINK, SECOND), follows_road=True),
    ),
)


def now(lon: float, lat: float, phase: Phase = Phase.DRIVING, **more: object) -> VehicleNow:
    fix = Fix(device_id=DeviceId("d"), fix_at=AT, lon=lon, lat=lat, speed_mps=12.0)
    return VehicleNow(
        region_id="r",
        vehicle_id=VehicleId("bus"),
        service_date=date(2026, 12, 1),
        fix=fix,
        phase=phase,
        at=AT,
        **{"next_visit_id": TWO.visit_id, **more},  # type: ignore[arg-type]
    )


def test_a_vehicle_that_drives_is_on_its_line() -> None:
    """Half a kilometre beside the road: the nearest point of the road is told, not the place."""
    raw = now(21.93, 54.725)
    found = snapped(raw, WAY)
    assert found is not None
    assert raw.fix is not None
    assert 50 < distance_m(found.lon, found.lat, raw.fix.lon, raw.fix.lat) < 1500
    assert (found.visit_id, found.is_there) == ("two", False)
    ahead_m = distance_m(found.lon, found.lat, *KINK) + distance_m(*KINK, *SECOND)
    assert found.left_m == pytest.approx(ahead_m, rel=0.01)


def test_a_vehicle_that_stands_is_at_the_stop() -> None:
    """Behind the school or in front of it: the stop's own place is told."""
    for phase in (Phase.STANDING, Phase.WAITING):
        found = snapped(now(21.9004, 54.7011, phase, here_visit_id=ONE.visit_id), WAY)
        assert found is not None
        assert (found.lon, found.lat, found.is_there) == (*FIRST, True)


@pytest.mark.parametrize(
    "hidden",
    [
        now(21.93, 54.80),
        now(21.93, 54.725, Phase.NOT_STARTED),
        now(21.93, 54.725, Phase.DONE),
        now(21.93, 54.725, Phase.OFF_DUTY),
        now(21.93, 54.725, next_visit_id=None),
        now(21.93, 54.725, next_visit_id=VisitId("private")),
        now(21.93, 54.725, Phase.STANDING, here_visit_id=VisitId("private")),
        now(21.93, 54.725, Phase.STANDING),
        replace(now(21.93, 54.725), fix=None),
        None,
    ],
)
def test_it_is_nowhere_else(hidden: VehicleNow | None) -> None:
    """Far off its way, off duty, on the way home, at or next to a stop that is not public."""
    assert snapped(hidden, WAY) is None


def test_the_drawing_holds_stops_and_vehicle() -> None:
    """Inside its frame, north up, the leg under way cut where the vehicle is."""
    at = snapped(now(21.93, 54.725), WAY)
    stops = {ONE.visit_id: ("passed", "Один"), TWO.visit_id: ("next", "Два")}
    found = drawn(WAY, at, stops)
    assert found is not None
    assert [d.name for d in found.dots] == ["Один", "Два"]
    assert found.vehicle is not None
    for x, y in [(d.x, d.y) for d in found.dots] + [found.vehicle]:
        assert 0 <= x <= WIDTH
        assert 0 <= y <= found.height
    assert found.dots[0].x < found.vehicle[0] < found.dots[1].x
    assert found.vehicle[1] < found.dots[0].y, "the way bends to the north"
    told = "{:g},{:g}".format(*found.vehicle)
    assert found.driven[-1].endswith(told)
    assert found.ahead[0].startswith(f"M{told}")
    assert not found.follows_roads
    alone = replace(WAY, visits=(ONE,), legs=())
    assert drawn(alone, None, stops) is None
