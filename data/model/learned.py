"""What recorded days teach: factors on planned times with their spread, and rates of visits.

All times are kept as natural logarithms of observed over planned, so that a factor holds for
roads and stops that were never recorded, and lives on when the road data change.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from math import isfinite


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One unit's deviation, in logarithms: mean, variance, covariance with the overall mean.

    ``num`` records stand behind it.
    """

    mean: float
    variance: float
    covariance: float
    num: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedRatio:
    """Observed over planned time, partially pooled from all to the unit.

    Notes
    -----
    ``log ratio = overall + sum of the unit's effects + day + residual``. ``effects[level][unit]``
    are the known ones; a unit that was never recorded has mean 0 and the variance
    ``level_sd[level] ** 2``. ``day_sd`` is shared by all that one vehicle does on one day. The
    residual of a time of ``t`` planned seconds has the variance
    ``residual_sd ** 2 * (1 + short_s / t)``: short times spread more.
    """

    overall: float
    overall_variance: float
    level_sd: Mapping[str, float]
    effects: Mapping[str, Mapping[str, Effect]]
    day_sd: float
    residual_sd: float
    short_s: float
    num_records: int
    num_set_aside: int
    late_share: float = 0.0
    """Share of records set aside because they took far too long."""
    slope: float = 0.0
    """Change of the logarithm for each unit of ``log(1 + visits)`` beyond ``slope_centre``."""
    slope_variance: float = 0.0
    slope_centre: float | None = None
    """``None`` where visits were not recorded."""

    def __post_init__(self) -> None:
        spreads = (self.day_sd, self.residual_sd, self.short_s, self.overall_variance)
        parts = (*spreads, *self.level_sd.values())
        if not all(isfinite(part) and part >= 0 for part in parts):
            raise ValueError("a spread of learned times is negative or no number")
        if not isfinite(self.overall) or not 0 <= self.late_share < 1:
            raise ValueError("a learned factor is no number, or all records came late")
        for effects in self.effects.values():
            for unit, effect in effects.items():
                values = (effect.mean, effect.variance, effect.covariance)
                if not all(isfinite(value) for value in values) or effect.variance < 0:
                    raise ValueError(f"{unit}: a learned effect is no number or varies below zero")


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedDemand:
    """Rates of visits: a log-linear mean, the spread of stops about it, and what stops showed.

    Notes
    -----
    ``coefficients`` and ``covariance`` are in the order of ``names``. Stops vary about the mean by
    a gamma factor of mean 1 and shape ``shape``; a count of mean ``m`` has the variance
    ``m + dispersion * m ** 2``. ``seen[stop]`` is (visits counted, visits that the mean expected,
    stop visits).
    """

    names: tuple[str, ...]
    coefficients: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    shape: float
    dispersion: float
    seen: Mapping[str, tuple[float, float, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        num = len(self.names)
        if len(self.coefficients) != num or [len(row) for row in self.covariance] != [num] * num:
            raise ValueError(f"{num} rates of visits need as many coefficients and variances")
        values = (*self.coefficients, *(cell for row in self.covariance for cell in row))
        if not all(isfinite(value) for value in values):
            raise ValueError("a rate of visits is no number")
        if not self.shape > 0 or not self.dispersion >= 0:
            raise ValueError("the spread of visits is not above zero")
        for stop, (count, expected, times) in self.seen.items():
            if count < 0 or not expected > 0 or times < 1:
                raise ValueError(f"{stop}: {count} visits at {times} openings cannot be")


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """Everything learned from a set of records."""

    drive: LearnedRatio
    setup: LearnedRatio
    turnaround: LearnedRatio
    """From when the doors should have closed (after their planned open time) to the departure."""
    opening: LearnedRatio
    """Doors open; shown to a person, never applied."""
    demand: LearnedDemand
    num_days: int
    """Vehicle-days recorded."""
    first_date: date | None = None
    last_date: date | None = None
    files: tuple[str, ...] = ()
    recovery_ratio: float | None = None
    """Share of a late opening that crews take out of the stay, for forecasts; ``None``: unknown."""
    span_factors: tuple[float, ...] | None = None
    """By how much spans of forecasts are to be wider than their model says, by horizon."""

    def __post_init__(self) -> None:
        if not all(isfinite(f) and f > 0 for f in self.span_factors or ()):
            raise ValueError("a factor of spans is not above zero")
        if self.recovery_ratio is not None and not 0 <= self.recovery_ratio <= 1:
            raise ValueError(f"crews take {self.recovery_ratio} of a delay back")


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedUse:
    """That a request's times were learned, from what, and what was kept against delays."""

    source: str
    """Name and digest of the file."""
    num_days: int
    num_legs: int
    keep_ratio: float
    """Share of days on which each arrival is to be in time."""
    leg_level: float
    """Quantile of each leg, with what is done at both its ends, at which its time is planned."""
    first_date: date | None = None
    last_date: date | None = None
