"""The scores of uncertainties, on distributions whose answer is known."""

import astropy.units as u
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import mean_pinball_loss

from msaestimator.exceptions import ColumnError, UnitMismatchError
from msaestimator.metrics import coverage, interval_positions, pinball_loss, z_scores

QUANTILES = (0.16, 0.5, 0.84)
numbers = st.floats(-1e3, 1e3).map(lambda x: round(x, 3))


def normal_stars(n_stars=100_000, claimed=1.0):
    """Truths scattered by 2 around medians whose interval claims ``claimed`` times that."""
    rng = np.random.default_rng(0)
    median = rng.uniform(3000, 7000, size=n_stars)
    half = 2.0 * claimed
    return median + rng.normal(scale=2.0, size=n_stars), median - half, median, median + half


class TestZScores:
    @pytest.mark.parametrize("claimed", [0.5, 1.0, 2.0])
    def test_of_a_normal_distribution(self, claimed):
        z = z_scores(*normal_stars(claimed=claimed))
        assert z.mean() == pytest.approx(0.0, abs=0.02 / claimed)
        assert z.std() == pytest.approx(1.0 / claimed, rel=0.01)

    def test_is_positive_where_the_prediction_is_too_low(self):
        assert z_scores([5.0], [3.0], [4.0], [5.0]) > 0

    def test_averages_the_half_widths(self):
        true, low, median, high = 10.0, 2.0, 7.0, 8.0
        expected = (true - median) / np.mean([median - low, high - median])
        assert z_scores([true], [low], [median], [high])[0] == pytest.approx(expected)

    @pytest.mark.parametrize("missing", range(4))
    def test_is_nan_where_anything_is_missing(self, missing):
        values = [np.array([[4.0, 4.0]]), np.array([[3.0, 3.0]]), np.array([[4.5, 4.5]]),
                  np.array([[5.0, 5.0]])]  # fmt: skip
        values[missing][0, 1] = np.nan
        np.testing.assert_array_equal(np.isnan(z_scores(*values)), [[False, True]])

    @pytest.mark.parametrize(("low", "high"), [(4.0, 4.0), (5.0, 3.0), (-np.inf, 5.0)])
    def test_is_nan_without_a_positive_finite_width(self, low, high):
        assert np.isnan(z_scores([4.0], [low], [4.0], [high]))

    def test_converts_units(self):
        z = z_scores([5100.0] * u.K, [4.9] * u.kK, [5.0] * u.kK, [5.1] * u.kK)
        np.testing.assert_allclose(z, 1.0)
        with pytest.raises(UnitMismatchError, match="`upper` must be in K"):
            z_scores([1.0] * u.K, [1.0] * u.K, [1.0] * u.K, [1.0] * u.mag)


class TestCoverage:
    def test_of_a_normal_distribution_is_two_thirds(self):
        true, low, _, high = normal_stars()
        assert coverage(true, low, high) == pytest.approx(0.6827, abs=0.005)

    def test_ends_are_inside_and_infinite_ends_are_allowed(self):
        assert coverage([1.0, 2.0], [1.0, 0.0], [5.0, 2.0]) == 1.0
        assert coverage([1.0, 2.0], [-np.inf, -np.inf], [np.inf, 0.0]) == 0.5

    @given(
        bounds=hnp.arrays(float, (12, 2), elements=numbers),
        true=hnp.arrays(float, 12, elements=numbers),
        missing=hnp.arrays(bool, (12, 3)),
    )
    def test_is_the_fraction_among_complete_rows(self, bounds, true, missing):
        rows = np.column_stack([true, np.sort(bounds)])
        rows[missing] = np.nan
        inside = [low <= t <= high for t, low, high in rows if not np.isnan([t, low, high]).any()]
        expected = np.mean(inside) if inside else np.nan
        np.testing.assert_equal(coverage(*rows.T), expected)

    def test_refuses_an_infinite_truth(self):
        with pytest.raises(ColumnError, match="`y_true` must be finite"):
            coverage([np.inf], [0.0], [1.0])


