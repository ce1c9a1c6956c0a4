"""The scores of predictions, against plain numpy and against scikit-learn."""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import MaskedColumn
from astropy.utils.masked import Masked
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import rankdata
from sklearn import metrics as sk

from msaestimator import metrics
from msaestimator.exceptions import ColumnError, UnitMismatchError


def numpy_r2(true, predicted):
    return 1 - np.sum((true - predicted) ** 2) / np.sum((true - true.mean()) ** 2)


def numpy_spearman(true, predicted):
    return np.corrcoef(rankdata(true), rankdata(predicted))[0, 1]


def numpy_nmad(true, predicted):
    residual = predicted - true
    return 1.4826 * np.median(np.abs(residual - np.median(residual)))


ORACLES = {
    "rmse": lambda t, p: np.sqrt(np.mean((p - t) ** 2)),
    "residual_std": lambda t, p: np.sqrt(np.mean((p - t - np.mean(p - t)) ** 2)),
    "mae": lambda t, p: np.mean(np.abs(p - t)),
    "nmad": numpy_nmad,
    "r2": numpy_r2,
    "spearman": numpy_spearman,
}
NAMES = sorted(ORACLES)
IN_UNITS = ["mae", "nmad", "residual_std", "rmse"]
numbers = st.floats(-1e4, 1e4).map(lambda x: round(x, 3))


def stars(n_stars=200, n_labels=3, seed=0):
    rng = np.random.default_rng(seed)
    true = rng.normal(size=(n_stars, n_labels)) * [1.0, 10.0, 1000.0][:n_labels]
    return true, true + rng.normal(size=true.shape) + 0.5


@pytest.mark.parametrize("name", NAMES)
class TestEveryScore:
    def test_equals_numpy(self, name):
        true, predicted = stars()
        expected = [ORACLES[name](t, p) for t, p in zip(true.T, predicted.T, strict=True)]
        np.testing.assert_allclose(getattr(metrics, name)(true, predicted), expected)

    def test_of_one_column_is_a_float(self, name):
        true, predicted = stars()
        score = getattr(metrics, name)
        alone = score(true[:, 1], predicted[:, 1])
        assert isinstance(alone, float)
        assert alone == score(true, predicted)[1]

    def test_all_nan_column_is_nan_and_leaves_the_others_alone(self, name):
        true, predicted = stars()
        score = getattr(metrics, name)
        expected = score(true, predicted)
        true[:, 0] = np.nan
        found = score(true, predicted)
        assert np.isnan(found[0])
        np.testing.assert_array_equal(found[1:], expected[1:])

    def test_of_no_star_is_nan(self, name):
        assert np.isnan(getattr(metrics, name)([], []))

    @pytest.mark.parametrize("dtype", ["float16", ">f4", "float32", "int64"])
    def test_takes_any_number_type(self, name, dtype):
        true = np.array([1, 2, 3, 5], dtype=dtype)
        predicted = np.array([1, 3, 2, 8], dtype=dtype)
        expected = ORACLES[name](true.astype(float), predicted.astype(float))
        np.testing.assert_allclose(getattr(metrics, name)(true, predicted), expected)

    def test_does_not_change_its_input(self, name):
        true, predicted = stars()
        before = true.copy(), predicted.copy()
        getattr(metrics, name)(true, predicted)
        np.testing.assert_array_equal((true, predicted), before)

    @settings(max_examples=30)
    @given(
        pair=hnp.arrays(float, st.tuples(st.just(2), st.integers(2, 30)), elements=numbers),
        holes=st.lists(st.tuples(st.sampled_from("tpb"), numbers), max_size=8),
        data=st.data(),
    )
    def test_rows_with_nan_change_nothing(self, name, pair, holes, data):
        score = getattr(metrics, name)
        expected = score(*pair)
        rows = list(pair.T)
        for missing, value in holes:
            row = [np.nan if missing in "tb" else value, np.nan if missing in "pb" else value]
            rows.insert(data.draw(st.integers(0, len(rows))), np.array(row))
        np.testing.assert_array_equal(score(*np.array(rows).T), expected)

    def test_refuses_another_physical_type(self, name):
        with pytest.raises(UnitMismatchError, match="`y_pred` must be in K .* got mag"):
            getattr(metrics, name)([1.0, 2.0] * u.K, [1.0, 2.0] * u.mag)

    @pytest.mark.parametrize(
        ("true", "predicted"), [([1.0, 2.0], [1.0]), ([[1.0]], [1.0]), ([[[1.0]]], [[[1.0]]])]
    )
    def test_refuses_shapes_that_do_not_fit(self, name, true, predicted):
        with pytest.raises(ColumnError, match="must have one shape"):
            getattr(metrics, name)(true, predicted)

    def test_refuses_infinite_values(self, name):
        with pytest.raises(ColumnError, match="`y_pred` must be finite or NaN, got 1 infinite"):
            getattr(metrics, name)([1.0, 2.0], [1.0, np.inf])

    def test_refuses_strings(self, name):
        with pytest.raises(ColumnError, match="`y_true` must hold numbers"):
            getattr(metrics, name)(["hot", "cold"], [1.0, 2.0])


