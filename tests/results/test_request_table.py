"""Answers to requests as a table."""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

from msaestimator.exceptions import ColumnError
from msaestimator.results import PredictionFlag, request_table
from msaestimator.schema import StarTable

NAMES, UNITS = ["teff", "relative_bp_1", "logg"], {"teff": "K", "logg": "dex"}
VALUES = np.array([[5000.0, -0.1, 4.5], [4000.0, 0.2, np.nan]])
ERRORS = np.array([[50.0, 0.01, 0.1], [40.0, 0.02, np.nan]])
IDS = [5937083312263887616, 1]


BOUNDS = np.stack([VALUES - ERRORS, VALUES + 2 * ERRORS], axis=-1)


def test_each_request_has_value_error_and_interval_in_its_unit():
    table = request_table(NAMES, VALUES, ERRORS, units=UNITS, bounds=BOUNDS)
    assert isinstance(table, StarTable)
    endings = {
        name: ["", "_err", "_lower", "_upper", *(["_flags"] if name != "relative_bp_1" else [])]
        for name in NAMES
    }
    assert table.colnames == [n + ending for n in NAMES for ending in endings[n]]
    for position, name in enumerate(NAMES):
        columns = [table[name + ending] for ending in endings[name][:4]]
        assert {column.unit for column in columns} == {u.Unit(UNITS.get(name, ""))}
        expected = [VALUES, ERRORS, BOUNDS[..., 0], BOUNDS[..., 1]]
        for column, values in zip(columns, expected, strict=True):
            np.testing.assert_array_equal(column.value, values[:, position])


def test_columns_are_described_in_words():
    table = request_table(NAMES, VALUES, ERRORS, units=UNITS, bounds=BOUNDS)
    assert table["teff"].info.description == "effective temperature: median"
    assert table["teff_err"].info.description == "effective temperature: standard error"
    lower = (
        "BP spectrum, coefficient 1 of 55, over the G flux: lower end of the central 68 % interval"
    )
    assert table["relative_bp_1_lower"].info.description == lower


def test_a_label_outside_its_limits_is_flagged_by_itself():
    values = [[1000.0, -0.1, 4.5], [5000.0, -99.0, 7.0]]
    table = request_table(NAMES, values, ERRORS, units=UNITS, flags=[0, 0])
    assert table["teff_flags"].tolist() == [16, 0]
    assert table["logg_flags"].tolist() == [0, 16]
    assert not table["flags"].any()


def test_every_request_has_its_flags_if_they_are_given():
    values = [[1000.0, -0.1, 4.5], [5000.0, -99.0, 4.0]]
    flags = [[4096, 0, 0], [0, 8192, 0]]
    table = request_table(NAMES, values, ERRORS, units=UNITS, request_flags=flags)
    assert table["teff_flags"].tolist() == [16 | 4096, 0]
    assert table["relative_bp_1_flags"].tolist() == [0, 8192]
    assert table["logg_flags"].tolist() == [0, 0]
    assert {table[f"{name}_flags"].dtype for name in NAMES} == {np.dtype(np.int32)}
    assert "flags" not in table.colnames


def test_identifiers_come_first_and_flags_last():
    flags = [0, PredictionFlag.NOTHING_KNOWN]
    table = request_table(["age"], [[1.0], [2.0]], [[0.1], [0.2]], units={"age": "Gyr"},
                          identifiers=IDS, flags=flags)  # fmt: skip
    assert table.colnames == ["source_id", "age", "age_err", "age_flags", "flags"]
    assert table["source_id"].tolist() == IDS
    assert table["flags"].dtype == np.int32
    assert table.meta["flags"][5].startswith("32 NOTHING_KNOWN: no quantity was known")
    assert len(table.meta["flags"]) == len(PredictionFlag)


@pytest.mark.parametrize("format_", ["fits", "votable", "ecsv"])
def test_tables_survive_files(tmp_path, format_):
    path = tmp_path / f"answers.{format_.replace('votable', 'xml')}"
    table = request_table(["age", "pseudo_luminosity"], [[1.0, 2.0]], [[0.1, 0.2]],
                          units={"age": "Gyr"}, identifiers=IDS[:1], flags=[0])  # fmt: skip
    QTable(table).write(path, format=f"ascii.{format_}" if format_ == "ecsv" else format_)
    back = QTable.read(path)
    assert back["source_id"][0] == IDS[0]
    assert back["age_err"][0] == 0.1 * u.Gyr


def test_no_star_and_no_request():
    assert len(request_table(["teff"], np.empty((0, 1)), np.empty((0, 1)), units=UNITS)) == 0
    assert request_table([], np.empty((2, 0)), np.empty((2, 0)), units={}).colnames == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"values": VALUES[0]}, r"must have shape \(n_stars, 3\), got \(3,\) and \(2, 3\)"),
        ({"values": VALUES[:1]}, r"got \(1, 3\) and \(2, 3\)"),
        ({"names": ["teff"]}, r"must have shape \(n_stars, 1\), got \(2, 3\) and \(2, 3\)"),
        ({"bounds": BOUNDS[..., 0]}, r"`bounds` must have shape \(2, 3, 2\), got \(2, 3\)"),
        ({"identifiers": [1.0, 2.0]}, "`identifiers` must be integers, got float64"),
        ({"identifiers": [1]}, r"`identifiers` must have shape \(2,\), got \(1,\)"),
        ({"flags": [0.5, 0.5]}, "`flags` must be integers"),
        ({"request_flags": [0, 0]}, r"`request_flags` must have shape \(2, 3\), got \(2,\)"),
    ],
)
def test_refuses_what_does_not_fit(change, message):
    with pytest.raises(ColumnError, match=message):
        request_table(
            **({"names": NAMES, "values": VALUES, "errors": ERRORS, "units": UNITS} | change)
        )
