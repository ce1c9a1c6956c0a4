"""A schema is a set of names in an order, and answers by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msaestimator.exceptions import ColumnError
from msaestimator.schema import GAIA_DR3, GAIA_DR4, CoefficientArray, Column, FeatureSchema


def test_a_band_is_added_in_one_line():
    schema = GAIA_DR3.with_columns(Column("cfis_u", unit="mag", block="cfis"))
    assert schema.names == (*GAIA_DR3.names, "cfis_u")
    assert schema.block("cfis") == ("cfis_u",)
    assert schema["cfis_u"].unit == "mag"
    assert "cfis_u" not in GAIA_DR3


def test_a_column_may_join_a_block_that_exists():
    schema = GAIA_DR3.with_columns(Column("catwise_w3", block="wise"))
    assert schema.block("wise") == ("catwise_w1", "catwise_w2", "catwise_w3")
    assert schema.blocks == GAIA_DR3.blocks


@pytest.mark.parametrize(
    "member", [Column("j_m"), Column("bp_7"), CoefficientArray("again", "rp", 2)]
)
def test_duplicate_names_are_an_error_that_names_them(member):
    name = "rp_1" if isinstance(member, CoefficientArray) else member.name
    with pytest.raises(ColumnError, match=rf"distinct names, got \['{name}'.* twice"):
        FeatureSchema("gaia_dr3", (*GAIA_DR3.members, member))


@pytest.mark.parametrize(
    ("name", "near"),
    [("paralax", "parallax"), ("phot_g_mean_mg", "phot_g_mean_mag"), ("ebvv", "ebv")],
)
def test_unknown_column_names_the_nearest(name, near):
    assert name not in GAIA_DR3
    with pytest.raises(
        ColumnError, match=f"'gaia_dr3' has no column {name!r}. Did you mean {near!r}?"
    ):
        GAIA_DR3[name]


def test_unknown_column_unlike_any_other_suggests_none():
    with pytest.raises(ColumnError, match=r"no column 'qqqqqqqq'\.$"):
        GAIA_DR3["qqqqqqqq"]


@pytest.mark.parametrize("ask", [GAIA_DR3.block, GAIA_DR3.without_blocks])
def test_unknown_block_lists_the_blocks_and_names_the_nearest(ask):
    with pytest.raises(ColumnError, match="no block 'skymaper'; it has wise, gaia, .*'skymapper'"):
        ask("skymaper")


def test_without_blocks():
    schema = GAIA_DR3.without_blocks("xp", "astrometry")
    assert schema.arrays == ()
    assert schema.names == tuple(
        name for name in GAIA_DR3.names if GAIA_DR3[name].block not in {"xp", "astrometry"}
    )


def test_observed_only_keeps_the_schemas_order_and_whole_arrays():
    schema = GAIA_DR3.observed_only(["parallax", "teff", "rp_coefficients", "phot_g_mean_mag"])
    assert schema.names == ("phot_g_mean_mag", *(f"rp_{n}" for n in range(1, 56)), "parallax")
    assert GAIA_DR3.observed_only(["bp_3"]).names == tuple(f"bp_{n}" for n in range(1, 56))
    assert len(GAIA_DR3.observed_only([])) == 0


@given(st.sets(st.sampled_from(GAIA_DR3.names)))
def test_observed_only_is_idempotent_and_contains_what_was_asked(names):
    schema = GAIA_DR3.observed_only(names)
    assert names <= set(schema.names)
    assert schema.observed_only(schema.names) == schema


def test_equal_content_is_equal_and_hashes_alike():
    copy = FeatureSchema("gaia_dr3", GAIA_DR3.members)
    assert copy == GAIA_DR3
    assert hash(copy) == hash(GAIA_DR3)
    assert GAIA_DR3 != GAIA_DR4


def test_a_schema_cannot_be_changed():
    with pytest.raises(AttributeError, match="cannot assign"):
        GAIA_DR3.release = "gaia_dr5"
