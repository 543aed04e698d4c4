"""Visits that a stop may expect: a log-linear mean, pulled towards what the stop has shown.

A stop's count in one opening has the mean ``theta * exp(x . beta)``; ``theta`` is the stop's own
gamma factor of mean 1, so that a stop with few records stays near the mean of its like and one
with many goes its own way. Openings of one stop differ by more than chance (weather, harvest): a
count of mean ``m`` has the variance ``m + dispersion * m ** 2`` and tells accordingly less. Before
any record ``beta`` has the stated prior, and an estimate is the prior's, with its width.

References
----------
Lawless 1987 (doi:10.2307/3314912) for the gamma-Poisson regression; Clayton and Kaldor 1987
(doi:10.2307/2532003) for the shrunken rates.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize
from scipy.special import digamma, gammaln
from scipy.stats import gamma

from data.model.calendar import HOUR_S, MINUTE_S
from data.model.demand import PrizeBy, VisitsEstimate, with_requests
from data.model.errors import InputError
from data.model.learned import LearnedDemand
from data.model.observed import ObservedVisit
from data.model.place import Stop, StopId
from data.model.plan import Plan, PlanRequest
from planner.learn.mixed import Floats, Ints

USUAL_PEOPLE = 300.0
USUAL_CHILDREN = 0.17
USUAL_SENIORS = 0.16
USUAL_LIBRARY_MIN = 15.0
UNKNOWN_PEOPLE = 20.0
"""A stop of unknown population is taken for one of so many, with ``UNKNOWN_SD`` more doubt."""
UNKNOWN_SD = 0.8

PRIOR: Mapping[str, tuple[float, float]] = {
    "base": (math.log(23 / 5.4), 0.7),
    "people": (0.7, 0.3),
    "children": (0.5, 0.5),
    "seniors": (0.5, 0.5),
    "library": (0.2, 0.3),
    "open": (0.6, 0.3),
}
"""Mean and standard deviation of every coefficient before any record.

``base`` is the logarithm of the visits that one hour open brings at 300 people, usual shares of
ages and 15 minutes from a library: 23 visits a run (Moscow oblast, 2014) over 5.3 to 5.5 stops
(Belarus), both from secondary sources, within a factor of two. The others are design defaults:
``people`` and ``open`` are elasticities below one (diminishing return), ``children`` and
``seniors`` are those of people weighing 1.5, ``library`` the elasticity of one plus minutes.
"""
_SHAPE = (math.log(3.0), 0.7)
"""Mean and standard deviation of the logarithm of the gamma shape."""
_DISPERSION = 0.2
_DISPERSION_WEIGHT = 10.0
"""Dispersion before any record, and the openings that it counts for."""
_COVERAGE = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Whom a stop serves, as far as it is known; ``None`` is not known."""

    people: int | None = None
    children: int | None = None
    seniors: int | None = None
    library_s: int | None = None
    """Road seconds to the nearest library."""


def audiences(request: PlanRequest) -> dict[StopId, Audience]:
    """Whom each stop of a request serves: the homes of its settlements.

    Children and seniors are known where those of every settlement are; the way to a library is
    that of the stop's first settlement.
    """
    homes = {} if request.access is None else {h.settlement_id: h for h in request.access.homes}
    found = {}
    for stop in request.stops:
        served = [homes[i] for i in stop.settlement_ids if i in homes]
        found[stop.stop_id] = Audience(
            people=stop.people,
            children=_sum([h.children for h in served]),
            seniors=_sum([h.seniors for h in served]),
            library_s=served[0].library_s if served else None,
        )
    return found


def features(audience: Audience, open_s: float) -> Floats:
    """What the mean depends on, in the order of ``PRIOR``; what is not known is taken as usual."""
    people = UNKNOWN_PEOPLE if audience.people is None else max(1.0, float(audience.people))
    known = max(1.0, float(audience.people or 0))
    children = USUAL_CHILDREN if audience.children is None else min(1, audience.children / known)
    seniors = USUAL_SENIORS if audience.seniors is None else min(1, audience.seniors / known)
    way_min = USUAL_LIBRARY_MIN
    if audience.library_s is not None:
        way_min = audience.library_s / MINUTE_S
    return np.array(
        [
            1.0,
            math.log(people / USUAL_PEOPLE),
            children - USUAL_CHILDREN,
            seniors - USUAL_SENIORS,
            math.log1p(way_min) - math.log1p(USUAL_LIBRARY_MIN),
            math.log(max(60.0, open_s) / HOUR_S),
        ]
    )


def prior_demand() -> LearnedDemand:
    """What is thought likely before any record."""
    return LearnedDemand(
        names=tuple(PRIOR),
        coefficients=tuple(mean for mean, _ in PRIOR.values()),
        covariance=tuple(
            tuple(sd**2 if i == j else 0.0 for j in range(len(PRIOR)))
            for i, (_, sd) in enumerate(PRIOR.values())
        ),
        shape=math.exp(_SHAPE[0]),
        dispersion=_DISPERSION,
    )


