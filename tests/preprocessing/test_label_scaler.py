"""Labels and their errors, scaled and back."""

import numpy as np
import pandas as pd
import pytest
from astropy.stats import mad_std
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from msaestimator.exceptions import UnitMismatchError
from msaestimator.preprocessing import LabelScaler
from msaestimator.schema import LABELS

NAMES = ["teff", "logg", "fe_h", "age", "mass", "parallax"]
LOG = np.array([True, False, False, True, True, True])


def draw_labels(n_stars=50, seed=0):
    """Labels inside their limits, some unknown."""
    rng = np.random.default_rng(seed)
    low, high = np.transpose([LABELS[name].limits for name in NAMES])
    y = rng.uniform(low + 0.01, high, (n_stars, len(NAMES)))
    y[rng.random(y.shape) < 0.2] = np.nan
    return y


def by_hand(y, fitted_on):
    """The documented formula in plain numpy."""

    def log(values):
        return np.where(LOG, np.log10(np.where(values > 0, values, np.nan)), values)

    known = log(fitted_on)
    return (log(y) - np.nanmean(known, axis=0)) / np.nanstd(known, axis=0)


@pytest.fixture
def scaler():
    return LabelScaler(NAMES).fit(draw_labels())


def test_formula(scaler):
    y = draw_labels(seed=1)
    np.testing.assert_allclose(scaler.transform(y), by_hand(y, draw_labels()), rtol=1e-12)
    np.testing.assert_array_equal(scaler.is_log_, LOG)


