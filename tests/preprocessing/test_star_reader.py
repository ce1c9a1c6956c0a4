"""Range of features: widened by fainter copies, and not left by noise alone."""

import astropy.units as u
import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from msaestimator.datasets import load_apogee_xp, make_fainter
from msaestimator.preprocessing import StarReader

XP = ("bp_coefficients", "rp_coefficients")


@pytest.fixture(scope="module")
def stars():
    stars = load_apogee_xp("train")
    return stars[stars["phot_g_mean_mag"] < 13 * u.mag][:600]


@pytest.fixture
def reader(stars):
    return StarReader().fit(stars)


def out_of_range(reader, stars):
    """Return which features of stars lie beyond the range."""
    values = reader.without_noise_beyond(reader.transform(stars))
    low, high = reader.feature_range_
    return (values < low) | (values > high)


def test_range_holds_stars_and_copies(reader, stars):
    before = reader.feature_range_.copy()
    copies = reader.transform(make_fainter(stars, 17.0, 0))
    assert reader.extend_range(copies) is reader
    low, high = reader.feature_range_
    np.testing.assert_array_equal(low, np.fmin(before[0], np.nanmin(copies.values, axis=0)))
    np.testing.assert_array_equal(high, np.fmax(before[1], np.nanmax(copies.values, axis=0)))
    assert low.dtype == before.dtype


def test_features_that_no_copy_has_keep_their_range(reader, stars):
    before = reader.feature_range_.copy()
    reader.extend_range(reader.transform(make_fainter(stars, 18.5, 0)))
    is_xp = reader.columns.is_xp
    np.testing.assert_array_equal(reader.feature_range_[:, is_xp], before[:, is_xp])


def test_noise_leaves_the_range_only_if_it_was_not_extended(reader, stars):
    faint = make_fainter(stars, 17.0, 1)
    copies = reader.transform(faint)
    values = reader.without_noise_beyond(copies)
    np.testing.assert_array_equal(values, copies.values)
    assert out_of_range(reader, faint).any(axis=1).all()
    reader.extend_range(reader.transform(make_fainter(stars, 17.0, 2)))
    assert not out_of_range(reader, faint).any()
    reader.range_errors_ = 0.0
    assert out_of_range(reader, faint).any(axis=1).mean() > 0.05


def test_what_noise_does_not_explain_is_beyond(reader, stars):
    reader.extend_range(reader.transform(make_fainter(stars, 16.0, 2)))
    far = stars[:20].copy()
    far["bp_coefficients"][:, 3] = 1e3 * np.abs(far["bp_coefficients"]).max()
    expected = np.array([name.endswith("bp_4") for name in reader.columns.names])
    np.testing.assert_array_equal(out_of_range(reader, far).all(axis=0), expected)
    unknown = far.copy()
    for name in XP:
        unknown[f"{name[:-1]}_errors"] = np.nan * unknown[f"{name[:-1]}_errors"]
    assert out_of_range(reader, unknown)[:, expected].all()


def test_a_matrix_has_no_errors_to_explain_anything():
    X = np.random.default_rng(0).standard_normal((50, 3))
    reader = StarReader().fit(X)
    reader.extend_range(reader.transform(2 * X))
    assert out_of_range(reader, 10 * X).any()
    assert not out_of_range(reader, 2 * X).any()


def test_input_columns_are_features_arrays_and_errors(stars):
    reader = StarReader()
    reader.fit(stars[["source_id", "phot_g_mean_mag", "bp_coefficients", "ra"]])
    assert reader.input_columns == {
        *("phot_g_mean_mag", "phot_g_mean_mag_error"),
        *("bp_coefficients", "bp_coefficient_errors", "bp_n_relevant_bases"),
        *(f"bp_{order}" for order in range(1, 56)),
    }
    own = StarReader(preprocessor=StandardScaler()).fit(np.eye(3))
    assert own.input_columns is None
