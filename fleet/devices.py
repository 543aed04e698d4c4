"""What a device would have told of a day: noise, gaps, tunnels, a wrong clock, late messages.

Profiles stand for a receiver wired in (1 Hz), phones with OwnTracks or Traccar Client, which fall
silent when parked, and a hardware tracker behind a Traccar server.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from zlib import crc32

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.signal import lfilter

from data.model.geo import EARTH_RADIUS_M
from data.model.telemetry import DeviceId, Fix
from fleet.simulate import TrueDay

type Floats = NDArray[np.float64]

_METRES_PER_DEGREE = EARTH_RADIUS_M * np.pi / 180
_AWAKE_S = 180
"""A phone stays awake so long after it came to rest, then speaks seldom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceParams:
    """How a device sees and sends. Ratios are chances of a fix; ``*_s`` are spans of seconds."""

    period_s: int = 1
    parked_period_s: int = 1
    wake_s: tuple[float, float] = (0.0, 0.0)
    """How long after setting off a device that was silent notices it."""
    noise_m: float = 2.5
    """Standard deviation of the slow wandering of positions, on each axis."""
    wander_s: float = 60.0
    jitter_m: float = 0.6
    speed_sd_mps: float = 0.15
    reports_speed: bool = True
    counts: bool = True
    """Whether fixes have sequences."""
    outlier_ratio: float = 0.0005
    outlier_m: tuple[float, float] = (300.0, 4000.0)
    zero_ratio: float = 0.0002
    gaps_per_day: float = 2.0
    """Spans without a fix: tunnels, a receiver that restarts."""
    gap_s: tuple[float, float] = (60.0, 420.0)
    after_gap_m: float = 15.0
    """Added noise after a gap, gone within half a minute."""
    clock_offset_s: float = 0.0
    """How far the device's clock is ahead; the time of a fix comes from the satellites."""
    clock_drift_ratio: float = 0.0
    is_fix_time_wrong: bool = False
    """Whether the wrong clock also stamps the fixes."""
    latency_s: tuple[float, float] = (0.3, 2.0)
    holes_per_day: float = 2.0
    """Spans without a network: fixes come later, all at once."""
    hole_s: tuple[float, float] = (300.0, 3600.0)
    duplicate_ratio: float = 0.002

    def __post_init__(self) -> None:
        if self.period_s < 1 or self.parked_period_s < self.period_s:
            raise ValueError(f"periods {self.period_s} s and {self.parked_period_s} s")


GPS_MOUSE = DeviceParams()
PHONE = DeviceParams(
    period_s=10,
    parked_period_s=900,
    wake_s=(10.0, 90.0),
    noise_m=5.0,
    wander_s=40.0,
    jitter_m=2.0,
    speed_sd_mps=0.4,
    counts=False,
    outlier_ratio=0.002,
)
SLOW_PHONE = replace(PHONE, period_s=30, reports_speed=False)
TRACKER = DeviceParams(
    period_s=15,
    parked_period_s=300,
    wake_s=(0.0, 10.0),
    noise_m=3.5,
    jitter_m=1.0,
    counts=False,
    outlier_ratio=0.001,
)
PROFILES = {
    "nmea": GPS_MOUSE,
    "gpx": replace(GPS_MOUSE, period_s=5, parked_period_s=5),
    "owntracks": PHONE,
    "osmand": PHONE,
    "traccar": TRACKER,
    "batch": replace(GPS_MOUSE, parked_period_s=15),
}
"""The device behind each format of ``bookmobile simulate``."""


def observe(
    day: TrueDay, device_id: DeviceId, params: DeviceParams, *, seed: int
) -> tuple[Fix, ...]:
    """What a device tells of a day, in order of arrival.

    Duplicates are among it; fixes of a hole in the network arrive after it.
    """
    date = day.run.service_date.toordinal()
    rng = np.random.default_rng([seed, date, crc32(str(device_id).encode()), 1])
    seconds = _seen_seconds(day, params, rng)
    lon, lat, accuracy_m = _positions(day, params, rng)
    received_s = _arrivals(seconds, params, rng)
    fixes = []
    for number, second in enumerate(seconds.tolist()):
        true_at = day.at(second)
        offset = timedelta(seconds=params.clock_offset_s + params.clock_drift_ratio * second)
        is_zero = rng.random() < params.zero_ratio
        speed = float(abs(day.speed_mps[second] + params.speed_sd_mps * rng.standard_normal()))
        fixes.append(
            Fix(
                device_id=device_id,
                sequence=number if params.counts else None,
                fix_at=true_at + offset if params.is_fix_time_wrong else true_at,
                device_at=true_at + offset,
                received_at=day.began_at + timedelta(seconds=round(float(received_s[number]), 3)),
                lon=0.0 if is_zero else round(float(lon[second]), 7),
                lat=0.0 if is_zero else round(float(lat[second]), 7),
                speed_mps=round(speed, 2) if params.reports_speed else None,
                course_deg=round(float(day.course_deg[second]), 1) % 360,
                accuracy_m=round(float(accuracy_m[second]), 1),
                satellites=int(rng.integers(6, 14)),
                hdop=round(float(rng.uniform(0.7, 1.6)), 1),
            )
        )
    return _delivered(fixes, params, rng)