def test_scaled_labels_have_zero_mean_and_unit_variance(scaler):
    z = scaler.transform(draw_labels())
    np.testing.assert_allclose(np.nanmean(z, axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(np.nanstd(z, axis=0), 1.0)


@given(
    hnp.arrays(
        np.float64,
        st.tuples(st.integers(1, 10), st.just(len(NAMES))),
        elements=st.floats(1e-3, 1e5) | st.just(np.nan),
    )
)
def test_there_and_back(y):
    scaler = LabelScaler(NAMES).fit(draw_labels())
    expected = np.where(np.array(NAMES) == "age", np.minimum(y, 14.0), y)
    np.testing.assert_allclose(scaler.inverse_transform(scaler.transform(y)), expected, rtol=1e-9)


@given(
    y=st.floats(0.01, 13.0),
    sigma=st.floats(1e-6, 100.0),
    position=st.integers(0, len(NAMES) - 1),
)
def test_errors_are_scaled_by_the_slope_of_the_transformation(y, sigma, position):
    scaler = LabelScaler(NAMES).fit(draw_labels())
    labels, errors = np.full((1, len(NAMES)), y), np.full((1, len(NAMES)), sigma)
    step = 1e-4 * y
    change = scaler.transform(labels + step) - scaler.transform(labels - step)
    scaled = scaler.transform_errors(labels, errors)
    expected = sigma * change[0, position] / (2 * step)
    np.testing.assert_allclose(scaled[0, position], expected, rtol=1e-5)
    back = scaler.inverse_transform_errors(scaler.transform(labels), scaled)
    np.testing.assert_allclose(back, errors, rtol=1e-9)


@pytest.mark.parametrize("robust", [False, True])
@pytest.mark.parametrize("asinh", [False, True])
def test_every_kind_goes_there_and_back_with_its_errors(robust, asinh):
    scaler = LabelScaler(NAMES, robust=robust, asinh=asinh).fit(draw_labels())
    y = draw_labels(seed=1)
    errors = 1e-3 * np.abs(y)
    z = scaler.transform(y)
    np.testing.assert_allclose(scaler.inverse_transform(z), y, rtol=1e-9)
    step = 1e-5 * np.abs(y)
    slope = (scaler.transform(y + step) - scaler.transform(y - step)) / (2 * step)
    scaled = scaler.transform_errors(y, errors)
    np.testing.assert_allclose(scaled, errors * slope, rtol=1e-4)
    back = scaler.inverse_transform_errors(z, scaled)
    np.testing.assert_allclose(back, errors, rtol=1e-9)


def test_robust_centre_and_scale_are_median_and_nmad():
    y = draw_labels()
    scaler = LabelScaler(NAMES, robust=True).fit(y)
    for position, name in enumerate(NAMES):
        known = y[np.isfinite(y[:, position]), position]
        known = np.log10(known[known > 0]) if LOG[position] else known
        assert scaler.center_[position] == pytest.approx(np.median(known)), name
        assert scaler.scale_[position] == pytest.approx(mad_std(known)), name


def test_robust_scaling_does_not_feel_outliers():
    y = np.random.default_rng(0).normal(4.0, 1.0, (1001, 1))
    plain = LabelScaler(["logg"], robust=True).fit(y)
    y[:50] = 1e6
    wild = LabelScaler(["logg"], robust=True).fit(y)
    np.testing.assert_allclose(wild.center_, plain.center_, atol=0.1)
    np.testing.assert_allclose(wild.scale_, plain.scale_, rtol=0.1)


def test_asinh_is_the_inverse_hyperbolic_sine_of_the_scaled_label():
    y = draw_labels(seed=1)
    linear = LabelScaler(NAMES, robust=True).fit(draw_labels()).transform(y)
    bent = LabelScaler(NAMES, robust=True, asinh=True).fit(draw_labels()).transform(y)
    np.testing.assert_allclose(bent, np.log(linear + np.sqrt(linear**2 + 1.0)), rtol=1e-9)


@pytest.mark.parametrize("asinh", [False, True])
@pytest.mark.parametrize(
    ("y", "expected"),
    [([[5000.0]] * 3, 0.0), ([[5000.0]], 0.0), ([[np.nan]] * 3, np.nan)],
    ids=["constant", "one star", "no star has it"],
)
def test_robust_labels_without_spread(y, expected, asinh):
    scaler = LabelScaler(["teff"], robust=True, asinh=asinh)
    np.testing.assert_array_equal(scaler.fit_transform(y), np.full(np.shape(y), expected))
    np.testing.assert_array_equal(scaler.scale_, [1.0])
    np.testing.assert_allclose(scaler.inverse_transform(scaler.transform(y)), y)


def test_wild_answers_overflow_without_a_warning_behind_asinh():
    scaler = LabelScaler(["logg"], robust=True, asinh=True).fit([[4.0], [5.0]])
    assert scaler.inverse_transform([[1e6]]) == np.inf
    assert scaler.inverse_transform_errors([[1e6]], [[1.0]]) == np.inf


def test_inverse_runs_over_the_last_axis_of_any_array(scaler):
    z = np.random.default_rng(0).normal(size=(4, 3, len(NAMES)))
    found = scaler.inverse_transform(z)
    for index in range(3):
        np.testing.assert_array_equal(found[:, index], scaler.inverse_transform(z[:, index]))


def test_order_of_quantiles_is_kept(scaler):
    z = np.sort(np.random.default_rng(0).normal(size=(20, 5, 1)), axis=1)
    labels = scaler.inverse_transform(np.repeat(z, len(NAMES), axis=2))
    assert np.all(np.diff(labels, axis=1) >= 0)


@pytest.mark.parametrize("value", [0.0, -1.2, np.nan])
def test_what_has_no_logarithm_is_missing(scaler, value):
    y = np.full((1, len(NAMES)), value)
    np.testing.assert_array_equal(np.isnan(scaler.transform(y))[0], LOG | np.isnan(value))
    errors = scaler.transform_errors(y, np.ones_like(y))
    np.testing.assert_array_equal(np.isnan(errors)[0], LOG)


def test_values_without_a_logarithm_take_no_part_in_the_fit():
    y = np.array([[5000.0], [6000.0], [-1.0], [0.0]])
    expected = LabelScaler(["teff"]).fit(y[:2])
    found = LabelScaler(["teff"]).fit(y)
    assert (found.center_, found.scale_) == (expected.center_, expected.scale_)


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ("auto", [True, False]),
        ((), [False, False]),
        (["logg"], [False, True]),
        (["teff", "logg"], [True, True]),
    ],
)
def test_which_labels_are_logarithms(log, expected):
    scaler = LabelScaler(["teff", "logg"], log=log).fit([[5000.0, 4.0], [6000.0, 4.5]])
    assert scaler.is_log_.tolist() == expected


