"""Every fix is judged in order of time, and a rejected one keeps its reason."""

from dataclasses import replace
from datetime import timedelta

import pytest

from data.feeds.nmea_file import read_nmea
from data.model.telemetry import Fix, Verdict
from fleet.filters import FilterParams, judge_all
from fleet.gpsd import GpsdReader
from tests.fleet.captured import CAPTURES, DEVICE, NOW, lines_of

HERE = Fix(device_id=DEVICE, fix_at=NOW, lon=20.5114, lat=54.7434, speed_mps=12.0)
"""Driving in Kaliningrad."""
METRE_LAT = 1 / 111_195


def later(seconds: float, *, north_m: float = 0.0, fix: Fix = HERE, **changes: object) -> Fix:
    """The fix so many seconds later, so far to the north."""
    return replace(
        fix,
        fix_at=fix.fix_at + timedelta(seconds=seconds),
        lat=fix.lat + north_m * METRE_LAT,
        **changes,  # type: ignore[arg-type]
    )


def verdicts(*fixes: Fix) -> list[Verdict]:
    return [j.verdict for j in judge_all(fixes)]


@pytest.mark.parametrize(
    ("fix", "verdict"),
    [
        (later(1, north_m=12), Verdict.ACCEPTED),
        (later(1, is_valid=False), Verdict.NO_FIX),
        (replace(later(1), lon=0.001, lat=-0.002), Verdict.ZERO_ISLAND),
        (later(1, received_at=NOW - timedelta(seconds=90)), Verdict.FUTURE),
        (later(1, received_at=NOW - timedelta(seconds=30)), Verdict.ACCEPTED),
        (later(1, received_at=NOW + timedelta(days=401)), Verdict.TOO_OLD),
        (later(1, received_at=NOW + timedelta(days=30)), Verdict.ACCEPTED),
        (later(1, accuracy_m=400.0), Verdict.INACCURATE),
        (later(1, hdop=25.0), Verdict.INACCURATE),
        (later(1, satellites=2), Verdict.INACCURATE),
        (later(0), Verdict.DUPLICATE),
        (later(10, north_m=2000), Verdict.IMPOSSIBLE_SPEED),
        (later(60, north_m=2000), Verdict.ACCEPTED),
    ],
)
def test_each_reason(fix: Fix, verdict: Verdict) -> None:
    """One fix after a good one, judged by each filter in turn."""
    assert verdicts(HERE, fix) == [Verdict.ACCEPTED, verdict]


def test_the_first_objection_counts() -> None:
    """No fix on the zero island with a wrong clock is above all no fix."""
    wrong = replace(HERE, lon=0.0, lat=0.0, is_valid=False, received_at=NOW - timedelta(days=1))
    assert verdicts(wrong) == [Verdict.NO_FIX]
    assert verdicts(replace(wrong, is_valid=True)) == [Verdict.ZERO_ISLAND]


def test_a_lone_jump_is_left_out() -> None:
    """What comes after an outlier is judged by what was before it."""
    track = [later(s, north_m=12 * s) for s in range(10)]
    track[5] = later(5, north_m=3000)
    found = verdicts(*track)
    assert found[5] is Verdict.IMPOSSIBLE_SPEED
    assert found[:5] + found[6:] == [Verdict.ACCEPTED] * 9


def test_a_wrong_start_is_overruled() -> None:
    """A first fix in another town does not reject the whole day: those that agree win."""
    start = later(-1, north_m=300_000)
    track = [later(s, north_m=12 * s) for s in range(40)]
    found = verdicts(start, *track)
    assert found[1:21] == [Verdict.IMPOSSIBLE_SPEED] * 20
    assert found[21:] == [Verdict.ACCEPTED] * 20


