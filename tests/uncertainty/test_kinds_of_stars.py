"""Kinds of stars that calibration tells apart, and the sample that it learns from."""

import numpy as np
import pytest

from msaestimator.preprocessing import FeatureColumns, Features
from msaestimator.schema import GAIA_DR3
from msaestimator.uncertainty import LabelCalibrator, QuantileCalibrator, calibration_sample
from msaestimator.uncertainty._kinds_of_stars import N_VIEWS, detailed_kinds_of, kinds_of

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

    def test_in_detail_are_surveys_and_magnitude_by_what_is_at_hand(self):
        features = make_features(4, (*NAMES, "g_mean_psf_mag"))
        features.values[0, 3] = np.nan
        features.values[1, [5, 6, 8]] = np.nan
        groups, extra = detailed_kinds_of(features)
        few_groups, few = kinds_of(features)
        np.testing.assert_array_equal(groups, few_groups)
        np.testing.assert_array_equal(extra[:, :3], few)
        # Pan-STARRS, 2MASS and WISE.
        np.testing.assert_array_equal(extra[:, 3:6], [[1, 1, 1], [0, 0, 1], [1, 1, 1], [1, 1, 1]])
        g, none = features.values[:, 0], np.nan
        np.testing.assert_array_equal(extra[:, 6], [none, *g[1:]])
        np.testing.assert_array_equal(extra[:, 7], [g[0], none, *g[2:]])

    def test_are_none_of_features_that_nobody_knows(self):
        features = make_features(3, ("x0", "x1"))
        groups, extra = kinds_of(features)
        assert extra.shape == detailed_kinds_of(features)[1].shape == (3, 0)
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
    def test_has_each_star_with_and_without_spectra(self):
        features = make_features(200)
        features.values[:50, 1:3] = np.nan
        targets = np.arange(200.0)[:, None]
        sample, truth, stars = calibration_sample([(features, targets)])
        assert len(sample) == len(truth) == len(stars) == N_VIEWS * 350
        np.testing.assert_array_equal(truth[:, 0], stars)
        assert (np.bincount(stars) == np.repeat([N_VIEWS, 2 * N_VIEWS], [50, 150])).all()
        with_xp = np.bincount(stars[~sample.lacks_xp], minlength=200)
        np.testing.assert_array_equal(with_xp, np.repeat([0, N_VIEWS], [50, 150]))

    def test_tells_all_or_little_or_something_of_a_star(self):
        features = make_features(3000)
        sample, _, stars = calibration_sample([(features, np.zeros((3000, 1)))])
        np.testing.assert_array_equal(stars[:3000], np.arange(3000))
        hidden = np.isnan(sample.values)
        assert not hidden[:3000].any()
        np.testing.assert_array_equal(sample.values[:3000], features.values)
        little, some = hidden[6000:9000], hidden[12_000:15_000]
        np.testing.assert_allclose(little.mean(axis=0), [0, 0, 0, 0.5, 0, 0, 0, 1], atol=0.04)
        expected = [0, 0, 0, 0.5, 0, 0.5, 0.5, 0.5]
        np.testing.assert_allclose(some.mean(axis=0), expected, atol=0.04)
        np.testing.assert_array_equal(some[:, 5], some[:, 6])
        again, _, _ = calibration_sample([(features, np.zeros((3000, 1)))])
        np.testing.assert_array_equal(again.values, sample.values)

    def test_draws_take_turns_in_what_is_told(self):
        features = [make_features(40) for _ in range(2 * N_VIEWS)]
        draws = [(f, np.full((40, 1), k)) for k, f in enumerate(features)]
        sample, targets, stars = calibration_sample(draws)
        assert len(sample) == 2 * N_VIEWS * 80
        np.testing.assert_array_equal(np.bincount(stars), 2 * 2 * N_VIEWS)
        lacks = np.isnan(sample.values[:, 7])
        of_draw = [lacks[targets[:, 0] == k].mean() for k in range(2 * N_VIEWS)]
        np.testing.assert_array_equal(np.array(of_draw)[[0, 3, 1, 4]], [0, 0, 1, 1])

    def test_leaves_no_star_without_anything(self):
        features = make_features(500)
        features.values[:, [0, 1, 2, 4]] = np.nan
        features.values[:, 3] = np.nan
        assert calibration_sample([(features, np.zeros((500, 1)))])[0].is_observed.all()

    def test_is_the_stars_themselves_where_there_are_no_blocks(self):
        features = make_features(100, ("x0", "x1"))
        sample, _, stars = calibration_sample([(features, np.zeros((100, 1)))])
        np.testing.assert_array_equal(sample.values, features.values)
        np.testing.assert_array_equal(stars, np.arange(100))