def test_names_come_from_a_data_frame():
    frame = pd.DataFrame({"age": [1.0, 10.0], "logg": [4.0, 4.5]})
    scaler = LabelScaler().fit(frame)
    assert scaler.is_log_.tolist() == [True, False]
    assert list(scaler.get_feature_names_out()) == ["age", "logg"]
    np.testing.assert_allclose(scaler.transform(frame)[:, 0], [-1.0, 1.0])


def test_an_array_without_names_has_no_logarithm():
    scaler = LabelScaler().fit([[5000.0], [6000.0]])
    assert not scaler.is_log_.any()
    assert list(scaler.get_feature_names_out()) == ["x0"]


@pytest.mark.parametrize(
    ("y", "expected"),
    [([[5000.0]] * 3, 0.0), ([[5000.0]], 0.0), ([[np.nan]] * 3, np.nan)],
    ids=["constant", "one star", "no star has it"],
)
def test_labels_without_spread(y, expected):
    scaler = LabelScaler(["teff"])
    np.testing.assert_array_equal(scaler.fit_transform(y), np.full(np.shape(y), expected))
    np.testing.assert_allclose(scaler.inverse_transform(scaler.transform(y)), y)


def test_a_wild_prediction_overflows_without_a_warning():
    scaler = LabelScaler(["teff"]).fit([[5000.0], [6000.0]])
    assert scaler.inverse_transform([[1e6]]) == np.inf


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"labels": ["teff"]}, r"`labels` must name each of the 2 columns, got \['teff'\]"),
        (
            {"labels": ["teff", "logg"], "log": ["age"]},
            r"`log` must name labels of \['teff', 'logg'\], got \['age'\]",
        ),
    ],
)
def test_bad_parameters(parameters, text):
    with pytest.raises(ValueError, match=text):
        LabelScaler(**parameters).fit([[5000.0, 4.0], [6000.0, 4.5]])


def test_infinite_labels():
    with pytest.raises(ValueError, match="contains infinity"):
        LabelScaler().fit([[np.inf], [1.0]])


@pytest.mark.parametrize("log", ["auto", ()])
@given(z=hnp.arrays(np.float64, (5, len(NAMES)), elements=st.floats(-200, 200)))
def test_what_comes_back_is_possible(log, z):
    back = LabelScaler(NAMES, log=log).fit(draw_labels()).inverse_transform(np.sort(z, axis=0))
    positive = back[:, [NAMES.index(name) for name in ("teff", "age", "mass", "parallax")]]
    assert (positive > 0).all()
    assert (back[:, NAMES.index("age")] <= 14.0).all()
    assert (np.diff(back, axis=0) >= 0).all()


def test_ages_above_the_bound_are_counted_and_kept():
    ages = np.array([[1.0], [14.0], [15.0], [17.0], [np.nan]])
    with pytest.warns(UserWarning, match="^2 of 5 stars have age above 14, .* counts as 14"):
        scaler = LabelScaler(["age"]).fit(ages)
    expected = [[1.0], [14.0], [14.0], [14.0], [np.nan]]
    np.testing.assert_allclose(scaler.inverse_transform(scaler.transform(ages)), expected)
    assert scaler.center_[0] == pytest.approx(np.mean(np.log10([1.0, 14.0, 14.0, 14.0])))


def test_bounds_follow_the_unit():
    scaler = LabelScaler(["age"], units={"age": "Myr"}).fit([[1000.0], [14000.0]])
    assert scaler.inverse_transform([[50.0]]) == pytest.approx(14000.0)


def test_a_unit_of_another_kind():
    with pytest.raises(UnitMismatchError, match="unit of label 'age' must be convertible to Gyr"):
        LabelScaler(["age"], units={"age": "K"}).fit([[1.0], [2.0]])
