"""The scorer's numbers are those of scikit-learn's metric on each label's known values."""

import pickle

import astropy.units as u
import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from msaestimator import StarTable
from msaestimator.metrics import LabelScorer

TRUTH = np.array([[5000.0, 4.0], [6000.0, np.nan], [4000.0, 2.0], [4500.0, 3.0]])


class Told(RegressorMixin, BaseEstimator):
    """Predicts what the stars' own columns say, in two units."""

    def __init__(self, offset=0.0):
        self.offset = offset

    def fit(self, X, y=None):
        self.labels_, self.units_ = ("logg", "teff"), {"logg": "dex", "teff": "kK"}
        return self

    def predict(self, X):
        return np.column_stack([X["guess_logg"] + self.offset, X["guess_teff"]])


@pytest.fixture
def stars():
    return StarTable(
        {
            "guess_teff": TRUTH[:, 0] / 1000 + [0.1, -0.2, 0.3, 0.0],
            "guess_logg": np.array([4.1, 3.0, 2.1, np.nan]),
            "teff": TRUTH[:, 0] * u.K,
            "logg": TRUTH[:, 1] * u.dex,
        }
    )


def expected(metric):
    logg = metric([4.0, 2.0], [4.1, 2.1])
    teff = metric(TRUTH[:, 0] / 1000, TRUTH[:, 0] / 1000 + [0.1, -0.2, 0.3, 0.0])
    return (logg + teff) / 2


@pytest.mark.parametrize(
    ("scoring", "metric"),
    [
        ("r2", r2_score),
        ("neg_mean_absolute_error", lambda true, predicted: -mean_absolute_error(true, predicted)),
    ],
)
def test_known_labels_in_the_units_that_are_predicted(stars, scoring, metric):
    told = Told().fit(stars)
    scorer = LabelScorer(scoring)
    assert scorer(told, stars) == pytest.approx(expected(metric))
    assert scorer(told, stars, stars[["teff", "logg"]]) == pytest.approx(expected(metric))
    in_units_predicted = TRUTH[:, ::-1] / [1, 1000]
    assert scorer(told, stars, in_units_predicted) == pytest.approx(expected(metric))


def test_pipelines_searches_and_several_scores(stars):
    pipeline = make_pipeline(FunctionTransformer(), Told())
    stars = stars[[0, 2] * 4]
    scoring = {"r2": LabelScorer(), "error": LabelScorer("neg_max_error")}
    found = cross_validate(pipeline, stars, cv=2, scoring=scoring, error_score="raise")
    np.testing.assert_allclose(found["test_error"], [-0.2, -0.2])
    search = GridSearchCV(
        pipeline,
        {"told__offset": [0.0, -0.1]},
        cv=2,
        scoring=LabelScorer("neg_max_error"),
        error_score="raise",
    ).fit(stars)
    assert search.best_params_ == {"told__offset": -0.1}
    assert LabelScorer("neg_max_error")(search, stars) == pytest.approx(-0.15)


def test_weights_of_stars(stars):
    told, weights = Told().fit(stars), np.array([1.0, 1.0, 0.0, 2.0])
    found = LabelScorer("neg_mean_absolute_error")(told, stars, sample_weight=weights)
    assert found == pytest.approx(-(0.1 + (0.1 + 0.2) / 4) / 2)


def test_no_known_label_has_no_score(stars):
    stars["teff"] = np.nan * u.K
    stars["logg"] = np.nan * u.dex
    assert np.isnan(LabelScorer()(Told().fit(stars), stars))


def test_goes_to_other_processes():
    assert pickle.loads(pickle.dumps(LabelScorer("r2"))) == LabelScorer("r2")


def test_refuses_an_estimator_without_labels(stars):
    with pytest.raises(TypeError, match="needs an estimator with labels.*got Ridge"):
        LabelScorer()(Ridge(), stars)
    with pytest.raises(ValueError, match="not a valid scoring value"):
        LabelScorer("r3")(Told().fit(stars), stars)
