"""Labels that hot stars cannot have: where they are known, wide intervals, and flags."""

import numpy as np
import pytest
from scipy.stats import norm

from msaestimator import StellarParameterRegressor
from msaestimator.results import PredictionFlag, interval_flags
from msaestimator.uncertainty import LabelCoverage

WIDE = PredictionFlag.WIDE_INTERVAL
LEVELS = (0.05, 0.16, 0.5, 0.84, 0.95)
NAN = np.nan


def draw(n_stars=2000, seed=0):
    """Scaled Teff and another label, about normal."""
    return np.random.default_rng(seed).normal(size=(n_stars, 2))


def test_a_label_unknown_above_a_temperature():
    labels = draw()
    labels[labels[:, 0] > 1.0, 1] = NAN
    domains = LabelCoverage(0).fit(labels)
    hottest = labels[np.isfinite(labels[:, 1]), 0].max()
    np.testing.assert_array_equal(domains.limits_, [[-np.inf, -np.inf], [np.inf, hottest]])
    np.testing.assert_allclose(domains.spread_, 1.0, atol=0.06)


def test_both_ends_save_lone_stars():
    labels = draw()
    labels[np.abs(labels[:, 0]) > 1.0, 1] = NAN
    odd = np.argsort(labels[:, 0])[[3, -3]]
    labels[odd, 1] = 0.0
    low, high = LabelCoverage(0).fit(labels).limits_[:, 1]
    assert low == pytest.approx(-1.0, abs=0.02)
    assert high == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("known", [1.0, 0.5, 0.1])
def test_labels_missing_at_random_have_no_limits(known):
    labels = draw()
    rng = np.random.default_rng(1)
    labels[rng.random(len(labels)) > known, 1] = NAN
    assert np.isinf(LabelCoverage(0).fit(labels).limits_).all()


def test_a_few_stars_beyond_are_no_limit():
    labels = draw()
    labels[np.argsort(labels[:, 0])[-9:], 1] = NAN
    assert np.isinf(LabelCoverage(0).fit(labels).limits_).all()


def test_without_teff_nothing_is_limited():
    labels = draw()
    labels[labels[:, 0] > 1.0, 1] = NAN
    domains = LabelCoverage(None).fit(labels)
    assert np.isinf(domains.limits_).all()
    assert not domains.outside(draw()).any()


@pytest.mark.parametrize("labels", [[[0.0, NAN]], [[NAN, 1.0], [NAN, 2.0]], [[NAN, NAN]]])
def test_hardly_any_label(labels):
    assert np.isinf(LabelCoverage(0).fit(np.array(labels)).limits_).all()


def test_widening():
    labels = draw()
    labels[labels[:, 0] > 1.0, 1] = NAN
    domains = LabelCoverage(0).fit(labels)
    medians = np.array([[0.0, 0.3], [2.0, 0.3], [2.0, 0.3], [NAN, NAN]])
    width = np.array([0.01, 0.01, 9.0, NAN])[:, None, None]
    quantiles = medians[..., None] + width * norm.ppf(LEVELS)
    wide = domains.widen(quantiles, LEVELS, medians)
    np.testing.assert_array_equal(wide[[0, 2, 3]], quantiles[[0, 2, 3]])
    np.testing.assert_array_equal(wide[1, 0], quantiles[1, 0])
    np.testing.assert_allclose(wide[1, 1], 0.3 + domains.spread_[1] * norm.ppf(LEVELS))
    both = PredictionFlag.UNCONSTRAINED_LABEL | PredictionFlag.WIDE_INTERVAL
    expected = [[0, 0], [0, both], [WIDE, both], [0, 0]]
    np.testing.assert_array_equal(domains.flags(wide, LEVELS), expected)


@pytest.mark.parametrize(
    ("width", "unconstrained", "expected"),
    [(0.7, False, 0), (0.8, False, 512), (NAN, False, 0), (0.7, True, 1024), (0.9, True, 1536)],
)
def test_flags_of_intervals(width, unconstrained, expected):
    found = interval_flags([[width, 0.0]], [0.8, 1.0], [[unconstrained, False]])
    np.testing.assert_array_equal(found, [[expected, 0]])


@pytest.fixture(scope="module")
def ignorant(make_regressor, msa, stars):
    """A regressor that saw no [Fe/H] of stars above 5,200 K; the limit; and what it saw."""
    cut = stars.copy()
    cut["fe_h"][cut["teff"].value > 5200] = NAN
    known = np.isfinite(cut["fe_h"].value)
    fitted = make_regressor(msa, max_epochs=20).fit(cut)
    return fitted, cut["teff"].value[known].max(), cut["fe_h"].value


def test_hot_stars_have_a_wide_interval_and_a_flag(ignorant, other_stars):
    regressor, limit, _ = ignorant
    table = regressor.predict_table(other_stars)
    hot = table["teff"].value > limit
    assert 0 < hot.sum() < len(hot)
    flagged = (table["fe_h_flags"] & PredictionFlag.UNCONSTRAINED_LABEL) > 0
    np.testing.assert_array_equal(flagged, hot)
    assert ((table["fe_h_flags"][hot] & PredictionFlag.WIDE_INTERVAL) > 0).all()
    for name in ("flags", "teff_flags", "logg_flags"):
        assert not (table[name] & PredictionFlag.UNCONSTRAINED_LABEL).any()
    spread = np.ptp(np.nanpercentile(ignorant[2], [16, 84]))
    width = (table["fe_h_upper"] - table["fe_h_lower"]).value
    assert (width[hot] >= 0.999 * spread).all()
    interval = regressor.predict_interval(other_stars, 0.9)[:, 2]
    assert (np.diff(interval[hot]) >= 1.6 * width[hot, None]).all()


def test_saved_and_loaded(ignorant, other_stars, tmp_path):
    regressor = ignorant[0]
    regressor.save_pretrained(tmp_path)
    loaded = StellarParameterRegressor.from_pretrained(tmp_path)
    tables = [model.predict_table(other_stars) for model in (loaded, regressor)]
    for name in ("flags", "fe_h_flags"):
        np.testing.assert_array_equal(*(table[name] for table in tables))
    np.testing.assert_array_equal(loaded.label_domains_.limits_, regressor.label_domains_.limits_)


def test_ages_are_possible(make_regressor, msa, stars, other_stars):
    rng = np.random.default_rng(0)
    ages = rng.uniform(1.0, 18.0, len(stars))
    regressor = make_regressor(msa, labels=("age",), log_labels=())
    with pytest.warns(UserWarning, match="of 300 stars have age above 14, .* counts as 14"):
        regressor.fit(stars, ages)
    quantiles = regressor.predict_interval(other_stars, 0.999)
    assert (quantiles > 0).all()
    assert (quantiles <= 14).all()
    assert quantiles.max() == 14
