"""A linear mixed model with crossed random effects, fitted by its exact marginal likelihood.

``y = X beta + sum over factors (Z u) + e``, all normal: ``beta`` has a stated prior, the effects of
a factor share one standard deviation, the residual of record ``i`` has the variance
``residual_sd ** 2 * (1 + short / size[i])``. The standard deviations are the maximum of the
marginal posterior with stated log-normal priors, which keeps them off zero; given them, means and
variances are exact.

References
----------
Henderson 1975 (doi:10.2307/2529430) for the mixed-model equations; Chung et al. 2013
(doi:10.1007/s11336-013-9328-2) for priors that keep variance estimates off the boundary.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

_LOG_SD_SPREAD = 0.8
"""Standard deviation of the logarithm of every standard deviation, before the records."""
_LOG_SHORT_SPREAD = 1.0
_REACH = 4.0
"""The search stays within so many spreads of the prior's middle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """A grouping of the records: the group of each, and the spread of groups thought likely.

    With ``is_centred`` its groups are all there are: their mean over the records belongs to the
    first coefficient, and each effect is the deviation from that mean.
    """

    group: Ints
    num_groups: int
    prior_sd: float
    is_centred: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """Records to be explained.

    Notes
    -----
    ``y`` has shape (n,), ``x`` (n, p); ``beta`` is normal about ``beta_mean`` with standard
    deviations ``beta_sd``, independent. ``size`` is what ``short`` is measured against.
    """

    y: Floats
    x: Floats
    beta_mean: Floats
    beta_sd: Floats
    factors: tuple[Factor, ...]
    size: Floats
    prior_residual_sd: float
    prior_short: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MixedFit:
    """The model given its records.

    Notes
    -----
    ``effect_mean[k]``, ``effect_variance[k]`` and ``effect_covariance[k]`` are those of the groups
    of factor ``k``; the covariance is with the first coefficient. ``fitted`` is the mean of each
    record, its effects included.
    """

    beta: Floats
    beta_covariance: Floats
    effect_mean: tuple[Floats, ...]
    effect_variance: tuple[Floats, ...]
    effect_covariance: tuple[Floats, ...]
    factor_sd: tuple[float, ...]
    residual_sd: float
    short: float
    fitted: Floats


def fit_mixed(design: Design) -> MixedFit:
    """Fit the model; with no record the priors come back."""
    centre = np.log(
        [*(f.prior_sd for f in design.factors), design.prior_residual_sd, design.prior_short]
    )
    spread = np.full(len(centre), _LOG_SD_SPREAD)
    spread[-1] = _LOG_SHORT_SPREAD
    chosen = centre
    layout = _Layout(design)
    if len(design.y):

        def loss(log_theta: Floats) -> float:
            penalty = 0.5 * float(np.sum(((log_theta - centre) / spread) ** 2))
            return penalty - _Equations(layout, np.exp(log_theta)).log_likelihood

        bounds = list(zip(centre - _REACH * spread, centre + _REACH * spread, strict=True))
        chosen = minimize(loss, centre, method="L-BFGS-B", bounds=bounds).x
    return _Equations(layout, np.exp(chosen)).solution()


class _Layout:
    """The records as sparse matrices, the factor with most groups apart from all else."""

    def __init__(self, design: Design) -> None:
        self.design = design
        self.y = design.y - design.x @ design.beta_mean
        order = sorted(
            range(len(design.factors)),
            key=lambda k: (design.factors[k].is_centred, -design.factors[k].num_groups),
        )
        self.first, self.others = order[0], sorted(order[1:])
        blocks: list[sparse.csr_array] = [sparse.csr_array(design.x)]
        self.offset = {}
        self.width = design.x.shape[1]
        for k in self.others:
            self.offset[k] = self.width
            self.width += design.factors[k].num_groups
            blocks.append(_indicator(design.factors[k]))
        self.rest = sparse.csr_array(sparse.hstack(blocks))
        self.first_by_group = _indicator(design.factors[self.first]).T.tocsr()


class _Equations:
    """The mixed-model equations at given spreads, the largest factor eliminated.

    That factor's block is diagonal, so the dense part is only as large as all others together.
    """

    def __init__(self, layout: _Layout, theta: Floats) -> None:
        design = layout.design
        num = len(design.factors)
        self._layout, self._design = layout, design
        self._sd, self._residual_sd, self._short = theta[:num], float(theta[-2]), float(theta[-1])
        self._variance = self._residual_sd**2 * (1 + self._short / design.size)
        weight = 1 / self._variance
        self._y, rest = layout.y, layout.rest
        weighted = layout.first_by_group.multiply(weight).tocsr()
        self._diagonal = np.asarray(weighted.sum(axis=1)).ravel() + self._sd[layout.first] ** -2
        self._cross = np.asarray((weighted @ rest).todense())
        precision = np.concatenate(
            [design.beta_sd**-2.0]
            + [np.full(design.factors[k].num_groups, self._sd[k] ** -2) for k in layout.others]
        )
        dense = np.asarray((rest.T.multiply(weight).tocsr() @ rest).todense())
        dense[np.diag_indices(layout.width)] += precision
        dense -= self._cross.T @ (self._cross / self._diagonal[:, None])
        self._factor = cho_factor(dense, lower=True, check_finite=False)
        self._right_first = np.asarray(weighted @ self._y)
        self._right = np.asarray(rest.T @ (weight * self._y))
        self._right = self._right - self._cross.T @ (self._right_first / self._diagonal)
        self._solved = cho_solve(self._factor, self._right, check_finite=False)

    @property
    def log_likelihood(self) -> float:
        """Log marginal density of the records, without its constant."""
        design = self._design
        log_det = (
            float(np.log(self._variance).sum())
            + float(np.log(self._diagonal).sum())
            + 2 * float(np.log(np.diag(self._factor[0])).sum())
            + 2 * float(np.log(design.beta_sd).sum())
            + 2 * sum(f.num_groups * np.log(s) for f, s in self._spreads())
        )
        quadratic = float(
            self._y @ (self._y / self._variance)
            - self._right_first @ (self._right_first / self._diagonal)
            - self._right @ self._solved
        )
        return float(-0.5 * (log_det + quadratic))

    def _spreads(self) -> Sequence[tuple[Factor, float]]:
        return list(zip(self._design.factors, (float(s) for s in self._sd), strict=True))

    def solution(self) -> MixedFit:
        design = self._design
        p = design.x.shape[1]
        inverse = cho_solve(self._factor, np.eye(len(self._right)), check_finite=False)
        solved, centred = self._solved.copy(), np.eye(len(self._right))
        for k in self._layout.others:
            if design.factors[k].is_centred and len(design.y):
                count = np.bincount(design.factors[k].group, minlength=design.factors[k].num_groups)
                start, share = self._layout.offset[k], count / count.sum()
                at = slice(start, start + len(share))
                centred[0, at] = share
                centred[at, at] -= share
        solved = centred @ solved
        ratio = self._cross / self._diagonal[:, None]
        first_mean = self._right_first / self._diagonal - ratio @ self._solved
        first_variance = 1 / self._diagonal + np.einsum("ij,jk,ik->i", ratio, inverse, ratio)
        first_covariance = -ratio @ inverse @ centred[0]
        inverse = centred @ inverse @ centred.T
        means, variances, covariances = [], [], []
        for k, factor in enumerate(design.factors):
            if k == self._layout.first:
                means.append(first_mean)
                variances.append(first_variance)
                covariances.append(first_covariance)
                continue
            start = self._layout.offset[k]
            at = slice(start, start + factor.num_groups)
            means.append(solved[at])
            variances.append(np.diag(inverse)[at])
            covariances.append(inverse[at, 0])
        beta = design.beta_mean + solved[:p]
        fitted = design.x @ beta
        for factor, mean in zip(design.factors, means, strict=True):
            fitted = fitted + mean[factor.group]
        return MixedFit(
            beta=beta,
            beta_covariance=inverse[:p, :p],
            effect_mean=tuple(means),
            effect_variance=tuple(variances),
            effect_covariance=tuple(covariances),
            factor_sd=tuple(float(s) for s in self._sd),
            residual_sd=self._residual_sd,
            short=self._short,
            fitted=fitted,
        )


def _indicator(factor: Factor) -> sparse.csr_array:
    num = len(factor.group)
    cells = (np.ones(num), (np.arange(num), factor.group))
    return sparse.csr_array(cells, shape=(num, factor.num_groups))