def _seen_seconds(day: TrueDay, params: DeviceParams, rng: Generator) -> NDArray[np.intp]:
    """The seconds of which a fix is taken."""
    total = len(day.lon)
    is_dark = np.zeros(total, np.bool_)
    for _ in range(rng.poisson(params.gaps_per_day)):
        start, span = int(rng.integers(total)), int(rng.uniform(*params.gap_s))
        is_dark[start : start + span] = True
    if params.parked_period_s == params.period_s:
        taken = np.zeros(total, np.bool_)
        taken[:: params.period_s] = True
        return np.flatnonzero(taken & ~is_dark)
    seconds, still_s, last, awake_from = [], 0, -(10**9), 0.0
    is_moving = day.speed_mps > 0.5
    for second in range(total):
        if is_moving[second]:
            if still_s >= _AWAKE_S:
                awake_from = second + rng.uniform(*params.wake_s)
            still_s = 0
        else:
            still_s += 1
        is_awake = still_s < _AWAKE_S and second >= awake_from
        period = params.period_s if is_awake else params.parked_period_s
        if second - last >= period and not is_dark[second]:
            seconds.append(second)
            last = second
    return np.array(seconds, np.intp)


def _positions(day: TrueDay, params: DeviceParams, rng: Generator) -> tuple[Floats, Floats, Floats]:
    """Noisy positions of every second with the accuracy that the device claims."""
    total = len(day.lon)
    keep = float(np.exp(-1 / params.wander_s))
    drive = params.noise_m * np.sqrt(1 - keep**2)
    off_m = np.empty((2, total))
    for axis in range(2):
        start = np.array([keep * params.noise_m * rng.standard_normal()])
        wander, _ = lfilter([drive], [1, -keep], rng.standard_normal(total), zi=start)
        off_m[axis] = wander + params.jitter_m * rng.standard_normal(total)
    is_outlier = rng.random(total) < params.outlier_ratio
    away_m = rng.uniform(*params.outlier_m, total) * is_outlier
    turn = rng.uniform(0, 2 * np.pi, total)
    off_m += np.stack([away_m * np.cos(turn), away_m * np.sin(turn)])
    lat = day.lat + off_m[1] / _METRES_PER_DEGREE
    lon = day.lon + off_m[0] / (_METRES_PER_DEGREE * np.cos(np.radians(day.lat)))
    accuracy_m = np.maximum(1.5, 1.6 * params.noise_m * np.exp(0.2 * rng.standard_normal(total)))
    return lon, lat, accuracy_m


def _arrivals(seconds: NDArray[np.intp], params: DeviceParams, rng: Generator) -> Floats:
    """When each fix comes in: soon, or after the hole in the network that it fell into."""
    received = seconds + rng.uniform(*params.latency_s, len(seconds))
    last = int(seconds[-1]) if len(seconds) else 0
    for _ in range(rng.poisson(params.holes_per_day)):
        start = float(rng.uniform(0, max(1, last)))
        end = start + float(rng.uniform(*params.hole_s))
        inside = (seconds >= start) & (seconds < end)
        received[inside] = np.maximum(received[inside], end + rng.uniform(0, 5, inside.sum()))
    return np.asarray(received, np.float64)


def _delivered(fixes: list[Fix], params: DeviceParams, rng: Generator) -> tuple[Fix, ...]:
    again = [f for f in fixes if rng.random() < params.duplicate_ratio and f.received_at]
    twice = [
        replace(f, received_at=f.received_at + timedelta(seconds=float(rng.uniform(1, 60))))
        for f in again
        if f.received_at is not None
    ]
    return tuple(sorted([*fixes, *twice], key=lambda f: f.received_at or f.fix_at))
