"""Components of words that are measured together."""

import numpy as np
import pytest

from msaestimator.preprocessing import word_contrasts
from msaestimator.schema import GENERALIST, Token, Vocabulary

COLORS = ("color_phot_bp_mean_mag", "color_phot_rp_mean_mag", "color_j_m", "color_h_m")
WORDS = Vocabulary(
    (
        *(
            Token(f"relative_bp_{n}", "", "bp", recipe="over_g_flux", columns=(f"bp_{n}", "g"))
            for n in (1, 2, 3)
        ),
        *(GENERALIST[name] for name in COLORS),
        Token("teff", "K", "label", log=True),
    )
)
SCALE = np.array([1.0, 1.0, 1.0, 0.5, 0.4, 0.8, 0.9, 1.0])


@pytest.fixture
def stars():
    """Values and errors of stars whose words follow from two numbers, but for some noise."""
    rng = np.random.default_rng(0)
    causes = rng.normal(size=(2000, 2))
    values = causes @ rng.normal(size=(2, len(WORDS))) + 0.02 * rng.normal(size=(2000, len(WORDS)))
    return values, np.full_like(values, 0.02)


def combined(contrasts, values):
    return values @ contrasts["weights"] - contrasts["center"]


def test_blocks_are_told_their_own_words_and_those_of_gaia(stars):
    found = word_contrasts(WORDS, *stars, SCALE)
    assert list(found) == ["bp", "color"]
    assert found["bp"]["weights"].shape == (len(WORDS), 3)
    # Of BP and RP; of J and H; of all four.
    weights = found["color"]["weights"]
    assert weights.shape == (len(WORDS), 2 + 2 + 4)
    used = [np.flatnonzero(column) for column in weights.T]
    assert [list(places) for places in used] == [[3, 4]] * 2 + [[5, 6]] * 2 + [[3, 4, 5, 6]] * 4


def test_components_are_of_unit_variance_and_apart(stars):
    for contrasts in word_contrasts(WORDS, *stars, SCALE).values():
        z = combined(contrasts, stars[0])
        np.testing.assert_allclose(np.median(z, axis=0), 0.0, atol=0.02)
        assert z.std(axis=0).max() == pytest.approx(1.0, abs=0.05)
    of_spectra = combined(word_contrasts(WORDS, *stars, SCALE)["bp"], stars[0])
    np.testing.assert_allclose(np.corrcoef(of_spectra.T), np.eye(3), atol=0.05)


def test_what_does_not_exceed_noise_is_not_enlarged(stars):
    """The third component of words that follow from two numbers is noise alone."""
    values, errors = stars
    quiet = combined(word_contrasts(WORDS, values, 10 * errors, SCALE)["bp"], values)
    assert quiet[:, 2].std() < 0.15
    assert quiet[:, 0].std() == pytest.approx(1.0, abs=0.05)


def test_a_hundredth_of_a_magnitude_counts_by_the_scale(stars):
    """A colour told in another scale has the same components."""
    values, errors = stars
    other = np.where(np.arange(len(WORDS)) == 4, 3.0, 1.0)
    plain = combined(word_contrasts(WORDS, values, errors, SCALE)["color"], values)
    scaled = combined(
        word_contrasts(WORDS, values / other, errors / other, SCALE * other)["color"],
        values / other,
    )
    np.testing.assert_allclose(np.abs(scaled), np.abs(plain), atol=1e-4)


def test_few_stars_with_all_words_have_no_components(stars):
    values, errors = stars
    values[30:, 0] = np.nan
    assert "bp" in word_contrasts(WORDS, values, errors, SCALE)
    values[29:, 0] = np.nan
    assert "bp" not in word_contrasts(WORDS, values, errors, SCALE)


def test_words_that_no_star_has_are_left_out(stars):
    values, errors = stars
    values[:, 5:7] = np.nan
    weights = word_contrasts(WORDS, values, errors, SCALE)["color"]["weights"]
    assert not weights[5:7].any()
    assert np.isfinite(weights).all()