def test_noise_of_a_parked_receiver_adds_no_way() -> None:
    """It proves presence; the way counts again once the vehicle moves."""
    stop = later(0, speed_mps=0.0)
    parked = [later(s, north_m=(-1) ** s * 8, speed_mps=0.2) for s in range(1, 60)]
    away = [later(60 + s, north_m=12 * s) for s in range(1, 11)]
    judged = judge_all([stop, *parked, *away])
    assert [j.verdict for j in judged[1:60]] == [Verdict.PARKED] * 59
    assert [j.verdict for j in judged[60:]] == [Verdict.ACCEPTED] * 10
    unknown = [replace(f, speed_mps=None) for f in parked]
    assert {j.verdict for j in judge_all([stop, *unknown])[1:]} == {Verdict.PARKED}


def test_a_real_gpsd_with_an_old_receiver_is_in_the_future() -> None:
    """gpsd moved a receiver's date on by 1,024 weeks: every fix is rejected with that reason."""
    reader = GpsdReader(DEVICE)
    lines = lines_of("gpsd-3.22-neo-m8n.jsonl")
    fixes = [f for line in lines for f in reader.decode(line, received_at=NOW).fixes]
    assert {j.verdict for j in judge_all(fixes)} == {Verdict.FUTURE}


def test_a_boat_is_accepted_whole() -> None:
    """146 s of a real log at 10 km/h: nothing of it is rejected."""
    fixes, _ = read_nmea(CAPTURES / "nmea-bundg-zeus-extract.log", DEVICE)
    assert {j.verdict for j in judge_all(fixes)} == {Verdict.ACCEPTED}


def test_limits_are_checked() -> None:
    """Limits that make no sense are refused."""
    for wrong in ({"speed_mps": 0.0}, {"agreeing": 1}):
        with pytest.raises(ValueError, match=r"fixes|limits"):
            FilterParams(**wrong)


FIVE_MIN = 300


def parked_tracker(**outlier: object) -> list[Fix]:
    """Three quarters of an hour at a stop, a fix every five minutes, the fifth of them far off."""
    track = [later(FIVE_MIN * k, north_m=(-1) ** k * 6, speed_mps=0.0) for k in range(9)]
    track[4] = later(FIVE_MIN * 4, **{"north_m": 3000, "speed_mps": 0.0} | outlier)  # type: ignore[arg-type]
    return track


def test_a_single_jump_of_a_parked_tracker_is_a_spike() -> None:
    """Three kilometres off once, at rest, and back: it is left out with a reason."""
    for outlier in ({}, {"speed_mps": None}, {"north_m": 9000.0}):
        found = verdicts(*parked_tracker(**outlier))
        assert found[4] is Verdict.SPIKE
        assert set(found[1:4] + found[5:]) == {Verdict.PARKED}


def test_a_true_way_is_no_spike() -> None:
    """Driving when told, two fixes there, an odometer that grew, half an hour: it was there."""
    driving = parked_tracker(speed_mps=14.0)
    two = parked_tracker()
    two[5] = later(FIVE_MIN * 5, north_m=2990, speed_mps=0.0)
    counted = [
        replace(f, odometer_m=5000.0 + 3000 * min(k - 3, 2) * (k > 3))
        for k, f in enumerate(parked_tracker())
    ]
    seldom = [replace(f, fix_at=NOW + 4 * (f.fix_at - NOW)) for f in parked_tracker()]
    near = parked_tracker(north_m=120.0)
    for track in (driving, two, counted, seldom, near):
        assert verdicts(*track)[4] is Verdict.ACCEPTED


def test_a_spike_is_not_told_before_the_next_fix() -> None:
    """While nothing came after it, a vehicle may have driven there; nonsense is no word."""
    track = parked_tracker()
    assert verdicts(*track[:5])[4] is Verdict.ACCEPTED
    nonsense = replace(track[5], lon=0.0, lat=0.0)
    assert verdicts(*track[:5], nonsense)[4:] == [Verdict.ACCEPTED, Verdict.ZERO_ISLAND]
    late = replace(nonsense, fix_at=nonsense.fix_at - timedelta(seconds=60))
    assert verdicts(*track[:5], late, *track[5:])[4] is Verdict.SPIKE
