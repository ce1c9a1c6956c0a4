"""Arrays, blocks and the catalogue's names in inputs and requests of the generalist."""

import astropy.units as u
import numpy as np
import pytest

from msaestimator.exceptions import ColumnError, ToldRequestWarning
from msaestimator.results import PredictionFlag
from msaestimator.schema import StarTable

SPECTRA = ["bp_coefficients", "rp_coefficients"]
COLORS = [
    *("bp_rp", "j_h", "j_ks", "color_phot_bp_mean_mag", "color_phot_rp_mean_mag"),
    *("color_j_m", "color_h_m", "color_ks_m"),
]


def test_inputs_by_arrays_and_blocks(generalist, other_stars, assert_same):
    by_words = generalist.request(other_stars, "teff", inputs=generalist.xp_columns)
    assert_same(generalist.request(other_stars, "teff", inputs=SPECTRA), by_words)
    assert_same(generalist.request(other_stars, "teff", inputs=["bp", "rp"]), by_words)
    by_words = generalist.request(other_stars, "teff", inputs=COLORS)
    assert_same(generalist.request(other_stars, "teff", inputs="color"), by_words)


def test_requests_by_arrays_and_blocks(generalist, other_stars, assert_same):
    few = other_stars[["source_id", "teff", "logg"]][:3]
    coefficients = [name for name in generalist.xp_columns if "bp" in name]
    assert_same(generalist.request(few, SPECTRA[0]), generalist.request(few, coefficients))
    assert_same(generalist.request(few, "color"), generalist.request(few, COLORS))
    assert_same(generalist.request(few, "bp_3"), generalist.request(few, "relative_bp_3"))


def test_attention_and_draws_by_blocks(generalist, other_stars):
    few = other_stars[:3]
    np.testing.assert_array_equal(
        generalist.attention(few, "color", inputs="label"),
        generalist.attention(few, COLORS, inputs=list(generalist.labels_)),
    )
    draws = generalist.sample(few, "color", 2, inputs="label", random_state=0)
    assert draws.colnames == COLORS


def test_magnitudes_that_follow(generalist, other_stars):
    stars = other_stars[["source_id", "teff", "logg", "h_m"]]
    answers = generalist.request(stars, ["j_m", "j_h"])
    assert answers.colnames[1:6] == ["j_m", "j_m_err", "j_m_lower", "j_m_upper", "j_m_flags"]
    assert answers["j_m"].unit == u.mag
    known = np.isfinite(stars["h_m"])
    assert known.any()
    np.testing.assert_allclose(answers["j_m"], stars["h_m"] + answers["j_h"], rtol=1e-6)
    np.testing.assert_allclose(answers["j_m_err"], answers["j_h_err"], rtol=1e-5)
    assert not (answers["j_m_flags"] & PredictionFlag.TOLD).any()


def test_a_magnitude_is_told_if_its_color_is(generalist, other_stars):
    stars = other_stars[["j_m", "h_m"]]
    with pytest.warns(ToldRequestWarning, match="'j_m': asked for and told"):
        answers = generalist.request(stars, "j_m")
    known = np.isfinite(stars["j_m"]) & np.isfinite(stars["h_m"])
    np.testing.assert_array_equal(answers["j_m_flags"] & PredictionFlag.TOLD != 0, known)


def test_draws_of_magnitudes_that_follow(generalist, other_stars):
    stars = other_stars[["teff", "h_m"]][:4]
    asked = {"n_samples": 3, "random_state": 0}
    magnitudes = generalist.sample(stars, "j_m", **asked)["j_m"]
    colors = generalist.sample(stars, "j_h", **asked)["j_h"]
    np.testing.assert_allclose(magnitudes, colors + stars["h_m"][:, None], rtol=1e-6)


def test_what_does_not_follow(generalist):
    star = StarTable({"teff": [5000.0] * u.K})
    with pytest.raises(ColumnError, match="'j_m' is no word .* ask for j_h or j_ks"):
        generalist.request(star, "j_m")
    with pytest.raises(ColumnError, match="none had parallax"):
        generalist.request(star, "parallax")
    with pytest.raises(ColumnError, match=r"has no 'w1mpro'\. It has bp_rp, j_h, j_ks"):
        generalist.request(star, "w1mpro")
    with pytest.raises(ColumnError, match="`inputs` must name words, and 'j_m' .*: j_h, j_ks, "):
        generalist.request(star, "logg", inputs=["teff", "j_m"])
    with pytest.raises(ColumnError, match="`requests` must name words, and 'parallax'"):
        generalist.attention(star, "parallax")
    with pytest.raises(ColumnError, match="none had any of 'luminosity'"):
        generalist.request(star, "logg", inputs="luminosity")
