"""Forecasts: a bus that waits is in time, and never leaves before its time."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from data.model.telemetry import Fix
from fleet.corridor import Corridor
from fleet.devices import TRACKER
from fleet.eta import EtaParams, Forecast, Forecaster, Phase
from fleet.leg_times import PlannedTimes, planned_times
from fleet.matching import match
from fleet.simulate import DriveParams
from tests.fleet.captured import DEVICE
from tests.fleet.days import drive, places, run_of, seen, world
from tests.fleet.eta_trial import Trial, trials_of
from tests.fleet.test_matching import DEPOT, MINUTE, held, home, start, stop

RUN = run_of(0)
TIMES = planned_times(world(), str(RUN.vehicle_id), RUN.place_ids)


def drive_between(origin: str, target: str) -> timedelta:
    matrix = world().travel[RUN.vehicle_id]
    return timedelta(seconds=matrix.seconds(origin, target))


def fix_at(now: datetime, lon: float, lat: float, speed_mps: float = 12.0) -> Fix:
    return Fix(device_id=DEVICE, fix_at=now, lon=lon, lat=lat, speed_mps=speed_mps)


def forecast(now: datetime, *stops: object, position: Fix | None = None) -> Forecast:
    day = match(RUN, stops, now=now)  # type: ignore[arg-type]
    return Forecaster(RUN, TIMES).forecast(day, now, position)


@pytest.mark.parametrize("minutes", [-35, -5, 0, 20, 55, 64])
def test_waiting_inside_the_planned_stay_is_in_time(minutes: int) -> None:
    """Came forty minutes early: never late, never departed, and the next stop's time holds."""
    first, second = RUN.stops[0], RUN.stops[1]
    now = first.start_at + minutes * MINUTE
    waiting = stop(first.stop_id, first.arrival_at - 40 * MINUTE, None)
    found = forecast(now, start(-40), waiting)
    assert found.phase is Phase.AT_STOP
    assert found.here == first
    assert found.delay_s < 120
    assert found.departure_at is not None
    assert found.departure_at >= max(now, first.departure_at)
    eta = found.next
    assert eta is not None
    assert eta.planned == second
    least = first.departure_at + drive_between(first.stop_id, second.stop_id)
    assert eta.arrival_at >= least - timedelta(seconds=1)
    assert eta.arrival_low_at > first.departure_at
    assert eta.delay_s == 0


def test_no_stop_is_left_before_its_time() -> None:
    """Whatever the day has been, every later departure is planned or later, in every sample."""
    for late in (-40, 0, 30, 120):
        first = RUN.stops[0]
        now = first.departure_at + late * MINUTE + 3 * MINUTE
        found = forecast(now, start(late), held(0, late_min=late))
        before = now
        for eta in found.etas:
            assert eta.departure_at >= eta.planned.departure_at
            assert eta.opening_at >= eta.planned.start_at
            assert before <= eta.arrival_low_at <= eta.arrival_at <= eta.arrival_high_at
            before = eta.planned.departure_at


def test_a_delay_is_carried_on() -> None:
    """An hour late leaving the first stop: later stops are late, less so where there is slack."""
    first = RUN.stops[0]
    now = first.departure_at + 60 * MINUTE
    found = forecast(now, start(60), held(0, late_min=60))
    assert found.phase is Phase.DRIVING
    delays = [eta.delay_s for eta in found.etas]
    assert 45 * 60 < delays[0] < 65 * 60
    assert delays == sorted(delays, reverse=True)
    assert found.delay_s == delays[0]


def test_a_bus_that_has_not_left_gets_later_by_the_clock() -> None:
    """Still at the depot half an hour after it should have left: it leaves soon, not at once."""
    assert RUN.depart_at is not None
    before = forecast(RUN.depart_at - 10 * MINUTE)
    assert before.phase is Phase.NOT_STARTED
    assert before.next is not None
    assert abs((before.next.arrival_at - RUN.stops[0].arrival_at).total_seconds()) < 420
    after = forecast(RUN.depart_at + 30 * MINUTE)
    assert after.next is not None
    waited = after.next.arrival_at - (RUN.depart_at + drive_between(DEPOT, RUN.stops[0].stop_id))
    assert 1800 < waited.total_seconds() < 1800 + 180


def test_progress_on_the_leg_counts() -> None:
    """Half way along the leg half of its time is left; a fix of a minute ago has moved on."""
    first, second = RUN.stops[0], RUN.stops[1]
    # Left after the five minutes of slack: the first drive took what was planned.
    now = first.departure_at + 6 * MINUTE
    lon, lat = (first.lon + second.lon) / 2, (first.lat + second.lat) / 2
    whole = drive_between(first.stop_id, second.stop_id).total_seconds()
    found = forecast(now, start(5), held(0), position=fix_at(now, lon, lat))
    assert found.left_ratio == pytest.approx(0.5, abs=0.02)
    assert found.next is not None
    left = (found.next.arrival_at - now).total_seconds()
    assert left == pytest.approx(whole / 2, rel=0.1)
    old = forecast(now, start(5), held(0), position=fix_at(now - MINUTE, lon, lat))
    assert old.next is not None
    assert (old.next.arrival_at - now).total_seconds() == pytest.approx(left - 60, abs=10)
    standing = forecast(
        now, start(5), held(0), position=fix_at(now - MINUTE, lon, lat, speed_mps=0.0)
    )
    assert standing.next is not None
    assert (standing.next.arrival_at - now).total_seconds() == pytest.approx(left, abs=10)


