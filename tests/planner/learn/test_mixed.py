"""The mixed model agrees with the plain formulas of its normal distribution."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.learn.mixed import Design, Factor, MixedFit, fit_mixed


def make_design(seed: int, num: int = 60) -> Design:
    rng = np.random.default_rng(seed)
    group, day = rng.integers(0, 9, num), rng.integers(0, 12, num)
    effect, day_effect = rng.normal(0, 0.2, 9), rng.normal(0, 0.1, 12)
    y = 0.2 + effect[group] + day_effect[day] + rng.normal(0, 0.1, num)
    return Design(
        y=y,
        x=np.ones((num, 1)),
        beta_mean=np.zeros(1),
        beta_sd=np.array([0.3]),
        factors=(
            Factor(group=group, num_groups=9, prior_sd=0.1),
            Factor(group=day, num_groups=12, prior_sd=0.1),
        ),
        size=rng.uniform(60, 3000, num),
        prior_residual_sd=0.1,
        prior_short=60.0,
    )


def dense_posterior(design: Design, fit: MixedFit) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of coefficients and effects, by conditioning one large normal."""
    parts = [design.x]
    prior = [design.beta_sd**2]
    for factor, sd in zip(design.factors, fit.factor_sd, strict=True):
        parts.append(np.eye(factor.num_groups)[factor.group])
        prior.append(np.full(factor.num_groups, sd**2))
    u, d = np.hstack(parts), np.diag(np.concatenate(prior))
    noise = np.diag(fit.residual_sd**2 * (1 + fit.short / design.size))
    v = u @ d @ u.T + noise
    gain = d @ u.T @ np.linalg.inv(v)
    return gain @ design.y, d - gain @ u @ d


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 1000))
def test_means_and_variances_are_exact(seed: int) -> None:
    """Eliminating a factor gives what conditioning all at once gives."""
    design = make_design(seed)
    fit = fit_mixed(design)
    mean, covariance = dense_posterior(design, fit)
    assert np.allclose(np.concatenate([fit.beta, *fit.effect_mean]), mean, atol=1e-8)
    variance = np.concatenate([np.diag(fit.beta_covariance), *fit.effect_variance])
    assert np.allclose(variance, np.diag(covariance), atol=1e-8)
    assert np.allclose(np.concatenate(fit.effect_covariance), covariance[1:, 0], atol=1e-8)


def test_a_centred_factor_gives_its_mean_to_the_whole() -> None:
    """With all groups known, the first coefficient is the mean over records; fits stay the same."""
    plain = make_design(3)
    first, second = plain.factors
    centred = Factor(group=second.group, num_groups=12, prior_sd=0.1, is_centred=True)
    design = Design(
        y=plain.y,
        x=plain.x,
        beta_mean=plain.beta_mean,
        beta_sd=plain.beta_sd,
        factors=(first, centred),
        size=plain.size,
        prior_residual_sd=plain.prior_residual_sd,
        prior_short=plain.prior_short,
    )
    before, after = fit_mixed(plain), fit_mixed(design)
    share = np.bincount(second.group, minlength=12) / len(plain.y)
    assert after.fitted == pytest.approx(before.fitted, abs=1e-6)
    assert share @ after.effect_mean[1] == pytest.approx(0, abs=1e-9)
    assert after.beta_covariance[0, 0] < before.beta_covariance[0, 0]


def test_without_records_the_prior_comes_back() -> None:
    """Nothing recorded: the middle and the width are those stated."""
    empty = np.zeros(0)
    none = np.zeros(0, np.intp)
    fit = fit_mixed(
        Design(
            y=empty,
            x=np.ones((0, 1)),
            beta_mean=np.array([0.1]),
            beta_sd=np.array([0.3]),
            factors=(Factor(group=none, num_groups=2, prior_sd=0.12),),
            size=empty,
            prior_residual_sd=0.1,
            prior_short=60.0,
        )
    )
    assert fit.beta[0] == pytest.approx(0.1)
    assert fit.beta_covariance[0, 0] == pytest.approx(0.09)
    assert fit.effect_variance[0] == pytest.approx([0.12**2] * 2)
