"""A column of any kind gives its values, where they are missing, and its unit."""

import astropy.units as u
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from astropy.table import Column
from astropy.utils.masked import Masked
from hypothesis import given
from hypothesis import strategies as st

from msaestimator.tables import fill_missing_with_nan, is_missing, raw_column

FLOATS = st.lists(st.none() | st.floats(width=32, allow_nan=False), min_size=1, max_size=5)


@given(FLOATS)
def test_every_kind_of_column_masks_the_same(values):
    known = np.array([value is not None for value in values])
    filled = np.array([0.0 if value is None else value for value in values])
    kinds = [
        pa.array(values, pa.float64()),
        pa.chunked_array([values[:1], values[1:]], pa.float64()),
        pd.Series(values, dtype="Float64"),
        pd.Series(values, dtype="float64[pyarrow]"),
        pd.Series(values, dtype=object),
        np.ma.array(filled, mask=~known),
        Masked(filled * u.K, mask=~known),
        np.array(values, dtype=object),
    ]
    for column in kinds:
        raw = raw_column(column)
        np.testing.assert_array_equal(raw.mask, ~known)
        np.testing.assert_array_equal(raw.values[known].astype(float), filled[known])


@given(st.lists(st.none() | st.lists(st.none() | st.floats(width=32), min_size=2, max_size=2)))
def test_lists_of_one_length_are_a_matrix_in_every_kind_of_list(rows):
    values = np.full((len(rows), 2), np.nan)
    for index, row in enumerate(rows):
        if row is not None:
            values[index] = [np.nan if value is None else value for value in row]
    for kind in (pa.list_(pa.float64()), pa.large_list(pa.float64()), pa.list_(pa.float64(), 2)):
        raw = raw_column(pa.array(rows, kind))
        np.testing.assert_array_equal(
            np.where(raw.mask, np.nan, raw.values),
            values if any(row is not None for row in rows) else values[:, : raw.values.shape[1]],
        )


def test_lists_of_several_lengths_stay_lists():
    values, mask, _ = raw_column(pa.array([[1.0, None], None, [3.0]]))
    assert mask.tolist() == [False, True, False]
    assert values[0].tolist() == [1.0, None]
    assert values[2].tolist() == [3.0]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (pa.array([True, None]), [True, False]),
        (pa.array(["x", None]), ["x", None]),
        (pa.array(["x", None]).dictionary_encode(), ["x", None]),
        (pa.array(["x", None], pa.string_view()).dictionary_encode(), ["x", None]),
        (pa.array([{"a": 1}, None]), [{"a": 1}, None]),
        (pa.chunked_array([], pa.int64()), []),
        (pa.nulls(2), [np.nan, np.nan]),
        (pa.array([1, None], pa.decimal128(5, 2)), [1.0, np.nan]),
    ],
)
def test_kinds_of_arrow(column, values):
    raw = raw_column(column)
    np.testing.assert_array_equal(raw.values, np.array(values, dtype=raw.values.dtype))
    np.testing.assert_array_equal(raw.mask, np.asarray(column.is_null()))


def test_a_unit_is_the_stated_one():
    assert raw_column(Column([1.0], unit="kK")).unit == u.kK
    assert raw_column([1.0] * u.mas).unit == u.mas
    assert raw_column(np.array([1.0])).unit is None


@pytest.mark.parametrize(
    "value", [None, np.ma.masked, pd.NA, pd.NaT, float("nan"), np.float32("nan")]
)
def test_what_stands_for_no_value(value):
    assert is_missing(value)


@pytest.mark.parametrize("value", [0, "", "nan", 0.0, [np.nan], np.array([np.nan])])
def test_what_is_a_value(value):
    assert not is_missing(value)


@pytest.mark.parametrize(
    "matrix",
    [
        np.ma.array([[1, 2], [3, 4]], mask=[[0, 1], [0, 0]]),
        Masked(np.array([[1.0, 2.0], [3.0, 4.0]]), mask=[[0, 1], [0, 0]]),
        np.array([[1.0, None], [3.0, 4.0]], dtype=object),
        np.array([[1.0, pd.NA], [3.0, 4.0]], dtype=object),
        [[1.0, None], [3.0, 4.0]],
        [np.ma.array([1.0, 2.0], mask=[0, 1]), np.ma.array([3.0, 4.0])],
    ],
)
def test_a_masked_matrix_has_nan_where_masked(matrix):
    filled = np.asarray(fill_missing_with_nan(matrix), dtype=float)
    np.testing.assert_array_equal(filled, [[1.0, np.nan], [3.0, 4.0]])


@pytest.mark.parametrize(
    "matrix", [np.ones((2, 2)), pd.DataFrame({"a": [1.0]}), None, "text", pa.table({"a": [1.0]})]
)
def test_what_is_not_masked_is_passed_on(matrix):
    assert fill_missing_with_nan(matrix) is matrix