class TestPinballLoss:
    def test_equals_sklearn_averaged_over_quantiles(self):
        rng = np.random.default_rng(0)
        true, predicted = rng.normal(size=(50, 2)), rng.normal(size=(50, 2, 3))
        expected = [
            np.mean(
                [
                    mean_pinball_loss(true[:, k], predicted[:, k, q], alpha=level)
                    for q, level in enumerate(QUANTILES)
                ]
            )
            for k in range(2)
        ]
        np.testing.assert_allclose(pinball_loss(true, predicted, QUANTILES), expected)
        assert pinball_loss(true[:, 0], predicted[:, 0], QUANTILES) == pytest.approx(expected[0])

    @pytest.mark.parametrize("where", ["truth", "one quantile"])
    def test_rows_with_nan_change_nothing(self, where):
        true, predicted = np.array([1.0, 2.0]), np.array([[0.0, 1, 2], [1.0, 1, 2]])
        expected = pinball_loss(true[:1], predicted[:1], QUANTILES)
        if where == "truth":
            true[1] = np.nan
        else:
            predicted[1, 2] = np.nan
        assert pinball_loss(true, predicted, QUANTILES) == expected

    def test_is_least_at_the_true_quantiles(self):
        draws = np.random.default_rng(0).normal(size=20_000)
        right = np.quantile(draws, QUANTILES)
        losses = [
            pinball_loss(draws, np.tile(right + shift, (draws.size, 1)), QUANTILES)
            for shift in (-0.2, 0.0, 0.2)
        ]
        assert np.argmin(losses) == 1

    def test_all_nan_label_is_nan(self):
        true = np.array([[1.0, np.nan], [2.0, np.nan]])
        loss = pinball_loss(true, np.zeros((2, 2, 3)), QUANTILES)
        np.testing.assert_array_equal(np.isnan(loss), [False, True])

    def test_converts_units(self):
        loss = pinball_loss([5000.0] * u.K, [[4.9, 5.0, 5.1]] * u.kK, QUANTILES)
        assert loss == pytest.approx(2 * 0.16 * 100 / 3)

    def test_refuses_what_does_not_fit(self):
        with pytest.raises(ColumnError, match="one entry a quantile on its last axis, 3, got 2"):
            pinball_loss([1.0], [[1.0, 2.0]], QUANTILES)
        with pytest.raises(ColumnError, match="must have one shape"):
            pinball_loss([1.0, 2.0], [[1.0, 2.0, 3.0]], QUANTILES)
        with pytest.raises(ColumnError, match="must be finite or NaN"):
            pinball_loss([1.0], [[1.0, 2.0, np.inf]], QUANTILES)

    @pytest.mark.parametrize("levels", [(0.5, 0.16, 0.84), (0.0, 0.5, 1.0), (0.1, 0.5, 0.5), ()])
    def test_refuses_levels_that_do_not_rise_between_0_and_1(self, levels):
        with pytest.raises(ColumnError, match="`quantiles` must rise between 0 and 1"):
            pinball_loss([1.0], [[1.0, 2.0, 3.0]], levels)


@pytest.mark.parametrize(
    ("quantiles", "positions"),
    [
        ((0.16, 0.5, 0.84), (0, 1, 2)),
        ((0.025, 0.16, 0.5, 0.84, 0.975), (1, 2, 3)),
        ((0.05, 0.25, 0.5, 0.75, 0.95), (0, 2, 4)),
        ((0.05, 0.16, 0.5, 0.95), (0, 2, 3)),
        (np.array([0.16, 0.5, 0.84], dtype=np.float32), (0, 1, 2)),
    ],
)
def test_interval_positions(quantiles, positions):
    assert interval_positions(quantiles) == positions


@pytest.mark.parametrize("quantiles", [(0.16, 0.84), (0.5,), (0.5, 0.84), (0.16, 0.5)])
def test_interval_needs_a_median_between_bounds(quantiles):
    with pytest.raises(ColumnError, match="0.5 and a level on either side"):
        interval_positions(quantiles)
