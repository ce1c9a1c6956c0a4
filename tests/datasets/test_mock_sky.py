"""The mock sky against the mock survey, which has the same stars, and against itself."""

import numpy as np
import pytest
from scipy.stats import ks_2samp

from msaestimator.datasets import make_mock_sky, make_mock_survey
from msaestimator.schema import G_BAND

SHARED = ["phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag", "ebv", "teff", "logg", "fe_h"]


@pytest.fixture(scope="module")
def sky():
    return make_mock_sky(20_000, random_state=0)


def test_stars_are_those_of_the_survey(sky):
    survey = make_mock_survey(2000, random_state=1)
    for name in (*SHARED, "ra", "dec", "true_distance"):
        assert sky[name].unit == survey[name].unit
        assert ks_2samp(sky[name].value, survey[name].value).pvalue > 1e-3, name


def test_the_mix_at_a_g_does_not_depend_on_the_limit(sky):
    deeper = make_mock_sky(60_000, 19.0, random_state=2)
    for name in SHARED[1:]:
        samples = [
            stars[name].value[(stars[G_BAND].value > 16.5) & (stars[G_BAND].value < 17.5)]
            for stars in (sky, deeper)
        ]
        assert ks_2samp(*samples).pvalue > 1e-3, name


def test_stars_reach_the_limit(sky):
    assert sky[G_BAND].value.max() == pytest.approx(18.0, abs=0.05)
    assert len(make_mock_sky(37, 21.0, random_state=0)) == 37


def test_truth_is_complete(sky):
    for name in ("teff", "logg", "fe_h", "true_distance", "ebv"):
        assert np.isfinite(sky[name].value).all()


def test_same_seed_same_stars(sky):
    again = make_mock_sky(20_000, random_state=0)
    for name in sky.colnames:
        np.testing.assert_array_equal(again[name], sky[name])


@pytest.mark.parametrize("n_stars", [0, -3, 2.5, "10"])
def test_bad_number_of_stars(n_stars):
    with pytest.raises(ValueError, match="`n_stars` must be a positive integer"):
        make_mock_sky(n_stars)


@pytest.mark.parametrize("g_limit", [7.9, 22, np.nan])
def test_bad_limit(g_limit):
    with pytest.raises(ValueError, match="`g_limit` must be between 8 and 21 mag"):
        make_mock_sky(10, g_limit)
