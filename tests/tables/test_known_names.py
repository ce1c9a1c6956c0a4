"""Columns are known in any case and by other catalogues' names, where these are clear."""

import warnings

import numpy as np
import pytest
from astropy.table import Table
from hypothesis import given
from hypothesis import strategies as st

from msaestimator.exceptions import RenamedColumnWarning
from msaestimator.schema import ALIASES, GAIA_DR3, LABELS
from msaestimator.tables import named_columns, with_known_names

KNOWN = {
    "source_id",
    *GAIA_DR3.names,
    *(column.error for column in GAIA_DR3.columns if column.error),
    *(name for array in GAIA_DR3.arrays for name in (array.name, array.error)),
    *LABELS,
    *(label.error for label in LABELS.values()),
}


def names_of(*names, known=KNOWN, **settings):
    """Return the names that columns of these names go by, without regard to warnings."""
    columns = named_columns({name: [float(place)] for place, name in enumerate(names)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RenamedColumnWarning)
        return with_known_names(columns, known, **settings).names


def test_every_alias_is_of_a_column_that_there_is():
    assert set(ALIASES) <= KNOWN


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("Source", "source_id"),
        ("SOURCE_ID", "source_id"),
        ("Gmag", "phot_g_mean_mag"),
        ("BPmag", "phot_bp_mean_mag"),
        ("RPmag", "phot_rp_mean_mag"),
        ("Plx", "parallax"),
        ("plx", "parallax"),
        ("e_Plx", "parallax_error"),
        ("E(B-V)", "ebv"),
        ("E_B-V_", "ebv"),
        ("pmRA", "pmra"),
        ("pmDE", "pmdec"),
        ("Teff", "teff"),
        ("TEFF_ERR", "teff_err"),
        ("[Fe/H]", "fe_h"),
        ("Jmag", "j_m"),
        ("k_m", "ks_m"),
        ("Kmag", "ks_m"),
        ("W1mag", "catwise_w1"),
        ("w1mpro", "catwise_w1"),
        ("psfMag_u", "psfmag_u"),
        ("psfMagErr_z", "psfmagerr_z"),
        ("gMeanPSFMag", "g_mean_psf_mag"),
        ("uPSF", "u_psf"),
        ("ymag", "y_mean_psf_mag"),
        ("BP_COEFFICIENTS", "bp_coefficients"),
    ],
)
def test_names_of_other_catalogues(theirs, ours):
    assert names_of("other", theirs) == ("other", ours)
    assert names_of("other", theirs, aliases=False) == ("other", theirs)


@given(st.sampled_from(sorted(KNOWN)), st.data())
def test_any_case_is_understood(name, data):
    upper = data.draw(st.lists(st.booleans(), min_size=len(name), max_size=len(name)))
    mixed = "".join(c.upper() if up else c for c, up in zip(name, upper, strict=True))
    assert names_of(mixed) == (name,)


@given(st.lists(st.sampled_from(sorted(KNOWN)), unique=True, min_size=1))
def test_known_names_are_as_they_are_without_a_word(names):
    columns = named_columns({name: [1.0] for name in names})
    assert with_known_names(columns, KNOWN).names == tuple(names)


@pytest.mark.parametrize("style", ["bp_coeff_{}", "bp_{}", "BP_coefficients_{}", "bp_coeffs_{}"])
@pytest.mark.parametrize("first", [0, 1])
def test_coefficients_are_counted_from_zero_or_one(style, first):
    given_names = [style.format(number) for number in range(first, first + 55)]
    assert names_of(*given_names) == tuple(f"bp_{number}" for number in range(1, 56))


def test_coefficients_beside_their_array_are_left_alone():
    names = ("bp_coefficients", "bp_coeff_0", "bp_coeff_1")
    assert names_of(*names) == names


def test_coefficients_of_two_styles_are_left_alone():
    assert names_of("bp_1", "bp_coeff_2") == ("bp_1", "bp_coeff_2")


@pytest.mark.parametrize(
    "names",
    [
        ("parallax", "Plx"),  # ours goes before theirs
        ("TEFF", "Teff"),  # of two nobody knows which
        ("source",),  # more often a survey's name
        ("gmag",),  # of SDSS, Pan-STARRS or SkyMapper
    ],
)
def test_what_is_not_clear_stays(names):
    assert names_of(*names) == names


def test_of_several_aliases_the_first_is_taken():
    assert names_of("w1mpro", "W1mproPM") == ("w1mpro", "catwise_w1")


def test_one_message_says_what_was_taken_and_what_not():
    columns = named_columns(Table({"Gmag": [1.0], "Plx": [2.0], "rmag": [3.0]}))
    with pytest.warns(RenamedColumnWarning) as caught:
        known = with_known_names(columns, KNOWN)
    (warning,) = caught
    assert str(warning.message) == (
        "Columns are taken as ours: 'Gmag' for 'phot_g_mean_mag', 'Plx' for 'parallax'. 'rmag' "
        "could be psfmag_r or r_mean_psf_mag or r_psf and is ignored: rename it. Set "
        "aliases=False to go by names as they are."
    )
    np.testing.assert_array_equal(known.raw("parallax").values, [2.0])
    assert with_known_names(known, KNOWN) is known


def test_many_columns_are_counted():
    columns = named_columns({name.upper(): [1.0] for name in GAIA_DR3.names})
    with pytest.warns(RenamedColumnWarning, match=r"'CATWISE_W1' for .* and 132 more\."):
        with_known_names(columns, KNOWN)
