"""Measures of how evenly something is spread over people: means, percentiles, Gini, by weight.

References
----------
Percentile: inverse of the weighted distribution, definition 1 of Hyndman, Fan (1996),
doi:10.1080/00031305.1996.10473566. Gini by the Lorenz curve, as for transport by Delbosc,
Currie (2011), doi:10.1016/j.jtrangeo.2011.02.008.
"""

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]


def weighted_mean(values: Floats, weight: Floats) -> float | None:
    """Mean by weight; ``None`` without weight or with an infinite value that has some."""
    counts = weight > 0
    if not counts.any():
        return None
    return finite(float(np.average(values[counts], weights=weight[counts])))


def weighted_percentile(values: Floats, weight: Floats, share: float) -> float | None:
    """The least value that at least this share of the weight does not exceed."""
    if not weight.sum() > 0:
        return None
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weight[order])
    # People are whole: the tolerance is far below one of them.
    at = int(np.searchsorted(reached, share * reached[-1] - 1e-6))
    return finite(float(values[order][at]))


def mean_of_worst(values: Floats, weight: Floats, share: float) -> float | None:
    """Mean of the greatest values that make up this share of the weight."""
    wanted = share * float(weight.sum())
    if not wanted > 0:
        return None
    order = np.argsort(-values, kind="stable")
    before = np.concatenate([[0.0], np.cumsum(weight[order])[:-1]])
    taken = np.clip(wanted - before, 0.0, weight[order])
    counts = taken > 0
    return finite(float(np.average(values[order][counts], weights=taken[counts])))


def gini(values: Floats, weight: Floats) -> float | None:
    """Gini coefficient by weight, 0 to 1; ``None`` where a value that counts is infinite."""
    counts = weight > 0
    values, weight = values[counts], weight[counts]
    if not len(values) or np.isinf(values).any():
        return None
    order = np.argsort(values, kind="stable")
    people, amount = weight[order], (weight * values)[order]
    if not amount.sum() > 0:
        return 0.0
    lorenz = np.concatenate([[0.0], np.cumsum(amount)]) / amount.sum()
    return float(1.0 - np.sum(people / people.sum() * (lorenz[1:] + lorenz[:-1])))


def finite(value: float) -> float | None:
    """The value, ``None`` where it is infinite."""
    return value if np.isfinite(value) else None
