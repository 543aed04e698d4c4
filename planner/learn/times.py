"""Learned times laid on a request: medians and variances of every drive, setup and turnaround."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from data.model.fleet import Vehicle
from data.model.learned import Learned, LearnedRatio
from data.model.plan import PlanRequest
from data.model.travel import TravelMatrix
from planner.learn.mixed import Floats
from planner.learn.ratios import mixture, predict
from planner.learn.records import places_of, setup_base_s, teardown_base_s

type Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A time that varies log-normally: its median, and variances of its logarithm.

    ``own`` is what varies by itself from time to time (the uncertainty of the estimate counted
    with it), ``day`` what is common to all times of the kind on one vehicle's day. A median of zero
    is no time at all.
    """

    median_s: Floats
    own: Floats
    day: float

    def at(self, index: Indices) -> "Spread":
        return Spread(median_s=self.median_s[index], own=self.own[index], day=self.day)

    @property
    def mean_s(self) -> Floats:
        return np.asarray(self.median_s * np.exp((self.own + self.day) / 2))

    @property
    def variance_s2(self) -> Floats:
        total = self.own + self.day
        return np.asarray(self.median_s**2 * np.exp(total) * np.expm1(total))


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """What happens on the legs of one run, each from the end of the open time to the next opening.

    Leg ``k`` leads into stop ``k``: the turnaround before it, the drive, the setup after it.
    """

    turnaround: Spread
    drive: Spread
    setup: Spread

    @property
    def parts(self) -> tuple[Spread, Spread, Spread]:
        return self.turnaround, self.drive, self.setup

    @property
    def median_s(self) -> Floats:
        """What the legs take in the middle, without any buffer."""
        return np.sum([p.median_s for p in self.parts], axis=0)


def sum_quantile(parts: Sequence[Spread], level: float) -> Floats:
    """The quantile of a sum of independent log-normal times, seconds.

    The sum is taken as log-normal with the mean and variance of the sum: quantiles of parts do not
    add, variances do.

    References
    ----------
    Fenton 1960 (doi:10.1109/TCOM.1960.1097606).
    """
    mean = np.sum([p.mean_s for p in parts], axis=0)
    variance = np.sum([p.variance_s2 for p in parts], axis=0)
    safe = np.maximum(mean, 1e-9)
    log_variance = np.log1p(variance / safe**2)
    z = float(norm.ppf(level))
    return np.where(mean > 0, safe * np.exp(z * np.sqrt(log_variance) - log_variance / 2), 0.0)


class LearnedTimes:
    """The times of one request's places as recorded days say they are."""

    def __init__(self, request: PlanRequest, learned: Learned) -> None:
        self._learned = learned
        self._stops = {str(s.stop_id): s for s in request.stops}
        self._drives: dict[tuple[int, str], Spread] = {}
        self._stays: dict[tuple[tuple[str, ...], bool], Spread] = {}

    def links(self, vehicle: Vehicle, matrix: TravelMatrix, points: Sequence[str]) -> Links:
        """The legs of a run through points of a matrix in order."""
        path = np.array([matrix.index[p] for p in points], np.intp)
        here, there = path[:-1], path[1:]
        drive = self.drive(vehicle, matrix)
        return Links(
            turnaround=self.turnaround(matrix).at(here),
            drive=Spread(
                median_s=drive.median_s[here, there], own=drive.own[here, there], day=drive.day
            ),
            setup=self.setup(matrix).at(there),
        )

    def drive(self, vehicle: Vehicle, matrix: TravelMatrix) -> Spread:
        """Driving between all points of a matrix, shape (points, points)."""
        ratio = self._learned.drive
        known = vehicle.vehicle_id if vehicle.vehicle_id in ratio.effects.get("vehicle", {}) else ""
        key = id(matrix), str(known)
        if key not in self._drives:
            self._drives[key] = _drives(ratio, str(vehicle.vehicle_id), matrix)
        return self._drives[key]

    def setup(self, matrix: TravelMatrix) -> Spread:
        """Setup at all points of a matrix, shape (points,); zero at depots."""
        return self._at_stops(matrix, self._learned.setup, is_setup=True)

    def turnaround(self, matrix: TravelMatrix) -> Spread:
        """From the planned end of the open time to the departure, at all points of a matrix."""
        return self._at_stops(matrix, self._learned.turnaround, is_setup=False)

    def _at_stops(self, matrix: TravelMatrix, ratio: LearnedRatio, *, is_setup: bool) -> Spread:
        if (matrix.point_ids, is_setup) in self._stays:
            return self._stays[matrix.point_ids, is_setup]
        median_s, own = np.zeros(len(matrix.point_ids)), np.zeros(len(matrix.point_ids))
        for index, point in enumerate(matrix.point_ids):
            stop = self._stops.get(point)
            if stop is None:
                continue
            if not ratio.num_records:
                median_s[index] = stop.setup_s if is_setup else stop.teardown_s
                continue
            base_s = setup_base_s(stop) if is_setup else teardown_base_s(stop)
            found = predict(ratio, base_s, {"stop": point})
            median_s[index] = base_s * found.median
            own[index] = found.estimate_variance + found.residual_variance
        return Spread(median_s=median_s, own=own, day=ratio.day_sd**2 if ratio.num_records else 0.0)


def _drives(ratio: LearnedRatio, vehicle_id: str, matrix: TravelMatrix) -> Spread:
    base_s = np.asarray(matrix.travel_s if matrix.base_s is None else matrix.base_s, np.float64)
    base_s = np.maximum(base_s, 0.0)
    if not ratio.num_records:
        return Spread(median_s=base_s, own=np.zeros_like(base_s), day=0.0)
    vehicles, legs = ratio.effects.get("vehicle", {}), ratio.effects.get("leg", {})
    leg_sd, vehicle_sd = ratio.level_sd.get("leg", 0.0), ratio.level_sd.get("vehicle", 0.0)
    common, variance = ratio.overall, ratio.overall_variance
    if vehicle_id in vehicles:
        common += vehicles[vehicle_id].mean
        variance += vehicles[vehicle_id].variance + 2 * vehicles[vehicle_id].covariance
    else:
        variance += vehicle_sd**2
    mixed, spread = mixture(ratio.effects.get("hour", {}), ratio.level_sd.get("hour", 0.0))
    mean = np.full(base_s.shape, common + mixed)
    own = np.full(base_s.shape, variance + leg_sd**2)
    for unit, effect in legs.items():
        places = places_of(unit)
        if all(p in matrix.index for p in places):
            cell = matrix.index[places[0]], matrix.index[places[1]]
            mean[cell] += effect.mean
            own[cell] = variance + effect.variance + 2 * effect.covariance
    own = np.maximum(own, 0.0) + spread
    own += ratio.residual_sd**2 * (1 + ratio.short_s / np.maximum(base_s, 1.0))
    return Spread(median_s=base_s * np.exp(mean), own=own, day=ratio.day_sd**2)