def fit_demand(
    counted: Sequence[tuple[Stop, ObservedVisit]], audience_of: Mapping[StopId, Audience]
) -> LearnedDemand:
    """Learn from counted stop visits; those with no count are passed over."""
    rows = [(s, v) for s, v in counted if v.visits is not None]
    if not rows:
        return prior_demand()
    x = np.array([features(audience_of[s.stop_id], _open_s(s, v)) for s, v in rows])
    count = np.array([float(visit.visits or 0) for _, visit in rows])
    names = sorted({str(s.stop_id) for s, _ in rows})
    number = {name: k for k, name in enumerate(names)}
    stop_of = np.array([number[str(s.stop_id)] for s, _ in rows], np.intp)
    mean = np.array([m for m, _ in PRIOR.values()])
    sd = np.array([s for _, s in PRIOR.values()])
    num = np.bincount(stop_of)
    beta, shape, dispersion = mean, math.exp(_SHAPE[0]), _DISPERSION
    for _ in range(3):
        each = np.exp(x @ beta)
        dispersion = _dispersion(each, count, stop_of)
        total, due = np.bincount(stop_of, count), np.bincount(stop_of, each)
        scale = _scale(total, due, num, shape, dispersion)
        beta, shape = _maximum(x, total, stop_of, scale, mean, sd)
    expected_each = np.exp(x @ beta)
    expected = np.bincount(stop_of, expected_each)
    scale = _scale(np.bincount(stop_of, count), expected, num, shape, dispersion)
    weight = expected / scale * shape / (shape + expected / scale)
    middle = np.stack([np.bincount(stop_of, expected_each * c) for c in x.T], axis=1)
    middle /= expected[:, None]
    information = (middle * weight[:, None]).T @ middle + np.diag(sd**-2)
    covariance = np.linalg.inv(information)
    seen_count = np.bincount(stop_of, count)
    return LearnedDemand(
        names=tuple(PRIOR),
        coefficients=tuple(float(b) for b in beta),
        covariance=tuple(tuple(float(c) for c in row) for row in covariance),
        shape=shape,
        dispersion=dispersion,
        seen={
            name: (float(seen_count[k]), float(expected[k]), int(num[k]))
            for k, name in enumerate(names)
        },
    )


def expected_visits(demand: LearnedDemand, stop: Stop, audience: Audience) -> VisitsEstimate:
    """Visits that one opening of a stop brings on average, for its least open time."""
    x = features(audience, stop.service_s)
    prior_mean = math.exp(float(x @ np.array(demand.coefficients)))
    shared = float(x @ np.array(demand.covariance) @ x)
    count, expected, num = demand.seen.get(str(stop.stop_id), (0.0, 0.0, 0))
    scale = 1.0
    if num:
        counted = np.array([count]), np.array([expected]), np.array([num])
        scale = float(_scale(*counted, demand.shape, demand.dispersion)[0])
    seen, due = count / scale, expected / scale
    mean = prior_mean * (demand.shape + seen) / (demand.shape + due)
    own_cv2 = 1 / (demand.shape + seen)
    left = demand.shape / (demand.shape + due)
    if audience.people is None:
        own_cv2 += (left * UNKNOWN_SD) ** 2
    estimate = _estimate(mean, mean * own_cv2**0.5, mean * left * shared**0.5, num)
    return replace(estimate, open_elasticity=demand.coefficients[demand.names.index("open")])


def with_demand(
    request: PlanRequest, demand: LearnedDemand, prize_by: PrizeBy = PrizeBy.PEOPLE
) -> PlanRequest:
    """A request whose stops say what visits they expect and, if so asked, are worth just that.

    Raises
    ------
    InputError
        ``learned_file.other_rates`` for rates that are not those of ``PRIOR``.
    """
    if demand.names != tuple(PRIOR):
        raise InputError(
            "learned_file.other_rates", found=", ".join(demand.names), known=", ".join(PRIOR)
        )
    stops, audience_of = [], audiences(request)
    for stop in request.stops:
        expected = expected_visits(demand, stop, audience_of[stop.stop_id])
        told = replace(stop, visits_expected=expected)
        if prize_by is PrizeBy.DEMAND:
            told = replace(told, prize=round(expected.mean * stop.visits_per_cycle, 3))
        stops.append(told)
    return replace(request, stops=tuple(stops), prize_by=prize_by)


def with_asked(request: PlanRequest, asked: Mapping[StopId, int]) -> PlanRequest:
    """A request whose expected visits take in those who have asked for a stop.

    Only stops of which visits are expected at all are raised; where they are worth just that,
    their worth is raised with it.

    Parameters
    ----------
    asked
        How many people would come, by stop.
    """
    stops = []
    for stop in request.stops:
        expected, told = stop.visits_expected, stop
        if expected is not None and asked.get(stop.stop_id):
            raised = with_requests(expected, asked[stop.stop_id])
            told = replace(stop, visits_expected=raised)
            if request.prize_by is PrizeBy.DEMAND:
                told = replace(told, prize=round(raised.mean * stop.visits_per_cycle, 3))
        stops.append(told)
    return replace(request, stops=tuple(stops))


