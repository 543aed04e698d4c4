"""How wide the spans of forecasts must be, from days that are over.

A forecast knows what its model knows; days know better how wrong it was. Each recorded day is told
over again as it stood at its arrivals, stays and departures; the forecasts of then are held against
what came. By how many halves of its span an arrival missed the middle is its score; the quantile of
the scores at each horizon is the factor by which spans are to be widened there.

References
----------
Split conformal prediction with normalised scores: Lei, G'Sell, Rinaldo, Tibshirani, Wasserman,
Distribution-free predictive inference for regression, doi:10.1080/01621459.2017.1307116.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from fleet.matching import MatchedDay, Outcome

HELD_RATIO = 0.8
"""Share of arrivals that a span is to hold."""
HORIZONS_S = (1200.0, 2400.0, 3600.0, 7200.0)
"""Upper ends of the horizons that have a factor of their own; beyond them is one more."""
NUM_FACTORS = len(HORIZONS_S) + 2
"""The first is that of the stop to which the vehicle drives."""
LEAST_HALF_S = 20.0
"""Half a span is never thought narrower: a stop is not reached to the second."""
LEAST_FACTOR, MOST_FACTOR = 1.0, 4.0
"""A span is never narrower than its model says: the days to come may be worse than those recorded.
"""
MOST_LEVEL = 0.9
LEAST_DAYS = 8
"""Days below which nothing is said."""
LEAST_SCORES = 30
"""Forecasts of a horizon below which it takes the factor of its neighbour."""
EVERY = timedelta(minutes=10)
_BEFORE = timedelta(minutes=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """Factors on both halves of a span, by how far ahead an arrival is thought to be."""

    factors: tuple[float, ...] = (1.0,) * NUM_FACTORS

    def __post_init__(self) -> None:
        if len(self.factors) != NUM_FACTORS or not all(0 < f < 100 for f in self.factors):
            raise ValueError(f"spans have {NUM_FACTORS} factors above zero: {self.factors}")

    def limits(
        self, low_s: float, middle_s: float, high_s: float, *, left_ratio: float | None = None
    ) -> tuple[float, float]:
        """The limits of an arrival whose model says these quantiles, seconds from now.

        Parameters
        ----------
        left_ratio
            What is left of the leg, if the vehicle drives to the stop: days are scored where all
            of it is left, and the nearer the vehicle, the more its position knows.
        """
        if left_ratio is None:
            factor = self.factors[number_of(middle_s, is_under_way=False)]
        else:
            factor = 1 + (self.factors[0] - 1) * left_ratio
        earlier_s, later_s = _halves(low_s, middle_s, high_s)
        return middle_s - factor * earlier_s, middle_s + factor * later_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One forecast of an arrival that has come: ``score`` 1 lies on the limit of its span."""

    number: int
    """Of the factor that it is about."""
    score: float


def number_of(ahead_s: float, *, is_under_way: bool) -> int:
    """The number of the factor of an arrival; ``is_under_way``: the vehicle drives to it."""
    return 0 if is_under_way else 1 + bisect_left(HORIZONS_S, ahead_s)


def score_of(
    low_s: float, middle_s: float, high_s: float, true_s: float, *, is_under_way: bool
) -> Scored:
    """The score of a forecast, all in seconds from its moment."""
    earlier_s, later_s = _halves(low_s, middle_s, high_s)
    miss_s = true_s - middle_s
    half_s = later_s if miss_s > 0 else earlier_s
    number = number_of(middle_s, is_under_way=is_under_way)
    return Scored(number=number, score=abs(miss_s) / half_s)


def calibrated(days: Iterable[Sequence[Scored]]) -> Spans | None:
    """Spans by what forecasts of recorded days were worth; ``None``: too few days.

    Forecasts of one day are right or wrong together, so that days are what is counted.
    """
    whole = [day for day in days if day]
    if len(whole) < LEAST_DAYS:
        return None
    level = min(MOST_LEVEL, HELD_RATIO * (1 + 1 / len(whole)))
    by_number: dict[int, list[float]] = defaultdict(list)
    for day in whole:
        for one in day:
            by_number[one.number].append(one.score)
    known = {
        k: float(np.clip(np.quantile(scores, level), LEAST_FACTOR, MOST_FACTOR))
        for k, scores in by_number.items()
        if len(scores) >= LEAST_SCORES
    }
    if not known:
        return None
    nearest = (min((abs(k - at), k) for k in known) for at in range(NUM_FACTORS))
    return Spans(factors=tuple(round(known[k], 3) for _, k in nearest))


def as_it_stood(day: MatchedDay) -> Iterator[tuple[datetime, MatchedDay]]:
    """A day that is over, at moments of which its stops alone tell where the vehicle was."""
    for at in sorted(set(_moments(day))):
        yield at, _at_moment(day, at)


def _moments(day: MatchedDay) -> Iterator[datetime]:
    if day.departed_at is not None:
        if day.run.depart_at is not None:
            before = day.run.depart_at - _BEFORE
            while before < day.departed_at:
                yield before
                before += EVERY
        yield day.departed_at
    for visit in day.visits:
        seen = visit.observed
        if seen is None or seen.departed_at is None:
            continue
        at = seen.arrived_at
        while at < seen.departed_at:
            yield at
            at += EVERY
        yield seen.departed_at


def _at_moment(day: MatchedDay, at: datetime) -> MatchedDay:
    visits = []
    for visit in day.visits:
        seen = visit.observed
        if seen is None or seen.arrived_at > at:
            visits.append(replace(visit, outcome=Outcome.PENDING, observed=None))
        elif seen.departed_at is not None and seen.departed_at > at:
            here = replace(seen, departed_at=None, last_seen_at=at)
            visits.append(replace(visit, outcome=Outcome.ONGOING, observed=here))
        else:
            visits.append(visit)
    departed_at = day.departed_at
    return replace(
        day,
        visits=tuple(visits),
        unplanned=(),
        departed_at=departed_at if departed_at is not None and departed_at <= at else None,
        returned_at=None,
    )


def _halves(low_s: float, middle_s: float, high_s: float) -> tuple[float, float]:
    return max(middle_s - low_s, LEAST_HALF_S), max(high_s - middle_s, LEAST_HALF_S)
