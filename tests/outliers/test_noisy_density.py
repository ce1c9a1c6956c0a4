"""Density of noisy measurements: noise that is told explains what it makes, and nothing more."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal, spearmanr

from msaestimator.outliers import NoisyDensity

COVARIANCE = np.array([[1.0, 0.8, 0.3], [0.8, 1.0, 0.5], [0.3, 0.5, 1.0]])
LOADINGS = np.random.default_rng(0).standard_normal((3, 10))


def precise(n, rng):
    """Return vectors in three of ten dimensions, but for a little."""
    places = rng.multivariate_normal(np.zeros(3), COVARIANCE, n)
    return places @ LOADINGS + 0.05 * rng.standard_normal((n, 10))


@pytest.fixture(scope="module")
def density():
    rng = np.random.default_rng(1)
    vectors, errors = precise(3000, rng), np.full((3000, 10), 0.05)
    noisy = np.vstack([errors, np.full((3000, 10), 2.0)])
    brightness = np.repeat([12.0, 17.0], 3000)
    return NoisyDensity(n_directions=3, n_gaussians=1).fit(vectors, errors, noisy, brightness)


def faint(n, rng):
    """Return vectors as noisy as those of brightness 17, and what ``misfit`` takes beside them."""
    vectors = precise(n, rng) + 2.0 * rng.standard_normal((n, 10))
    return vectors, np.full((n, 10), 2.0), np.full(n, 17.0)


def test_rarity_ranks_as_the_density_of_what_is_as_noisy(density):
    vectors, errors, brightness = faint(500, np.random.default_rng(2))
    rarity, residual = density.misfit(vectors, errors, brightness)
    total = LOADINGS.T @ COVARIANCE @ LOADINGS + (2.0**2 + 0.05**2) * np.eye(10)
    expected = -multivariate_normal(np.zeros(10), total).logpdf(vectors)
    likelihood = rarity + 0.5 * 10 * np.exp(residual)
    assert spearmanr(likelihood, expected).statistic > 0.99


def test_fewer_gaussians_make_no_place_less_rare():
    rng = np.random.default_rng(7)
    vectors, errors = precise(3000, rng), np.full((3000, 10), 0.05)
    brightness = np.full(3000, 12.0)
    density = NoisyDensity(3, n_gaussians=8).fit(vectors, errors, errors, brightness)
    rarity = [density.misfit(vectors, errors, brightness, n_near)[0] for n_near in (1, 3, 8)]
    assert (rarity[0] >= rarity[1]).all()
    assert (rarity[1] >= rarity[2]).all()
    assert (rarity[0] > rarity[2]).any()


def test_noise_that_is_told_leaves_residuals_as_large_as_itself(density):
    vectors, errors, brightness = faint(500, np.random.default_rng(3))
    _, residual = density.misfit(vectors, errors, brightness)
    # Three of ten dimensions are fitted away.
    assert np.exp(residual).mean() == pytest.approx(0.7, abs=0.05)
    _, untold = density.misfit(vectors, np.full((500, 10), 0.05), brightness)
    assert (untold > residual + 3).all()


def test_an_error_that_is_not_known_is_what_is_usual_there(density):
    vectors, errors, brightness = faint(50, np.random.default_rng(4))
    known = density.misfit(vectors, errors, brightness)
    unknown = density.misfit(vectors, np.full((50, 10), np.nan), brightness)
    np.testing.assert_allclose(known, unknown)


def test_what_is_missing_makes_nothing_rare(density):
    rng = np.random.default_rng(5)
    vectors, errors = precise(500, rng), np.full((500, 10), 0.05)
    holey = vectors.copy()
    holey[:, 2:] = np.nan
    whole, _ = density.misfit(vectors, errors, np.full(500, 12.0))
    found, residual = density.misfit(holey, errors, np.full(500, 12.0))
    assert abs(np.median(found) - np.median(whole)) < 1.0
    assert np.isfinite(residual).all()


def test_what_lies_off_the_directions_is_left_over(density):
    rng = np.random.default_rng(6)
    vectors, errors = precise(300, rng), np.full((300, 10), 0.05)
    off = np.linalg.svd(LOADINGS)[2][-1]
    _, usual = density.misfit(vectors, errors, np.full(300, 12.0))
    _, odd = density.misfit(vectors + 2.0 * off, errors, np.full(300, 12.0))
    assert odd.min() > usual.max()


def test_two_vectors_and_columns_of_nothing_are_enough():
    vectors = np.array([[0.0, 1.0, np.nan], [1.0, 0.0, np.nan]])
    nothing = np.full((2, 3), np.nan)
    learned = NoisyDensity().fit(vectors, nothing, nothing, np.array([12.0, np.nan]))
    assert np.isfinite(learned.misfit(vectors, nothing, np.array([12.0, np.nan]))).all()