@pytest.mark.parametrize("name", IN_UNITS)
@settings(max_examples=20)
@given(shift=st.floats(-100, 100).map(lambda x: round(x, 2)))
def test_spread_scales_with_the_unit(name, shift):
    score = getattr(metrics, name)
    true, predicted = np.array([5000.0, 5500.0, 7000.0]), np.array([5000.0, 5600.0, 7000 + shift])
    expected = score(true, predicted)
    np.testing.assert_allclose(score(true * u.K, predicted / 1000 * u.kK), expected)
    np.testing.assert_allclose(score(true / 1000 * u.kK, predicted * u.K), expected / 1000)
    # A plain array is in the other's unit.
    np.testing.assert_allclose(score(true, predicted * u.K), expected)


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("rmse", sk.root_mean_squared_error),
        ("mae", sk.mean_absolute_error),
        ("r2", sk.r2_score),
    ],
)
def test_equals_sklearn_without_nan(name, reference):
    true, predicted = stars()
    expected = reference(true, predicted, multioutput="raw_values")
    np.testing.assert_allclose(getattr(metrics, name)(true, predicted), expected)


@settings(max_examples=30)
@given(
    residual=hnp.arrays(float, 31, elements=numbers, unique=True),
    outlier=st.sampled_from([1e6, -1e9]),
)
def test_nmad_ignores_a_bias_and_barely_an_outlier(residual, outlier):
    true = np.zeros_like(residual)
    spread = metrics.nmad(true, residual)
    assert metrics.nmad(true, residual + 7.0) == pytest.approx(spread, abs=1e-6)
    polluted = np.append(residual, outlier)
    assert metrics.nmad(np.zeros_like(polluted), polluted) <= 1.4826 * np.ptp(residual)


def test_nmad_of_a_normal_distribution_is_its_standard_deviation():
    noise = np.random.default_rng(0).normal(scale=3.0, size=200_000)
    assert metrics.nmad(np.zeros_like(noise), noise) == pytest.approx(3.0, rel=0.01)


def test_rmse_is_made_of_bias_and_sigma():
    true, predicted = stars()
    bias = np.mean(predicted - true, axis=0)
    squares = metrics.residual_std(true, predicted) ** 2 + bias**2
    np.testing.assert_allclose(metrics.rmse(true, predicted) ** 2, squares)


@pytest.mark.parametrize("name", ["r2", "spearman"])
def test_one_star_has_no_agreement(name):
    assert np.isnan(getattr(metrics, name)([1.0], [2.0]))


def test_a_constant_has_no_ranks():
    assert np.isnan(metrics.spearman([1.0, 2.0, 3.0], [4.0, 4.0, 4.0]))


@pytest.mark.parametrize(
    "masked",
    [
        np.ma.array([1.0, 99.0, 3.0], mask=[False, True, False]),
        np.ma.array([1, 99, 3], mask=[False, True, False]),
        MaskedColumn([1.0, 99.0, 3.0], mask=[False, True, False], unit="K"),
        Masked([1.0, 99.0, 3.0] * u.K, mask=[False, True, False]),
    ],
    ids=["floats", "integers", "column", "quantity"],
)
def test_masked_values_are_missing(masked):
    assert metrics.mae(masked, [2.0, 2.0, 2.0] * getattr(masked, "unit", 1)) == 1.0


def test_dex_on_a_zero_point_is_dex():
    gravity = u.Dex([4.0, 2.0], u.dex(u.cm / u.s**2))
    assert metrics.mae([4.5, 2.5] * u.dex, gravity) == 0.5
