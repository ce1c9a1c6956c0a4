"""Archive answers as Arrow tables: every kind in every guise, and one row an id."""

import astropy.units as u
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from astropy.table import Column, MaskedColumn, QTable, Table
from hypothesis import given
from hypothesis import strategies as st

from msaestimator.archive._columns import ArchiveColumn, columns_of
from msaestimator.archive._failures import Malformed, Refused
from msaestimator.archive._rows import align, arrow_rows, arrow_schema, float_array, float_column

IDS = np.array([2**62 + 1, 2**53 + 1, 7])
LEFT_OUT = np.array([False, True, False])


def column(kind="float", unit="", size=0):
    return ArchiveColumn("x", "source of x", kind, unit, size)


def read(values, **of_column):
    """Return one column of three rows as Python values, after a trip through ``arrow_rows``."""
    rows = arrow_rows(Table({"source_id": IDS, "x": values}), [column(**of_column)])
    assert rows["source_id"].to_pylist() == IDS.tolist()
    assert rows.schema == arrow_schema([column(**of_column)])
    return rows["x"].to_pylist()


@pytest.mark.parametrize("dtype", ["f8", ">f8", "f4", ">f4", "i8", ">i2", "u1"])
def test_floats_are_read_from_any_number(dtype):
    assert read(np.array([1, 2, 3], dtype=dtype)) == [1.0, 2.0, 3.0]
    assert read(MaskedColumn(np.array([1, 2, 3], dtype=dtype), mask=LEFT_OUT)) == [1.0, None, 3.0]


@pytest.mark.parametrize(
    ("given", "wanted", "factor"),
    [
        ("deg", "deg", 1.0),
        ("rad", "deg", 180 / np.pi),
        ("arcsec", "deg", 1 / 3600),
        ("arcsec / yr", "mas / yr", 1000.0),
        ("1 / nm", "1 / um", 1000.0),
        ("", "deg", 1.0),
        (None, "mas", 1.0),
        ("mag", "", 1.0),
    ],
)
def test_units_are_converted(given, wanted, factor):
    values = read(Column([1.0, 2.0, np.nan], unit=given), unit=wanted)
    np.testing.assert_allclose(values, [factor, 2 * factor, np.nan])


def test_quantities_are_converted():
    answer = QTable({"source_id": IDS, "x": [1, 2, 3] * u.arcmin})
    rows = arrow_rows(answer, [column(unit="arcsec")])
    np.testing.assert_allclose(float_column(rows, "x"), [60, 120, 180])


@pytest.mark.parametrize("unit", ["mag", "mas / yr", "furlong"])
def test_another_physical_type_is_refused(unit):
    given = Column([1.0, 2.0, 3.0])
    given.unit = u.Unit(unit, parse_strict="silent")
    with pytest.raises(Refused, match=f"column 'x' is in '{unit}' where 'mas' is needed"):
        read(given, unit="mas")


@pytest.mark.parametrize("dtype", ["i8", ">i8", "i2", "u1", "f8", ">f4"])
def test_integers_are_read_from_whole_numbers(dtype):
    assert read(np.array([1, 2, 3], dtype=dtype), kind="integer") == [1, 2, 3]
    masked = MaskedColumn(np.array([1, 2, 3], dtype=dtype), mask=LEFT_OUT)
    assert read(masked, kind="integer") == [1, None, 3]


def test_large_integers_stay_exact():
    large = [2**53 + 1, -(2**63), 2**63 - 1]
    assert read(np.array(large), kind="integer") == large


def test_null_floats_are_null_integers():
    assert read([1.0, np.nan, 3.0], kind="integer") == [1, None, 3]


def test_booleans_are_read():
    assert read([True, False, True], kind="boolean") == [True, False, True]
    assert read(np.array([0, 1, 0], "i2"), kind="boolean") == [False, True, False]
    masked = MaskedColumn([True, True, False], mask=LEFT_OUT)
    assert read(masked, kind="boolean") == [True, None, False]


