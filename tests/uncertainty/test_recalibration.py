"""Calibrated quantiles corrected for a selection: they cover, and stay where they are right."""

import numpy as np
import pytest
from scipy.stats import norm, skewnorm

from msaestimator.uncertainty import DISTRIBUTION_LEVELS, MIN_KNOWN, Recalibration

WIDTH = 0.1
LEVELS = (0.05, 0.16, 0.5, 0.84, 0.95)


def draw(n_stars, seed, *, bias=0.0, slope=0.0, factor=1.0, shape=0.0):
    """Return truth, calibrated quantiles, groups and covariates of stars whose errors are known.

    Errors are ``factor`` times those told, skew by ``shape``; medians are too low by ``bias`` and
    by ``slope`` times themselves.
    """
    rng = np.random.default_rng(seed)
    medians = rng.normal(size=(n_stars, 1))
    width = WIDTH * np.exp(0.5 * rng.normal(size=(n_stars, 1)))
    quantiles = medians[..., None] + width[..., None] * norm.ppf(DISTRIBUTION_LEVELS)
    skew = skewnorm(shape)
    error = (skew.rvs((n_stars, 1), random_state=rng) - skew.median()) / skew.std()
    truth = medians + bias + slope * medians + factor * width * error
    return truth, quantiles, np.zeros(n_stars, int), rng.normal(size=(n_stars, 2))


def after(sample, new, levels=LEVELS):
    """Return the corrected quantiles of new stars, (n_stars, n_levels)."""
    _, quantiles, groups, extra = new
    return Recalibration().fit(*sample).predict(quantiles, groups, extra, levels)[:, 0]


def told(new, levels=LEVELS):
    """Return the quantiles as they were, by another way than that of the code."""
    _, quantiles, _, _ = new
    middle = len(DISTRIBUTION_LEVELS) // 2
    width = (quantiles[:, 0, -1] - quantiles[:, 0, middle]) / norm.ppf(DISTRIBUTION_LEVELS[-1])
    return quantiles[:, 0, [middle]] + width[:, None] * norm.ppf(levels)


WRONG = {
    "too narrow": {"factor": 1.8},
    "too wide": {"factor": 0.5},
    "shifted": {"bias": 0.15},
    "skew and shifted": {"shape": 5.0, "bias": -0.1, "factor": 1.4},
    "with a trend": {"slope": 0.1, "factor": 1.3},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_two_hundred_stars_make_intervals_cover(wrong):
    """Within 3 points of nominal, on average over samples."""
    found, before = [], []
    for seed in range(15):
        new = draw(1000, 1000 + seed, **wrong)
        for quantiles, shares in (
            (after(draw(200, seed, **wrong), new), found),
            (told(new), before),
        ):
            inside = (quantiles[:, [1, 0]] <= new[0]) & (new[0] <= quantiles[:, [3, 4]])
            shares.append(inside.mean(axis=0))
    np.testing.assert_allclose(np.mean(found, axis=0), [0.68, 0.9], atol=0.03)
    assert np.abs(np.mean(before, axis=0) - [0.68, 0.9]).max() > 0.06


def test_bias_is_removed_where_stars_bear_it_out():
    left = []
    for seed in range(10):
        new = draw(500, 100 + seed, bias=0.15, slope=0.05)
        residual = new[0][:, 0] - after(draw(200, seed, bias=0.15, slope=0.05), new)[:, 2]
        low, high = (np.median(residual[rows]) for rows in _halves(new))
        left.append([low, high])
    # A third of the typical error, and far less than what it was.
    np.testing.assert_allclose(np.mean(left, axis=0), 0, atol=WIDTH / 5)


def _halves(new):
    medians = told(new, [0.5])[:, 0]
    return medians < 0, medians >= 0


def test_right_quantiles_stay_but_for_chance():
    """A fifth of the typical error, where a plain mean of 200 residuals errs by a twelfth."""
    moved = []
    for seed in range(10):
        new = draw(500, 100 + seed)
        moved.append(np.abs(after(draw(200, seed), new) - told(new)).mean(axis=0))
    assert (np.mean(moved, axis=0) < 0.2 * WIDTH).all()
    assert np.mean(moved, axis=0)[2] < 0.1 * WIDTH


def test_fewer_stars_correct_less_of_a_small_bias():
    """A fifth of the error is 1.4 times the mean's error with 50 stars, 5.7 times with 800."""
    shares = []
    for n_stars in (50, 200, 800):
        quantiles = np.broadcast_to(WIDTH * norm.ppf(DISTRIBUTION_LEVELS), (n_stars, 1, 15))
        truth = 0.2 * WIDTH + WIDTH * norm.ppf((np.arange(n_stars) + 0.5) / n_stars)
        sample = truth[:, None], quantiles, np.zeros(n_stars, int), np.empty((n_stars, 0))
        shares.append(after(sample, sample, [0.5])[0, 0] / (0.2 * WIDTH))
    assert shares[0] < 0.75
    assert shares[0] < shares[1] < shares[2]
    assert shares[2] == pytest.approx(1.0, abs=0.1)


def test_order_of_the_stars_does_not_matter():
    sample, new = draw(120, 0, **WRONG["skew and shifted"]), draw(20, 1)
    mixed = np.random.default_rng(0).permutation(120)
    np.testing.assert_allclose(
        after([part[mixed] for part in sample], new), after(sample, new), rtol=1e-9
    )


def test_quantiles_rise_and_follow_the_levels():
    new = draw(50, 1)
    levels = np.linspace(0.001, 0.999, 41)
    for wrong in WRONG.values():
        at = after(draw(60, 0, **wrong), new, levels)
        assert (np.diff(at, axis=1) >= 0).all()


def test_groups_are_corrected_apart_if_each_has_enough():
    first, second = draw(200, 0, bias=0.2), draw(200, 1, bias=-0.2)
    both = [np.concatenate(parts) for parts in zip(first, second, strict=True)]
    both[2] = np.repeat([0, 1], 200)
    new = draw(300, 2)
    for group, sample in enumerate((first, second)):
        of_group = (*new[:2], np.full(300, group), new[3])
        np.testing.assert_allclose(after(both, of_group), after(sample, new))


def test_a_small_group_is_corrected_as_all_are():
    sample, new = list(draw(200, 0, bias=0.2)), draw(300, 2)
    alone = after(sample, new)
    sample[2] = (np.arange(200) < MIN_KNOWN - 1).astype(int)
    of_group = (*new[:2], np.ones(300, int), new[3])
    np.testing.assert_allclose(after(sample, of_group), alone)


def test_labels_that_few_know_stay():
    truth, *others = draw(200, 0, bias=0.2)
    truth[MIN_KNOWN - 1 :] = np.nan
    new = draw(50, 1)
    assert Recalibration().fit(truth, *others).parts_ == ((None,), (None,))
    # Between the levels that are kept, a normal's quantiles are nearly those of the pieces.
    np.testing.assert_allclose(after((truth, *others), new), told(new), atol=0.02 * WIDTH)


def test_missing_covariates_and_predictions():
    sample, new = draw(200, 0, bias=0.2), list(draw(6, 1))
    sample[3][:, 1] = np.nan
    sample[3][::2, 0] = np.nan
    sample[1][3], new[1][2] = np.nan, np.nan
    at = after(sample, new)
    assert np.isnan(at[2]).all()
    assert np.isfinite(np.delete(at, 2, axis=0)).all()
