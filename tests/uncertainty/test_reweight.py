"""Predictions under another prior, against what is exact where all is normal."""

import numpy as np
import pytest
from scipy.stats import norm, truncnorm

from msaestimator.uncertainty import prior_ratio, reweight

LEVELS = (0.025, 0.16, 0.5, 0.84, 0.975)
NOISE = 0.5
TRAINING, OWN = norm(0.0, 1.0), norm(1.0, 0.5)


def posterior(prior, seen):
    """Return the quantiles of a label that was seen with noise, (n_stars, n_levels)."""
    precision = 1 / prior.var() + 1 / NOISE**2
    mean = (prior.mean() / prior.var() + seen / NOISE**2) / precision
    return mean[:, None] + norm.ppf(LEVELS) / np.sqrt(precision)


def test_exact_ratio_gives_the_exact_posterior():
    seen = np.linspace(-0.5, 2.5, 13)
    found = reweight(posterior(TRAINING, seen), LEVELS, lambda y: OWN.pdf(y) / TRAINING.pdf(y))
    np.testing.assert_allclose(found, posterior(OWN, seen), atol=0.005)


def test_ratio_of_samples_gives_nearly_that():
    rng = np.random.default_rng(0)
    samples = (of.rvs(3000, random_state=rng) for of in (OWN, TRAINING))
    seen = np.linspace(0.0, 2.0, 9)
    found = reweight(posterior(TRAINING, seen), LEVELS, prior_ratio(*samples))
    before = np.abs(posterior(TRAINING, seen) - posterior(OWN, seen)).max()
    np.testing.assert_allclose(found, posterior(OWN, seen), atol=0.12)
    assert before > 0.4


def test_truncation_is_a_truncated_normal():
    found = reweight(posterior(TRAINING, np.zeros(1)), LEVELS, lambda y: y > 0)
    scale = np.sqrt(1 / (1 + 1 / NOISE**2))
    np.testing.assert_allclose(found[0], truncnorm(0, np.inf).ppf(LEVELS) * scale, atol=0.01)


def test_like_priors_change_nothing():
    rng = np.random.default_rng(0)
    sample = rng.normal(size=500)
    quantiles = posterior(TRAINING, rng.normal(size=20))
    np.testing.assert_allclose(
        reweight(quantiles, LEVELS, prior_ratio(sample, sample)), quantiles, atol=0.005
    )


def test_what_is_ruled_out_or_not_predicted_stays():
    quantiles = posterior(TRAINING, np.array([0.0, 40.0]))
    quantiles[0] = np.nan
    found = reweight(quantiles, LEVELS, lambda y: y < 0)
    np.testing.assert_array_equal(found, quantiles)


def test_unknown_values_do_not_count():
    sample = np.random.default_rng(0).normal(size=100)
    masked = np.ma.MaskedArray(np.append(sample, 99.0), mask=np.arange(101) == 100)
    places = np.linspace(-2, 2, 5)
    expected = prior_ratio(sample, sample + 1)(places)
    with_gaps = prior_ratio(masked, np.append(sample + 1, np.nan))
    np.testing.assert_array_equal(with_gaps(places), expected)


def test_refuses_what_is_no_prior():
    quantiles = posterior(TRAINING, np.zeros(2))
    with pytest.raises(ValueError, match=r"`prior` must return finite ratios .* got -1\.0"):
        reweight(quantiles, LEVELS, lambda y: -np.ones_like(y))
    with pytest.raises(ValueError, match="`own` must hold at least 50 known values that differ"):
        prior_ratio(np.arange(49.0), np.arange(60.0))
    with pytest.raises(ValueError, match="`training` must hold"):
        prior_ratio(np.arange(60.0), np.ones(60))
