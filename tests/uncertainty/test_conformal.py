"""Calibrated intervals: they cover, group by group, whatever the predicted widths were."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, norm, skewnorm, t
from sklearn.base import BaseEstimator

from msaestimator import StellarParameterRegressor
from msaestimator.exceptions import CalibrationWarning
from msaestimator.metrics import hide_xp
from msaestimator.uncertainty import (
    MIN_KNOWN,
    LabelCalibrator,
    QuantileCalibrator,
    quantiles_at,
)

LEVELS = (0.16, 0.5, 0.84)


def draw(n_stars, seed, shape=4.0, groups=None):
    """Return truth, predicted quantiles, groups and a covariate that tells the width's error.

    The first label's errors are skew and the predicted widths wrong by a factor that changes
    from star to star; the second label's are normal.
    """
    rng = np.random.default_rng(seed)
    covariate = rng.uniform(-1, 1, size=(n_stars, 1))
    groups = rng.integers(2, size=n_stars) if groups is None else groups
    skew = skewnorm(shape)
    error = np.column_stack(
        [(skew.rvs(n_stars, random_state=rng) - skew.median()), rng.normal(size=n_stars)]
    )
    error *= np.exp(covariate) * (1 + 2 * groups[:, None])
    medians = rng.normal(size=(n_stars, 2))
    quantiles = medians[..., None] + np.array([-1.0, 0.0, 1.0]) * 0.3
    return medians + error, quantiles, groups, covariate


@pytest.fixture(scope="module")
def calibrator():
    return QuantileCalibrator(LEVELS).fit(*draw(3000, 0))


def hits(calibrator, sample, level):
    truth, quantiles, groups, covariate = sample
    bounds = calibrator.predict(quantiles, groups, covariate, ((1 - level) / 2, (1 + level) / 2))
    return (bounds[..., 0] <= truth) & (truth <= bounds[..., 1])


class TestCoverage:
    @pytest.mark.parametrize("level", [0.1, 0.5, 0.6827, 0.9, 0.95, 0.99])
    def test_is_nominal_within_groups_and_the_covariate(self, calibrator, level):
        """Within a group and where widths were too small or large; 4 sigma of both samples."""
        sample = draw(20_000, 1)
        inside = hits(calibrator, sample, level)
        variance = level * (1 - level)
        for rows in (sample[2] == 0, sample[2] == 1):
            error = np.sqrt(variance * (1 / 1500 + 1 / rows.sum()))
            np.testing.assert_allclose(inside[rows].mean(axis=0), level, atol=4 * error)
        for rows in (sample[3][:, 0] < -0.5, sample[3][:, 0] > 0.5):
            np.testing.assert_allclose(inside[rows].mean(axis=0), level, atol=0.06)

    @pytest.mark.parametrize("level", [0.05, 0.16, 0.5, 0.84, 0.95])
    def test_each_side_has_its_share(self, calibrator, level):
        truth, quantiles, groups, covariate = draw(20_000, 2)
        at = calibrator.predict(quantiles, groups, covariate, [level])[..., 0]
        below = (truth <= at).mean(axis=0)
        np.testing.assert_allclose(below, level, atol=0.02 if level != 0.5 else 0.005 * 4)

    def test_errs_outwards_on_average_over_samples(self):
        """The law of split conformal: coverage at least the level, whatever the sample's size."""
        level, covered, n_stars = 0.8, 0, 400
        for seed in range(n_stars):
            rng = np.random.default_rng(seed)
            scores = LabelCalibrator()
            scores.scores_ = np.sort(rng.normal(size=60))
            new = rng.normal()
            covered += scores.score_at(0.1) <= new <= scores.score_at(0.9)
        assert binomtest(covered, n_stars, level, alternative="less").pvalue > 1e-3

    def test_skew_errors_get_skew_intervals(self, calibrator):
        truth, quantiles, groups, covariate = draw(100, 3)
        low, high = np.moveaxis(
            calibrator.predict(quantiles, groups, covariate, (0.05, 0.95)), -1, 0
        )
        ratio = np.median((high - quantiles[..., 1]) / (quantiles[..., 1] - low), axis=0)
        skew = skewnorm(4.0)
        expected = (skew.ppf(0.95) - skew.median()) / (skew.median() - skew.ppf(0.05))
        assert ratio[0] == pytest.approx(expected, rel=0.15)
        assert ratio[1] == pytest.approx(1.0, rel=0.15)

    def test_learns_how_the_shape_changes_from_star_to_star(self):
        """Errors are skew to one side where the covariate is low, else to the other."""
        sample, new = (draw(n, seed) for n, seed in ((6000, 14), (20_000, 15)))
        for truth, quantiles, _, covariate in (sample, new):
            error = (truth - quantiles[..., 1]) * np.exp(-covariate)
            truth[:] = quantiles[..., 1] + np.sign(covariate) * error
        calibrator = QuantileCalibrator(LEVELS).fit(*sample)
        truth, quantiles, groups, covariate = new
        levels = (0.1, 0.25, 0.75, 0.9)
        at = calibrator.predict(quantiles, groups, covariate, levels)
        for rows in (covariate[:, 0] < -0.3, covariate[:, 0] > 0.3):
            below = (truth[..., None] <= at)[rows].mean(axis=0)
            np.testing.assert_allclose(below, np.broadcast_to(levels, below.shape), atol=0.03)

    def test_follows_the_shape_of_each_stars_distribution(self):
        """Half of the stars have long tails, and the predicted quantiles know which."""
        own = (0.025, 0.16, 0.25, 0.5, 0.75, 0.84, 0.975)
        rng = np.random.default_rng(0)
        tails = rng.integers(2, size=12_000).astype(bool)
        drawn, shape = rng.standard_t(2, size=len(tails)), t(2).ppf(own)
        truth = np.where(tails, drawn, rng.normal(size=len(tails)))[:, None]
        quantiles = 1.2 * np.where(tails[:, None], shape, norm.ppf(own))[:, None]
        groups, none = np.zeros(len(tails), int), np.empty((len(tails), 0))
        held_back, new = slice(4000), slice(4000, None)
        sample = [truth, quantiles, groups, none]
        calibrator = QuantileCalibrator(own).fit(*(part[held_back] for part in sample))
        for level in (0.5, 0.95):
            inside = hits(calibrator, [part[new] for part in sample], level)
            for rows in (tails[new], ~tails[new]):
                assert inside[rows].mean() == pytest.approx(level, abs=0.04)


