"""The thesis's quality cuts, against what the surveys' documents say of one star at a time."""

import math

import astropy.units as u
import numpy as np
import pytest
from astropy.table import MaskedColumn, Table
from hypothesis import given, settings
from hypothesis import strategies as st

from msaestimator.archive import QUALITY_CUTS, QUALITY_RULES, ArchiveFlag, apply_quality_cuts
from msaestimator.schema import GAIA_DR3, StarTable

FLAG = ArchiveFlag
THESIS = QUALITY_CUTS["mckay2025"]
SURVEYS = {
    "sdss": FLAG.CUT_SDSS,
    "ps1": FLAG.CUT_PS1,
    "skymapper": FLAG.CUT_SKYMAPPER,
    "tmass": FLAG.CUT_TMASS,
}
SDSS_FLAGS = [f"sdss_flags_{band}" for band in "ugriz"]
# A clean star in each survey's own words.
CLEAN = {
    **dict.fromkeys(SDSS_FLAGS, 0x10000000),
    "sdss_type": 6,
    "ps1_obj_info_flag": 33554432 + 65536,
    "smss_class_star": 0.99,
    "smss_flags": 0,
    "smss_nimaflags": 0,
    "smss_distance": 0.1,
    "tmass_ext_key": None,
    "in_qso_candidates": False,
    "in_galaxy_candidates": False,
}
NULLS = {"tmass_ext_key": 0, "smss_class_star": 0.0, "smss_distance": 0.0}


def columns_of(block):
    names = GAIA_DR3.block(block)
    return [*names, *(GAIA_DR3[name].error for name in names)]


def make_table(*changes):
    """Return stars that are clean and in every survey but for what is given; None is masked."""
    table = StarTable({"source_id": 2**60 + np.arange(len(changes))})
    for block in SURVEYS:
        for column in columns_of(block):
            table[column] = [row.get(column, 17.0) for row in changes] * u.mag
    for name, clean in CLEAN.items():
        values = [row.get(name, clean) for row in changes]
        filled = [NULLS.get(name, 0) if value is None else value for value in values]
        table[name] = MaskedColumn(filled, mask=[value is None for value in values])
    return table


def cut_star(*rules, **changes):
    """Return the blocks (or SDSS magnitudes) removed from one star, and its flag."""
    kept, flags = apply_quality_cuts(make_table(changes), rules or THESIS)
    return removed(kept), FLAG(flags[0])


def removed(kept):
    names = {name for block in SURVEYS for name in columns_of(block) if np.isnan(kept[name][0])}
    for block in SURVEYS:
        if names.issuperset(columns_of(block)):
            names = names.difference(columns_of(block)) | {block}
    return names


def band(letter):
    return {f"psfmag_{letter}", f"psfmagerr_{letter}"}


def test_a_clean_star_is_left_alone():
    assert cut_star() == (set(), FLAG(0))


@pytest.mark.parametrize(
    ("flags", "bad"),
    [
        (0x40000, True),  # SATURATED
        (0x4, True),  # EDGE
        (0x800000000000, True),  # PSF_FLUX_INTERP
        (0x800000000000 | 1 << 61 | 0x10000010, True),  # beyond what a float holds
        (1 | 2 | 8 | 64, False),  # CANONICAL_CENTER, BRIGHT, BLENDED, NODEBLEND
        (~(0x40000 | 0x4 | 0x800000000000) & (2**63 - 1), False),  # everything else
        (None, False),
    ],
)
def test_sdss_bits_cut_their_own_band(flags, bad):
    expected = (band("g"), FLAG.CUT_SDSS) if bad else (set(), FLAG(0))
    assert cut_star("sdss_flags", sdss_flags_g=flags) == expected


def test_sdss_edge_survives_next_to_high_bits():
    # 2**53 + 4 is exact as a float, 2**61 + 4 is not.
    assert cut_star("sdss_flags", sdss_flags_z=(1 << 61) + 4) == (band("z"), FLAG.CUT_SDSS)


@pytest.mark.parametrize("name", ["psfmag_u", "psfmagerr_u"])
def test_sdss_missing_values_are_removed(name):
    assert cut_star("sdss_flags", **{name: -9999.0}) == (band("u"), FLAG.CUT_SDSS)


@pytest.mark.parametrize(("kind", "bad"), [(6, False), (3, True), (0, True), (None, False)])
def test_sdss_wants_a_star(kind, bad):
    expected = ({"sdss"}, FLAG.CUT_SDSS) if bad else (set(), FLAG(0))
    assert cut_star("sdss_star", sdss_type=kind) == expected


