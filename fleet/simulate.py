"""A day driven in imagination: where a vehicle truly was, second by second, and what it truly did.

The driver is not the planner: legs take as long as traffic makes them, lights and level crossings
stop the bus, a breakdown may hold it for an hour, doors never open before the published time, and
a late crew takes part of the delay out of the stay. The same seed drives the same day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from math import exp
from zlib import crc32

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from data.model.geo import EARTH_RADIUS_M, distance_m
from fleet.corridor import Corridor
from fleet.planned import PlannedRun, PlannedStop

type Floats = NDArray[np.float64]
type Line = Sequence[tuple[float, float]]
type Places = Mapping[str, tuple[float, float]]
"""Lon and lat of depots and stops by id."""

_METRES_PER_DEGREE = EARTH_RADIUS_M * np.pi / 180
_ACCELERATION_MPS2 = 0.9
_BRAKING_MPS2 = 1.1
_LEAST_CRUISE_MPS, _MOST_CRUISE_MPS = 2.5, 27.0
_WAVE_M = 2400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveParams:
    """How days go. Spreads are of natural logarithms, ratios are chances."""

    overall: float = 0.05
    """Legs take ``exp(overall)`` times the planned drive in the middle."""
    leg_sd: float = 0.08
    """Of a leg, the same on every day."""
    day_sd: float = 0.07
    drive_sd: float = 0.10
    setup_ratio: float = 0.9
    turnaround_ratio: float = 1.1
    stay_sd: float = 0.3
    start_late_s: float = 150.0
    """Mean of how much later than planned the vehicle leaves its depot."""
    recovery_ratio: float = 0.25
    """Share of a late opening that the crew takes out of the stay."""
    lights_per_10km: float = 2.0
    light_most_s: float = 70.0
    crossing_ratio: float = 0.15
    """Of a leg with a level crossing that is closed."""
    crossing_s: tuple[float, float] = (45.0, 110.0)
    jam_ratio: float = 0.05
    breakdown_ratio: float = 0.02
    breakdown_s: tuple[float, float] = (1200.0, 4500.0)
    skip_ratio: float = 0.0
    leave_early_ratio: float = 0.0
    detour_ratio: float = 0.0
    """Of a leg on which the vehicle stands somewhere unplanned for a quarter of an hour."""
    swap_ratio: float = 0.0
    """Of a day on which two neighbouring stops change places."""
    parking_sd_m: float = 20.0

    def __post_init__(self) -> None:
        ratios = (
            self.recovery_ratio,
            self.crossing_ratio,
            self.jam_ratio,
            self.breakdown_ratio,
            self.skip_ratio,
            self.leave_early_ratio,
            self.detour_ratio,
            self.swap_ratio,
        )
        if not all(0 <= r <= 1 for r in ratios):
            raise ValueError("a chance is between 0 and 1")


class TruthKind(StrEnum):
    """What a standing of the simulated vehicle was."""

    STOP = "stop"
    DEPOT = "depot"
    UNPLANNED = "unplanned"
    BREAKDOWN = "breakdown"
    CROSSING = "crossing"
    LIGHT = "light"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueStand:
    """A standing of the vehicle: when it came to rest and when it began to move again."""

    kind: TruthKind
    place_id: str | None
    lon: float
    lat: float
    from_at: datetime | None
    until_at: datetime | None
    position: int | None = None
    """Of a planned stop: its position in the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueDay:
    """What truly happened: standings in order, and the trajectory at 1 Hz.

    Arrays have one element a second from ``began_at``.
    """

    run: PlannedRun
    began_at: datetime
    lon: Floats
    lat: Floats
    speed_mps: Floats
    course_deg: Floats
    stands: tuple[TrueStand, ...]
    driven_m: float

    @property
    def visits(self) -> tuple[TrueStand, ...]:
        """The standings at planned stops, in order of time."""
        return tuple(s for s in self.stands if s.kind is TruthKind.STOP)

    def at(self, second: int) -> datetime:
        return self.began_at + timedelta(seconds=second)


@dataclass(slots=True)
class _Halt:
    """A halt on a leg: after so many metres, for so many seconds."""

    along_m: float
    stand_s: float
    kind: TruthKind


