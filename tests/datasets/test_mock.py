"""The mock survey against its own truth."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from scipy.spatial import KDTree

from msaestimator.datasets import load_isochrones, make_mock_survey
from msaestimator.datasets._mock import G_LIMIT
from msaestimator.schema import G_BAND, GAIA_DR3, LABELS, StarTable

XP_LIMIT = 17.65
SCALARS = [column for column in GAIA_DR3.columns if column.block != "xp"]


@pytest.fixture(scope="module")
def stars():
    return make_mock_survey(4000, random_state=1)


def test_same_seed_same_bits(stars):
    again = make_mock_survey(4000, random_state=1)
    assert again.colnames == stars.colnames
    for name in stars.colnames:
        assert np.asarray(again[name]).tobytes() == np.asarray(stars[name]).tobytes(), name


def test_other_seed_other_stars(stars):
    other = make_mock_survey(4000, random_state=2)
    assert not np.any(other["teff"] == stars["teff"])


@pytest.mark.parametrize("n_stars", [1, 2, 37])
def test_number_of_stars(n_stars):
    stars = make_mock_survey(n_stars, random_state=0)
    assert isinstance(stars, StarTable)
    assert len(stars) == n_stars


@pytest.mark.parametrize("n_stars", [0, -3, 2.5, "10"])
def test_bad_number_of_stars(n_stars):
    with pytest.raises(ValueError, match="`n_stars` must be a positive integer"):
        make_mock_survey(n_stars)


def test_every_feature_is_there_and_often_measured(stars):
    assert GAIA_DR3.observed_only(stars.colnames) == GAIA_DR3
    for array in GAIA_DR3.arrays:
        assert stars[array.name].shape == stars[array.error].shape == (len(stars), array.size)
    for column in SCALARS:
        assert stars[column.name].unit == column.unit
        least = 0.02 if column.block == "sdss" else 0.45
        assert np.isfinite(stars[column.name].value).mean() > least, column.name
        if column.error:
            missing = np.isnan(stars[column.name].value)
            np.testing.assert_array_equal(np.isnan(stars[column.error].value), missing)
            assert (stars[column.error].value[~missing] > 0).all()


def test_identifiers_are_unique_integers(stars):
    assert stars["source_id"].dtype == np.int64
    assert len(np.unique(stars["source_id"])) == len(stars)


def test_truth_is_complete_and_physical(stars):
    for name in ("teff", "logg", "fe_h", "mass", "age"):
        label = LABELS[name]
        assert stars[name].unit == label.unit
        values = stars[name].value
        assert ((values >= label.limits[0]) & (values <= label.limits[1])).all(), name
    np.testing.assert_allclose(
        stars["true_distance"].to(u.mas, u.parallax()), stars["true_parallax"], rtol=1e-12
    )
    assert (stars["true_ebv"] > 0).all()


def test_stars_are_those_of_a_magnitude_limited_survey(stars):
    magnitude, logg = stars[G_BAND].value, stars["logg"].value
    assert magnitude.max() < G_LIMIT + 0.05
    assert (magnitude > 16).sum() > (magnitude < 14).sum()
    assert 0.1 < (logg < 3.5).mean() < 0.5
    assert (stars["fe_h"].value < -1).sum() > 20
    assert (stars["teff"].value > 8000).sum() > 50
    assert (stars["teff"].value < 4000).sum() > 20


def test_spectra_end_at_the_faint_limit(stars):
    faint = stars[G_BAND].value > XP_LIMIT
    assert 0.05 < faint.mean() < 0.4
    for array in GAIA_DR3.arrays:
        for name in (array.name, array.error):
            np.testing.assert_array_equal(np.isnan(stars[name]).all(axis=1), faint)
            np.testing.assert_array_equal(np.isnan(stars[name]).any(axis=1), faint)


def test_footprints(stars):
    dec = stars["dec"].value
    latitude = SkyCoord(stars["ra"], stars["dec"]).galactic.b.deg
    outside = {
        "ps1": dec <= -30,
        "skymapper": dec >= 2,
        "sdss": (latitude <= 20) | (dec <= -3),
    }
    for block, where in outside.items():
        for name in GAIA_DR3.block(block):
            assert np.isnan(stars[name].value[where]).all(), name
            assert np.isfinite(stars[name].value[~where]).mean() > 0.5, name


def test_parallaxes_scatter_by_their_errors(stars):
    z = ((stars["parallax"] - stars["true_parallax"]) / stars["parallax_error"]).to_value(u.one)
    assert abs(z.mean()) < 4 / np.sqrt(len(z))
    assert z.std() == pytest.approx(1.0, abs=0.05)
    assert np.abs(z).max() < 6


def test_magnitudes_obey_distance_and_dust(stars):
    """The oracle looks up the nearest isochrone point of each star's truth."""
    points = load_isochrones()
    gap, nearest = KDTree(kiel(points, 10 ** points["log_teff"], points["star_mass"].value)).query(
        kiel(stars, stars["teff"].value, stars["mass"].value)
    )
    point, close = points[nearest], gap < 2.0
    assert close.mean() > 0.5
    # Luminosity from temperature, mass and gravity: 4 pi R^2 sigma T^4 with R^2 = G M / g.
    log_luminosity = (
        4 * np.log10(stars["teff"].value / 5772)
        + np.log10(stars["mass"].value)
        - (stars["logg"].value - 4.438)
    )
    modulus = 5 * np.log10(stars["true_distance"].to_value(u.pc)) - 5
    a_v = 3.1 * stars["true_ebv"].value
    for name in (G_BAND, "phot_rp_mean_mag", "j_m", "i_mean_psf_mag", "z_psf", "catwise_w1"):
        absolute = 4.74 - 2.5 * log_luminosity - point[f"bc_{name}"].value
        expected = absolute + modulus + a_v * point[f"a_{name}"]
        low, middle, high = np.nanpercentile((stars[name].value - expected)[close], [16, 50, 84])
        assert abs(middle) < 0.03, name
        assert high - low < 0.2, name


def kiel(table, teff, mass):
    """Return temperature, gravity, metallicity and mass in units of what shifts a magnitude."""
    columns = np.log10(teff), table["logg"].value, table["fe_h"].value, np.log10(mass)
    return np.column_stack(columns) / [0.005, 0.02, 0.1, 0.02]


def test_the_map_reddening_is_not_the_stars_own(stars):
    ratio = stars["ebv"] / stars["true_ebv"]
    assert np.median(ratio) > 1.0
    assert np.std(np.log(ratio)) > 0.1


def test_spectra_agree_with_the_photometry(stars):
    """Redder stars have relatively more RP: the two bands order the stars like BP - RP."""
    has_xp = np.isfinite(stars["bp_coefficients"][:, 0])
    color = (stars["phot_bp_mean_mag"] - stars["phot_rp_mean_mag"]).value[has_xp]
    ratio = (stars["bp_coefficients"][:, 0] / stars["rp_coefficients"][:, 0])[has_xp]
    warm = color < 2.0
    assert np.corrcoef(color[warm], np.log(ratio[warm]))[0, 1] < -0.98
