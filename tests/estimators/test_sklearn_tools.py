"""Pipelines, searches, clones and joblib."""

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline

from msaestimator.preprocessing import StellarFeatures, XPCoefficientScaler


@pytest.mark.parametrize("output", ["default", "pandas"])
def test_pipeline(make_regressor, make_msa, stars, other_stars, output):
    pipeline = make_pipeline(
        StellarFeatures(), XPCoefficientScaler(), make_regressor(make_msa())
    ).set_output(transform=output)
    labels = stars[["teff", "logg", "fe_h"]]
    pipeline.fit(stars, labels)
    assert pipeline.predict(other_stars).shape == (100, 3)
    # An array as wide as the schema has the schema's names; a frame brings its own.
    names = pipeline[-1].feature_names_
    assert {"j_m", "normalized_bp_1" if output == "pandas" else "bp_1"} < set(names)
    assert sum(pipeline[-1].encoder_.mask().ratios == 0) == 3, "G, BP and RP are protected."
    assert np.isfinite(pipeline.score(other_stars, other_stars[["teff", "logg", "fe_h"]]))
    assert pipeline[-1].predict_table(pipeline[:-1].transform(other_stars))["teff"].unit == "K"


def test_pipelines_of_arrays_and_frames_are_the_same(make_regressor, make_msa, stars):
    predicted = [
        make_pipeline(StellarFeatures(), XPCoefficientScaler(), make_regressor(make_msa()))
        .set_output(transform=output)
        .fit(stars, stars[["teff", "logg", "fe_h"]])
        .predict(stars)
        for output in ("default", "pandas")
    ]
    np.testing.assert_array_equal(*predicted)


def test_the_autoencoder_in_a_pipeline(make_msa, stars):
    pipeline = make_pipeline(StellarFeatures(), XPCoefficientScaler(), make_msa())
    assert pipeline.fit_transform(stars).shape == (len(stars), 8)
    assert pipeline.score(stars) < 0


def test_splitting(regressor, stars):
    train, test = train_test_split(stars, test_size=0.25, random_state=0)
    assert (len(train), len(test)) == (225, 75)
    assert np.isfinite(regressor.score(test))


@pytest.mark.parametrize("with_y", [False, True])
def test_grid_search(make_regressor, msa, stars, with_y):
    labels = stars[["teff", "logg", "fe_h"]] if with_y else None
    search = GridSearchCV(
        make_regressor(msa, max_epochs=2),
        {"dropout": [0.0, 0.1], "encoder__mask_ratio": [0.15]},
        cv=2,
        error_score="raise",
    ).fit(stars, labels)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.predict(stars).shape == (len(stars), 3)
    assert msa.mask_ratio != 0.15, "The search must not reach the encoder that was passed."


@pytest.mark.parametrize("with_y", [False, True])
def test_cross_validation(make_regressor, msa, stars, with_y):
    labels = stars[["teff", "logg", "fe_h"]] if with_y else None
    scores = cross_val_score(make_regressor(msa), stars, labels, cv=2, error_score="raise")
    assert np.isfinite(scores).all()


def test_searching_for_an_autoencoder(make_msa, stars):
    search = GridSearchCV(make_msa(), {"mask_ratio": [0.1, 0.5]}, cv=2, error_score="raise")
    assert search.fit(stars).best_score_ < 0


def test_clones_are_unfitted_and_start_from_the_same_encoder(regressor, msa, stars, weights):
    copied = clone(regressor)
    assert not hasattr(copied, "module_")
    assert copied.get_params().keys() == regressor.get_params().keys()
    assert weights(copied.encoder) == weights(msa)
    copied.set_params(encoder__mask_ratio=0.77)
    assert regressor.encoder.mask_ratio != 0.77
    np.testing.assert_array_equal(
        clone(regressor).fit(stars).predict(stars), regressor.predict(stars)
    )


def test_clones_of_autoencoders_and_of_unfitted_encoders(make_regressor, make_msa, msa):
    assert not hasattr(clone(msa), "module_")
    encoder = make_msa(lr=0.123)
    copied = clone(make_regressor(encoder))
    assert copied.encoder is not encoder
    assert copied.encoder.lr == 0.123


def test_joblib_round_trip(regressor, msa, other_stars, tmp_path):
    joblib.dump((regressor, msa), tmp_path / "estimators")
    loaded_regressor, loaded_msa = joblib.load(tmp_path / "estimators")
    np.testing.assert_array_equal(
        loaded_regressor.predict_quantiles(other_stars), regressor.predict_quantiles(other_stars)
    )
    np.testing.assert_array_equal(loaded_msa.transform(other_stars), msa.transform(other_stars))
    assert loaded_msa.score(other_stars) == msa.score(other_stars)


def test_joblib_round_trip_after_a_fit_with_a_bar(make_msa, stars, tmp_path):
    joblib.dump(make_msa(verbose=1).fit(stars), tmp_path / "estimator")
    assert joblib.load(tmp_path / "estimator").transform(stars).shape == (len(stars), 8)
