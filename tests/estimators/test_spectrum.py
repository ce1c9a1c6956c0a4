"""Physical spectra that a generalist is asked for."""

import astropy.units as u
import numpy as np
import pytest

from msaestimator.datasets import load_xp_sampling, make_mock_survey
from msaestimator.exceptions import ColumnError
from msaestimator.results import PredictionFlag
from msaestimator.schema import G_BAND, GAIA_DR4, distance, g_flux, vocabulary_of

# Coefficients and luminosities are asked for that are told too.
pytestmark = pytest.mark.filterwarnings("ignore::msaestimator.exceptions.ToldRequestWarning")


@pytest.fixture(scope="module")
def survey():
    """Stars that have a parallax, unlike the packaged ones, and XP spectra."""
    stars = make_mock_survey(300, random_state=0)
    known = np.isfinite(stars["bp_coefficients"]).all(axis=1) & (stars["parallax"] > 0 * u.mas)
    return stars[known]


@pytest.fixture(scope="module")
def with_luminosity(make_generalist, survey):
    return make_generalist().fit(survey)


def test_the_spectrum_is_that_of_the_requested_coefficients(generalist, stars):
    answers = generalist.request(stars, generalist.xp_columns)
    coefficients = np.stack([answers[name].value for name in generalist.xp_columns], axis=1)
    coefficients *= g_flux(stars[G_BAND].value.astype(float))[:, None]
    spectra = generalist.spectrum(stars)
    np.testing.assert_allclose(
        spectra["flux"].value, coefficients @ load_xp_sampling().matrix.value.T, rtol=1e-9
    )
    np.testing.assert_array_equal(spectra["source_id"], stars["source_id"])
    assert spectra["flux_err"].unit == u.Unit("W / (m2 nm)")
    assert (spectra["flux_err"] > 0).all()


def test_some_inputs_only(generalist, stars):
    few = generalist.spectrum(stars["teff", G_BAND])
    chosen = generalist.spectrum(stars, inputs=["teff", G_BAND])
    np.testing.assert_allclose(few["flux"], chosen["flux"], rtol=1e-5, atol=1e-22)


@pytest.mark.parametrize("told", [False, True])
def test_at_10_pc_flux_grows_with_the_squared_distance(with_luminosity, survey, told):
    stars = survey if told else survey["bp_coefficients", "rp_coefficients", G_BAND]
    answers = with_luminosity.request(stars, "pseudo_luminosity")
    pc = distance(answers["pseudo_luminosity"].value, stars[G_BAND].value)
    apparent = with_luminosity.spectrum(stars)
    absolute = with_luminosity.spectrum(stars, at_10pc=True)
    np.testing.assert_allclose(
        absolute["flux"], apparent["flux"] * (pc / 10.0)[:, None] ** 2, rtol=1e-5
    )


def test_at_10_pc_the_error_of_the_luminosity_counts_twice(with_luminosity, survey):
    answers = with_luminosity.request(survey, "pseudo_luminosity")
    fraction = (answers["pseudo_luminosity_err"] / answers["pseudo_luminosity"]).value
    apparent, absolute = (with_luminosity.spectrum(survey, at_10pc=far) for far in (False, True))
    relative = apparent["flux_err"] / np.abs(apparent["flux"])
    np.testing.assert_allclose(
        (absolute["flux_err"] / np.abs(absolute["flux"])).value,
        np.hypot(relative.value, 2.0 * fraction[:, None]),
        rtol=1e-5,
    )


def test_unknown_magnitudes_give_no_flux_and_unknown_stars_a_flag(generalist, stars):
    few = stars[:3]["source_id", "teff", G_BAND]
    few["teff"][1] = few[G_BAND][2] = np.nan
    spectra = generalist.spectrum(few, inputs=["teff"])
    np.testing.assert_array_equal(np.isfinite(spectra["flux"]).all(axis=1), [True, True, False])
    np.testing.assert_array_equal(spectra["flags"], [0, PredictionFlag.NOTHING_KNOWN, 0])


def test_what_is_needed_is_named(generalist, stars):
    with pytest.raises(ColumnError, match="needs the column 'phot_g_mean_mag', and it is absent"):
        generalist.spectrum(stars["teff", "logg"])
    with pytest.raises(ColumnError, match="none had pseudo_luminosity"):
        generalist.spectrum(stars, at_10pc=True)


def test_a_spectrum_needs_both_bands(make_generalist, stars):
    only_bp = stars["bp_coefficients", "teff", G_BAND]
    model = make_generalist(max_epochs=0).fit(only_bp)
    with pytest.raises(ColumnError, match="all 110 XP .* 'relative_rp_1' is absent .in all 55"):
        model.spectrum(only_bp)


def test_the_sampling_matrix_is_not_of_dr4(make_generalist, stars):
    dr4 = stars["rp_coefficients", "teff", G_BAND]
    dr4["bp_coefficients"] = stars["bp_coefficients"][:, : GAIA_DR4.arrays[0].size]
    model = make_generalist(vocabulary=vocabulary_of(GAIA_DR4), max_epochs=0).fit(dr4)
    with pytest.raises(ColumnError, match="'relative_bp_52' is absent .in all 4 are."):
        model.spectrum(dr4)
