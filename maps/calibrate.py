"""Fit the travel estimate to driven legs: detour and speed by distance.

The shape comes from medians of distance bands, made monotone, so that a few odd legs (one-way
streets, a stop snapped to the far side of a river) do not bend it. Medians lie below means here,
so one factor each for metres and seconds then makes the sums of all legs right: a run is a sum.
"""

import csv
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from data.model.errors import InputError
from data.model.region import EstimateParams
from maps.estimate import drive_seconds, road_metres

LEGS_COLUMN_MISSING = "roads.legs_column_missing"
LEGS_TOO_FEW = "roads.legs_too_few"
LEGS_MISSING = "roads.legs_missing"

KNOTS_M = (0.0, 250.0, 500.0, 1e3, 2e3, 4e3, 8e3, 16e3, 32e3, 64e3)
"""Steps of the fitted table: each twice as far as the one before."""
MIN_LEGS = 100
_COLUMNS = ("crow_km", "road_km", "drive_min")
_SHORT_M = 1_500.0
"""Legs up to here tell the fixed seconds of a leg: the intercept of seconds over metres."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Legs:
    """Driven legs: crow and road metres and seconds; ``num_dropped`` faulty rows are left out."""

    crow_m: NDArray[np.float64]
    road_m: NDArray[np.float64]
    drive_s: NDArray[np.float64]
    num_dropped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Residuals:
    """How far an estimate lies from driven legs; ratios of the driven value.

    ``*_sum_ratio`` is the estimated sum over the driven sum; ``*_median_error_ratio`` the median of
    the absolute error of a leg, as a share of the leg.
    """

    num_legs: int
    road_sum_ratio: float
    drive_sum_ratio: float
    road_median_error_ratio: float
    drive_median_error_ratio: float


def read_legs(legs_csv: Path) -> Legs:
    """Legs from a CSV with columns ``crow_km``, ``road_km`` and ``drive_min``.

    A leg whose road is shorter than the straight line, or that takes no time, is faulty.

    Raises
    ------
    InputError
        ``roads.legs_missing``, ``roads.legs_column_missing`` or ``roads.legs_too_few``.
    """
    try:
        with legs_csv.open(encoding="utf-8-sig", newline="") as source:
            reader = csv.DictReader(source)
            header = reader.fieldnames or []
            for column in _COLUMNS:
                if column not in header:
                    told = ", ".join(header)
                    raise InputError(
                        LEGS_COLUMN_MISSING, file=str(legs_csv), column=column, columns=told
                    )
            rows = [[_number(row[column]) for column in _COLUMNS] for row in reader]
    except OSError as error:
        raise InputError(LEGS_MISSING, file=str(legs_csv)) from error
    table = np.array(rows, np.float64).reshape(-1, 3)
    crow_km, road_km, drive_min = table.T
    sound = (crow_km > 0) & (road_km >= crow_km) & (drive_min > 0) & np.isfinite(table).all(axis=1)
    if int(sound.sum()) < MIN_LEGS:
        raise InputError(LEGS_TOO_FEW, file=str(legs_csv), count=int(sound.sum()), least=MIN_LEGS)
    return Legs(
        crow_m=crow_km[sound] * 1000,
        road_m=road_km[sound] * 1000,
        drive_s=drive_min[sound] * 60,
        num_dropped=int((~sound).sum()),
    )


def fit_legs(legs_csv: Path) -> EstimateParams:
    """The estimate that fits a file of driven legs; see ``read_legs`` for its columns."""
    legs = read_legs(legs_csv)
    fixed_s = _fixed_seconds(legs)
    detour = _band_medians(legs.crow_m, legs.road_m / legs.crow_m, rises=False)
    moving_s = np.maximum(legs.drive_s - fixed_s, 0.2 * legs.drive_s)
    speed = _band_medians(legs.road_m, legs.road_m / moving_s, rises=True)
    shape = EstimateParams(
        knots_m=KNOTS_M,
        detour_ratio=tuple(detour),
        speed_mps=tuple(speed),
        leg_fixed_s=fixed_s,
    )
    stretch = float(legs.road_m.sum() / road_metres(legs.crow_m, shape).sum())
    shape = replace(shape, detour_ratio=tuple(max(1.0, stretch * d) for d in detour))
    moving = drive_seconds(legs.road_m, shape).sum() - fixed_s * len(legs.road_m)
    slow = float((legs.drive_s.sum() - fixed_s * len(legs.road_m)) / moving)
    return replace(
        shape,
        detour_ratio=tuple(round(d, 3) for d in shape.detour_ratio),
        speed_mps=tuple(round(v / slow, 3) for v in speed),
        source=f"{len(legs.road_m)} legs, {legs_csv.name}",
    )


def residuals(legs: Legs, params: EstimateParams) -> Residuals:
    """How well an estimate tells the legs from their straight lines alone."""
    road_m = road_metres(legs.crow_m, params)
    drive_s = drive_seconds(road_m, params)
    return Residuals(
        num_legs=len(legs.crow_m),
        road_sum_ratio=float(road_m.sum() / legs.road_m.sum()),
        drive_sum_ratio=float(drive_s.sum() / legs.drive_s.sum()),
        road_median_error_ratio=float(np.median(np.abs(road_m / legs.road_m - 1))),
        drive_median_error_ratio=float(np.median(np.abs(drive_s / legs.drive_s - 1))),
    )


def _fixed_seconds(legs: Legs) -> float:
    """Seconds that even the shortest leg takes: turning out, turning in."""
    metres, seconds, _ = _bands(legs.road_m, legs.drive_s)
    short = metres <= _SHORT_M
    if short.sum() < 3:
        return 0.0
    return float(max(0.0, np.round(np.polyfit(metres[short], seconds[short], 1)[1])))


def _bands(
    distance_m: NDArray[np.float64], value: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Median distance, median value and number of legs of each band; bands grow by half."""
    band = np.floor(np.log(distance_m / 100.0) / math.log(1.5))
    groups = [band == b for b in np.unique(band)]
    groups = [g for g in groups if g.sum() >= 10]
    medians = [(np.median(distance_m[g]), np.median(value[g]), g.sum()) for g in groups]
    middle, median, count = np.array(medians, np.float64).T
    return middle, median, count


def _band_medians(
    distance_m: NDArray[np.float64], value: NDArray[np.float64], *, rises: bool
) -> list[float]:
    """Monotone band medians read off at the knots, over the logarithm of distance."""
    middle, median, count = _bands(distance_m, value)
    smooth = isotonic_regression(median, weights=count, increasing=rises).x
    knots = np.log(np.maximum(KNOTS_M, 100.0))
    return [float(v) for v in np.interp(knots, np.log(middle), smooth)]


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan
