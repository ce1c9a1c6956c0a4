"""Members' quantiles combined, against the thesis's sentence written out for one star."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from msaestimator.uncertainty import combine_members

LEVELS = [(0.5,), (0.16, 0.5, 0.84), (0.05, 0.25, 0.5, 0.75, 0.95)]


@pytest.mark.parametrize("levels", LEVELS)
@given(n_members=st.integers(1, 6), seed=st.integers(0, 1000))
def test_adds_widths_and_spread_in_quadrature(levels, n_members, seed):
    rng = np.random.default_rng(seed)
    quantiles = np.sort(rng.normal(size=(3, n_members, 2, len(levels))), axis=-1)
    combined = combine_members(quantiles, levels)
    assert combined.shape == (3, 2, len(levels))
    middle = len(levels) // 2
    for star in range(3):
        for label in range(2):
            members = quantiles[star, :, label]
            centre = np.mean(members[:, middle])
            spread = np.std(members[:, middle])
            for index, level in enumerate(levels):
                widths = np.abs(members[:, index] - members[:, middle])
                width = np.hypot(np.sqrt(np.mean(widths**2)), norm.ppf(level) * spread)
                expected = centre + np.sign(index - middle) * width
                assert combined[star, label, index] == pytest.approx(expected)
    assert (np.diff(combined, axis=-1) >= 0).all()


def test_one_member_is_itself():
    quantiles = np.array([[[[1.0, 2.0, 5.0]]]])
    np.testing.assert_allclose(combine_members(quantiles, LEVELS[1])[0, 0], [1.0, 2.0, 5.0])


def test_disagreement_widens_the_interval():
    alike = np.array([[[[-1.0, 0.0, 1.0]], [[-1.0, 0.0, 1.0]]]])
    apart = alike + np.array([-3.0, 3.0]).reshape(1, 2, 1, 1)
    (low, _, high), (lower, _, higher) = (
        combine_members(members, LEVELS[1])[0, 0] for members in (alike, apart)
    )
    assert lower < low < high < higher


def test_missing_stays_missing():
    quantiles = np.full((1, 2, 1, 3), np.nan)
    assert np.isnan(combine_members(quantiles, LEVELS[1])).all()
