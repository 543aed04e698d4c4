"""Arrivals and departures come out the same however the fixes come in, and only where it stood."""

import random
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.model.fleet import VehicleId
from data.model.telemetry import Fix, ObservedStop, Verdict
from fleet.devices import GPS_MOUSE, TRACKER
from fleet.simulate import DriveParams, TruthKind
from fleet.tracking import Place, Tracker, TrackParams, follow
from tests.fleet.captured import DEVICE, NOW
from tests.fleet.days import drive, places, seen

STOP = Place(place_id="kalinovka", lon=21.77611, lat=54.80556)
METRE_LAT = 1 / 111_195


class Road:
    """A vehicle on a straight road to the north through the stop, written down every ``step`` s."""

    def __init__(self, *, from_m: float = -3000.0, step: int = 1) -> None:
        self.fixes: list[Fix] = []
        self._at_m, self._now_s, self._step = from_m, 0, step

    @property
    def now(self) -> datetime:
        return NOW + timedelta(seconds=self._now_s)

    def drive(self, metres: float, speed_mps: float) -> "Road":
        for _ in range(round(metres / speed_mps / self._step)):
            self._put(speed_mps)
            self._at_m += speed_mps * self._step
        return self

    def wait(self, seconds: int) -> "Road":
        for _ in range(seconds // self._step):
            self._put(0.0)
        return self

    def silence(self, seconds: int) -> "Road":
        self._now_s += seconds
        return self

    def _put(self, speed_mps: float) -> None:
        self.fixes.append(
            Fix(
                device_id=DEVICE,
                sequence=len(self.fixes),
                fix_at=self.now,
                lon=STOP.lon,
                lat=STOP.lat + self._at_m * METRE_LAT,
                speed_mps=speed_mps,
            )
        )
        self._now_s += self._step


def stops_of(road: Road) -> tuple[ObservedStop, ...]:
    return follow(road.fixes, [STOP]).stops


@pytest.mark.parametrize("step", [1, 5, 10, 30])
def test_a_pass_at_30_kmh_is_no_visit(step: int) -> None:
    """Driving through the middle of the stop never counts, however seldom it is seen."""
    assert stops_of(Road(step=step).drive(6000, 30 / 3.6)) == ()


@pytest.mark.parametrize("step", [1, 5, 10, 30, 60])
@pytest.mark.parametrize("at_m", [-150, 0, 120])
def test_a_level_crossing_of_60_s_is_no_visit(step: int, at_m: float) -> None:
    """Sixty seconds of standing inside the radius are no visit."""
    road = Road(step=step).drive(3000 + at_m, 10).wait(60).drive(3000, 10)
    assert stops_of(road) == ()


@pytest.mark.parametrize(("step", "within_s"), [(1, 2), (5, 6), (15, 15), (30, 30)])
def test_a_visit_is_timed_by_its_standing(step: int, within_s: float) -> None:
    """Arrival is when it came to stand, departure when it set off, not the edge of a circle."""
    road = Road(step=step).drive(3000, 10)
    came = road.now
    road.wait(1800)
    left = road.now
    road.drive(3000, 10)
    (stop,) = stops_of(road)
    assert stop.place_id == "kalinovka"
    assert stop.departed_at is not None
    assert abs((stop.arrived_at - came).total_seconds()) <= within_s
    assert abs((stop.departed_at - left).total_seconds()) <= within_s
    assert (stop.is_arrival_seen, stop.is_departure_seen) == (True, True)


def test_moving_up_is_no_departure() -> None:
    """A truck must pass: the bus moves up 150 m inside the exit radius and goes on."""
    road = Road().drive(3000, 10).wait(900).drive(150, 3).wait(900)
    left = road.now
    (stop,) = stops_of(road.drive(3000, 10))
    assert stop.departed_at is not None
    assert abs((stop.departed_at - left).total_seconds()) <= 2
    assert stop.dwell_s == pytest.approx(1850, abs=5)


def test_leaving_and_coming_back_are_two_visits() -> None:
    """Beyond the exit radius it has left; what comes after is a visit of its own."""
    road = Road().drive(3000, 10).wait(600).drive(500, 10).silence(600)
    road.fixes += [
        replace(f, fix_at=f.fix_at + timedelta(seconds=2000), sequence=5000 + i)
        for i, f in enumerate(Road().drive(3000, 10).wait(600).fixes)
    ]
    found = stops_of(road)
    assert [s.is_over for s in found] == [True, False]


def test_a_stay_goes_on_until_it_is_left() -> None:
    """It counts once it has lasted two minutes, and is told with its arrival while it goes on."""
    road = Road().drive(3000, 10)
    came = road.now
    road.wait(119)
    assert stops_of(road) == ()
    (stop,) = stops_of(road.wait(3))
    assert not stop.is_over
    assert abs((stop.arrived_at - came).total_seconds()) <= 2
    assert stop.last_seen_at == road.fixes[-1].fix_at


def test_a_phone_that_is_silent_when_parked() -> None:
    """Two fixes at rest, forty minutes of nothing, driving off: a visit of forty minutes.

    Speaking again at the spot tells the departure; speaking again 600 m on leaves it in doubt.
    """
    road = Road(step=5).drive(3000, 10).wait(10).silence(2400).drive(3000, 10)
    (stop,) = stops_of(road)
    assert stop.dwell_s == pytest.approx(2400, abs=60)
    assert stop.is_departure_seen
    assert stop.departure_doubt_s <= 15
    road = Road(step=5).drive(3000, 10).wait(10).silence(2340)
    road._at_m += 600
    road.silence(60)
    (stop,) = stops_of(road.drive(3000, 10))
    assert stop.dwell_s == pytest.approx(2340, abs=60)
    assert not stop.is_departure_seen


def test_a_receiver_that_died_while_parked() -> None:
    """Fixes of driving before and after a gap at the stop: it must have stood there."""
    road = Road().drive(2950, 10).silence(1800).drive(3000, 10)
    (stop,) = stops_of(road)
    assert (stop.place_id, stop.is_arrival_seen) == ("kalinovka", False)
    assert stop.dwell_s == pytest.approx(1800, abs=60)


def test_a_tunnel_beside_a_stop_is_no_visit() -> None:
    """Four minutes without a fix over a kilometre of road are a slow tunnel, not a stay."""
    assert stops_of(Road().drive(2800, 10).silence(240).drive(3000, 10)) == ()


def test_standing_elsewhere_is_told_after_five_minutes() -> None:
    """A breakdown on the road is a stop at no place; a jam of four minutes is none."""
    (stop,) = stops_of(Road().drive(1000, 10).wait(400).drive(4000, 10))
    assert stop.place_id is None
    assert stops_of(Road().drive(1000, 10).wait(240).drive(4000, 10)) == ()


def test_the_nearest_of_two_places_is_meant() -> None:
    """Two stops 150 m apart: the vehicle is at the one that it stands beside."""
    other = replace(STOP, place_id="school", lat=STOP.lat + 150 * METRE_LAT)
    road = Road().drive(3140, 10).wait(600)
    (stop,) = follow(road.fixes, [STOP, other]).stops
    assert stop.place_id == "school"


def test_an_outlier_does_not_end_a_stay() -> None:
    """A fix two kilometres off in the middle of a visit changes nothing and keeps its reason."""
    road = Road().drive(3000, 10).wait(1800).drive(3000, 10)
    plain = stops_of(road)
    wrong = replace(road.fixes[900], lat=STOP.lat + 0.02)
    road.fixes[900] = wrong
    tracker = follow(road.fixes, [STOP])
    assert tracker.stops == plain
    assert tracker.track(VehicleId("bus")).counts[Verdict.IMPOSSIBLE_SPEED] == 1


def _day() -> tuple[Fix, ...]:
    """A day of a tracker as it came in: about two hundred fixes, holes, duplicates, outliers."""
    day = drive(0, seed=3, params=DriveParams(breakdown_ratio=0.3))
    params = replace(TRACKER, period_s=60, outlier_ratio=0.02, zero_ratio=0.01)
    return seen(day, params, seed=3)


def test_a_thousand_orders_of_a_day_give_the_same_stops() -> None:
    """Shuffled, doubled, delayed, in batches of any size: the events of in-order replay."""
    day = _day()
    in_order = sorted(set(day), key=lambda f: f.fix_at)
    truth = follow(in_order, places())
    assert len(truth.stops) >= 7
    rng = random.Random(6)
    for _ in range(1000):
        come = [*day, *rng.sample(day, 20)]
        come = [
            replace(f, received_at=f.received_at + timedelta(seconds=rng.uniform(0, 4e4)))
            if f.received_at and rng.random() < 0.3
            else f
            for f in come
        ]
        rng.shuffle(come)
        tracker = Tracker(places())
        at = 0
        while at < len(come):
            size = rng.randint(20, 120)
            tracker.add(come[at : at + size])
            if rng.random() < 0.3:
                _ = tracker.stops  # What has been looked at is done again where it must be.
            at += size
        assert tracker.stops == truth.stops
        assert [j.verdict for j in tracker.judged] == [j.verdict for j in truth.judged]


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 400))
def test_what_is_known_halfway_is_in_order_too(rng: random.Random, num: int) -> None:
    """After any part of the fixes in any order the stops are those of that part in order."""
    some = list(_DAY)
    rng.shuffle(some)
    some = some[:num]
    tracker = Tracker(places())
    for fix in some:
        tracker.add([fix])
        if rng.random() < 0.05:
            _ = tracker.stops
    assert tracker.stops == follow(sorted(some, key=lambda f: f.fix_at), places()).stops


