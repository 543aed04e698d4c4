"""The board at one moment: what is told and what is warned of."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from data.model.telemetry import Fix, ObservedStop
from fleet.adherence import Adherence, AlertKind, adherence
from fleet.corridor import Corridor
from fleet.eta import Forecaster, Phase
from tests.fleet.captured import DEVICE
from tests.fleet.days import run_of
from tests.fleet.test_eta import TIMES
from tests.fleet.test_matching import MINUTE, held, home, start, stop

RUN = run_of(0)
LINES: list[Corridor | None] = [
    Corridor([here, there])
    for here, there in zip(
        [(21.81557, 54.63345), *((s.lon, s.lat) for s in RUN.stops)],
        [*((s.lon, s.lat) for s in RUN.stops), (21.81557, 54.63345)],
        strict=True,
    )
]


def fix(at: datetime, lon: float, lat: float, speed_mps: float = 10.0) -> Fix:
    return Fix(device_id=DEVICE, fix_at=at, lon=lon, lat=lat, speed_mps=speed_mps)


def board(now: datetime, *stops: ObservedStop, position: Fix | None = None) -> Adherence:
    return adherence(RUN, stops, position, now, Forecaster(RUN, TIMES, lines=LINES), lines=LINES)


def kinds(found: Adherence) -> set[AlertKind]:
    return {a.kind for a in found.alerts}


@pytest.mark.parametrize("minutes", range(-30, 65, 5))
def test_a_bus_that_came_early_and_waits_has_no_alert(minutes: int) -> None:
    """Inside its slot it is never late, never departed, never missed, at no minute of it."""
    first = RUN.stops[0]
    now = first.start_at + minutes * MINUTE
    here = fix(now, first.lon, first.lat, 0.0)
    found = board(
        now, start(-40), stop(first.stop_id, first.start_at - 35 * MINUTE, None), position=here
    )
    assert found.phase is Phase.AT_STOP
    assert found.alerts == ()
    assert found.delay_s < 60
    assert found.next_stop == RUN.stops[1]


def test_late_and_missed_are_told_with_their_stop() -> None:
    """An hour and a half behind: the next stop will be late, then its stay is over."""
    first, second = RUN.stops[0], RUN.stops[1]
    now = first.departure_at + 90 * MINUTE
    driving = fix(now, first.lon + 0.02, first.lat)
    found = board(now, start(90), held(0, late_min=90), position=driving)
    late = next(a for a in found.alerts if a.kind is AlertKind.LATE)
    assert (late.position, late.key) == (1, "late/1")
    assert late.amount == pytest.approx(found.delay_s)
    now = second.end_at + MINUTE
    found = board(now, start(90), held(0, late_min=90), position=replace(driving, fix_at=now))
    assert "missed/1" in {a.key for a in found.alerts}


def test_leaving_early_is_told() -> None:
    """Half an hour before the doors were to close the bus was gone."""
    now = RUN.stops[0].departure_at
    found = board(now, start(), held(0, short_min=40), position=fix(now, 21.7, 54.66))
    assert AlertKind.LEFT_EARLY in kinds(found)


def test_a_bus_that_does_not_start_and_says_nothing() -> None:
    """Neither before its time nor within ten minutes of it; then both are told."""
    assert RUN.depart_at is not None
    assert board(RUN.depart_at - MINUTE).alerts == ()
    assert board(RUN.depart_at + 9 * MINUTE).alerts == ()
    found = board(RUN.depart_at + 11 * MINUTE)
    assert kinds(found) >= {AlertKind.NOT_STARTED, AlertKind.SILENT}
    assert found.age_s is None


def test_silence_is_longer_while_parked() -> None:
    """A phone may be silent for an hour at a stop, but not for eleven minutes on the road."""
    first = RUN.stops[0]
    here = fix(first.start_at, first.lon, first.lat, 0.0)
    stay = stop(first.stop_id, first.arrival_at, None)
    quiet = board(first.start_at + 50 * MINUTE, start(), stay, position=here)
    assert AlertKind.SILENT not in kinds(quiet)
    assert quiet.age_s == 3000
    now = first.departure_at + 11 * MINUTE
    gone = board(now, start(), held(0), position=fix(now - 11 * MINUTE, first.lon, first.lat))
    assert AlertKind.SILENT in kinds(gone)
    over = board(now + timedelta(hours=9), start(), *(held(k) for k in range(5)), home())
    assert over.alerts == ()


def test_off_the_corridor_and_standing_about() -> None:
    """Three kilometres beside the planned line; twenty minutes on the verge."""
    first = RUN.stops[0]
    now = first.departure_at + 5 * MINUTE
    middle = LINES[1].point_at(3000) if LINES[1] else (0.0, 0.0)
    beside = fix(now, middle[0], middle[1] + 0.04)
    found = board(now, start(), held(0), position=beside)
    assert AlertKind.OFF_CORRIDOR in kinds(found)
    assert found.on_line is not None
    assert found.on_line.off_m > 1500
    verge = stop(None, now - 20 * MINUTE, None)
    on_road = fix(now, *middle, speed_mps=0.0)
    found = board(now, start(), held(0, late_min=-25), verge, position=on_road)
    assert kinds(found) == {AlertKind.STANDING, AlertKind.LEFT_EARLY}
    assert found.on_line is not None
    assert found.on_line.off_m < 5


def test_a_line_is_located_in_metres() -> None:
    """Along and off a line of two legs; where it comes back the distance so far decides."""
    there_and_back = Corridor([(20.5, 54.7), (20.6, 54.7), (20.5, 54.7)])
    half = there_and_back.length_m / 2
    assert half == pytest.approx(6424, abs=15)
    out = there_and_back.locate(20.55, 54.701, to_m=half)
    back = there_and_back.locate(20.55, 54.701, from_m=half)
    assert out.along_m == pytest.approx(half / 2, abs=5)
    assert back.along_m == pytest.approx(1.5 * half, abs=5)
    assert out.off_m == pytest.approx(111, abs=1)
    assert (out.lon, out.lat) == (pytest.approx(20.55), pytest.approx(54.7))  # type: ignore[comparison-overlap]
    with pytest.raises(ValueError, match="two points"):
        Corridor([(20.5, 54.7)])
