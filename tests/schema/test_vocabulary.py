"""The words of the generalist model."""

import astropy.units as u
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msaestimator.exceptions import ColumnError
from msaestimator.schema import (
    G_BAND,
    GAIA_DR3,
    GAIA_DR4,
    GENERALIST,
    LABELS,
    RELATIVE,
    ZHANG2026,
    Column,
    FeatureSchema,
    Token,
    Vocabulary,
    vocabulary_of,
)

# Zhang et al. 2026, section 2.3, and the order of Leung & Bovy's vocabulary.
COEFFICIENTS = [f"relative_{band}_{order}" for band in ("bp", "rp") for order in range(1, 56)]
OTHERS = [
    *("bp_rp", "j_h", "j_ks"),
    *("teff", "logg", "m_h", "ebv", "pseudo_luminosity"),
    *("mass", "age"),
]


def test_the_papers_120_tokens():
    assert list(ZHANG2026.names) == COEFFICIENTS + OTHERS
    assert {token.name for token in ZHANG2026.tokens if token.log} == {"ebv", "age"}


def test_only_j_h_is_asked_of_the_papers_colors():
    told_only = {token.name for token in ZHANG2026.tokens if not token.requested}
    assert told_only == {"bp_rp", "j_ks"}
    assert {token.name for token in GENERALIST.tokens if not token.requested} == {G_BAND}


def test_the_default_has_every_label_and_what_the_paper_has():
    assert set(ZHANG2026.names) <= set(GENERALIST.names)
    labels = {token.name for token in GENERALIST.tokens if token.block == "label"}
    assert labels == set(LABELS) - {"parallax"}
    assert all(GENERALIST[name].log == LABELS[name].log for name in labels)
    assert all(GENERALIST[name].unit == LABELS[name].unit for name in labels)


@pytest.mark.parametrize("vocabulary", [ZHANG2026, GENERALIST, vocabulary_of(GAIA_DR4)])
def test_tokens_are_well_formed(vocabulary):
    for token in vocabulary.tokens:
        assert isinstance(u.Unit(token.unit), u.UnitBase)
        assert token.error == f"{token.name}_err"
        assert token.weight > 0
        assert (token.recipe is None) == (token.columns == ())
        assert all(column in GAIA_DR3 for column in token.columns)


def test_a_releases_coefficients_are_its_tokens():
    names = vocabulary_of(GAIA_DR4).names
    assert f"{RELATIVE}bp_51" in names
    assert f"{RELATIVE}bp_52" not in names
    assert f"{RELATIVE}rp_55" in names


def test_what_the_schema_lacks_has_no_token():
    infrared = (Column("j_m", block="tmass"), Column("h_m", block="tmass"))
    schema = FeatureSchema("small", (*infrared, Column("vsini", "km / s")))
    tokens = vocabulary_of(schema)
    assert [n for n in tokens.names if n not in LABELS] == ["j_h", "vsini"]
    assert tokens["vsini"].unit == "km / s"


def test_a_users_column_of_the_schema_is_a_token_and_not_a_second_label():
    tokens = vocabulary_of(GAIA_DR3.with_columns(Column("teff", "K"), Column("vsini", "km / s")))
    assert tokens["teff"].block == "user"
    assert tokens["vsini"].block == "user"


@given(st.permutations(OTHERS))
def test_positions_are_those_of_the_names(names):
    assert [ZHANG2026.names[position] for position in ZHANG2026.index(names)] == names


def test_a_vocabulary_answers_by_name():
    assert len(ZHANG2026) == len(ZHANG2026.tokens)
    assert "age" in ZHANG2026
    assert "vsini" not in ZHANG2026
    assert ZHANG2026["age"].unit == "Gyr"
    assert hash(ZHANG2026) == hash(Vocabulary(ZHANG2026.tokens))


def test_new_tokens_come_last_and_leave_the_others_in_place():
    longer = ZHANG2026.with_tokens(Token("vsini", "km / s"), Token("fe_h", "dex"))
    assert longer.names == (*ZHANG2026.names, "vsini", "fe_h")
    assert len(ZHANG2026) == 120


@pytest.mark.parametrize(
    ("name", "near"), [("tef", "teff"), ("relative_bp_56", "relative_bp_."), ("AGE", "It has bp_")]
)
def test_unknown_tokens_name_the_nearest_or_all(name, near):
    text = f"The vocabulary of 120 tokens has no {name!r}..*{near}.* Add it with vocabulary.with_t"
    with pytest.raises(ColumnError, match=text):
        ZHANG2026.index([name])
    with pytest.raises(ColumnError, match=text):
        ZHANG2026[name]


def test_names_are_distinct():
    with pytest.raises(ColumnError, match=r"must have distinct names, got \['age'\] twice"):
        ZHANG2026.with_tokens(Token("age"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"unit": "km / parsecond"}, "The unit of 'x' must be one of astropy's, got 'km / parsec"),
        ({"unit": None}, "The unit of 'x' must be one of astropy's, got None"),
        ({"recipe": "ratio", "columns": ("a", "b")}, "must be one of difference, .* got 'ratio'"),
        ({"recipe": "difference", "columns": ("a",)}, r"of two columns, got 'difference' of \('a"),
    ],
)
def test_tokens_that_cannot_be(settings, message):
    with pytest.raises(ColumnError, match=message):
        Token("x", **settings)