_DAY = _day()


def test_states_kept_on_the_way_change_nothing() -> None:
    """A dense day is done again from many points: half of it late, then a single fix."""
    day = seen(drive(1, seed=5), replace(GPS_MOUSE, period_s=3, parked_period_s=3), seed=5)
    truth = follow(day, places())
    tracker = Tracker(places())
    tracker.add(day[1::2])
    _ = tracker.stops
    tracker.add(day[2::2])
    added = tracker.add([day[0], day[0]])
    assert added.num_new + added.num_known == 2
    assert tracker.stops == truth.stops
    assert tracker.judged == truth.judged


def test_old_fixes_can_be_let_go() -> None:
    """Memory is bounded: the stops stay, and what comes for a time let go of is said to be late."""
    day = seen(drive(0, seed=4), replace(GPS_MOUSE, period_s=5, parked_period_s=5), seed=4)
    in_order = sorted(day, key=lambda f: f.fix_at)
    truth = follow(in_order, places())
    tracker = Tracker(places())
    held = 0
    for at in range(0, len(in_order), 500):
        tracker.add(in_order[at : at + 500])
        tracker.forget(in_order[min(at + 499, len(in_order) - 1)].fix_at - timedelta(hours=1))
        held = max(held, len(tracker.judged))
    assert tracker.stops == truth.stops
    assert held < len(in_order) / 2
    early = replace(in_order[10], sequence=10**6)
    assert tracker.add([early]).too_late == (early,)