def test_a_line_tells_the_way_better_than_the_crow() -> None:
    """On a road that goes round, the way along it is what is left."""
    first, second = RUN.stops[0], RUN.stops[1]
    around = [(first.lon, first.lat), (first.lon, second.lat + 0.1), (second.lon, second.lat)]
    line = Corridor(around)
    lines: list[Corridor | None] = [None] * 6
    lines[1] = line
    now = first.departure_at + 6 * MINUTE
    lon, lat = line.point_at(0.75 * line.length_m)
    day = match(RUN, [start(), held(0)], now=now)
    found = Forecaster(RUN, TIMES, lines=lines).forecast(day, now, fix_at(now, lon, lat))
    assert found.left_ratio == pytest.approx(0.25, abs=0.01)


def test_a_slow_day_slows_the_drives_to_come() -> None:
    """Three drives that took 15 % longer move the next one by part of that."""
    stops = [start()]
    origin = DEPOT
    for k in range(3):
        planned = RUN.stops[k]
        gone = RUN.depart_at if k == 0 else stops[-1].departed_at
        assert gone is not None
        arrived = gone + 1.15 * drive_between(origin, planned.stop_id)
        stops.append(
            stop(planned.stop_id, arrived, max(planned.departure_at, arrived + 70 * MINUTE))
        )
        origin = planned.stop_id
    now = stops[-1].departed_at
    assert now is not None
    found = forecast(now, *stops)
    assert found.next is not None
    taken = (found.next.arrival_at - now).total_seconds()
    plain = drive_between(RUN.stops[2].stop_id, RUN.stops[3].stop_id).total_seconds()
    assert 1.02 * plain < taken < 1.15 * plain


def test_a_day_that_is_over_has_no_forecast() -> None:
    """All stops held and back home."""
    stops = [start(), *(held(k) for k in range(5)), home()]
    assert RUN.return_at is not None
    found = forecast(RUN.return_at + 5 * MINUTE, *stops)
    assert (found.phase, found.etas, found.delay_s) == (Phase.DONE, (), 0.0)


def test_doubt_grows_with_the_way_ahead() -> None:
    """The 80 % of a later stop are wider, as long as no wait takes the doubt away."""
    now = RUN.stops[0].departure_at + 90 * MINUTE
    found = forecast(now, start(90), held(0, late_min=90))
    widths = [(e.arrival_high_at - e.arrival_low_at).total_seconds() for e in found.etas]
    assert widths == sorted(widths)
    assert widths[0] > 60


def test_better_than_planned_time_plus_delay() -> None:
    """On simulated days the forecast errs less than the plain one (figures: benchmarks)."""
    trials: list[Trial] = []
    for k in range(3):
        day = drive(k % 2, seed=40 + k, params=DriveParams(breakdown_ratio=0.05), day=k // 2)
        times = planned_times(world(), str(day.run.vehicle_id), day.run.place_ids)
        trials += trials_of(day, seen(day, TRACKER, seed=k), places(), times, every_s=900)
    ours = np.mean([t.error_s for t in trials])
    assert ours < 0.9 * np.mean([t.plain_s for t in trials])


def test_the_same_call_gives_the_same_forecast() -> None:
    """No random numbers of the day: a forecast can be done again."""
    now = RUN.stops[1].arrival_at
    assert forecast(now, start(9), held(0)) == forecast(now, start(9), held(0))


def test_a_leg_that_nobody_knows_is_guessed() -> None:
    """A place without road times takes the stated guess instead of failing."""
    times = PlannedTimes(drive_s={}, setup_s={}, turnaround_s={})
    now = RUN.stops[0].departure_at
    day = match(RUN, [start(), held(0)], now=now)
    found = Forecaster(RUN, times).forecast(day, now, None)
    assert found.next is not None
    assert (found.next.arrival_at - now).total_seconds() == pytest.approx(1200, rel=0.1)
    with pytest.raises(ValueError, match="recovery"):
        EtaParams(recovery_ratio=2)


def test_a_depot_of_a_published_day_may_be_unknown() -> None:
    """Only the visits were published: the first stop is forecast from the position alone."""
    bare = replace(
        RUN, start_depot_id=None, end_depot_id=None, depart_at=None, return_at=None, drive_m=None
    )
    now = RUN.stops[0].departure_at
    day = match(bare, [held(0)], now=now)
    found = Forecaster(bare, TIMES).forecast(day, now, None)
    assert found.next is not None
    assert found.return_at is None