@dataclass(slots=True)
class _Recorder:
    """The trajectory as it grows; times are seconds since the run's first moment."""

    lon: list[Floats] = field(default_factory=list)
    lat: list[Floats] = field(default_factory=list)
    speed_mps: list[Floats] = field(default_factory=list)
    course_deg: list[Floats] = field(default_factory=list)
    now_s: int = 0
    driven_m: float = 0.0

    def drive(self, line: Corridor, along_m: Floats, speed_mps: Floats) -> None:
        lon, lat = line.points_at(along_m)
        self._put(lon, lat, speed_mps, line.courses_at(along_m))
        self.driven_m += float(along_m[-1]) if len(along_m) else 0.0

    def stand(self, lon: float, lat: float, seconds: int) -> None:
        course = self.course_deg[-1][-1] if self.course_deg else 0.0
        ones = np.ones(max(0, seconds))
        self._put(ones * lon, ones * lat, ones * 0.0, ones * course)

    def _put(self, lon: Floats, lat: Floats, speed: Floats, course: Floats) -> None:
        if not len(lon):
            return
        self.lon.append(lon)
        self.lat.append(lat)
        self.speed_mps.append(speed)
        self.course_deg.append(course)
        self.now_s += len(lon)


def seed_of(seed: int, run: PlannedRun) -> Generator:
    """The random numbers of a vehicle's day: others' do not change them."""
    day = run.service_date.toordinal()
    return np.random.default_rng([seed, day, crc32(str(run.vehicle_id).encode())])


