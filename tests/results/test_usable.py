"""Stars whose predictions can be used, and flags in words, from tables of any kind."""

import astropy.units as u
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from astropy.table import QTable, Table

from msaestimator import StellarParameterRegressor
from msaestimator.archive import ArchiveFlag
from msaestimator.exceptions import ColumnError
from msaestimator.results import (
    PredictionFlag,
    flag_names,
    prediction_table,
    request_table,
    usable,
)
from msaestimator.tables import read_stars, write_stars

FLAG = PredictionFlag
NAN = np.nan
HOT = FLAG.WIDE_INTERVAL | FLAG.UNCONSTRAINED_LABEL
STARS = {
    "nothing to say": (0, 0, 0),
    "hot": (0, 0, HOT),
    "no XP": (FLAG.NO_XP, 0, 0),
    "no XP, hot": (FLAG.NO_XP, 0, HOT),
    "odd": (FLAG.INCONSISTENT_INPUTS, 0, 0),
    "nothing": (FLAG.NO_FEATURES | FLAG.NO_XP, 0, 0),
    "impossible": (0, FLAG.OUTSIDE_LIMITS, 0),
}
"""Flags of the star, of log g and of [Fe/H]."""

WORDS = [
    "",
    "fe_h: WIDE_INTERVAL|UNCONSTRAINED_LABEL",
    "NO_XP",
    "NO_XP; fe_h: WIDE_INTERVAL|UNCONSTRAINED_LABEL",
    "INCONSISTENT_INPUTS",
    "NO_FEATURES|NO_XP",
    "logg: OUTSIDE_LIMITS",
]


@pytest.fixture(scope="module")
def table():
    """One star of each kind."""
    bits = np.array([*STARS.values()], dtype=int)
    quantiles = np.tile([4.0, 4.2, 4.4], (len(STARS), 2, 1))
    quantiles[5] = NAN
    return prediction_table(
        ["logg", "fe_h"],
        quantiles,
        (0.16, 0.5, 0.84),
        units={},
        identifiers=np.arange(len(STARS)) + 5937083312263887616,
        flags=bits[:, 0],
        label_flags=bits[:, 1:],
    )


def named(mask):
    return [name for name, kept in zip(STARS, mask, strict=True) if kept]


@pytest.mark.parametrize(
    ("labels", "strict", "expected"),
    [
        (None, False, ["nothing to say", "no XP"]),
        (["logg", "fe_h"], False, ["nothing to say", "no XP"]),
        ("fe_h", False, ["nothing to say", "no XP", "impossible"]),
        ("logg", False, ["nothing to say", "hot", "no XP", "no XP, hot"]),
        (("logg",), True, ["nothing to say", "hot"]),
        (None, True, ["nothing to say"]),
        ((), False, ["nothing to say", "hot", "no XP", "no XP, hot", "impossible"]),
    ],
)
def test_stars_that_can_be_used(table, labels, strict, expected):
    found = usable(table, labels, strict=strict)
    assert found.dtype == bool
    assert named(found) == expected


def test_strict_is_a_part_of_usable_and_more_labels_are_a_part_of_fewer(table):
    for labels in (None, "logg", "fe_h"):
        assert not (usable(table, labels, strict=True) & ~usable(table, labels)).any()
    both = usable(table, "logg") & usable(table, "fe_h")
    np.testing.assert_array_equal(usable(table), both)


@pytest.mark.parametrize("flag", PredictionFlag)
def test_each_bit_of_a_star_counts(flag):
    table = Table({"teff": [5000.0], "teff_flags": [0], "flags": [int(flag)]})
    harmless = flag in (FLAG.NO_XP, FLAG.PARTIAL_XP, FLAG.INVALID_INPUT)
    assert usable(table).tolist() == [harmless]
    assert usable(table, strict=True).tolist() == [False]
    assert flag_names(table).tolist() == [flag.name]


def test_flags_in_words(table):
    found = flag_names(table)
    assert found.tolist() == WORDS
    assert found.dtype.kind == "U"
    assert flag_names(table[3:4]).tolist() == WORDS[3:4]
    with_archive = table.copy()
    bits = [ArchiveFlag.NOT_FOUND] + [0] * 6
    with_archive["archive_flags"] = np.array(bits, dtype=np.int32)
    assert flag_names(with_archive).tolist() == ["archive: NOT_FOUND", *WORDS[1:]]
    with_archive["archive_flags"][3] = ArchiveFlag.NOT_FOUND
    assert flag_names(with_archive)[3] == f"{WORDS[3]}; archive: NOT_FOUND"


def test_a_bit_of_a_later_version_is_its_number():
    table = Table({"teff": [1.0], "teff_err": [1.0], "flags": [2 + 2**40]})
    assert flag_names(table).tolist() == [f"NO_XP|{2**40}"]


def by_astropy(suffix, **how):
    def through_a_file(table, folder):
        path = folder / f"predictions.{suffix}"
        table.write(path, **how)
        return Table.read(path)

    return through_a_file


def by_ours(ending):
    def through_a_file(table, folder):
        write_stars(table, folder / f"predictions{ending}")
        return read_stars(folder / f"predictions{ending}")

    return through_a_file


THROUGH = {
    "ecsv": by_astropy("ecsv"),
    "csv": by_astropy("csv"),
    "fits": by_astropy("fits"),
    "votable": by_astropy("vot", format="votable"),
    "parquet": by_astropy("parquet"),
    **{f"our {ending}": by_ours(ending) for ending in (".fits.gz", ".csv", ".ecsv", ".vot")},
    **{f"our {ending}": by_ours(ending) for ending in (".parquet", ".feather")},
    "plain Table": lambda table, _: Table(table),
    "QTable": lambda table, _: QTable(table),
    "masked": lambda table, _: Table(table, masked=True),
    "pandas": lambda table, _: table.to_pandas(),
    "pandas with its own missing": lambda table, _: table.to_pandas().convert_dtypes(),
    "pandas csv": lambda table, folder: pd.read_csv(write_csv(table, folder)),
    "pyarrow": lambda table, _: pa.Table.from_pandas(table.to_pandas()),
    "records": lambda table, _: table.as_array(),
    "dict": lambda table, _: {name: table[name] for name in table.colnames},
}