@pytest.mark.parametrize("dtype", [str, object, "S3"])
def test_strings_are_read(dtype):
    assert read(np.array(["AAA", "", "U"], dtype=dtype), kind="string") == ["AAA", None, "U"]
    masked = MaskedColumn(np.array(["AAA", "B", "U"], dtype=dtype), mask=LEFT_OUT)
    assert read(masked, kind="string") == ["AAA", None, "U"]


@pytest.mark.parametrize("kind", ["float", "integer", "boolean", "string"])
@pytest.mark.parametrize("dtype", ["f8", "i4", str, object, bool])
def test_a_column_of_nulls_may_be_of_any_type(kind, dtype):
    given = MaskedColumn(np.zeros(3, dtype=dtype), mask=True)
    assert read(given, kind=kind) == [None, None, None]


@pytest.mark.parametrize(
    ("kind", "values", "complaint"),
    [
        ("float", ["1", "2", "3"], "holds <U1 where numbers are needed"),
        ("integer", ["1", "2", "3"], "holds <U1 where numbers are needed"),
        ("integer", [1.0, 2.5, 3.0], "holds fractions where integers are needed"),
        ("boolean", [1.0, 0.0, 1.0], "holds float64 where booleans are needed"),
        ("boolean", ["t", "f", "t"], "holds <U1 where booleans are needed"),
        ("array", np.ones((3, 4)), "has 4 elements where 2 are needed"),
        ("array", ["(1, 2)", "(1, 2, 3)", ""], "has 3 elements where 2 are needed"),
        ("array", ["(1, 2)", "(1, two)", ""], "could not convert string to float"),
        ("array", [1.0, 2.0, 3.0], "has 1 elements where 2 are needed"),
    ],
)
def test_another_kind_is_refused(kind, values, complaint):
    with pytest.raises(Refused, match=f"column 'x' {complaint}"):
        read(values, kind=kind, size=2)