class Driver:
    """Drives a planned run once.

    Parameters
    ----------
    places
        Where depots and stops are.
    drive_s
        Planned seconds of driving between places by their ids.
    lines
        The run's legs as lines (depot to first stop … last stop to depot); ``None``: winding
        lines of the planned length are made up.
    drive_m
        Planned metres of each leg, for made-up lines.
    """

    def __init__(
        self,
        run: PlannedRun,
        places: Places,
        drive_s: Mapping[tuple[str, str], float],
        *,
        params: DriveParams,
        seed: int,
        lines: Sequence[Line] | None = None,
        drive_m: Mapping[tuple[str, str], float] | None = None,
    ) -> None:
        if run.start_depot_id is None or run.end_depot_id is None or run.depart_at is None:
            raise ValueError(f"run of {run.vehicle_id}: a simulated day has depots and a departure")
        self._run, self._places, self._drive_s = run, places, drive_s
        self._params, self._seed = params, seed
        self._rng = seed_of(seed, run)
        self._lines = lines if lines is not None and len(lines) == len(run.stops) + 1 else None
        self._drive_m = drive_m or {}
        self._day = exp(params.day_sd * self._rng.standard_normal())
        self._log = _Recorder()
        self._stands: list[TrueStand] = []
        self._began_at = run.depart_at - timedelta(minutes=10)

    def drive(self) -> TrueDay:
        """The whole day, depot to depot."""
        run, rng, params = self._run, self._rng, self._params
        assert run.depart_at is not None and run.start_depot_id and run.end_depot_id
        here = self._parking(run.start_depot_id)
        leave_s = self._second(run.depart_at) + rng.exponential(params.start_late_s)
        self._log.stand(*here, round(leave_s))
        self._note(TruthKind.DEPOT, run.start_depot_id, here, None, self._log.now_s)
        at_id = run.start_depot_id
        for stop in self._order():
            if rng.random() < params.skip_ratio:
                continue
            here = self._leg(at_id, stop.stop_id, here)
            self._stay(stop, here)
            at_id = stop.stop_id
        here = self._leg(at_id, run.end_depot_id, here)
        arrived_s = self._log.now_s
        self._log.stand(*here, 900)
        self._note(TruthKind.DEPOT, run.end_depot_id, here, arrived_s, None)
        return TrueDay(
            run=run,
            began_at=self._began_at,
            lon=np.concatenate(self._log.lon),
            lat=np.concatenate(self._log.lat),
            speed_mps=np.concatenate(self._log.speed_mps),
            course_deg=np.concatenate(self._log.course_deg),
            stands=tuple(self._stands),
            driven_m=self._log.driven_m,
        )

    def _second(self, at: datetime) -> float:
        return (at - self._began_at).total_seconds()

    def _order(self) -> list[PlannedStop]:
        stops = list(self._run.stops)
        if len(stops) > 1 and self._rng.random() < self._params.swap_ratio:
            k = int(self._rng.integers(len(stops) - 1))
            stops[k], stops[k + 1] = stops[k + 1], stops[k]
        return stops

    def _note(
        self,
        kind: TruthKind,
        place_id: str | None,
        here: tuple[float, float],
        from_s: float | None,
        until_s: float | None,
        position: int | None = None,
    ) -> None:
        self._stands.append(
            TrueStand(
                kind=kind,
                place_id=place_id,
                lon=here[0],
                lat=here[1],
                from_at=None if from_s is None else self._began_at + timedelta(seconds=from_s),
                until_at=None if until_s is None else self._began_at + timedelta(seconds=until_s),
                position=position,
            )
        )

    def _parking(self, place_id: str) -> tuple[float, float]:
        lon, lat = self._places[place_id]
        east_m, north_m = np.clip(self._rng.standard_normal(2), -2.5, 2.5)
        sd_m = self._params.parking_sd_m
        return (
            lon + east_m * sd_m / (_METRES_PER_DEGREE * np.cos(np.radians(lat))),
            lat + north_m * sd_m / _METRES_PER_DEGREE,
        )

    def _stay(self, stop: PlannedStop, here: tuple[float, float]) -> None:
        """Stand at a stop: set up, open, close, pack up; doors keep the published times."""
        rng, params = self._rng, self._params
        arrived_s = self._log.now_s
        setup_s = params.setup_ratio * max(60, stop.setup_s) * self._spread(params.stay_sd)
        opened_s = max(self._second(stop.start_at), arrived_s + setup_s)
        late_s = opened_s - self._second(stop.start_at)
        open_s = max(0.3 * stop.open_s, stop.open_s - params.recovery_ratio * late_s)
        if rng.random() < params.leave_early_ratio:
            open_s *= rng.uniform(0.4, 0.7)
        teardown_s = params.turnaround_ratio * max(60, stop.teardown_s)
        left_s = opened_s + open_s + stop.meal_s + teardown_s * self._spread(params.stay_sd)
        self._log.stand(*here, max(60, round(left_s - arrived_s)))
        self._note(TruthKind.STOP, stop.stop_id, here, arrived_s, self._log.now_s, stop.position)

    def _spread(self, sd: float) -> float:
        return exp(sd * float(self._rng.standard_normal()))

    def _leg(self, origin: str, target: str, here: tuple[float, float]) -> tuple[float, float]:
        """Drive from one place to another; where the vehicle comes to rest."""
        rng, params = self._rng, self._params
        there = self._parking(target)
        line = Corridor(self._line(origin, target, here, there))
        fixed = np.random.default_rng([self._seed, crc32(f"{origin} {target}".encode())])
        factor = exp(params.overall + params.leg_sd * float(fixed.standard_normal()))
        drive_s = self._drive_s[origin, target] * factor * self._day
        drive_s = max(20.0, drive_s * self._spread(params.drive_sd))
        halts = self._halts(line.length_m)
        if rng.random() < params.jam_ratio:
            drive_s *= rng.uniform(1.3, 1.8)
        lights_s = sum(h.stand_s for h in halts if h.kind is TruthKind.LIGHT)
        moving_s = max(0.4 * drive_s, drive_s - lights_s)
        cruise = float(np.clip(line.length_m / moving_s, _LEAST_CRUISE_MPS, _MOST_CRUISE_MPS))
        passed_m = 0.0
        for halt in [*halts, _Halt(line.length_m, 0.0, TruthKind.STOP)]:
            along, speed = _speed_profile(halt.along_m - passed_m, cruise, rng)
            driven = self._log.driven_m
            self._log.drive(line, passed_m + along, speed)
            self._log.driven_m = driven + halt.along_m - passed_m
            passed_m = halt.along_m
            if halt.stand_s:
                at = line.point_at(passed_m)
                came_s = self._log.now_s
                self._log.stand(*at, round(halt.stand_s))
                self._note(halt.kind, None, at, came_s, self._log.now_s)
        return there

    def _halts(self, length_m: float) -> list[_Halt]:
        rng, params = self._rng, self._params
        halts = [
            _Halt(float(a), float(rng.uniform(8, params.light_most_s)), TruthKind.LIGHT)
            for a in rng.uniform(0, length_m, rng.poisson(params.lights_per_10km * length_m / 1e4))
        ]
        for ratio, kind, span_s in (
            (params.crossing_ratio, TruthKind.CROSSING, params.crossing_s),
            (params.breakdown_ratio, TruthKind.BREAKDOWN, params.breakdown_s),
            (params.detour_ratio, TruthKind.UNPLANNED, (600.0, 1200.0)),
        ):
            if rng.random() < ratio:
                # A crossing may well be beside a stop; what is no stop is not.
                margin = 0.0 if kind is TruthKind.CROSSING else min(800.0, length_m / 3)
                where = float(rng.uniform(margin, length_m - margin))
                halts.append(_Halt(where, float(rng.uniform(*span_s)), kind))
        kept: list[_Halt] = []
        for halt in sorted(halts, key=lambda h: h.along_m):
            before_m = kept[-1].along_m if kept else 0.0
            if halt.along_m - before_m >= 60 and length_m - halt.along_m >= 60:
                kept.append(halt)
        return kept

    def _line(
        self, origin: str, target: str, here: tuple[float, float], there: tuple[float, float]
    ) -> Line:
        """The given line between the true parking places, or a winding one."""
        if self._lines is not None:
            ids = self._run.place_ids
            for k in range(len(ids) - 1):
                if (ids[k], ids[k + 1]) == (origin, target) and len(self._lines[k]) >= 2:
                    return [here, *list(self._lines[k])[1:-1], there]
        return winding_line(here, there, self._drive_m.get((origin, target), 0.0))


