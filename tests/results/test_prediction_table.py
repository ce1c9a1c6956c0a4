"""Quantiles as a table, and the table through files."""

import astropy.units as u
import numpy as np
import pytest
from scipy.stats import norm

from msaestimator import StarTable
from msaestimator.exceptions import ColumnError
from msaestimator.results import PredictionFlag, prediction_table, with_interval
from msaestimator.tables import write_stars

LABELS = ("teff", "logg", "activity")
UNITS = {"teff": "K", "logg": "dex"}
QUANTILES = (0.025, 0.16, 0.5, 0.84, 0.975)
# Neighbours that are one number to a float64.
SOURCE_IDS = np.array([5937083312263887616, 5937083312263887617, -1, 6917528997577384320])


def quantiles_of(n_quantiles=5):
    values = np.sort(np.random.default_rng(0).normal(size=(4, 3, n_quantiles)), axis=-1)
    values[2] = np.nan
    return values


@pytest.fixture
def table():
    return prediction_table(
        LABELS,
        quantiles_of(),
        QUANTILES,
        units=UNITS,
        identifiers=SOURCE_IDS,
        flags=[0, 2, 3, 8],
        label_flags=[[0, 512, 0], [0, 0, 1024], [0, 0, 0], [16, 1536, 0]],
        epistemic_share=np.full((4, 3), 0.36),
    )


def test_columns_and_their_order(table):
    suffixes = ["", "_err", "_lower", "_upper", "_q025", "_q975", "_aleatoric", "_epistemic"]
    suffixes.append("_flags")
    per_label = [f"{{}}{suffix}" for suffix in suffixes]
    expected = [name.format(label) for label in LABELS for name in per_label]
    assert isinstance(table, StarTable)
    assert table.colnames == ["source_id", *expected, "flags"]


def test_values_and_units(table):
    predicted = quantiles_of()
    for position, (label, unit) in enumerate({**UNITS, "activity": ""}.items()):
        for suffix, index in {"": 2, "_lower": 1, "_upper": 3, "_q025": 0, "_q975": 4}.items():
            column = table[label + suffix]
            assert isinstance(column, u.Quantity)
            assert column.unit == unit
            np.testing.assert_array_equal(column.value, predicted[:, position, index])
    half = (table["teff_upper"] - table["teff_lower"]) / 2
    np.testing.assert_allclose(table["teff_aleatoric"], 0.8 * half)
    np.testing.assert_allclose(table["teff_epistemic"], 0.6 * half)
    np.testing.assert_array_equal(table["teff_err"], half)
    assert table["teff_err"].unit == u.K
    np.testing.assert_array_equal(table["source_id"], SOURCE_IDS)
    assert table["source_id"].dtype == np.int64
    assert table["flags"].dtype == table["logg_flags"].dtype == np.int32
    assert table["flags"].tolist() == [0, 2, 3, 8]
    assert table["logg_flags"].tolist() == [512, 0, 0, 1536]


def test_meta_explains_every_bit(table):
    assert len(table.meta["flags"]) == len(PredictionFlag)
    for line, flag in zip(table.meta["flags"], PredictionFlag, strict=True):
        assert line == f"{flag.value} {flag.name}: {flag.meaning}"


def test_what_is_not_given_is_left_out():
    table = prediction_table(["fe_h"], quantiles_of(3)[:, :1], (0.16, 0.5, 0.84), units={})
    assert table.colnames == ["fe_h", "fe_h_err", "fe_h_lower", "fe_h_upper"]
    assert table["fe_h"].unit == u.dex  # the schema's
    assert table.meta == {}


@pytest.mark.parametrize(
    ("quantiles", "bounds", "others"),
    [
        ((0.05, 0.16, 0.5, 0.84, 0.95), (1, 3), {"_q05": 0, "_q95": 4}),
        ((0.05, 0.25, 0.5, 0.75, 0.95), (0, 4), {"_q25": 1, "_q75": 3}),
        ((0.1, 0.3, 0.5, 0.7, 0.9), (0, 4), {"_q30": 1, "_q70": 3}),
        ((0.005, 0.16, 0.5, 0.84, 0.995), (1, 3), {"_q005": 0, "_q995": 4}),
    ],
)
def test_bounds_and_names_of_the_other_quantiles(quantiles, bounds, others):
    predicted = quantiles_of()
    table = prediction_table(LABELS, predicted, quantiles, units=UNITS)
    named = {"_lower": bounds[0], "_upper": bounds[1], **others}
    found = [n for n in table.colnames if n.startswith("teff_")]
    assert found == ["teff_err", *(f"teff{suffix}" for suffix in named)]
    for suffix, index in named.items():
        np.testing.assert_array_equal(table["teff" + suffix].value, predicted[:, 0, index])
    percent = 100 * (quantiles[bounds[1]] - quantiles[bounds[0]])
    for suffix, meaning in {
        "": "median",
        "_err": "half the width of the central 68 % interval",
        "_lower": f"lower end of the central {percent:.0f} % interval",
        "_upper": f"upper end of the central {percent:.0f} % interval",
        **{suffix: f"{quantiles[index]:g} quantile" for suffix, index in others.items()},
    }.items():
        assert table["teff" + suffix].info.description == f"effective temperature: {meaning}"


def test_errors_mean_the_same_whatever_the_quantiles():
    for levels in ((0.16, 0.5, 0.84), (0.05, 0.5, 0.95), (0.1, 0.5, 0.8)):
        normal = 100.0 + 7.0 * norm.ppf([[levels]])
        table = prediction_table(["teff"], normal, levels, units=UNITS)
        np.testing.assert_allclose(table["teff_err"].value, 7.0 * norm.ppf(0.84))
    meaning = table["teff_lower"].info.description
    assert meaning.endswith("lower end of the interval from the 0.1 to the 0.8 quantile")


