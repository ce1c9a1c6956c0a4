"""Names that stand for several words: blocks, the archive's arrays and single coefficients."""

import numpy as np
import pytest

from msaestimator.exceptions import ColumnError
from msaestimator.preprocessing._token_names import check_no_columns, words_by_group, words_of
from msaestimator.schema import (
    GAIA_DR3,
    GAIA_DR4,
    GENERALIST,
    ZHANG2026,
    Token,
    Vocabulary,
    vocabulary_of,
)

COLORS = [
    *("bp_rp", "j_h", "j_ks", "color_catwise_w1", "color_catwise_w2"),
    *("color_phot_bp_mean_mag", "color_phot_rp_mean_mag"),
    *("color_j_m", "color_h_m", "color_ks_m"),
]


def words(names, vocabulary=GENERALIST, is_trained=None):
    known = np.ones(len(vocabulary), dtype=bool) if is_trained is None else is_trained
    return words_of(names, vocabulary, known, what="inputs")


@pytest.mark.parametrize("band", ["bp", "rp"])
def test_an_array_is_its_coefficients_in_order(band):
    expected = [f"relative_{band}_{order}" for order in range(1, 56)]
    assert words(f"{band}_coefficients") == words(band) == expected
    assert words(f"{band}_7") == [f"relative_{band}_7"]


def test_arrays_are_those_of_the_vocabulary():
    assert len(words("bp_coefficients", vocabulary_of(GAIA_DR4))) == 51
    assert "bp_coefficients" not in words_by_group(Vocabulary((Token("teff"),)))


def test_a_block_is_its_words():
    assert words("color") == COLORS
    assert words("ps1") == [f"color_{band}" for band in GAIA_DR3.block("ps1")]
    assert words("luminosity") == ["pseudo_luminosity"]
    assert set(words("label")) >= {"teff", "logg", "age", "mass"}
    together = [name for block in dict.fromkeys(t.block for t in GENERALIST.tokens)
                for name in words(block)]  # fmt: skip
    assert sorted(together) == sorted(GENERALIST.names)


def test_names_keep_their_order_and_none_comes_twice():
    assert words(["teff", "color", "bp_rp", "teff"]) == ["teff", *COLORS]
    assert words("teff") == ["teff"]
    assert words([]) == []


def test_a_word_goes_before_a_block_of_its_name():
    vocabulary = Vocabulary((Token("dust", block="user"), Token("ebv", block="dust")))
    assert words("dust", vocabulary) == ["dust"]


def test_other_names_stay():
    assert words(["tef", "j_m"]) == ["tef", "j_m"]


def test_only_what_training_had():
    is_trained = np.array(
        [name in ("bp_rp", "teff", "relative_bp_2") for name in GENERALIST.names]
    )
    assert words(["color", "bp_coefficients"], is_trained=is_trained) == ["bp_rp", "relative_bp_2"]
    with pytest.raises(ColumnError, match="`inputs` must be of .* none had any of 'rp_coeff"):
        words("rp_coefficients", is_trained=is_trained)


def test_columns_that_tell_words_are_not_words():
    check_no_columns(["teff", "bp_rp", "vsini"], ZHANG2026, what="inputs")
    message = (
        "`inputs` must name words, and 'j_m' is .* with another column: j_h, j_ks. Name these"
    )
    with pytest.raises(ColumnError, match=message):
        check_no_columns(["teff", "j_m"], ZHANG2026, what="inputs")
    with pytest.raises(
        ColumnError, match="relative_bp_1, relative_bp_2, relative_bp_3 and 108 mo"
    ):
        check_no_columns(["phot_g_mean_mag"], ZHANG2026, what="inputs")