def winding_line(here: tuple[float, float], there: tuple[float, float], length_m: float) -> Line:
    """A line between two points that is about as long as the road between them."""
    straight_m = distance_m(*here, *there)
    if straight_m < 200 or length_m <= straight_m:
        return [here, there]
    waves = max(1, round(straight_m / _WAVE_M))
    steps = np.linspace(0, 1, 24 * waves + 1)
    # Along a sine of amplitude a and wave length w the way is longer by about (pi a / w) squared.
    excess = min(length_m / straight_m, 1.6) - 1
    amplitude_m = straight_m / waves / np.pi * np.sqrt(excess)
    off_m = amplitude_m * np.sin(2 * np.pi * waves * steps)
    scale_x = _METRES_PER_DEGREE * np.cos(np.radians((here[1] + there[1]) / 2))
    x_m = (there[0] - here[0]) * scale_x
    y_m = (there[1] - here[1]) * _METRES_PER_DEGREE
    along = np.hypot(x_m, y_m)
    lon = here[0] + (x_m * steps - off_m * y_m / along) / scale_x
    lat = here[1] + (y_m * steps + off_m * x_m / along) / _METRES_PER_DEGREE
    points = list(zip(lon.tolist(), lat.tolist(), strict=True))
    return [here, *points[1:-1], there]


def _speed_profile(length_m: float, cruise: float, rng: Generator) -> tuple[Floats, Floats]:
    """From rest to rest over a way: distances and speeds second by second, the last at rest."""
    along, speed, wave = 0.0, 0.0, 0.0
    way: list[float] = []
    speeds: list[float] = []
    gusts = rng.standard_normal(20_000)
    k = 0
    while length_m - along > 0.5:
        wave += -wave / 40 + 0.06 * float(gusts[k % len(gusts)])
        k += 1
        left = length_m - along
        braking = np.sqrt(2 * _BRAKING_MPS2 * left)
        target = min(cruise * max(0.5, 1.04 + wave), float(braking), max(left, 0.3))
        speed += min(_ACCELERATION_MPS2, max(-1.5 * _BRAKING_MPS2, target - speed))
        speed = max(speed, 0.3)
        along = min(along + speed, length_m)
        way.append(along)
        speeds.append(speed)
    if speeds:
        way[-1], speeds[-1] = length_m, 0.0
    return np.array(way), np.array(speeds)


def drive_plan(
    run: PlannedRun,
    places: Places,
    drive_s: Mapping[tuple[str, str], float],
    *,
    seed: int,
    params: DriveParams | None = None,
    lines: Sequence[Line] | None = None,
    drive_m: Mapping[tuple[str, str], float] | None = None,
) -> TrueDay:
    """Drive a planned run once (see ``Driver``)."""
    driver = Driver(
        run,
        places,
        drive_s,
        params=params or DriveParams(),
        seed=seed,
        lines=lines,
        drive_m=drive_m,
    )
    return driver.drive()
