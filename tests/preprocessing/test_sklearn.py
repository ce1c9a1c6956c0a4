"""scikit-learn's own checks, and the places a transformer is used in."""

import inspect

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import RobustScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from msaestimator import StarTable, preprocessing
from msaestimator.preprocessing import LabelScaler, StellarFeatures, XPCoefficientScaler
from msaestimator.schema import GAIA_DR3, GAIA_DR4

CHECKED = [StellarFeatures(), XPCoefficientScaler(), LabelScaler()]
G_AND_XP = ["phot_g_mean_mag", *GAIA_DR3.block("xp")]


@parametrize_with_checks(CHECKED)
def test_scikit_learn(estimator, check):
    check(estimator)


def test_every_transformer_of_the_room_is_checked():
    exported = {getattr(preprocessing, name) for name in preprocessing.__all__}
    estimators = {
        cls for cls in exported if inspect.isclass(cls) and issubclass(cls, BaseEstimator)
    }
    # Readers return features with names, or tokens with errors; the estimators are checked.
    estimators -= {preprocessing.StarReader, preprocessing.TokenReader}
    assert estimators == {type(estimator) for estimator in CHECKED}
    assert all(issubclass(cls, TransformerMixin) for cls in estimators)


@pytest.fixture
def pipeline():
    return make_pipeline(StellarFeatures(), XPCoefficientScaler(), RobustScaler())


@pytest.fixture
def frame(stars):
    """The stars as a DataFrame of numbers, coefficients as bp_1 ... rp_55, with an index."""
    matrix = StellarFeatures().fit_transform(stars)
    index = [f"star {row}" for row in range(len(stars))]
    return pd.DataFrame(matrix, columns=list(GAIA_DR3.names), index=index)


def test_pipeline_is_its_steps_one_after_the_other(stars, pipeline):
    matrix = StellarFeatures().fit_transform(stars)
    matrix = XPCoefficientScaler().fit_transform(matrix)
    matrix = RobustScaler().fit_transform(matrix)
    np.testing.assert_array_equal(pipeline.fit_transform(stars), matrix)


def test_pipeline_names_its_output(stars, pipeline):
    names = pipeline.fit(stars).get_feature_names_out()
    xp = GAIA_DR3.block("xp")
    expected = [f"normalized_{name}" if name in xp else name for name in GAIA_DR3.names]
    assert list(names) == expected


def test_pipeline_inverts_to_a_table(stars, pipeline):
    restored = pipeline.inverse_transform(pipeline.fit_transform(stars))
    assert type(restored) is StarTable
    assert restored["parallax"].unit == stars["parallax"].unit
    np.testing.assert_allclose(restored["j_m"], stars["j_m"], rtol=1e-6)
    with_g = np.isfinite(stars["phot_g_mean_mag"])  # the others lose their spectra
    np.testing.assert_allclose(
        restored["rp_coefficients"][with_g],
        stars["rp_coefficients"][with_g],
        rtol=1e-4,
        atol=1e-3,
    )


def test_cross_validation_on_a_table(stars):
    model = make_pipeline(StellarFeatures(), XPCoefficientScaler(), SimpleImputer(), Ridge())
    scores = cross_val_score(model, stars, np.arange(len(stars)), cv=3, error_score="raise")
    assert np.isfinite(scores).all()


def test_pipeline_gives_pandas(frame, stars, pipeline):
    pipeline.set_output(transform="pandas")
    found = pipeline.fit_transform(frame)
    assert list(found.columns) == list(pipeline.get_feature_names_out())
    assert list(found.index) == list(frame.index)
    plain = make_pipeline(StellarFeatures(), XPCoefficientScaler(), RobustScaler())
    np.testing.assert_array_equal(found, plain.fit_transform(stars))


@pytest.mark.parametrize("transformer", [StellarFeatures(), XPCoefficientScaler()])
def test_pandas_output_of_a_table(transformer, stars):
    found = clone(transformer).set_output(transform="pandas").fit_transform(stars)
    np.testing.assert_array_equal(found, transformer.fit_transform(stars))
    assert list(found.columns) == list(transformer.get_feature_names_out())


@pytest.mark.parametrize("schema", [None, GAIA_DR3.observed_only(G_AND_XP)])
def test_column_transformer(frame, stars, schema):
    """The spectra are scaled and the rest passes, with the whole schema or a part of it."""
    transformer = ColumnTransformer(
        [("xp", XPCoefficientScaler(schema), G_AND_XP)],
        remainder="passthrough",
        verbose_feature_names_out=True,
    )
    found = transformer.set_output(transform="pandas").fit_transform(frame)
    scaler = XPCoefficientScaler().fit(stars)
    expected = pd.DataFrame(scaler.transform(stars), columns=scaler.get_feature_names_out())
    for name in ["phot_g_mean_mag", "normalized_bp_1", "normalized_rp_55"]:
        np.testing.assert_array_equal(found[f"xp__{name}"], expected[name])
    np.testing.assert_array_equal(found["remainder__j_m"], frame["j_m"])
    assert list(found.columns) == list(transformer.get_feature_names_out())


def test_column_transformer_of_features_and_labels():
    frame = pd.DataFrame({"j_m": [11.0, 12.0], "teff": [4000.0, 6000.0], "logg": [1.0, 3.0]})
    transformer = ColumnTransformer(
        [("features", StellarFeatures(), ["j_m"]), ("labels", LabelScaler(), ["teff", "logg"])]
    )
    found = transformer.set_output(transform="pandas").fit_transform(frame)
    assert found.shape == (2, 138 + 2)
    np.testing.assert_array_equal(found["features__j_m"], [11.0, 12.0])
    np.testing.assert_allclose(found[["labels__teff", "labels__logg"]], [[-1, -1], [1, 1]])


@pytest.mark.parametrize(
    "transformer",
    [
        StellarFeatures(GAIA_DR4),
        XPCoefficientScaler(GAIA_DR4, normalize_flux=False, asinh=False, n_coefficients=7),
        LabelScaler(["teff"], log=()),
    ],
)
def test_clone_keeps_parameters(transformer):
    copy = clone(transformer)
    assert copy is not transformer
    assert copy.get_params() == transformer.get_params()


@pytest.mark.parametrize("transformer", CHECKED)
@pytest.mark.parametrize("ask", ["transform", "inverse_transform", "get_feature_names_out"])
def test_unfitted(transformer, ask):
    arguments = () if ask == "get_feature_names_out" else (np.ones((2, 138)),)
    with pytest.raises(NotFittedError, match=f"This {type(transformer).__name__} instance is not"):
        getattr(clone(transformer), ask)(*arguments)