def write_csv(table, folder):
    table.to_pandas().to_csv(folder / "predictions.csv", index=False)
    return folder / "predictions.csv"


@pytest.mark.filterwarnings("ignore:.*could not be saved in native FITS")
@pytest.mark.filterwarnings("ignore:.*W50")
@pytest.mark.parametrize("through", THROUGH.values(), ids=THROUGH.keys())
def test_any_table_and_any_file_says_the_same(table, tmp_path, through):
    found = through(table, tmp_path)
    for labels in (None, "logg"):
        for strict in (False, True):
            expected = usable(table, labels, strict=strict)
            np.testing.assert_array_equal(usable(found, labels, strict=strict), expected)
    assert flag_names(found).tolist() == WORDS


def test_a_masked_value_or_flag_is_unknown():
    table = Table(
        {"teff": [1.0, 2.0, 3.0], "teff_flags": [0, 0, 0], "flags": [0, 0, 0]}, masked=True
    )
    assert usable(table).all()
    for row, name in enumerate(table.colnames):
        table[name].mask[row] = True
    assert not usable(table).any()
    assert flag_names(table).tolist() == [""] * 3
    floats = table.to_pandas()
    floats["flags"] = floats["flags"].astype(float)
    assert not usable(floats).any()


def test_requests_and_what_has_no_limits():
    values = [[5000.0, 0.8], [1000.0, 0.8]]
    table = request_table(
        ["teff", "bp_rp"], values, np.ones((2, 2)), units={"teff": "K"}, flags=[0, 0]
    )
    assert usable(table).tolist() == [True, False]
    assert usable(table, "bp_rp").tolist() == [True, True]


def test_a_table_of_before_labels_had_flags():
    """All bits were those of the star."""
    columns = {"teff": [5000.0] * 3, "teff_lower": [4900.0] * 3, "flags": [0, 1024, 2]}
    assert usable(Table(columns)).tolist() == [True, False, True]
    assert flag_names(Table(columns)).tolist() == ["", "UNCONSTRAINED_LABEL", "NO_XP"]


def test_no_stars(table):
    assert usable(table[:0]).shape == (0,)
    assert flag_names(table[:0]).shape == (0,)


def test_refusals(table):
    with pytest.raises(ColumnError, match=r"predictions of the table \(logg, fe_h\), got 'log_g'"):
        usable(table, "log_g")
    with pytest.raises(ColumnError, match="Did you mean 'fe_h'"):
        usable(table, ["logg", "feh"])
    for ask in (usable, flag_names):
        with pytest.raises(ColumnError, match="must have the column 'flags'.*got columns teff, g"):
            ask(Table({"teff": [1.0], "g": [1.0]}))
        with pytest.raises(ColumnError, match="read by the names of its columns"):
            ask(np.zeros((2, 3)))


@pytest.mark.filterwarnings("ignore:Values that no star has")
def test_predictions_of_a_regressor(regressor, other_stars):
    stars = other_stars.copy()
    stars["phot_bp_mean_mag"][0] = NAN
    stars["bp_coefficients"][1] = stars["rp_coefficients"][1] = NAN
    stars["j_m"][2] = stars["phot_rp_mean_mag"][3] = 99.99 * u.mag
    table = regressor.predict_table(stars)
    words = flag_names(table)
    assert "MISSING_BLOCKS" in words[0]
    assert "NO_XP" in words[1]
    assert "INVALID_INPUT" in words[2]
    assert "MISSING_BLOCKS|INVALID_INPUT" in words[3]
    mask = usable(table)
    assert not mask[[0, 3]].any()
    for name, kept in zip(words, mask, strict=True):
        assert kept == (set(name.split("|")) <= {"", "NO_XP", "INVALID_INPUT"})


def test_what_usable_predictions_of_the_released_model_are_worth(load_plain):
    """Kept are nearly all log g, and stars without BP and RP, whose intervals hold as well."""
    stars = load_plain("test")
    model = StellarParameterRegressor.from_pretrained("gaia-xp")
    table = model.predict_table(stars)
    hot = np.asarray(table["teff"].value) > 7500
    assert hot.sum() > 30
    assert usable(table, "logg")[hot].mean() > 0.9
    assert not usable(table, "fe_h")[np.asarray(table["teff"].value) > 9000].any()
    off = np.abs(table["logg"] - stars["logg"]).value
    kept = usable(table, "logg")
    assert 1.5 * np.median(off[kept]) < np.median(off[~kept])
    hidden = stars.copy()
    hidden["phot_bp_mean_mag"] = hidden["phot_rp_mean_mag"] = np.full(len(stars), NAN) * u.mag
    table = model.predict_table(hidden)
    inside = (table["logg_lower"] < stars["logg"]) & (stars["logg"] < table["logg_upper"])
    assert 0.55 < np.mean(inside) < 0.85


def test_most_stars_without_bp_and_rp_are_usable(load_plain):
    stars = load_plain("test")
    stars["phot_bp_mean_mag"] = stars["phot_rp_mean_mag"] = np.full(len(stars), NAN) * u.mag
    table = StellarParameterRegressor.from_pretrained("gaia-xp").predict_table(stars)
    assert usable(table, "logg").mean() > 0.7
