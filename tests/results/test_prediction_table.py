"""Quantiles as a table, and the table through files."""

import astropy.units as u
import numpy as np
import pytest

from msaestimator import StarTable
from msaestimator.exceptions import ColumnError
from msaestimator.results import PredictionFlag, prediction_table

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
        flags=[0, 2, 3, 24],
        epistemic_share=np.full((4, 3), 0.36),
    )


def test_columns_and_their_order(table):
    suffixes = ("", "_lower", "_upper", "_q025", "_q975", "_aleatoric", "_epistemic")
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
    np.testing.assert_array_equal(table["source_id"], SOURCE_IDS)
    assert table["source_id"].dtype == np.int64
    assert table["flags"].dtype == np.int32


def test_meta_explains_every_bit(table):
    assert len(table.meta["flags"]) == len(PredictionFlag)
    for line, flag in zip(table.meta["flags"], PredictionFlag, strict=True):
        assert line == f"{flag.value} {flag.name}: {flag.meaning}"


def test_what_is_not_given_is_left_out():
    table = prediction_table(["fe_h"], quantiles_of(3)[:, :1], (0.16, 0.5, 0.84), units={})
    assert table.colnames == ["fe_h", "fe_h_lower", "fe_h_upper"]
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
    assert [n for n in table.colnames if n.startswith("teff_")] == [f"teff{s}" for s in named]
    for suffix, index in named.items():
        np.testing.assert_array_equal(table["teff" + suffix].value, predicted[:, 0, index])
        assert table["teff" + suffix].info.description == f"{quantiles[index]:g} quantile of teff"


@pytest.mark.parametrize("suffix", ["parquet", "ecsv"])
def test_survives_a_file(table, tmp_path, suffix):
    path = tmp_path / f"predictions.{suffix}"
    table.write(path)
    found = StarTable.read(path)
    assert found.colnames == table.colnames
    assert found.meta["flags"] == table.meta["flags"]
    assert found["teff"].info.description == "0.5 quantile of teff"
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
        ({"epistemic_share": np.zeros(4)}, r"`epistemic_share` must have shape \(4, 3\)"),
    ],
)
def test_refuses_what_does_not_fit(change, message):
    good = {"labels": LABELS, "quantiles_pred": quantiles_of(), "quantiles": QUANTILES}
    with pytest.raises(ColumnError, match=message):
        prediction_table(**(good | {"units": UNITS} | change))
