"""Calibrations, outlier scores and estimators of one's own, as docs/development tells."""

import ast
from pathlib import Path

import numpy as np
import pytest
from evolutionary_stage import EvolutionaryStageClassifier
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import GridSearchCV

from msaestimator import StellarParameterRegressor
from msaestimator.saving import _folder, _kinds
from msaestimator.uncertainty import quantiles_at

PAGE = Path(__file__).parents[2] / "docs" / "development" / "evolutionary_stage.py"
HELD_BACK = {"calibration_fraction": 0.4, "max_epochs": 1}


class Wider(BaseEstimator):
    """A calibration that makes all intervals wider by a factor."""

    def __init__(self, factor=1.0, levels=(0.16, 0.5, 0.84)):
        self.factor = factor
        self.levels = levels

    def fit(self, truth, quantiles, groups, extra):
        self.n_stars_ = len(truth)
        assert quantiles.shape == (self.n_stars_, truth.shape[1], len(self.levels))
        assert set(groups) == {0, 1}
        return self

    def predict(self, quantiles, groups, extra, levels):
        median = quantiles[..., [quantiles.shape[2] // 2]]
        return quantiles_at(median + (quantiles - median) * self.factor, self.levels, levels)


class Redder(BaseEstimator):
    """An outlier score by a single feature."""

    def __init__(self, feature=0):
        self.feature = feature

    def fit(self, features):
        self.mean_ = float(np.nanmean(features.values[:, self.feature]))
        return self

    def score(self, features):
        return features.values[:, self.feature] - self.mean_


@pytest.fixture(scope="module")
def stages(stars):
    """The stars' classes, two of them."""
    return np.where(stars["logg"].value > 3.8, "dwarf", "giant")


@pytest.fixture(scope="module")
def classifier(msa, stars, stages):
    return EvolutionaryStageClassifier(msa, max_epochs=3, random_state=0).fit(stars, stages)


class TestCalibration:
    def test_its_levels_are_those_predicted_and_it_stays_unfitted(
        self, make_regressor, msa, stars
    ):
        own, quantiles = Wider(2.0), (0.1, 0.3, 0.5, 0.7, 0.9)
        regressor = make_regressor(msa, calibrator=own, quantiles=quantiles, **HELD_BACK).fit(
            stars
        )
        assert regressor.calibrator_.levels == quantiles
        assert not hasattr(own, "n_stars_")

    def test_intervals_are_as_it_makes_them(self, make_regressor, msa, stars, other_stars):
        narrow, wide = (
            make_regressor(msa, calibrator=Wider(factor), **HELD_BACK).fit(stars)
            for factor in (1.0, 3.0)
        )
        narrow, wide = (
            np.diff(regressor.predict_interval(other_stars, 0.68)) for regressor in (narrow, wide)
        )
        # Teff is learned as its logarithm.
        np.testing.assert_allclose(np.median(wide / narrow, axis=0)[1:], 3.0, rtol=1e-3)

    def test_exported_by_its_room_it_is_saved(
        self, make_regressor, msa, stars, tmp_path, monkeypatch
    ):
        regressor = make_regressor(msa, calibrator=Wider(2.0), **HELD_BACK).fit(stars)
        with pytest.raises(TypeError, match="A Wider cannot be saved"):
            regressor.save_pretrained(tmp_path)
        monkeypatch.setattr(_kinds.uncertainty, "Wider", Wider, raising=False)
        monkeypatch.setattr(_kinds.uncertainty, "__all__", [*_kinds.uncertainty.__all__, "Wider"])
        monkeypatch.setattr(_folder, "KINDS", _kinds.kinds_by_name())
        regressor.save_pretrained(tmp_path)
        loaded = StellarParameterRegressor.from_pretrained(tmp_path)
        np.testing.assert_array_equal(
            loaded.predict_interval(stars), regressor.predict_interval(stars)
        )


class TestOutlierScore:
    def test_scores_are_its_own(self, make_regressor, msa, stars, other_stars):
        own = Redder(feature=3)
        regressor = make_regressor(msa, outlier_detector=own, max_epochs=1).fit(stars)
        values = regressor.reader_.transform(other_stars).values[:, 3]
        expected = values - regressor.novelty_.mean_
        np.testing.assert_array_equal(regressor.outlier_score(other_stars), expected)
        assert not hasattr(own, "mean_")


@pytest.mark.parametrize(
    ("name", "methods"), [("calibrator", "fit and predict"), ("outlier_detector", "fit and score")]
)
def test_a_part_without_its_methods_is_refused(make_regressor, msa, stars, name, methods):
    with pytest.raises(ValueError, match=f"`{name}` must be an estimator with .* {methods}, or"):
        make_regressor(msa, **{name: "forest"}).fit(stars)


class TestEstimator:
    def test_it_is_short_and_takes_public_names_only(self):
        text = PAGE.read_text(encoding="utf-8")
        assert len(text.splitlines()) < 130
        imported = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.ImportFrom)]
        names = [
            part for n in imported for part in [*n.module.split("."), *(a.name for a in n.names)]
        ]
        assert not [name for name in names if name.startswith("_")]

    def test_a_clone_starts_from_the_same_encoder(self, classifier, msa):
        copied = clone(classifier)
        assert not hasattr(copied, "module_")
        assert copied.encoder.module_ is msa.module_

    def test_the_encoder_given_is_left_alone(self, msa, stars, stages, weights):
        before = weights(msa)
        EvolutionaryStageClassifier(msa, max_epochs=1).fit(stars, stages)
        assert weights(msa) == before

    def test_probabilities(self, classifier, other_stars):
        probabilities = classifier.predict_proba(other_stars)
        assert probabilities.shape == (len(other_stars), 2)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)

    def test_grid_search(self, msa, stars, stages):
        search = GridSearchCV(
            EvolutionaryStageClassifier(
                msa, max_epochs=10, batch_size=32, lr=0.02, encoder_lr=0.01, random_state=0
            ),
            {"n_hidden": [8, 16]},
            cv=2,
        ).fit(stars, stages)
        commonest = max(np.mean(stages == stage) for stage in set(stages))
        assert search.best_score_ > commonest + 0.05

    def test_it_comes_back(self, classifier, other_stars, tmp_path):
        classifier.save_pretrained(tmp_path)
        loaded = EvolutionaryStageClassifier.from_pretrained(tmp_path)
        np.testing.assert_array_equal(
            loaded.predict_proba(other_stars), classifier.predict_proba(other_stars)
        )
