"""A parallax among the columns of the packaged stars: an input, and no label unless named."""

import numpy as np
import pytest

from msaestimator.datasets import load_apogee_xp

LABELS = ("teff", "logg", "fe_h", "alpha_m")


@pytest.fixture(scope="module")
def packaged():
    return load_apogee_xp("train")[:100]


def test_the_regressor_learns_from_it_and_does_not_predict_it(make_regressor, make_msa, packaged):
    regressor = make_regressor(make_msa(max_epochs=0), labels=None, max_epochs=0).fit(packaged)
    assert regressor.labels_ == LABELS
    inputs = {"parallax", "psfmag_u", "y_mean_psf_mag", "v_psf", "j_m"}
    assert inputs <= set(regressor.feature_names_)
    near = np.isfinite(packaged["parallax"].value)
    without = packaged.copy()
    without["parallax"][:] = np.nan
    differs = (regressor.predict(packaged) != regressor.predict(without)).any(axis=1)
    np.testing.assert_array_equal(differs, near)


def test_the_generalist_is_told_a_luminosity(make_generalist, packaged):
    generalist = make_generalist(max_epochs=1).fit(packaged)
    assert generalist.labels_ == LABELS
    assert "pseudo_luminosity" in generalist.trained_tokens
    assert "parallax" not in generalist.trained_tokens


def test_what_fit_did_not_see_is_left_out_with_its_errors(make_msa, stars, packaged):
    reader = make_msa(max_epochs=0).fit(stars[:60]).reader_
    assert reader.without_unseen(packaged).colnames == stars.colnames