def objects(*values):
    """Return a column of objects, as formats give arrays of any length."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


@pytest.mark.parametrize(
    "values",
    [
        np.ma.array([[1.0, 2.0], [9, 9], [3, 4]], mask=[[0, 0], [1, 1], [0, 0]]),
        np.array([[1, 2], [np.nan, np.nan], [3, 4]], dtype=">f4"),
        ["(1.0, 2.0)", "", "(3,4)"],
        ["[1, 2]", "[]", "[3.0,4.0]"],
        MaskedColumn(["(1, 2)", "(9, 9)", "(3, 4)"], mask=LEFT_OUT),
        objects(np.array([1.0, 2]), np.array([]), np.array([3.0, 4])),
        objects(np.array([1.0, 2]), None, np.ma.array([3.0, 4])),
        objects([1, 2], np.ma.masked_all(2), (3, 4)),
    ],
    ids=["masked", "NaN", "csv", "ecsv", "masked text", "empty", "None", "mixed"],
)
def test_arrays_are_read_in_every_form(values):
    rows = arrow_rows(Table({"source_id": IDS, "x": values}), [column("array", size=2)])
    assert rows["x"].to_pylist() == [[1.0, 2.0], None, [3.0, 4.0]]
    np.testing.assert_array_equal(
        float_array(rows, column("array", size=2)), [[1, 2], [np.nan] * 2, [3, 4]]
    )


def test_an_array_may_have_gaps():
    rows = arrow_rows(
        Table({"source_id": IDS[:1], "x": np.ma.array([[1.0, 2.0]], mask=[[False, True]])}),
        [column("array", size=2)],
    )
    np.testing.assert_array_equal(float_array(rows, column("array", size=2)), [[1.0, np.nan]])


def test_columns_are_found_by_name_whatever_case_and_order():
    answer = Table({"other": [0], "B": [2.0], "Source_ID": [2**62 + 1], "a": [1]})
    rows = arrow_rows(answer, columns_of("a b"))
    assert rows.to_pylist() == [{"source_id": 2**62 + 1, "a": 1.0, "b": 2.0}]


def test_absent_columns_are_refused_by_name():
    answer = Table({"source_id": IDS, "phot_g_mean_mga": [1.0, 2.0, 3.0]})
    with pytest.raises(Refused, match="'phot_g_mean_mag' is not in.*Did you mean 'phot_g_mean_mg"):
        arrow_rows(answer, columns_of("phot_g_mean_mag"))
    with pytest.raises(Refused, match="'source_id' is not in the answer, which has x"):
        arrow_rows(Table({"x": [1.0]}), columns_of("x"))


def test_ids_must_be_known_integers():
    with pytest.raises(Malformed, match="1 rows without source_id"):
        arrow_rows(Table({"source_id": MaskedColumn(IDS, mask=LEFT_OUT)}), [])
    with pytest.raises(Refused, match="column 'source_id' holds float64 where integers"):
        arrow_rows(Table({"source_id": IDS.astype(float)}), [])


@pytest.mark.parametrize("dtype", ["i8", "f8", str])
def test_no_rows_are_rows(dtype):
    array = ArchiveColumn("y", "y", "array", size=2)
    columns = (column(), array, *columns_of("z", kind="string"))
    empty = np.zeros(0, dtype=dtype)
    answer = Table({"source_id": empty, "x": empty, "y": empty, "z": empty})
    rows = arrow_rows(answer, columns)
    assert rows == arrow_schema(columns).empty_table()
    assert float_array(rows, array).shape == (0, 2)


KEYS = st.integers(1, 6) | st.integers(2**53, 2**53 + 6)
PAIRS = st.lists(st.floats(-9, 9), min_size=2, max_size=2)
ROWS = st.lists(st.tuples(KEYS, st.none() | st.floats(0, 9), st.none() | PAIRS), max_size=12)


def rows_of(rows):
    ids, distances, arrays = zip(*rows, strict=True) if rows else ((), (), ())
    return pa.table(
        {
            "source_id": pa.array(ids, pa.int64()),
            "distance": pa.array(distances, pa.float64()),
            "array": pa.array(arrays, pa.list_(pa.float64())),
            "row": pa.array(range(len(rows)), pa.int64()),
            "found": pa.array([True] * len(rows), pa.bool_()),
        }
    )


def reindexed(rows, ids, nearest_by):
    """Return which row pandas takes for each id, None for no row."""
    frame = pd.DataFrame(
        {
            "source_id": np.array([row[0] for row in rows], dtype=np.int64),
            "distance": np.array([row[1] for row in rows], dtype=float),
        }
    )
    if nearest_by is not None:
        frame = frame.sort_values(nearest_by, kind="stable", na_position="last")
    row = frame.index.to_series().set_axis(frame["source_id"])
    row = row[~row.index.duplicated()].astype("Int64")
    return [None if one is pd.NA else int(one) for one in row.reindex(ids)]


@pytest.mark.parametrize("nearest_by", [None, "distance"])
@given(ROWS, st.lists(KEYS, max_size=12))
def test_align_is_reindexing(nearest_by, rows, ids):
    table = rows_of(rows)
    aligned = align(table, np.array(ids, dtype=np.int64), nearest_by)
    assert aligned.schema == table.schema
    expected = reindexed(rows, ids, nearest_by)
    assert aligned["source_id"].to_pylist() == ids
    assert aligned["row"].to_pylist() == expected
    assert aligned["found"].to_pylist() == [row is not None for row in expected]
    arrays = [None if row is None else rows[row][2] for row in expected]
    assert aligned["array"].to_pylist() == arrays


@given(ROWS)
def test_aligned_rows_stay_as_they_are(rows):
    table = rows_of(rows)
    ids = np.unique(table["source_id"].to_numpy())
    once = align(table, ids)
    assert align(once, ids) == once
    assert align(pa.concat_tables([once, table]), ids) == once
    assert align(once.slice(0, 1), ids).slice(0, 1) == once.slice(0, 1)


@given(ROWS)
def test_arrays_come_back_from_any_chunks(rows):
    table = rows_of(rows)
    expected = [[np.nan] * 2 if row[2] is None else row[2] for row in rows]
    pieces = pa.concat_tables([table.slice(0, 3), table.slice(3)])
    array = ArchiveColumn("array", "array", "array", size=2)
    np.testing.assert_array_equal(float_array(pieces, array), np.array(expected).reshape(-1, 2))