def test_intervals_hold_at_every_brightness_whatever_is_at_hand():
    """Errors change with G otherwise where there is a parallax; each star has three copies."""
    rng = np.random.default_rng(0)

    def draw(n_stars):
        stars = np.tile(np.arange(n_stars), 3)
        g, has = rng.uniform(9, 19, len(stars)), rng.random(len(stars)) < 0.5
        # Half of an error is the star's own.
        error = 0.7 * rng.normal(size=n_stars)[stars] + 0.7 * rng.normal(size=len(stars))
        width = np.where(has, 0.1, 0.1 * 10 ** (0.04 * (g - 9)))
        extra = np.column_stack([g, has, np.where(has, g, np.nan)])
        medians = rng.normal(size=(len(stars), 1))
        quantiles = medians[..., None] + [-0.2, 0.0, 0.2]
        truth = medians + (error * width)[:, None]
        return truth, quantiles, np.zeros(len(stars), int), extra, stars

    calibrator = QuantileCalibrator().fit(*draw(4500))
    truth, quantiles, groups, extra, _ = draw(20_000)
    for level in (0.68, 0.9):
        levels = (0.5 - level / 2, 0.5 + level / 2)
        low, high = calibrator.predict(quantiles, groups, extra, levels)[:, 0].T
        inside = (low <= truth[:, 0]) & (truth[:, 0] <= high)
        for faint in (11, 14, 17):
            for has in (0, 1):
                rows = (np.abs(extra[:, 0] - faint) < 1) & (extra[:, 1] == has)
                assert inside[rows].mean() == pytest.approx(level, abs=0.035)


def test_many_stars_are_learned_from_and_scored_apart():
    rng = np.random.default_rng(0)
    covariates = rng.normal(size=(30_000, 3))
    z = rng.normal(size=30_000) * np.exp(0.3 * covariates[:, 0])
    calibrator = LabelCalibrator().fit(z, covariates)
    assert len(calibrator.scores_) == 4000
    inside = np.abs(z[:, None]) <= np.abs(calibrator.z_at(covariates, [0.16, 0.84]))
    for rows in (covariates[:, 0] < -1, covariates[:, 0] > 1):
        assert inside[rows].mean() == pytest.approx(0.68, abs=0.05)


class TestCopies:
    """Copies of a star count as one."""

    def sample(self, n_stars, copies, seed=0):
        rng = np.random.default_rng(seed)
        covariates = rng.normal(size=(n_stars, 2))
        z = rng.normal(size=n_stars) * np.exp(0.3 * covariates[:, 0])
        return np.tile(z, copies), np.tile(covariates, (copies, 1))

    def test_copies_that_are_all_alike_change_nothing(self):
        alone = LabelCalibrator().fit(*self.sample(400, 1))
        stars = np.tile(np.arange(400), 4)
        copied = LabelCalibrator().fit(*self.sample(400, 4), stars)
        probe = np.random.default_rng(1).normal(size=(50, 2))
        levels = (0.05, 0.16, 0.84, 0.95)
        assert len(copied.scores_) == 400
        np.testing.assert_allclose(
            copied.z_at(probe, levels), alone.z_at(probe, levels), rtol=0.1, atol=0.05
        )

    def test_neither_order_nor_numbers_of_stars_matter(self):
        z, covariates = self.sample(300, 3)
        covariates += 0.1 * np.random.default_rng(1).normal(size=covariates.shape)
        stars = np.tile(np.arange(300), 3)
        order = np.random.default_rng(2).permutation(900)
        one = LabelCalibrator().fit(z, covariates, stars)
        other = LabelCalibrator().fit(z[order], covariates[order], 7 * stars[order] + 5)
        probe = covariates[:20]
        np.testing.assert_allclose(
            other.z_at(probe, [0.1, 0.9]), one.z_at(probe, [0.1, 0.9]), rtol=1e-2
        )

    def test_few_stars_with_many_copies_are_few(self):
        rng = np.random.default_rng(0)
        medians, stars = rng.normal(size=(490, 1)), np.tile(np.arange(49), 10)
        quantiles = medians[..., None] + [-0.2, 0.0, 0.2]
        truth, none = medians + 0.3, np.empty((490, 0))
        fitted = QuantileCalibrator().fit(truth, quantiles, np.zeros(490, int), none, stars)
        assert fitted.calibrators_ == ((None,), (None,))

    def test_many_are_learned_from_and_scored_apart(self):
        stars = np.repeat(np.arange(6000), 2)
        z, covariates = self.sample(12_000, 1)
        calibrator = LabelCalibrator().fit(z, covariates, stars)
        assert len(calibrator.scores_) == 2000
        inside = np.abs(z[:, None]) <= np.abs(calibrator.z_at(covariates, [0.16, 0.84]))
        assert inside.mean() == pytest.approx(0.68, abs=0.03)
