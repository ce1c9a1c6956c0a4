"""Gaps that a model was not made for: what training never was without."""

import warnings

import numpy as np
import pytest

from msaestimator import StellarParameterRegressor
from msaestimator.exceptions import MissingColumnWarning
from msaestimator.results import PredictionFlag, usable

XP = ("bp_coefficients", "rp_coefficients")
TMASS = ("j_m", "h_m", "ks_m")
GAIA = ("phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag")


def without(stars, *names, rows=slice(None)):
    """Return stars that miss columns, in some rows."""
    stars = stars.copy()
    for name in names:
        stars[name][rows] = np.nan
    return stars


def missed(regressor, stars):
    """Return which stars lack what the model needs."""
    flags = regressor.predict_table(stars)["flags"]
    return np.asarray(flags & PredictionFlag.MISSING_BLOCKS) > 0


@pytest.mark.parametrize("name", GAIA)
def test_a_column_that_training_never_hides_is_missed(regressor, other_stars, name):
    table = without(other_stars, name, rows=[2, 5])
    expected = np.isin(np.arange(100), [2, 5])
    np.testing.assert_array_equal(missed(regressor, table), expected)
    nobody = without(other_stars, name)
    assert missed(regressor, nobody).all()
    assert not usable(regressor.predict_table(nobody)).any()


def test_a_survey_that_the_model_does_without_is_not_missed(regressor, other_stars):
    for columns in (TMASS, ("ebv",), ("j_m",), XP):
        nobody = without(other_stars, *columns)
        assert not missed(regressor, nobody).any()
        absent = other_stars[[n for n in other_stars.colnames if n not in columns]]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MissingColumnWarning)
            assert not missed(regressor, absent).any()


def test_a_survey_that_training_always_showed_is_missed(make_regressor, msa, stars, other_stars):
    """Unless a hundredth of its stars lacked it."""
    always = {"mask_ratio": 0.0, "block_mask_ratio": 0.0, "max_epochs": 1}
    for n_without, expected in ((2, True), (6, False)):
        some = without(stars, *TMASS, rows=slice(n_without))
        fitted = make_regressor(msa, **always).fit(some)
        table = without(other_stars, *TMASS, rows=[1])
        found = missed(fitted, table)
        np.testing.assert_array_equal(found, (np.arange(100) == 1) & expected)


def test_what_training_lacked_is_saved(make_regressor, msa, stars, other_stars, tmp_path):
    some = without(stars, "phot_bp_mean_mag", rows=slice(150))
    fitted = make_regressor(msa, max_epochs=1).fit(some)
    fitted.save_pretrained(tmp_path)
    loaded = StellarParameterRegressor.from_pretrained(tmp_path)
    table = without(other_stars, "phot_bp_mean_mag", rows=[0])
    table = without(table, "phot_rp_mean_mag", rows=[1])
    for model in (fitted, loaded):
        found = missed(model, table)
        np.testing.assert_array_equal(found, np.arange(100) == 1)
    # A model that was saved before this was noted has had no star without.
    loaded.outliers_.lacking_ = None
    found = missed(loaded, table)
    np.testing.assert_array_equal(found, np.arange(100) < 2)