class TestLevels:
    @given(st.lists(st.floats(1e-4, 1 - 1e-4), min_size=2, max_size=8, unique=True))
    def test_quantiles_rise_and_the_median_stays(self, calibrator, levels):
        levels = np.sort([*levels, 0.5])
        truth, quantiles, groups, covariate = draw(20, 4)
        at = calibrator.predict(quantiles, groups, covariate, levels)
        assert (np.diff(at, axis=-1) >= 0).all()
        middle = np.searchsorted(levels, 0.5)
        np.testing.assert_array_equal(at[..., middle], quantiles[..., 1])

    def test_order_statistics(self):
        """The upper score of ten stars at 0.8 is the ninth: the smallest k >= 11 * 0.8."""
        calibrator = LabelCalibrator()
        calibrator.scores_ = np.array([-5.0, -4, -3, -2, -1, 1, 2, 3, 4, 5.5])
        assert calibrator.score_at(0.8) == 4.0
        assert calibrator.score_at(0.2) == -4.0
        assert calibrator.score_at(10 / 11) == 5.5
        far = 5.5 * norm.ppf(0.99) / norm.ppf(10 / 11)
        assert calibrator.score_at(0.99) == pytest.approx(far)

    def test_one_sided_errors_never_pass_the_median(self):
        truth, quantiles, groups, covariate = draw(400, 12)
        truth = quantiles[..., 1] + np.abs(truth - quantiles[..., 1])
        calibrator = QuantileCalibrator(LEVELS).fit(truth, quantiles, groups, covariate)
        at = calibrator.predict(quantiles, groups, covariate, (0.1, 0.5, 0.9))
        low, middle, high = np.moveaxis(at - quantiles[..., [1]], -1, 0)
        np.testing.assert_array_equal(middle, 0)
        assert (high > 0).all()
        assert (low <= 0).all()
        assert (low == 0).mean() > 0.95

    def test_equal_scores_are_no_obstacle(self):
        """Labels on a grid are often predicted exactly."""
        truth, quantiles, groups, covariate = draw(1000, 13)
        truth = np.where(np.arange(1000)[:, None] % 4 == 0, truth, quantiles[..., 1])
        calibrator = QuantileCalibrator(LEVELS).fit(truth, quantiles, groups, covariate)
        for level in (0.5, 0.9):
            inside = hits(calibrator, (truth, quantiles, groups, covariate), level)
            assert (inside.mean(axis=0) >= max(level, 0.75) - 0.03).all()

    def test_uncalibrated_levels_are_a_normals(self):
        own = (0.05, 0.16, 0.5, 0.84, 0.95)
        quantiles = 3.0 + 2.0 * norm.ppf(own).reshape(1, 1, -1)
        levels = (0.001, 0.05, 0.3, 0.5, 0.6, 0.95, 0.99)
        expected = 3.0 + 2.0 * norm.ppf(levels)
        np.testing.assert_allclose(quantiles_at(quantiles, own, levels)[0, 0], expected)


