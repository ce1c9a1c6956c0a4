"""Rows of every container are rows of its columns."""

import astropy.units as u
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from astropy.table import MaskedColumn, QTable, Table

from msaestimator.tables import named_columns, take_rows

ROWS = np.array([3, 0])
COLUMNS = {"name": np.array(["a", "b", "c", "d"]), "mag": np.arange(4.0)}
CONTAINERS = {
    "Table": Table(COLUMNS),
    "QTable": QTable(COLUMNS),
    "DataFrame": pd.DataFrame(COLUMNS),
    "structured array": Table(COLUMNS).as_array(),
    "Arrow": pa.table(COLUMNS),
    "dict": COLUMNS,
    "list of dicts": [{name: values[i] for name, values in COLUMNS.items()} for i in range(4)],
}


@pytest.mark.parametrize("kind", CONTAINERS)
def test_columns_of_rows_are_rows_of_columns(kind):
    container = CONTAINERS[kind]
    taken = named_columns(take_rows(container, ROWS))
    assert len(taken) == 2
    for name in COLUMNS:
        values, mask, _ = taken.raw(name)
        np.testing.assert_array_equal(values, COLUMNS[name][ROWS])
        assert not mask.any()


@pytest.mark.parametrize("kind", ["Table", "QTable", "DataFrame", "structured array"])
def test_the_kind_of_table_stays(kind):
    assert type(take_rows(CONTAINERS[kind], ROWS)) is type(CONTAINERS[kind])


def test_units_and_masks_stay():
    parallax = MaskedColumn([1.0, 2.0, 3.0, 4.0], mask=[1, 0, 0, 0], unit=u.mas)
    taken = take_rows({"parallax": parallax}, ROWS)
    values, mask, unit = taken.raw("parallax")
    assert (values[0], mask.tolist(), unit) == (4.0, [False, True], u.mas)


@pytest.mark.parametrize("y", [[5, 6, 7, 8], np.array([5, 6, 7, 8]), pd.Series([5, 6, 7, 8])])
def test_labels_without_names(y):
    assert list(take_rows(y, ROWS)) == [8, 5]


def test_a_quantity_stays_one():
    taken = take_rows([1.0, 2.0, 3.0, 4.0] * u.K, ROWS)
    np.testing.assert_array_equal(taken, [4.0, 1.0] * u.K)