@pytest.mark.parametrize(
    ("flags", "bad"),
    [
        (0x02000000, False),  # GOOD
        (0x02000000 | 0x1, False),  # FEW
        (0x02000000 | 0x2, True),  # POOR
        (0x02000000 | 0x100, True),  # TRANSIENT
        (0x02000000 | 0x200, False),  # HAS_SOLSYS_DET
        (0x02000000 | 0x400, True),  # MOST_SOLSYS_DET
        (0x02000000 | 0x00800000, True),  # EXT
        (0x02000000 | 0x01000000, False),  # EXT_ALT
        (0x04000000, True),  # GOOD_ALT only
        (0, True),
        (None, False),
    ],
)
def test_ps1_bits(flags, bad):
    expected = ({"ps1"}, FLAG.CUT_PS1) if bad else (set(), FLAG(0))
    assert cut_star(ps1_obj_info_flag=flags) == expected


@pytest.mark.parametrize(
    ("changes", "bad"),
    [
        ({"smss_class_star": 0.91, "r_psf": 18.99}, False),
        ({"smss_class_star": 0.9, "r_psf": 18.99}, True),
        ({"smss_class_star": 0.51, "r_psf": 19.0}, False),
        ({"smss_class_star": 0.5, "r_psf": 19.0}, True),
        ({"smss_class_star": 0.7, "r_psf": math.nan}, True),
        ({"smss_class_star": None}, False),
        ({"smss_class_star": math.nan}, False),
        ({"smss_flags": 3}, False),
        ({"smss_flags": 4}, True),
        ({"smss_flags": None}, False),
        ({"smss_nimaflags": 4}, False),
        ({"smss_nimaflags": 5}, True),
        ({"smss_distance": 1.99}, False),
        ({"smss_distance": 2.0}, True),
        ({"smss_distance": None}, False),
    ],
)
def test_skymapper_limits(changes, bad):
    kept, flags = apply_quality_cuts(make_table(changes), ["skymapper"])
    assert np.isnan(kept["u_psf"][0]) == bad
    assert np.isnan(kept["e_z_psf"][0]) == bad
    assert FLAG(flags[0]) == (FLAG.CUT_SKYMAPPER if bad else FLAG(0))


@pytest.mark.parametrize(
    ("distance", "bad"), [(1.9 * u.arcsec, False), (0.1 * u.arcmin, True), (1e-3 * u.deg, True)]
)
def test_skymapper_distance_may_have_an_angular_unit(distance, bad):
    table = make_table({})
    table["smss_distance"] = u.Quantity([distance])
    _, flags = apply_quality_cuts(table, ["skymapper"])
    assert (flags[0] == FLAG.CUT_SKYMAPPER) == bad


@pytest.mark.parametrize(("key", "bad"), [(None, False), (0, True), (12345, True)])
def test_2mass_extended_sources(key, bad):
    expected = ({"tmass"}, FLAG.CUT_TMASS) if bad else (set(), FLAG(0))
    assert cut_star(tmass_ext_key=key) == expected


@pytest.mark.parametrize("name", ["in_qso_candidates", "in_galaxy_candidates"])
def test_candidates_are_flagged_and_lose_nothing(name):
    assert cut_star(**{name: True}) == (set(), FLAG.EXTRAGALACTIC_CANDIDATE)
    assert cut_star(**{name: None}) == (set(), FLAG(0))


def test_a_survey_that_was_not_there_is_not_cut():
    nothing = dict.fromkeys(columns_of("ps1"), math.nan)
    _, flag = cut_star(ps1_obj_info_flag=0, **nothing)
    assert flag == FLAG(0)


def test_an_absent_column_tells_nothing():
    table = make_table({"sdss_type": 3, "sdss_flags_u": 4, "psfmag_g": -9999.0})
    table.remove_columns([*CLEAN, "r_psf", "psfmagerr_z"])
    kept, flags = apply_quality_cuts(table, THESIS)
    assert removed_names(table, kept) == band("g")
    assert FLAG(flags[0]) == FLAG.CUT_SDSS


def removed_names(table, kept):
    return {
        name
        for name in table.colnames
        if kept[name].dtype.kind == "f" and np.any(np.isnan(kept[name]) & ~np.isnan(table[name]))
    }


def test_tables_of_any_kind_are_taken():
    plain = Table({"j_m": [11.0, 12.0, 13.0], "j_msigcom": np.float32([0.1, 0.1, 0.1])})
    plain["j_m"] = MaskedColumn(plain["j_m"], mask=[False, False, True], unit="mag")
    plain["tmass_ext_key"] = MaskedColumn([1, 0, 3], mask=[False, True, False])
    kept, flags = apply_quality_cuts(plain, ["tmass_extended"])
    assert isinstance(kept, StarTable)
    np.testing.assert_array_equal(np.isnan(kept["j_msigcom"]), [True, False, True])
    np.testing.assert_array_equal(kept["j_m"].mask, [False, False, True])
    np.testing.assert_array_equal(kept["j_m"].value.unmasked[:2], [np.nan, 12.0])
    np.testing.assert_array_equal(flags, [128, 0, 128])
    assert plain["j_m"].tolist() == [11.0, 12.0, None]


