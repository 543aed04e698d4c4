"""What recorded days teach: factors on planned times with their spread, and rates of visits.

All times are kept as natural logarithms of observed over planned, so that a factor holds for
roads and stops that were never recorded, and lives on when the road data change.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One unit's deviation from its parent: mean and variance of the logarithm, days recorded."""

    mean: float
    variance: float
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


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedDemand:
    """Rates of visits: a log-linear mean, the spread of stops about it, and what stops showed.

    Notes
    -----
    ``coefficients`` and ``covariance`` are in the order of ``names``. Stops vary about the mean by
    a gamma factor of mean 1 and shape ``shape``; counts have ``dispersion`` times the variance of a
    Poisson count. ``seen[stop]`` is (visits counted, visits that the mean expected, stop visits).
    """

    names: tuple[str, ...]
    coefficients: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    shape: float
    dispersion: float
    seen: Mapping[str, tuple[float, float, int]] = field(default_factory=dict)


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
    first_date: date | None
    last_date: date | None
    num_days: int
    """Vehicle-days recorded."""
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedUse:
    """That a request's times were learned, from what, and what was kept against delays."""

    source: str
    """Name and digest of the file."""
    first_date: date | None
    last_date: date | None
    num_days: int
    num_legs: int
    keep_ratio: float
    """Share of days on which each arrival is to be in time."""
    leg_level: float
    """Quantile of each leg, with what is done at both its ends, at which its time is planned."""
