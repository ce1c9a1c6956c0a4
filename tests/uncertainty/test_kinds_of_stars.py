"""Kinds of stars that calibration tells apart, and the sample that it learns from."""

import numpy as np
import pytest

from msaestimator.preprocessing import FeatureColumns, Features
from msaestimator.schema import GAIA_DR3
from msaestimator.uncertainty import LabelCalibrator, QuantileCalibrator, calibration_sample
from msaestimator.uncertainty._kinds_of_stars import kinds_of

NAMES = (
    "phot_g_mean_mag",
    "bp_1",
    "rp_1",
    "parallax",
    "ebv",
    "j_m",
    "h_m",
    "catwise_w1",
)


def make_features(n_stars, names=NAMES):
    values = np.random.default_rng(0).normal(size=(n_stars, len(names))).astype(np.float32)
    return Features(values, FeatureColumns(names, GAIA_DR3))


class TestKinds:
    def test_are_magnitude_parallax_and_number_of_magnitudes(self):
        features = make_features(4)
        features.values[0, 3] = np.nan
        features.values[1, [1, 2, 5]] = np.nan
        features.values[2, 0] = np.nan
        groups, extra = kinds_of(features)
        np.testing.assert_array_equal(groups, [0, 1, 0, 0])
        np.testing.assert_array_equal(extra[:, 0], features.values[:, 0])
        np.testing.assert_array_equal(extra[:, 1], [0, 1, 1, 1])
        np.testing.assert_array_equal(extra[:, 2], [4, 3, 3, 4])

    def test_are_none_of_features_that_nobody_knows(self):
        groups, extra = kinds_of(make_features(3, ("x0", "x1")))
        assert extra.shape == (3, 0)
        np.testing.assert_array_equal(groups, 0)

    def test_a_calibration_that_knew_fewer_takes_the_first(self):
        """As one that was saved when G was the only one."""
        rng = np.random.default_rng(0)
        medians, extra = rng.normal(size=(300, 1)), rng.normal(size=(300, 3))
        quantiles = medians[..., None] + [-0.2, 0.0, 0.2]
        truth, groups = medians + 0.3 * rng.normal(size=medians.shape), np.zeros(300, int)
        old = QuantileCalibrator().fit(truth, quantiles, groups, extra[:, :1])
        np.testing.assert_array_equal(
            old.predict(quantiles, groups, extra, [0.1, 0.9]),
            old.predict(quantiles, groups, extra[:, :1], [0.1, 0.9]),
        )

    def test_intervals_hold_with_and_without_a_parallax(self):
        """Errors are three times as large without one, of which the widths know nothing."""
        rng = np.random.default_rng(0)
        extra = np.column_stack([rng.normal(size=4000), rng.integers(2, size=4000)])
        medians, groups = rng.normal(size=(4000, 1)), np.zeros(4000, int)
        truth = medians + rng.normal(size=(4000, 1)) * np.where(extra[:, [1]], 0.1, 0.3)
        quantiles = medians[..., None] + [-0.2, 0.0, 0.2]
        sample, new = slice(2000), slice(2000, None)
        calibrator = QuantileCalibrator().fit(
            truth[sample], quantiles[sample], groups[sample], extra[sample]
        )
        low, high = calibrator.predict(quantiles[new], groups[new], extra[new], [0.16, 0.84])[
            :, 0
        ].T
        inside = (low <= truth[new, 0]) & (truth[new, 0] <= high)
        for has_parallax in (0, 1):
            rows = extra[new, 1] == has_parallax
            assert inside[rows].mean() == pytest.approx(0.68, abs=0.05)


class TestSample:
    def test_has_stars_with_and_without_spectra_once_each(self):
        features = make_features(200)
        features.values[:50, 1:3] = np.nan
        targets = np.arange(200.0)[:, None]
        sample, truth = calibration_sample(features, targets)
        assert len(sample) == len(truth) == 350
        np.testing.assert_array_equal(truth[200:], targets[50:])
        assert sample.lacks_xp[200:].all()
        np.testing.assert_array_equal(sample.lacks_xp[:200], features.lacks_xp)

    def test_hides_whole_blocks_of_some_stars(self):
        features = make_features(3000)
        sample, _ = calibration_sample(features, np.zeros((3000, 1)))
        hidden = np.isnan(sample.values[:3000])
        np.testing.assert_array_equal(hidden[:, 5], hidden[:, 6])
        for column, expected in ((3, 0.15), (5, 0.15), (7, 0.15), (0, 0), (1, 0), (4, 0)):
            assert hidden[:, column].mean() == pytest.approx(expected, abs=0.03)
        assert hidden.any(axis=1).mean() == pytest.approx(0.3 * 7 / 8, abs=0.03)
        np.testing.assert_array_equal(sample.values[:3000][~hidden], features.values[~hidden])
        again, _ = calibration_sample(features, np.zeros((3000, 1)))
        np.testing.assert_array_equal(again.values, sample.values)

    def test_leaves_no_star_without_anything(self):
        features = make_features(500)
        features.values[:, [0, 1, 2, 4]] = np.nan
        features.values[:, 3] = np.nan
        assert calibration_sample(features, np.zeros((500, 1)))[0].is_observed.all()

    def test_is_the_stars_themselves_where_there_are_no_blocks(self):
        features = make_features(100, ("x0", "x1"))
        sample, _ = calibration_sample(features, np.zeros((100, 1)))
        np.testing.assert_array_equal(sample.values, features.values)


def test_many_stars_are_learned_from_and_scored_apart():
    rng = np.random.default_rng(0)
    covariates = rng.normal(size=(30_000, 3))
    z = rng.normal(size=30_000) * np.exp(0.3 * covariates[:, 0])
    calibrator = LabelCalibrator().fit(z, covariates)
    assert len(calibrator.scores_) == 4000
    inside = np.abs(z[:, None]) <= np.abs(calibrator.z_at(covariates, [0.16, 0.84]))
    for rows in (covariates[:, 0] < -1, covariates[:, 0] > 1):
        assert inside[rows].mean() == pytest.approx(0.68, abs=0.05)