def expected_total(request: PlanRequest, plan: Plan) -> VisitsEstimate | None:
    """Visits that all stop visits of a plan bring in one cycle; ``None`` where none was estimated.

    What is uncertain of single stops evens out over many, what is uncertain of the rates does not.
    """
    stops = {s.stop_id: s for s in request.stops}
    held: dict[StopId, float] = defaultdict(float)
    for run in plan.runs:
        for visit in run.visits:
            stop = stops.get(visit.stop_id)
            if stop is None or stop.visits_expected is None:
                continue
            longer = (visit.end_s - visit.start_s) / max(1, stop.service_s)
            held[visit.stop_id] += max(0.0, longer) ** stop.visits_expected.open_elasticity
    known = [(stops[s].visits_expected, num) for s, num in held.items()]
    told = [(e, num) for e, num in known if e is not None]
    mean = math.fsum(num * e.mean for e, num in told)
    if not mean > 0:
        return None
    own = math.fsum((num * e.own_sd) ** 2 for e, num in told) ** 0.5
    shared = math.fsum(num * e.shared_sd for e, num in told)
    return _estimate(mean, own, shared, sum(e.num_records for e, _ in told))


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [c for c in counts if c is not None]
    return sum(known) if known and len(known) == len(counts) else None


def _open_s(stop: Stop, visit: ObservedVisit) -> float:
    """How long the doors were open: as recorded, else as planned."""
    if visit.open_s is not None and visit.close_s is not None:
        return float(visit.close_s - visit.open_s)
    return float(stop.service_s)


def _estimate(mean: float, own_sd: float, shared_sd: float, num: int) -> VisitsEstimate:
    """The gamma distribution of that mean and spread, as its interval."""
    squared_cv = (own_sd**2 + shared_sd**2) / mean**2
    ends = np.array([(1 - _COVERAGE) / 2, (1 + _COVERAGE) / 2])
    low, high = np.asarray(gamma.ppf(ends, 1 / squared_cv, scale=mean * squared_cv)).tolist()
    return VisitsEstimate(
        mean=mean,
        low=low,
        high=high,
        own_sd=own_sd,
        shared_sd=shared_sd,
        num_records=num,
    )


def _scale(
    count: Floats, expected: Floats, num: Floats | Ints, shape: float, dispersion: float
) -> Floats:
    """By how much the variance of each stop's total exceeds that of a Poisson count."""
    each = expected / num * (shape + count) / (shape + expected)
    return np.asarray(1 + dispersion * each)


def _dispersion(expected: Floats, count: Floats, stop_of: Ints) -> float:
    """Squared variation of openings of one stop beyond chance, shrunken to the prior's."""
    share = expected / np.bincount(stop_of, expected)[stop_of]
    num = np.bincount(stop_of)[stop_of]
    fitted = share * np.bincount(stop_of, count)[stop_of]
    # What the fitted total takes from the squares, and the squares of means that it is held to.
    several = num > 1
    beyond = (count - fitted) ** 2 / np.where(several, 1 - share, 1) - fitted
    usual = float(np.mean(expected)) ** 2 * _DISPERSION_WEIGHT
    top = usual * _DISPERSION + float(beyond[several].sum())
    return max(0.0, top / (usual + float((fitted[several] ** 2).sum())))


def _maximum(
    x: Floats,
    total: Floats,
    stop_of: Ints,
    scale: Floats,
    mean: Floats,
    sd: Floats,
) -> tuple[Floats, float]:
    """Coefficients and shape of greatest posterior density; counts are divided by their scale."""
    total = total / scale

    def loss(theta: Floats) -> tuple[float, Floats]:
        beta, shape = theta[:-1], float(np.exp(theta[-1]))
        each = np.exp(np.clip(x @ beta, -20, 20)) / scale[stop_of]
        due = np.bincount(stop_of, each)
        density = (
            gammaln(shape + total)
            - gammaln(shape)
            + shape * np.log(shape)
            - (shape + total) * np.log(shape + due)
            + total * np.log(due)
        )
        z = (beta - mean) / sd
        z_shape = (theta[-1] - _SHAPE[0]) / _SHAPE[1]
        value = -float(density.sum()) + 0.5 * float(z @ z) + 0.5 * z_shape**2
        slope = (total / due - (shape + total) / (shape + due))[stop_of] * each
        by_shape = shape * float(
            (
                digamma(shape + total)
                - digamma(shape)
                + np.log(shape)
                + 1
                - np.log(shape + due)
                - (shape + total) / (shape + due)
            ).sum()
        )
        gradient = np.concatenate([-(x.T @ slope) + z / sd, [-by_shape + z_shape / _SHAPE[1]]])
        return value, gradient

    start = np.concatenate([mean, [_SHAPE[0]]])
    bounds = [*((None, None) for _ in mean), (math.log(0.05), math.log(500.0))]
    best = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return best.x[:-1], float(np.exp(best.x[-1]))
