"""Errors that hold in each situation, against residuals whose errors are known."""

import numpy as np
import pytest
from scipy.stats import t

from msaestimator.uncertainty import ErrorCalibration


def make(rng, n_stars=20_000):
    """Residuals of three quantities: right, twice too small, and wrong as the situation is."""
    situations = rng.uniform(0, 1, (n_stars, 2))
    errors = rng.lognormal(0, 0.5, (n_stars, 3))
    true = errors * np.column_stack(
        [np.ones(n_stars), np.full(n_stars, 2.0), np.exp(situations[:, 1] - 0.5)]
    )
    residuals = true * rng.standard_normal((n_stars, 3))
    residuals[rng.random((n_stars, 3)) < 0.2] = np.nan
    return residuals, errors, situations, true


@pytest.fixture(scope="module")
def calibrated():
    residuals, errors, situations, _ = make(np.random.default_rng(0))
    return ErrorCalibration([[0], [1], [2]]).fit(residuals, errors, situations)


def test_errors_become_the_true_ones(calibrated):
    _, errors, situations, true = make(np.random.default_rng(1))
    found = calibrated.predict(errors, situations, [0, 1, 2])
    np.testing.assert_allclose(found / true, 1.0, atol=0.2)
    assert np.abs(found / true - 1.0).mean() < 0.05


@pytest.mark.parametrize("high", [False, True])
def test_they_hold_in_each_situation(calibrated, high):
    residuals, errors, situations, _ = make(np.random.default_rng(2))
    rows = (situations[:, 1] > 0.5) == high
    found = calibrated.predict(errors, situations, [0, 1, 2])[rows]
    known = np.isfinite(residuals[rows])
    within = (np.abs(residuals[rows]) < found).sum(axis=0) / known.sum(axis=0)
    np.testing.assert_allclose(within, 0.683, atol=0.02)
    plain = (np.abs(residuals[rows]) < errors[rows]).sum(axis=0) / known.sum(axis=0)
    assert abs(plain[2] - 0.683) > 0.05


def test_noise_of_the_truth_is_not_in_the_errors(calibrated):
    """Errors come out as without the noise, however large it is beside them."""
    rng = np.random.default_rng(0)
    residuals, errors, situations, true = make(rng, 40_000)
    noise = true * rng.choice([0.1, 1.0, 2.0], true.shape)
    noisy = residuals + noise * rng.standard_normal(true.shape)
    told = ErrorCalibration([[0], [1], [2]]).fit(noisy, errors, situations, noise)
    untold = ErrorCalibration([[0], [1], [2]]).fit(noisy, errors, situations)
    plain, with_noise, without = (
        c.predict(errors, situations, [0, 1, 2]) for c in (calibrated, told, untold)
    )
    np.testing.assert_allclose(np.median(with_noise / plain, axis=0), 1.0, atol=0.1)
    assert (np.median(without / plain, axis=0) > 1.3).all()


def test_wide_wings_are_a_compromise():
    """Student's t has 0.683 within its error and 0.92 within two, where a normal one has 0.954."""
    rng = np.random.default_rng(4)
    residuals, ones = rng.standard_t(3, (20_000, 1)), np.ones((20_000, 1))
    found = ErrorCalibration([[0]]).fit(residuals, ones, ones)
    error = found.predict(ones, ones, [0])[0, 0]
    one, two = t(3).ppf(0.5 + 0.6827 / 2), t(3).ppf(0.5 + 0.9545 / 2) / 2
    assert one < error < two
    assert error == pytest.approx(one**0.75 * two**0.25, rel=0.03)


def test_asked_quantities_have_their_own_factors(calibrated):
    _, errors, situations, _ = make(np.random.default_rng(3), 10)
    whole = calibrated.predict(errors, situations, [0, 1, 2])
    some = calibrated.predict(errors[:, [2, 0]], situations, [2, 0])
    np.testing.assert_array_equal(some, whole[:, [2, 0]])


def test_groups_share_a_factor():
    residuals, errors, situations, _ = make(np.random.default_rng(0))
    shared = ErrorCalibration([[0, 1, 2]]).fit(residuals, errors, situations)
    ratio = shared.predict(np.ones((50, 3)), situations[:50], [0, 1, 2])
    assert (ratio == ratio[:, :1]).all()


def test_few_residuals_leave_errors_as_they_are():
    residuals, errors, situations, _ = make(np.random.default_rng(0), 100)
    residuals[40:, 1] = np.nan
    found = ErrorCalibration([[0], [1], [2]]).fit(residuals, errors, situations)
    ratio = found.predict(errors, situations, [0, 1, 2]) / errors
    assert (ratio[:, 1] == 1.0).all()
    assert (ratio[:, 0] != 1.0).any()


def test_no_error_stays_none_and_factors_are_bounded(calibrated):
    situations = np.array([[0.5, 0.5], [0.5, 1e3]])
    found = calibrated.predict(np.array([[0.0] * 3, [1.0] * 3]), situations, [0, 1, 2])
    assert (found[0] == 0.0).all()
    assert found[1].max() == pytest.approx(5.0)


def test_typical_errors_are_those_of_the_residuals():
    rng = np.random.default_rng(3)
    residuals = rng.normal(0, [0.1, 3.0, 1.0, 1.0], (20_000, 4))
    residuals[:, 0] += np.where(rng.random(20_000) < 0.01, 1e4, 0.0)  # an NMAD does not care
    residuals[49:, 2] = residuals[:, 3] = np.nan
    calibration = ErrorCalibration([[0, 1, 2, 3]]).fit(
        residuals, np.ones_like(residuals), np.zeros((20_000, 1))
    )
    np.testing.assert_allclose(calibration.typical_errors_[:2], [0.1, 3.0], rtol=0.05)
    assert np.isnan(calibration.typical_errors_[2:]).all()