def test_no_star_is_no_trouble():
    kept, flags = apply_quality_cuts(make_table({})[:0], THESIS)
    assert (len(kept), flags.shape, flags.dtype) == (0, (0,), np.int32)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (["sdss_flag"], "`rules` must be names of .*'sdss_flag'. Did you mean 'sdss_flags'?"),
        (["skymapper", "2mass"], "got '2mass'"),
        ("mckay2025", r"got the string 'mckay2025'.*QUALITY_CUTS\['mckay2025'\]"),
    ],
)
def test_refuses_rules_there_are_not(rules, message):
    with pytest.raises(ValueError, match=message):
        apply_quality_cuts(make_table({}), rules)


def test_rules_are_what_they_say():
    assert QUALITY_CUTS["none"] == ()
    assert set(THESIS) <= set(QUALITY_RULES)
    flag_of_block = {}
    for name, rule in QUALITY_RULES.items():
        assert rule.name == name
        # Which rule came first may not show in the flags.
        assert flag_of_block.setdefault(rule.block, rule.flag) == rule.flag


@pytest.mark.parametrize("name", QUALITY_RULES)
def test_a_rule_reads_no_other_column(name):
    rule = QUALITY_RULES[name]
    table = make_table(*BAD_STARS)
    expected = rule.bad(table)
    table.keep_columns(list(rule.columns))
    np.testing.assert_array_equal(rule.bad(table), expected)


BAD_STARS = (
    {},
    {"sdss_flags_r": 4, "psfmag_u": -9999.0},
    {"sdss_type": 3},
    {"ps1_obj_info_flag": 0},
    {"smss_class_star": 0.6, "r_psf": 19.5},
    {"tmass_ext_key": 1},
    {"in_qso_candidates": True},
)

maybe = st.none() | st.just(math.nan)
magnitude = st.sampled_from([math.nan, -9999.0, 18.5, 19.0, 20.0])
drawn_star = st.fixed_dictionaries(
    {},
    optional={
        "sdss_flags_u": st.none() | st.integers(0, 2**63 - 1),
        "sdss_flags_z": st.none() | st.integers(0, 63),
        "sdss_type": st.none() | st.sampled_from([3, 6]),
        "ps1_obj_info_flag": st.none() | st.integers(0, 2**31 - 1),
        "smss_class_star": maybe | st.floats(0, 1),
        "smss_flags": st.none() | st.integers(0, 8),
        "smss_nimaflags": st.none() | st.integers(0, 8),
        "smss_distance": maybe | st.floats(0, 4),
        "tmass_ext_key": st.none() | st.integers(0, 9),
        "in_qso_candidates": st.none() | st.booleans(),
        **{
            name: magnitude
            for name in ("psfmag_u", "psfmagerr_z", "r_psf", "g_mean_psf_mag", "j_m", "j_msigcom")
        },
    },
)
tables = st.lists(drawn_star, min_size=1, max_size=4).map(lambda rows: make_table(*rows))
few = settings(max_examples=30, deadline=None)
subsets = st.lists(st.sampled_from(sorted(QUALITY_RULES)), unique=True)


def as_rows(table):
    """Return every value as a comparable object, NaN as 'nan' and masked as None."""
    columns = {name: getattr(table[name], "value", table[name]) for name in table.colnames}
    return {
        name: ["nan" if value != value else value for value in column.tolist()]
        for name, column in columns.items()
    }


@few
@given(tables, subsets, st.randoms(use_true_random=False))
def test_order_is_of_no_importance(table, rules, random):
    kept, flags = apply_quality_cuts(table, rules)
    shuffled = random.sample(rules, len(rules))
    kept_again, flags_again = apply_quality_cuts(table, shuffled + shuffled)
    assert as_rows(kept) == as_rows(kept_again)
    np.testing.assert_array_equal(flags, flags_again)


@few
@given(tables, subsets)
def test_cutting_twice_is_cutting_once(table, rules):
    kept, flags = apply_quality_cuts(table, rules)
    again, later_flags = apply_quality_cuts(kept, rules)
    assert as_rows(kept) == as_rows(again)
    # Nothing is left to remove; candidates are what they were.
    np.testing.assert_array_equal(later_flags, flags & FLAG.EXTRAGALACTIC_CANDIDATE)


@few
@given(tables, subsets)
def test_only_removes_and_only_in_flagged_surveys(table, rules):
    before = as_rows(table)
    kept, flags = apply_quality_cuts(table, rules)
    assert as_rows(table) == before
    assert kept.colnames == table.colnames
    blocks = {QUALITY_RULES[name].block for name in rules}
    flagged = {block: (flags & SURVEYS[block]) > 0 for block in SURVEYS}
    lost = {block: np.zeros(len(table), dtype=bool) for block in SURVEYS}
    block_of = {name: block for block in SURVEYS for name in columns_of(block)}
    for name, values in as_rows(kept).items():
        changed = [new != old for new, old in zip(values, before[name], strict=True)]
        assert all(value == "nan" for value, new in zip(values, changed, strict=True) if new)
        if any(changed):
            assert block_of[name] in blocks
            lost[block_of[name]] |= changed
    for block in SURVEYS:
        np.testing.assert_array_equal(lost[block], flagged[block])
