"""Tables to float32 matrices and back."""

import astropy.units as u
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msaestimator import StarTable
from msaestimator.exceptions import ColumnError, MissingColumnWarning, UnitMismatchError
from msaestimator.preprocessing import StellarFeatures
from msaestimator.schema import GAIA_DR3, GAIA_DR4, Column

WITH_BAND = GAIA_DR3.with_columns(Column("cfis_u", unit="mag", block="cfis"))
SCHEMAS = [GAIA_DR3, GAIA_DR4, WITH_BAND, GAIA_DR3.without_blocks("xp")]
IDS = ["DR3", "DR4", "user band", "no XP"]


@pytest.mark.parametrize("schema", SCHEMAS, ids=IDS)
def test_matrix_is_the_columns_in_single_precision(schema, stars_of, matrix_of):
    stars = stars_of(schema, missing=0.2)
    matrix = StellarFeatures(schema).fit_transform(stars)
    assert matrix.dtype == np.float32
    np.testing.assert_array_equal(matrix, matrix_of(stars, schema).astype(np.float32))


@pytest.mark.parametrize("schema", SCHEMAS, ids=IDS)
def test_names_are_the_schemas(schema, stars_of):
    features = StellarFeatures(schema).fit(stars_of(schema))
    assert list(features.get_feature_names_out()) == list(schema.names)
    assert features.n_features_in_ == len(schema)
    assert features.column_names_ == schema.names


@pytest.mark.parametrize("schema", SCHEMAS, ids=IDS)
@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1), missing=st.floats(0, 1), n_stars=st.integers(1, 5))
def test_there_and_back(schema, stars_of, seed, missing, n_stars):
    stars = stars_of(schema, n_stars, missing=missing, seed=seed)
    features = StellarFeatures(schema)
    restored = features.inverse_transform(features.fit_transform(stars))
    assert type(restored) is StarTable
    assert restored.colnames == stars.colnames
    for name in stars.colnames:
        assert restored[name].unit == stars[name].unit
        np.testing.assert_array_equal(
            np.asarray(restored[name]), np.asarray(stars[name]).astype(np.float32)
        )
    np.testing.assert_array_equal(features.transform(restored), features.transform(stars))


def test_default_schema_is_dr3(stars):
    np.testing.assert_array_equal(
        StellarFeatures().fit_transform(stars), StellarFeatures(GAIA_DR3).fit_transform(stars)
    )


def test_transform_learns_nothing_from_fit(stars):
    features = StellarFeatures().fit(stars[:3])
    np.testing.assert_array_equal(
        features.transform(stars), StellarFeatures().fit_transform(stars)
    )


def test_columns_missing_in_fit_may_be_there_later_and_the_reverse(stars):
    few = stars["j_m", "parallax"]
    np.testing.assert_array_equal(
        StellarFeatures().fit(few).transform(stars), StellarFeatures().fit(stars).transform(stars)
    )
    np.testing.assert_array_equal(
        StellarFeatures().fit(stars).transform(few), StellarFeatures().fit(few).transform(few)
    )


def test_one_star_with_nothing_measured():
    matrix = StellarFeatures().fit_transform(StarTable({"j_m": [np.nan] * u.mag}))
    assert matrix.shape == (1, 138)
    assert np.isnan(matrix).all()


def test_no_star():
    with pytest.raises(ColumnError, match="must have at least one star, got 0 rows"):
        StellarFeatures().fit(StarTable({"j_m": [] * u.mag}))


def test_errors_of_the_reader_come_through():
    with pytest.raises(UnitMismatchError, match="A flux is not a magnitude"):
        StellarFeatures().fit(StarTable({"j_m": [1.0] * u.Jy}))
    features = StellarFeatures().fit(StarTable({"j_m": [1.0]}))
    with pytest.warns(MissingColumnWarning, match="Did you mean 'parallax'"):
        features.transform(StarTable({"j_m": [1.0], "paralax": [1.0]}))


class TestPlainArrays:
    """An array has no names: it is features already."""

    def test_as_wide_as_the_schema_is_in_its_order(self, stars):
        matrix = StellarFeatures().fit_transform(stars)
        features = StellarFeatures().fit(matrix)
        np.testing.assert_array_equal(features.transform(matrix), matrix)
        assert list(features.get_feature_names_out()) == list(GAIA_DR3.names)
        assert type(features.inverse_transform(matrix)) is StarTable

    def test_of_another_width_has_generic_names_and_passes(self):
        X = np.array([[1.0, np.nan, 3.0]])
        features = StellarFeatures()
        np.testing.assert_array_equal(features.fit_transform(X), X.astype(np.float32))
        assert list(features.get_feature_names_out()) == ["x0", "x1", "x2"]
        assert list(features.get_feature_names_out(["a", "b", "c"])) == ["a", "b", "c"]
        np.testing.assert_array_equal(features.inverse_transform(X), X)

    def test_a_frame_of_other_names_keeps_them(self):
        frame = pd.DataFrame({"bp_rp": [1.0], "gaia_age": [2.0]})
        features = StellarFeatures().fit(frame)
        assert list(features.get_feature_names_out()) == ["bp_rp", "gaia_age"]
        with pytest.raises(ValueError, match="input_features is not equal to feature_names_in_"):
            features.get_feature_names_out(["gaia_age", "bp_rp"])

    def test_infinite_values(self):
        with pytest.raises(ValueError, match="contains infinity"):
            StellarFeatures().fit([[1.0, np.inf]])

    def test_fitted_on_one_form_and_given_the_other(self, stars):
        features = StellarFeatures().fit(np.ones((4, 3)))
        with pytest.raises(ColumnError, match="fitted on a matrix of 3 prepared features and got"):
            features.transform(stars)

    @pytest.mark.parametrize("shape", [(2, 137), (138,)])
    def test_inverse_of_another_shape(self, stars, shape):
        with pytest.raises(ColumnError, match="must have 138 columns, got shape"):
            StellarFeatures().fit(stars).inverse_transform(np.ones(shape))