class TestGroupsAndGaps:
    def test_groups_do_not_know_of_each_other(self):
        first, second = draw(400, 5, groups=np.zeros(400, int)), draw(400, 6)
        second = (*second[:2], np.ones(400, int), second[3])
        both = [np.concatenate(parts) for parts in zip(first, second, strict=True)]
        alone = QuantileCalibrator(LEVELS).fit(*first).calibrators_
        together = QuantileCalibrator(LEVELS).fit(*both).calibrators_
        assert alone[1] == (None, None)
        for ours, theirs in zip(alone[0], together[0], strict=True):
            np.testing.assert_array_equal(ours.scores_, theirs.scores_)
            np.testing.assert_array_equal(ours.weights_, theirs.weights_)

    def test_few_known_values_leave_a_label_as_it_is(self):
        truth, quantiles, groups, covariate = draw(200, 7, groups=np.zeros(200, int))
        truth[MIN_KNOWN - 1 :, 0] = np.nan
        calibrator = QuantileCalibrator(LEVELS).fit(truth, quantiles, groups, covariate)
        at = calibrator.predict(quantiles, groups, covariate, LEVELS)
        np.testing.assert_allclose(at[:, 0], quantiles[:, 0])
        assert (np.abs(at[:, 1, 2] - quantiles[:, 1, 2]) > 1e-3).all()

    def test_stars_without_prediction_stay_so(self, calibrator):
        truth, quantiles, groups, covariate = draw(6, 8)
        quantiles[2] = np.nan
        at = calibrator.predict(quantiles, groups, covariate, LEVELS)
        assert np.isnan(at[2]).all()
        assert np.isfinite(np.delete(at, 2, axis=0)).all()

    def test_missing_covariate_is_a_typical_one(self, calibrator):
        truth, quantiles, groups, covariate = draw(6, 9)
        typical = np.full_like(covariate, calibrator.typical_[0])
        np.testing.assert_array_equal(
            calibrator.predict(quantiles, groups, covariate * np.nan, LEVELS),
            calibrator.predict(quantiles, groups, typical, LEVELS),
        )

    def test_needs_no_further_covariates(self):
        truth, quantiles, groups, covariate = draw(1000, 10)
        calibrator = QuantileCalibrator(LEVELS).fit(truth, quantiles, groups, covariate[:, :0])
        inside = hits(calibrator, (truth, quantiles, groups, covariate[:, :0]), 0.9)
        np.testing.assert_allclose(inside.mean(axis=0), 0.9, atol=0.03)


class Untouched(BaseEstimator):
    """A calibration that leaves quantiles as they are."""

    def fit(self, truth, quantiles, groups, extra):
        return self

    def predict(self, quantiles, groups, extra, levels):
        return quantiles


@pytest.fixture(scope="module")
def calibrated(make_regressor, stars):
    """A small regressor that held back 60 of 300 stars."""
    return make_regressor(calibration_fraction=0.2).fit(stars)


