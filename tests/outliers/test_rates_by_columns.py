"""False-alarm rates of stars that lack columns: as asked for, whatever is known of a star."""

import numpy as np
import pytest

from msaestimator.outliers import LocalFalseAlarmRate, RatesByColumns
from msaestimator.outliers._rates_by_columns import (
    kinds_by_columns,
    score_by_columns,
    with_gaps,
)

BLOCKS = np.array(["gaia", "tmass", "tmass", "ps1", "sdss"])


def draw(n_stars, rng):
    """Return misfits that are larger of stars that lack something, brightness and kinds."""
    brightness, kinds = rng.uniform(9, 19, n_stars), rng.integers(4, size=n_stars)
    return rng.standard_normal(n_stars) * (4 - kinds), brightness, kinds


def test_as_many_of_each_kind_exceed_a_score_as_it_says():
    rng = np.random.default_rng(0)
    rates = RatesByColumns().fit(*draw(40_000, rng))
    misfit, brightness, kinds = draw(40_000, rng)
    score = rates.score(misfit, brightness, kinds)
    for kind in range(4):
        assert np.mean(score[kinds == kind] >= 1) == pytest.approx(0.1, abs=0.015)
        assert np.mean(score[kinds == kind] >= 2) == pytest.approx(0.01, abs=0.004)


def test_a_kind_of_few_stars_has_the_rate_of_all():
    rng = np.random.default_rng(0)
    misfit, brightness, kinds = draw(4000, rng)
    kinds[kinds == 2] = 3
    kinds[:500] = 2
    rates = RatesByColumns().fit(misfit, brightness, kinds)
    assert rates.rates_[2] is None
    of_all = LocalFalseAlarmRate().fit(misfit, brightness)
    few = misfit[:500], brightness[:500]
    np.testing.assert_array_equal(rates.score(*few, kinds[:500]), of_all.score(*few))
    np.testing.assert_array_equal(score_by_columns(of_all, *few, kinds[:500]), of_all.score(*few))


def test_order_does_not_matter_and_nan_stays():
    rng = np.random.default_rng(0)
    sample = draw(5000, rng)
    sample[0][7] = np.nan
    order = rng.permutation(5000)
    one = RatesByColumns().fit(*sample).score(*sample)
    other = RatesByColumns().fit(*(part[order] for part in sample)).score(*sample)
    np.testing.assert_allclose(one, other)
    assert np.flatnonzero(np.isnan(one)).tolist() == [7]


def test_kinds_tell_near_infrared_and_optical_surveys():
    values = np.zeros((5, 5))
    values[1, 1:3] = np.nan
    values[2, 3:] = np.nan
    values[3, 1:] = np.nan
    values[4, [1, 3]] = np.nan
    assert kinds_by_columns(values, BLOCKS).tolist() == [3, 2, 1, 0, 3]
    assert kinds_by_columns(values[:, :1], BLOCKS[:1]).tolist() == [0] * 5


def test_copies_lack_each_of_what_stars_have():
    values = np.arange(15.0).reshape(3, 5)
    values[1, 1:3] = np.nan
    values[2, 1:] = np.nan
    before = values.copy()
    copies = [(v, rows.tolist()) for v, rows in with_gaps(values, BLOCKS)]
    np.testing.assert_array_equal(values, before)
    assert [rows for _, rows in copies] == [[0, 1], [0], [0]]
    assert [kinds_by_columns(v, BLOCKS).tolist() for v, _ in copies] == [[1, 0], [2], [0]]
    for seen, rows in copies:
        kept = np.isfinite(seen)
        np.testing.assert_array_equal(seen[kept], values[rows][kept])
