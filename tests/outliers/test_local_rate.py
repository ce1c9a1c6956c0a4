"""False-alarm rates at each brightness: as asked for everywhere, whatever the tails there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import norm

from msaestimator.outliers import LocalFalseAlarmRate, NoiseProfile


def draw(n, rng):
    """Return misfits whose tails differ with brightness: one in twenty is odd if bright."""
    brightness = rng.uniform(9, 19, n)
    odd = (rng.random(n) < 0.05) & (brightness < 12)
    width = 1.2 ** (brightness - 14)
    return rng.standard_normal(n) * width + np.where(odd, 8.0, 0.0), brightness


def test_as_many_exceed_a_score_as_it_says_at_every_brightness():
    rng = np.random.default_rng(0)
    rate = LocalFalseAlarmRate().fit(*draw(60_000, rng))
    misfit, brightness = draw(60_000, rng)
    score = rate.score(misfit, brightness)
    for middle in (9.5, 10.5, 14.0, 16.0, 18.5):
        there = np.abs(brightness - middle) < 0.5
        assert np.mean(score[there] > 1) == pytest.approx(0.1, abs=0.02)
        assert np.mean(score[there] > 2) == pytest.approx(0.01, abs=0.004)


def test_scores_are_the_logarithms_of_tail_fractions():
    misfit = norm.rvs(size=20_000, random_state=0)
    rate = LocalFalseAlarmRate().fit(misfit, np.zeros(20_000))
    expected = -np.log10(norm.sf([0.0, 1.0, 2.0]))
    found = rate.score(np.array([0.0, 1.0, 2.0]), np.zeros(3))
    np.testing.assert_allclose(found, expected, atol=0.1)


@given(hnp.arrays(float, st.integers(1, 40), elements=st.floats(-1e6, 1e6)))
def test_scores_rise_with_the_misfit_and_are_finite(misfit):
    rate = LocalFalseAlarmRate().fit(misfit, np.arange(len(misfit)))
    for brightness in (-1.0, 3.0, np.nan):
        score = rate.score(np.linspace(-2e6, 2e6, 50), np.full(50, brightness))
        assert np.isfinite(score).all()
        assert (np.diff(score) >= -1e-9).all()


def test_nan_does_not_count_and_unknown_brightness_is_the_median():
    rng = np.random.default_rng(0)
    misfit, brightness = draw(5001, rng)
    rate = LocalFalseAlarmRate().fit(np.append(misfit, np.nan), np.append(brightness, 12.0))
    median = np.full(3, np.median(np.append(brightness, 12.0)))
    probe = np.array([0.5, 3.0, np.nan])
    unknown = rate.score(probe, np.full(3, np.nan))
    np.testing.assert_allclose(unknown, rate.score(probe, median))
    assert np.isnan(unknown).tolist() == [False, False, True]


def test_profile_has_the_median_errors_of_a_brightness():
    rng = np.random.default_rng(0)
    brightness = rng.uniform(10, 18, 20_000)
    usual = np.column_stack([10 ** (0.2 * (brightness - 15)), np.full(20_000, np.nan)])
    errors = usual * 10 ** (0.1 * rng.standard_normal((20_000, 1)))
    profile = NoiseProfile().fit(errors, brightness)
    wanted = np.array([11.0, 13.25, 17.0])
    found = profile.at(wanted)
    np.testing.assert_allclose(found[:, 0], 10 ** (0.2 * (wanted - 15)), rtol=0.05)
    np.testing.assert_array_equal(found[:, 1], 0.0)
    ends = profile.at(np.array([0.0, 30.0, np.nan]))
    np.testing.assert_allclose(ends[:2, 0], profile.errors_[[0, -1], 0])
    assert np.isfinite(ends).all()