class TestRegressor:
    def test_medians_are_those_of_the_network(self, calibrated, other_stars):
        features = calibrated.reader_.transform(other_stars)
        members = calibrated._members(features)
        medians = calibrated.label_scaler_.inverse_transform(members[..., 1].mean(axis=1))
        np.testing.assert_allclose(calibrated.predict(other_stars), medians)

    def test_intervals_and_quantiles_agree(self, calibrated, other_stars):
        interval = calibrated.predict_interval(other_stars, level=0.68)
        quantiles = calibrated.predict_quantiles(other_stars)
        table = calibrated.predict_table(other_stars)
        assert interval.shape == (100, 3, 2)
        np.testing.assert_allclose(interval, quantiles[..., [0, 2]])
        np.testing.assert_allclose(interval[:, 0, 0], table["teff_lower"].value)
        assert (np.diff(quantiles, axis=-1) >= 0).all()

    def test_intervals_grow_with_the_level(self, calibrated, other_stars):
        bounds = [calibrated.predict_interval(other_stars, p) for p in (0.01, 0.5, 0.9, 0.999)]
        medians = calibrated.predict(other_stars)
        for inner, outer in zip([np.stack([medians] * 2, -1), *bounds], bounds, strict=False):
            assert (outer[..., 0] <= inner[..., 0]).all()
            assert (inner[..., 1] <= outer[..., 1]).all()
        assert (bounds[-1][:, 0] > 0).all()

    def test_parts_add_in_quadrature(self, calibrated, other_stars):
        table = calibrated.predict_table(other_stars)
        for label in ("teff", "logg", "fe_h"):
            parts = np.hypot(table[f"{label}_aleatoric"], table[f"{label}_epistemic"])
            half = (table[f"{label}_upper"] - table[f"{label}_lower"]) / 2
            assert (table[f"{label}_epistemic"] >= 0).all()
            np.testing.assert_allclose(parts.value, half.value)
            assert parts.unit == table[label].unit

    def test_one_member_has_no_parts(self, make_regressor, stars):
        table = make_regressor(n_members=1).fit(stars).predict_table(stars[:3])
        assert "teff_epistemic" not in table.colnames

    def test_neither_order_nor_batches_matter(self, calibrated, other_stars):
        interval = calibrated.predict_interval(other_stars)
        backwards = calibrated.predict_interval(other_stars[::-1])[::-1]
        np.testing.assert_allclose(backwards, interval, rtol=1e-3)
        single = np.concatenate(
            [calibrated.predict_interval(other_stars[i : i + 1]) for i in range(3)]
        )
        np.testing.assert_allclose(single, interval[:3], rtol=1e-3)

    def test_stars_without_xp_are_a_group(self, calibrated, other_stars):
        features = calibrated.reader_.transform(hide_xp(other_stars))
        assert features.lacks_xp.all()
        known = [[c is not None for c in group] for group in calibrated.calibrator_.calibrators_]
        assert known == [[True] * 3] * 2

    def test_units(self, make_regressor, stars, other_stars, calibrated):
        settings = {"labels": {"teff": "kK", "logg": "dex", "fe_h": "dex"}}
        kilo = make_regressor(calibration_fraction=0.2, **settings).fit(stars)
        ratio = (
            calibrated.predict_interval(other_stars)[:, 0]
            / kilo.predict_interval(other_stars)[:, 0]
        )
        np.testing.assert_allclose(ratio, 1000.0, rtol=1e-3)

    def test_comes_back_from_a_folder(self, calibrated, other_stars, tmp_path):
        calibrated.save_pretrained(tmp_path)
        loaded = StellarParameterRegressor.from_pretrained(tmp_path)
        np.testing.assert_array_equal(
            loaded.predict_interval(other_stars), calibrated.predict_interval(other_stars)
        )

    def test_fit_again_is_the_same(self, calibrated, make_regressor, stars, other_stars):
        again = make_regressor(calibration_fraction=0.2).fit(stars)
        np.testing.assert_array_equal(
            again.predict_interval(other_stars), calibrated.predict_interval(other_stars)
        )

    def test_stars_without_features_or_labels_are_not_held_back(self, make_regressor):
        rng = np.random.default_rng(0)
        x, y = rng.normal(size=(400, 3)), rng.normal(size=400)
        x[:100], y[100:200] = np.nan, np.nan
        fitted = make_regressor(labels=None, calibration_fraction=0.25).fit(x, y)
        (calibrator,), (absent,) = fitted.calibrator_.calibrators_
        assert len(calibrator.scores_) == 50
        assert absent is None
        interval = fitted.predict_interval(x)
        assert np.isnan(interval[:100]).all()
        assert np.isfinite(interval[100:]).all()

    def test_small_samples_and_none_are_not_calibrated(self, make_regressor, stars):
        none = make_regressor(calibration_fraction=0.0).fit(stars)
        few = r"'teff' \(30 stars\), 'logg' \(30 stars\), 'fe_h' \(23 stars\) are not calibrated"
        with pytest.warns(CalibrationWarning, match=few) as caught:
            small = make_regressor(calibration_fraction=0.1).fit(stars)
        assert [Path(warning.filename) for warning in caught] == [Path(__file__)]
        assert small.calibrator_ is none.calibrator_ is None
        np.testing.assert_array_equal(small.predict(stars), none.predict(stars))
        np.testing.assert_allclose(
            none.predict_interval(stars, 0.68), none.predict_quantiles(stars)[..., [0, 2]]
        )

    def test_a_label_that_few_know_is_named(self, make_regressor, stars, other_stars):
        """Of stars with XP coefficients 49 know it: one too few."""
        regressor = make_regressor(labels=("teff", "logg")).fit(stars)
        own = other_stars.copy()
        own["logg"][:] = np.nan
        own["logg"][:49] = other_stars["logg"][:49]
        few = r"The intervals of 'logg' \(49 stars\) are not calibrated .*it takes 50 stars"
        with pytest.warns(CalibrationWarning, match=few) as caught:
            regressor.calibrate(own)
        assert [Path(warning.filename) for warning in caught] == [Path(__file__)]
        for group in regressor.calibrator_.calibrators_:
            assert [calibrator is None for calibrator in group] == [False, True]

    def test_in_fit_too(self, make_regressor, stars):
        stars = stars.copy()
        stars["logg"][:200] = np.nan
        with pytest.warns(CalibrationWarning, match=r"of 'logg' \(\d\d stars\) are not"):
            fitted = make_regressor(calibration_fraction=0.3, labels=("teff", "logg")).fit(stars)
        assert fitted.calibrator_ is not None

    def test_a_calibration_of_ones_own_is_not_judged(self, make_regressor, stars, other_stars):
        regressor = make_regressor(calibrator=Untouched()).fit(stars)
        own = other_stars.copy()
        own["fe_h"][:] = np.nan
        assert isinstance(regressor.calibrate(own).calibrator_, Untouched)

    def test_calibrates_on_stars_of_ones_own(self, make_regressor, stars, other_stars):
        regressor = make_regressor(calibration_fraction=0.0).fit(stars)
        medians = regressor.predict(other_stars)
        assert regressor.calibrate(other_stars) is regressor
        np.testing.assert_array_equal(regressor.predict(other_stars), medians)
        inside = regressor.predict_interval(other_stars, 0.9)
        for position, label in enumerate(regressor.labels_):
            truth = np.asarray(other_stars[label])
            known = np.isfinite(truth)
            low, high = inside[known, position].T
            assert 0.8 < np.mean((low <= truth[known]) & (truth[known] <= high)) <= 1.0

    @pytest.mark.parametrize("level", [0.0, 1.0, 90, -0.5, np.nan])
    def test_level_is_a_probability(self, calibrated, stars, level):
        with pytest.raises(ValueError, match=r"`level` must be between 0 and 1"):
            calibrated.predict_interval(stars, level)
        with pytest.raises(ValueError, match=r"`level` must be between 0 and 1"):
            calibrated.predict_table(stars, level)

    @pytest.mark.parametrize("level", [0.5, 0.95])
    def test_tables_have_intervals_of_any_level(self, calibrated, other_stars, level):
        usual, table = (calibrated.predict_table(other_stars, p) for p in (None, level))
        assert table.colnames == usual.colnames
        bounds = calibrated.predict_interval(other_stars, level)
        for position, label in enumerate(calibrated.labels_):
            for side, end in enumerate(("lower", "upper")):
                column = table[f"{label}_{end}"]
                assert column.unit == calibrated.units_[label]
                np.testing.assert_array_equal(column.value, bounds[:, position, side])
                expected = f"{end} end of the central {100 * level:.0f} % interval"
                assert column.info.description.endswith(expected)
        for name in table.colnames:
            if not name.endswith(("_lower", "_upper")):
                np.testing.assert_array_equal(table[name], usual[name], err_msg=name)

    def test_too_few_stars_to_calibrate_on(self, calibrated, other_stars):
        with pytest.raises(ValueError, match="at least 50 stars with a known label, got 20"):
            calibrated.calibrate(other_stars[:20])

    def test_medians_alone_have_no_intervals(self, make_regressor, stars):
        regressor = make_regressor(quantiles=(0.5,), calibration_fraction=0.3).fit(stars)
        assert regressor.calibrator_ is None
        with pytest.raises(ValueError, match="levels beside the median"):
            regressor.predict_interval(stars)

    @pytest.mark.parametrize("fraction", [-0.1, 1.0])
    def test_fraction(self, make_regressor, stars, fraction):
        with pytest.raises(ValueError, match="`calibration_fraction` must be at least 0 and be"):
            make_regressor(calibration_fraction=fraction).fit(stars)
