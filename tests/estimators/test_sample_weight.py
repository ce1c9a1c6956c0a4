"""Weights of stars: what counts in a fit and in a score, and what is no weight."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import sklearn
from astropy.table import MaskedColumn
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import cross_validate
from sklearn.pipeline import make_pipeline

from msaestimator.exceptions import CheckpointError, ColumnError
from msaestimator.preprocessing import StellarFeatures

KINDS = ["autoencoder", "regressor", "independent", "generalist"]


@pytest.fixture(scope="module")
def make(make_msa, make_regressor, make_generalist):
    """Return a function that makes an unfitted estimator of a kind."""

    def make(kind, **changes):
        if kind == "autoencoder":
            return make_msa(**changes)
        if kind == "generalist":
            return make_generalist(**changes)
        ensemble = "independent" if kind == "independent" else "shared"
        return make_regressor(make_msa(max_epochs=1), ensemble=ensemble, **changes)

    return make


@pytest.fixture(scope="module")
def uneven():
    """Weights of 300 stars, some of them zero."""
    rng = np.random.default_rng(0)
    return np.where(rng.random(300) < 0.3, 0.0, rng.uniform(0.5, 8.0, 300))


@pytest.mark.parametrize("kind", KINDS)
def test_equal_weights_are_none(make, stars, weights, kind):
    plain = make(kind).fit(stars)
    for value in (1.0, 4.0):
        weighted = make(kind).fit(stars, sample_weight=np.full(len(stars), value))
        assert weights(weighted) == weights(plain)


@pytest.mark.parametrize("kind", KINDS)
def test_the_scale_of_weights_does_not_matter_their_ratios_do(make, stars, uneven, weights, kind):
    fitted = [
        weights(make(kind).fit(stars, sample_weight=w)) for w in (uneven, 2 * uneven, uneven > 0)
    ]
    assert fitted[0] == fitted[1]
    assert fitted[0] != fitted[2]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["table", "frame", "dict", "arrow"])
def test_a_star_of_weight_zero_does_not_count(make, stars, uneven, to_frame, weights, kind, form):
    convert = {
        "table": lambda stars: stars,
        "frame": to_frame,
        "dict": lambda stars: {name: stars[name] for name in stars.colnames},
        "arrow": lambda stars: pa.Table.from_pandas(to_frame(stars)),
    }[form]
    table, counted = convert(stars), np.flatnonzero(uneven)
    fewer = convert(stars[counted])
    with_all = make(kind).fit(table, sample_weight=uneven)
    without = make(kind).fit(fewer, sample_weight=uneven[counted])
    assert weights(with_all) == weights(without)
    if kind == "regressor":
        np.testing.assert_array_equal(
            with_all.outlier_score(stars[:50]), without.outlier_score(stars[:50])
        )


def test_what_goes_by_star_is_left_out_with_it(make_regressor, msa, stars, uneven, weights):
    """Labels and surveys that come as arrays, and stars to calibrate on."""
    y = np.column_stack([stars[name].value for name in ("teff", "logg", "fe_h")])
    survey = np.where(np.arange(300) % 2, "apogee", "galah")
    counted = np.flatnonzero(uneven)

    def fit(rows):
        return make_regressor(msa, calibration_fraction=0.4).fit(
            stars[rows], y[rows], survey[rows], uneven[rows]
        )

    first, second = fit(np.arange(300)), fit(counted)
    assert weights(first) == weights(second)
    np.testing.assert_array_equal(first.predict_interval(stars), second.predict_interval(stars))


def test_heavy_stars_are_believed(make_regressor):
    """Of two kinds of stars that look alike and have other labels."""
    x = np.random.default_rng(0).normal(size=(400, 3))
    y = np.arange(400) % 2.0
    settings = {"labels": None, "max_epochs": 30, "batch_size": 64, "lr": 1e-2}
    for heavy in (0, 1):
        weight = np.where(y == heavy, 8.0, 1.0)
        fitted = make_regressor(**settings).fit(x, y, sample_weight=weight)
        assert abs(np.median(fitted.predict(x)) - heavy) < 0.3


def test_pre_training_is_weighted_too(make_regressor, make_msa, stars, uneven, weights):
    untuned = make_regressor(make_msa(), max_epochs=0).fit(stars, sample_weight=uneven)
    alone = make_msa().fit(stars, sample_weight=uneven)
    assert weights(untuned.encoder_) == weights(alone)


@pytest.mark.parametrize("kind", KINDS)
def test_early_stopping_watches_a_weighted_loss(make, stars, uneven, kind):
    settings = {"early_stopping": True, "max_epochs": 2}
    losses = [
        make(kind, **settings).fit(stars, sample_weight=w).net_.history[0, "valid_loss"]
        for w in (uneven, (uneven > 0).astype(float))
    ]
    assert losses[0] != losses[1]


def test_other_weights_are_another_run(make_msa, stars, uneven, weights, tmp_path):
    path = tmp_path / "checkpoint"
    first = make_msa(checkpoint=path).fit(stars, sample_weight=uneven + 1)
    again = make_msa(checkpoint=path).fit(stars, sample_weight=uneven + 1)
    assert weights(first) == weights(again)
    for other in (None, np.sqrt(uneven + 1)):
        with pytest.raises(CheckpointError, match="run: the weights of the stars differ"):
            make_msa(checkpoint=path).fit(stars, sample_weight=other)


@pytest.mark.parametrize("fixture", ["regressor", "generalist"])
def test_score_is_of_weighted_stars(request, stars, uneven, fixture):
    model = request.getfixturevalue(fixture)
    labels = list(model.labels_)
    predicted = model.predict(stars)
    expected = []
    for label, values in zip(labels, predicted.T, strict=True):
        truth = np.asarray(stars[label])
        known = np.isfinite(truth)
        expected.append(r2_score(truth[known], values[known], sample_weight=uneven[known]))
    assert model.score(stars, sample_weight=uneven) == pytest.approx(np.mean(expected))
    assert model.score(stars, sample_weight=np.ones(300)) == pytest.approx(model.score(stars))


def test_score_of_the_autoencoder(msa, stars, uneven):
    """Stars of two weights: the mean lies between those of either alone."""
    assert msa.score(stars, sample_weight=np.ones(300)) == pytest.approx(msa.score(stars))
    counted = np.flatnonzero(uneven)
    alone = msa.score(stars[counted], sample_weight=uneven[counted])
    assert msa.score(stars, sample_weight=uneven) == alone
    rising = [
        msa.score(stars, sample_weight=np.where(np.arange(300) < 150, w, 1))
        for w in (1e-9, 1.0, 1e9)
    ]
    assert rising == sorted(rising) or rising == sorted(rising, reverse=True)
    assert rising[0] != rising[-1]


def test_labels_of_another_length(make_regressor, msa, stars, uneven):
    """Stars of weight zero or not, it is the labels that are wrong."""
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples: \[300, 200\]"):
        make_regressor(msa).fit(stars, np.full((200, 3), np.nan), sample_weight=uneven)


BAD = {
    "of another length": (np.ones(299), r"one number a star, of shape \(300,\), got shape"),
    "a matrix": (np.ones((300, 1)), r"one number a star, .*\(300, 1\)"),
    "negative": (np.r_[np.ones(299), -1], "got 1 negative, the first in row 299"),
    "NaN": (np.r_[np.nan, np.ones(299)], "got 1 unknown, the first in row 0. Set them to 0"),
    "infinite": (np.full(300, np.inf), "got 300 unknown"),
    "masked": (MaskedColumn(np.ones(300), mask=np.arange(300) < 2), "got 2 unknown"),
    "None among them": ([1.0] * 299 + [None], "got 1 unknown, the first in row 299"),
    "zero": (np.zeros(300), "above zero for some stars, got zero for all"),
    "text": (np.array(["heavy"] * 300), "must hold numbers"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_weight(make, stars, kind, case):
    sample_weight, words = BAD[case]
    with pytest.raises(ColumnError, match=f"`sample_weight` must .*{words}|{words}"):
        make(kind).fit(stars, sample_weight=sample_weight)


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("fixture", ["msa", "regressor", "generalist"])
def test_what_is_no_weight_of_a_score(request, stars, fixture, case):
    sample_weight, words = BAD[case]
    with pytest.raises(ColumnError, match=words):
        request.getfixturevalue(fixture).score(stars, sample_weight=sample_weight)


@pytest.mark.parametrize("container", [list, np.asarray, pd.Series, MaskedColumn])
def test_weights_in_any_container(make_msa, stars, uneven, weights, container):
    fitted = make_msa().fit(stars, sample_weight=container(uneven))
    assert weights(fitted) == weights(make_msa().fit(stars, sample_weight=uneven))


@pytest.mark.parametrize("routing", [False, True])
def test_cross_validation_splits_weights(make_regressor, msa, stars, uneven, routing):
    with sklearn.config_context(enable_metadata_routing=routing):
        regressor = make_regressor(msa, max_epochs=1)
        if routing:
            regressor.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        scores = cross_validate(
            regressor, stars, cv=2, params={"sample_weight": uneven}, error_score="raise"
        )
    assert np.isfinite(scores["test_score"]).all()


def test_a_pipeline_passes_weights(make_regressor, make_msa, stars, uneven):
    pipeline = make_pipeline(StellarFeatures(), make_regressor(make_msa()))
    labels = stars[["teff", "logg", "fe_h"]]
    pipeline.fit(stars, labels, stellarparameterregressor__sample_weight=uneven)
    assert np.isfinite(pipeline.score(stars, labels, sample_weight=uneven))


def test_scores_are_those_of_another_regressor():
    """r2 of weighted stars is what scikit-learn's regressors score."""
    from msaestimator.metrics import r2

    rng = np.random.default_rng(1)
    x, weight = rng.normal(size=(50, 2)), rng.uniform(0, 3, 50)
    y = x[:, 0] + rng.normal(size=50)
    linear = LinearRegression().fit(x, y, weight)
    assert r2(y, linear.predict(x), weight) == pytest.approx(linear.score(x, y, weight))