def test_other_intervals_take_the_place_of_the_quantiles_own(table):
    before = table.copy()
    bounds = np.stack([quantiles_of()[..., 0], quantiles_of()[..., 4]], axis=-1)
    assert with_interval(table, LABELS, 0.95, bounds) is table
    assert table.colnames == before.colnames
    for name in table.colnames:
        expected = {"teff_lower": "teff_q025", "teff_upper": "teff_q975"}.get(name, name)
        if not name.startswith(("logg", "activity")):
            np.testing.assert_array_equal(table[name], before[expected])
    assert table["teff_lower"].unit == u.K
    meaning = "effective temperature: upper end of the central 95 % interval"
    assert table["teff_upper"].info.description == meaning
    with pytest.raises(ColumnError, match=r"`bounds` must have shape \(4, 3, 2\)"):
        with_interval(table, LABELS, 0.9, bounds[..., 0])


def test_words_are_the_schemas_or_the_name(table):
    assert table["logg"].info.description.startswith("logarithm of the surface gravity")
    assert table["activity"].info.description == "activity: median"
    assert "star" in table["flags"].info.description
    assert "this quantity" in table["teff_flags"].info.description


@pytest.mark.parametrize(("ending", "separator"), [(".csv", ","), (".ecsv", " ")])
def test_text_has_a_sensible_number_of_decimals(tmp_path, ending, separator):
    quantiles = np.array([[[5000.123456, 5772.123456, 5900.0], [0.1, 0.123456789, 0.2]]])
    quantiles = np.concatenate([quantiles, quantiles[:, 1:]], axis=1)
    units = {"teff": "K", "logg": "dex", "activity": ""}
    table = prediction_table(LABELS, quantiles, (0.16, 0.5, 0.84), units=units)
    before = table.copy()
    write_stars(table, tmp_path / f"predictions{ending}")
    row = (tmp_path / f"predictions{ending}").read_text().splitlines()[-1]
    numbers = dict(zip(table.colnames, row.split(separator), strict=True))
    assert (numbers["teff"], numbers["logg"]) == ("5772.12", "0.1235")
    assert numbers["activity"] == "0.123457"
    assert (table["teff"] == before["teff"]).all()
    in_kilokelvin = prediction_table(
        LABELS[:1], quantiles[:, :1] / 1000, (0.16, 0.5, 0.84), units={"teff": "kK"}
    )
    assert str(in_kilokelvin["teff"].info.format) == ".6g"


@pytest.mark.parametrize("suffix", ["parquet", "ecsv"])
def test_survives_a_file(table, tmp_path, suffix):
    path = tmp_path / f"predictions.{suffix}"
    table.write(path)
    found = StarTable.read(path)
    assert found.colnames == table.colnames
    assert found.meta["flags"] == table.meta["flags"]
    assert found["teff"].info.description == "effective temperature: median"
    np.testing.assert_array_equal(found["source_id"], SOURCE_IDS)
    np.testing.assert_array_equal(found["flags"], table["flags"])
    for name in ("teff", "logg_upper", "activity_q025"):
        assert u.Unit(found[name].unit or "") == table[name].unit
        np.testing.assert_array_equal(
            getattr(found[name], "value", found[name]), table[name].value
        )


def test_survives_a_fits_file(tmp_path):
    table = prediction_table(
        ["teff"],
        quantiles_of()[:, :1],
        QUANTILES,
        units=UNITS,
        identifiers=SOURCE_IDS,
        flags=[0] * 4,
    )
    table.write(tmp_path / "predictions.fits")
    found = StarTable.read(tmp_path / "predictions.fits")
    np.testing.assert_array_equal(found["source_id"], SOURCE_IDS)
    np.testing.assert_array_equal(found["teff_q025"], table["teff_q025"])
    assert found.meta["FLAGS"] == table.meta["flags"]


def test_no_star_is_an_empty_table():
    table = prediction_table(
        LABELS, np.empty((0, 3, 5)), QUANTILES, units=UNITS, identifiers=[], flags=[]
    )
    assert len(table) == 0
    assert table["source_id"].dtype == np.int64


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"quantiles": (0.16, 0.5, 0.84)}, r"`quantiles_pred` must have shape \(4, 3, 3\)"),
        ({"labels": ("teff",)}, r"`quantiles_pred` must have shape \(4, 1, 5\)"),
        ({"quantiles": (0.1, 0.2, 0.3, 0.4, 0.6)}, "must hold 0.5"),
        ({"identifiers": SOURCE_IDS[:3]}, r"`identifiers` must have shape \(4,\)"),
        ({"identifiers": SOURCE_IDS.astype(float)}, "`identifiers` must be integers, got float64"),
        ({"flags": [0.0, 1.0, 2.0, 3.0]}, "`flags` must be integers"),
        ({"label_flags": [0, 1, 2, 3]}, r"`label_flags` must have shape \(4, 3\)"),
        ({"label_flags": np.zeros((4, 3))}, "`label_flags` must be integers"),
        ({"epistemic_share": np.zeros(4)}, r"`epistemic_share` must have shape \(4, 3\)"),
    ],
)
def test_refuses_what_does_not_fit(change, message):
    good = {"labels": LABELS, "quantiles_pred": quantiles_of(), "quantiles": QUANTILES}
    with pytest.raises(ColumnError, match=message):
        prediction_table(**(good | {"units": UNITS} | change))
