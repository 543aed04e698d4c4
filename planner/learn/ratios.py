"""Observed over planned times: partial pooling from all records to the single leg or stop.

Records far from what the model expects (a breakdown, a coffee stop, a wrong clock) are set aside
and listed, never dropped unseen; see ``fit_ratio`` for the rule.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from data.model.learned import Effect, LearnedRatio
from planner.learn.mixed import Design, Factor, Floats, Ints, MixedFit, fit_mixed

MOST_RATIO = 5.0
"""An observed time beyond so many times the planned one, or its inverse, is no such time."""
ODD_RECORD = 4.0
"""Robust standard deviations from the expected beyond which a record is set aside."""
ODD_DAY = 5.0
"""The same for the mean of all records of one vehicle on one day."""
_LEAST_SCALE = 0.02
_LEAST_DAY_SCALE = 0.05
_LEAST_DAYS = 8
"""Days below which no day is called odd."""
_MAD_TO_SD = 1.4826
_MOST_ROUNDS = 6
_SLOPE_SD = 0.3

IMPOSSIBLE = "learn.aside.impossible"
LATE = "learn.aside.late"
EARLY = "learn.aside.early"
WHOLE_DAY = "learn.aside.day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Records of one kind of time.

    ``observed_s`` and ``planned_s`` have shape (n,); ``units[level][i]`` is the unit of record
    ``i`` at a level of pooling; ``days[i]`` names the vehicle-day. ``visits`` counts the persons'
    visits of each record where that may explain it, ``nan`` where it was not counted.
    """

    observed_s: Floats
    planned_s: Floats
    units: Mapping[str, Sequence[str]]
    days: Sequence[str]
    visits: Floats | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioPrior:
    """What is thought likely before any record: standard deviations of logarithms.

    ``overall_sd`` is about factor 1. The units of levels in ``closed`` are all there are (hours of
    the day, vehicles of the fleet), those of others a sample (legs, stops). ``short_s`` are planned
    seconds at which the variance of a record is twice that of a long one.
    """

    overall_sd: float
    level_sd: Mapping[str, float]
    day_sd: float
    residual_sd: float
    short_s: float
    closed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """A record that was not learned from: its index, why, and how odd it was."""

    index: int
    reason: str
    score: float
    """Robust standard deviations from what was expected; the ratio itself if impossible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioFit:
    """What a sample teaches and what of it was set aside."""

    learned: LearnedRatio
    set_aside: tuple[SetAside, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """The factor of one leg or stop: its logarithm, how surely it is known, how it varies.

    The three variances add up for the time of a new day.
    """

    mean: float
    estimate_variance: float
    day_variance: float
    residual_variance: float

    @property
    def median(self) -> float:
        return float(np.exp(self.mean))

    def interval(self, coverage: float = 0.8) -> tuple[float, float]:
        """Bounds that hold the true typical factor with a probability."""
        half = float(norm.ppf((1 + coverage) / 2)) * self.estimate_variance**0.5
        return float(np.exp(self.mean - half)), float(np.exp(self.mean + half))

    def quantile(self, level: float) -> float:
        """The factor that a new day does not exceed with probability ``level``."""
        sd = (self.estimate_variance + self.day_variance + self.residual_variance) ** 0.5
        return float(np.exp(self.mean + float(norm.ppf(level)) * sd))


def fit_ratio(sample: Sample, prior: RatioPrior) -> RatioFit:
    """Learn the ratios of a sample.

    Notes
    -----
    Set aside are: records of a ratio beyond ``MOST_RATIO`` or with no time at all; then, fitting
    again until the set stays the same, records more than ``ODD_RECORD`` robust standard deviations
    (1.4826 MAD) from what the model expects of them; then vehicle-days whose mean is more than
    ``ODD_DAY`` such deviations of all days from it, where at least eight days are recorded.
    """
    possible = (sample.observed_s > 0) & (sample.planned_s > 0)
    ratio = np.where(possible, sample.observed_s, 1) / np.where(possible, sample.planned_s, 1)
    possible &= (ratio <= MOST_RATIO) & (ratio >= 1 / MOST_RATIO)
    raw = np.where(sample.planned_s > 0, sample.observed_s / np.maximum(sample.planned_s, 1), 0)
    y = np.log(ratio)
    grouping = _Grouping(sample)
    odd = np.zeros(len(y), np.bool_)
    if possible.any():
        start = y - np.median(y[possible])
        odd = possible & (np.abs(start) > ODD_RECORD * _scale(start[possible], 0.1))
    seen = set()
    for _ in range(_MOST_ROUNDS):
        fit, expected, score = grouping.fitted(y, possible & ~odd, prior)
        found = possible & (np.abs(score) > ODD_RECORD)
        if (found == odd).all() or found.tobytes() in seen:
            break
        seen.add(found.tobytes())
        odd = found
    day_score = _day_scores(y - expected + grouping.day_part(fit), possible & ~odd, grouping.day)
    bad_day = possible & ~odd & (np.abs(day_score) > ODD_DAY)
    fit, _, _ = grouping.fitted(y, possible & ~odd & ~bad_day, prior)
    aside = [
        *(
            SetAside(index=int(i), reason=IMPOSSIBLE, score=float(raw[i]))
            for i in _where(~possible)
        ),
        *(
            SetAside(index=int(i), reason=LATE if score[i] > 0 else EARLY, score=float(score[i]))
            for i in _where(odd)
        ),
        *(
            SetAside(index=int(i), reason=WHOLE_DAY, score=float(day_score[i]))
            for i in _where(bad_day)
        ),
    ]
    late = int((odd & (score > 0)).sum() + (bad_day & (day_score > 0)).sum())
    late += int((~possible & (raw > MOST_RATIO)).sum())
    kept = possible & ~odd & ~bad_day
    learned = grouping.learned(fit, kept, num_set_aside=len(aside), late=late)
    return RatioFit(learned=learned, set_aside=tuple(sorted(aside, key=lambda a: a.index)))


def predict(
    learned: LearnedRatio,
    planned_s: float,
    units: Mapping[str, str],
    *,
    visits: float | None = None,
) -> Prediction:
    """The factor of a unit; levels that ``units`` does not name are taken over their mixture."""
    mean, variance, unnamed = learned.overall, learned.overall_variance, 0.0
    for level, sd in learned.level_sd.items():
        effects = learned.effects.get(level, {})
        if level not in units:
            mixed, spread = mixture(effects, sd)
            mean += mixed
            unnamed += spread
            continue
        effect = effects.get(units[level])
        if effect is None:
            variance += sd**2
        else:
            mean += effect.mean
            variance += effect.variance + 2 * effect.covariance
    if visits is not None and learned.slope_centre is not None:
        beyond = float(np.log1p(visits)) - learned.slope_centre
        mean += learned.slope * beyond
        variance += learned.slope_variance * beyond**2
    return Prediction(
        mean=mean,
        estimate_variance=max(variance, 0.0),
        day_variance=learned.day_sd**2,
        residual_variance=unnamed
        + learned.residual_sd**2 * (1 + learned.short_s / max(planned_s, 1.0)),
    )


def mixture(effects: Mapping[str, Effect], sd: float) -> tuple[float, float]:
    """Mean and variance of an effect drawn as the records had them; ``sd`` where there are none."""
    total = sum(e.num for e in effects.values())
    if not total:
        return 0.0, sd**2
    mean = sum(e.num * e.mean for e in effects.values()) / total
    spread = sum(e.num * (e.mean - mean) ** 2 for e in effects.values()) / total
    return mean, spread


class _Grouping:
    """The units of a sample as numbers."""

    def __init__(self, sample: Sample) -> None:
        self._sample = sample
        self._names = {level: sorted(set(units)) for level, units in sample.units.items()}
        self._groups = {
            level: _numbers(units, self._names[level]) for level, units in sample.units.items()
        }
        self._days = sorted(set(sample.days))
        self.day = _numbers(sample.days, self._days)
        self._centre: float | None = None
        columns = [np.ones(len(sample.days))]
        if sample.visits is not None and np.isfinite(sample.visits).any():
            told = np.log1p(np.where(np.isfinite(sample.visits), sample.visits, 0))
            self._centre = float(told[np.isfinite(sample.visits)].mean())
            columns.append(np.where(np.isfinite(sample.visits), told - self._centre, 0.0))
        self._x = np.stack(columns, axis=1)

    def fitted(
        self, y: Floats, use: np.typing.NDArray[np.bool_], prior: RatioPrior
    ) -> tuple[MixedFit, Floats, Floats]:
        """The fit to the records in use; for all, what it expects and how odd they are."""
        p = self._x.shape[1]
        levels = [
            Factor(
                group=self._groups[level][use],
                num_groups=len(self._names[level]),
                prior_sd=prior.level_sd[level],
                is_centred=level in prior.closed,
            )
            for level in self._names
        ]
        days = Factor(group=self.day[use], num_groups=len(self._days), prior_sd=prior.day_sd)
        size = np.maximum(self._sample.planned_s, 1.0)
        fit = fit_mixed(
            Design(
                y=y[use],
                x=self._x[use],
                beta_mean=np.zeros(p),
                beta_sd=np.array([prior.overall_sd, _SLOPE_SD][:p]),
                factors=(*levels, days),
                size=size[use],
                prior_residual_sd=prior.residual_sd,
                prior_short=prior.short_s,
            )
        )
        expected = self._x @ fit.beta + self.day_part(fit)
        for number, level in enumerate(self._names):
            expected = expected + fit.effect_mean[number][self._groups[level]]
        unit = (y - expected) / np.sqrt(1 + fit.short / size)
        scale = _scale(unit[use], _LEAST_SCALE) if use.any() else prior.residual_sd
        return fit, expected, unit / max(scale, 0.5 * fit.residual_sd)

    def day_part(self, fit: MixedFit) -> Floats:
        return fit.effect_mean[-1][self.day]

    def learned(
        self, fit: MixedFit, kept: np.typing.NDArray[np.bool_], *, num_set_aside: int, late: int
    ) -> LearnedRatio:
        effects = {}
        for number, (level, names) in enumerate(self._names.items()):
            count = np.bincount(self._groups[level][kept], minlength=len(names))
            effects[level] = {
                name: Effect(
                    mean=float(fit.effect_mean[number][k]),
                    variance=float(fit.effect_variance[number][k]),
                    covariance=float(fit.effect_covariance[number][k]),
                    num=int(count[k]),
                )
                for k, name in enumerate(names)
                if count[k]
            }
        total = int(kept.sum())
        has_slope = self._centre is not None
        return LearnedRatio(
            overall=float(fit.beta[0]),
            overall_variance=float(fit.beta_covariance[0, 0]),
            level_sd=dict(zip(self._names, fit.factor_sd, strict=False)),
            effects=effects,
            day_sd=fit.factor_sd[-1],
            residual_sd=fit.residual_sd,
            short_s=fit.short,
            num_records=total,
            num_set_aside=num_set_aside,
            late_share=late / (total + late) if late else 0.0,
            slope=float(fit.beta[1]) if has_slope else 0.0,
            slope_variance=float(fit.beta_covariance[1, 1]) if has_slope else 0.0,
            slope_centre=self._centre,
        )


def _numbers(names: Sequence[str], known: Sequence[str]) -> Ints:
    number = {name: k for k, name in enumerate(known)}
    return np.array([number[name] for name in names], np.intp)


def _scale(values: Floats, least: float) -> float:
    return max(least, _MAD_TO_SD * float(np.median(np.abs(values - np.median(values)))))


def _day_scores(residual: Floats, use: np.typing.NDArray[np.bool_], day: Ints) -> Floats:
    """For each record how far its day's mean lies from the median day, in robust deviations."""
    by_day: dict[int, list[float]] = defaultdict(list)
    for at in _where(use):
        by_day[int(day[at])].append(float(residual[at]))
    if len(by_day) < _LEAST_DAYS:
        return np.zeros(len(day))
    means = {d: float(np.mean(found)) for d, found in by_day.items()}
    values = np.array(list(means.values()))
    middle, scale = float(np.median(values)), _scale(values, _LEAST_DAY_SCALE)
    return np.array([(means.get(int(d), middle) - middle) / scale for d in day])


def _where(mask: np.typing.NDArray[np.bool_]) -> Ints:
    return np.flatnonzero(mask)