def test_a_simulated_day_is_found_again() -> None:
    """Every stop of a noisy day of a tracker, none that was not, with true times."""
    day = drive(0, seed=8, params=DriveParams(crossing_ratio=1.0))
    found = follow(seen(day, TRACKER, seed=8), places()).stops
    at_stops = [s for s in found if s.place_id not in (None, "chernyakhovsk")]
    assert [s.place_id for s in at_stops] == [v.place_id for v in day.visits]
    for stop, truth in zip(at_stops, day.visits, strict=True):
        assert truth.from_at is not None
        assert abs((stop.arrived_at - truth.from_at).total_seconds()) < 20
    assert any(s.kind is TruthKind.CROSSING for s in day.stands)


def test_parameters_are_checked() -> None:
    """A place that is left before it is entered, a dwell of nothing."""
    with pytest.raises(ValueError, match="kalinovka"):
        replace(STOP, exit_m=100.0)
    with pytest.raises(ValueError, match="dwell"):
        TrackParams(dwell_s=0)


def test_spikes_in_any_order() -> None:
    """Jumps of a parked tracker are left out however its fixes come, cut up and let go of."""
    fixes: list[Fix] = []
    for k in range(60):
        spike_m = 2500 if k % 7 == 3 else 0
        fixes.append(
            Fix(
                device_id=DEVICE,
                fix_at=NOW + timedelta(seconds=300 * k),
                lon=STOP.lon,
                lat=STOP.lat + ((-1) ** k * 5 + spike_m) * METRE_LAT,
                speed_mps=0.0,
            )
        )
    in_order = follow(fixes, [STOP])
    wanted = [j.verdict for j in in_order.judged]
    assert wanted.count(Verdict.SPIKE) == 9 - (59 % 7 == 3)
    assert [s.place_id for s in in_order.stops] == ["kalinovka"]
    chance = random.Random(5)
    for _ in range(60):
        shuffled = fixes[:]
        chance.shuffle(shuffled)
        tracker = Tracker([STOP])
        at = 0
        while at < len(shuffled):
            step = chance.randint(1, 9)
            tracker.add(shuffled[at : at + step])
            _ = tracker.stops
            at += step
        assert [j.verdict for j in tracker.judged] == wanted
        assert tracker.stops == in_order.stops
    live = Tracker([STOP])
    told: list[Verdict] = []
    for fix in fixes:
        live.add([fix])
        before = live.judged
        told += [j.verdict for j in before[: live.forget(fix.fix_at)]]
    assert told + [j.verdict for j in live.judged] == wanted
