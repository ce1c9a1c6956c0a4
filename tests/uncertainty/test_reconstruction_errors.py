"""Errors of inferred features: they hold 68 % of residuals whose size depends on what is known."""

import numpy as np
import pytest

from msaestimator.preprocessing import FeatureColumns, Features
from msaestimator.schema import GAIA_DR3
from msaestimator.uncertainty import ReconstructionErrors

NAMES = ("phot_g_mean_mag", "j_m", "h_m", *(f"normalized_bp_{i}" for i in range(1, 13)))
COLUMNS = FeatureColumns(NAMES, GAIA_DR3)


def draw(n_stars, seed):
    """Return stars with gaps, and the true sizes of two features' errors.

    The first grows with G, and threefold without J; the second is large without a spectrum.
    """
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n_stars, len(NAMES))).astype(np.float32)
    values[rng.random(n_stars) < 0.3, 1] = np.nan
    values[rng.random(n_stars) < 0.4, 3:] = np.nan
    lost = rng.random((n_stars, 12)) < 0.3
    values[:, 3:][lost] = np.nan
    shown = Features(values, COLUMNS)
    first = 0.1 * np.exp(0.5 * values[:, 0]) * np.where(np.isnan(values[:, 1]), 3.0, 1.0)
    second = np.where(shown.lacks_xp, 2.0, 0.2)
    sizes = np.column_stack([first, second])
    return shown, sizes, sizes * rng.normal(size=sizes.shape)


@pytest.fixture(scope="module")
def fitted():
    shown, _, residuals = draw(4000, 0)
    return ReconstructionErrors().fit(shown, residuals)


def test_sizes_are_found(fitted):
    shown, sizes, _ = draw(2000, 1)
    ratio = fitted.predict(shown) / sizes
    assert np.percentile(ratio, 5) > 0.85
    assert np.percentile(ratio, 95) < 1.2
    assert abs(np.median(ratio) - 1) < 0.05


@pytest.mark.parametrize("which", ["bright", "faint", "without J", "without XP", "with XP"])
def test_two_in_three_residuals_are_within(fitted, which):
    shown, _, residuals = draw(20000, 2)
    rows = {
        "bright": shown.values[:, 0] < -1,
        "faint": shown.values[:, 0] > 1,
        "without J": np.isnan(shown.values[:, 1]),
        "without XP": shown.lacks_xp,
        "with XP": ~shown.lacks_xp,
    }[which]
    within = np.abs(residuals[rows]) <= fitted.predict(shown[rows])
    np.testing.assert_allclose(within.mean(axis=0), 0.683, atol=0.08)


def test_a_feature_that_was_seldom_hidden_has_no_error():
    shown, _, residuals = draw(500, 3)
    residuals[19:, 0] = np.nan
    errors = ReconstructionErrors().fit(shown, residuals).predict(shown)
    assert np.isnan(errors[:, 0]).all()
    assert np.isfinite(errors[:, 1]).all()


@pytest.mark.parametrize("lost", [slice(0, 1), slice(3, None), slice(None)])
def test_any_gaps_can_be_asked_about(fitted, lost):
    shown, _, _ = draw(50, 4)
    values = shown.values.copy()
    values[:, lost] = np.nan
    errors = fitted.predict(Features(values, COLUMNS))
    assert errors.shape == (50, 2)
    assert (errors > 0).all()


def test_stars_that_all_have_everything():
    """Nothing varies, and nothing is divided by zero."""
    values = np.ones((100, len(NAMES)), dtype=np.float32)
    residuals = np.random.default_rng(5).normal(size=(100, 2))
    shown = Features(values, COLUMNS)
    errors = ReconstructionErrors().fit(shown, residuals).predict(shown)
    expected = np.quantile(np.abs(residuals), 0.6827, axis=0)
    np.testing.assert_allclose(errors, np.tile(expected, (100, 1)), rtol=1e-3)


def test_columns_of_no_schema():
    rng = np.random.default_rng(6)
    columns = FeatureColumns(("x0", "x1"), GAIA_DR3)
    shown = Features(rng.normal(size=(200, 2)).astype(np.float32), columns)
    errors = ReconstructionErrors().fit(shown, rng.normal(size=(200, 2))).predict(shown)
    assert 0.7 < errors.mean() < 1.3
