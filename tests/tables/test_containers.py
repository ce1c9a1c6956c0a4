"""The same columns come out of every container, and what is no table is refused by name."""

from types import SimpleNamespace

import astropy.units as u
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from astropy.io import fits
from astropy.table import MaskedColumn, QTable, Table
from astropy.utils.masked import Masked

from msaestimator.exceptions import ColumnError
from msaestimator.tables import column_names, named_columns, require_columns

BIG = 2**60 + 1
IDS, KNOWN, NUMBERS = [BIG, 5, 7], [True, False, True], [1.5, np.nan, 3.0]
MASK = np.logical_not(KNOWN)


class Interchanged:
    """A DataFrame of a library that offers nothing but the DataFrames' protocol."""

    def __init__(self, table):
        self._table = table

    def __dataframe__(self, **options):
        return self._table.__dataframe__(**options)


class Streamed(Interchanged):
    """A DataFrame of a library that offers Arrow's protocol."""

    columns = ("source_id", "logg")

    def __arrow_c_stream__(self, requested_schema=None):
        return self._table.__arrow_c_stream__(requested_schema)


def arrow():
    return pa.table({"source_id": [BIG, None, 7], "logg": NUMBERS})


def masked_records():
    records = np.ma.zeros(3, dtype=[("source_id", "i8"), ("logg", "f8")])
    records["source_id"], records["logg"] = np.ma.array(IDS, mask=MASK), NUMBERS
    return records


def hdu():
    ids = np.where(MASK, -1, IDS)
    columns = [fits.Column("source_id", "K", null=-1, array=ids)]
    return fits.BinTableHDU.from_columns([*columns, fits.Column("logg", "D", array=NUMBERS)])


CONTAINERS = {
    "Table": lambda: Table({"source_id": MaskedColumn(IDS, mask=MASK), "logg": NUMBERS}),
    "QTable": lambda: QTable({"source_id": MaskedColumn(IDS, mask=MASK), "logg": NUMBERS * u.dex}),
    "Int64": lambda: pd.DataFrame(
        {"source_id": pd.array([BIG, None, 7], dtype="Int64"), "logg": NUMBERS}
    ),
    "arrow in pandas": lambda: pd.DataFrame(
        {"source_id": pd.array([BIG, None, 7], dtype="int64[pyarrow]"), "logg": NUMBERS}
    ),
    "objects in pandas": lambda: pd.DataFrame({"source_id": [BIG, pd.NA, 7], "logg": NUMBERS}),
    "index": lambda: pd.DataFrame(
        {"logg": NUMBERS},
        index=pd.Index(pd.array([BIG, None, 7], dtype="Int64"), name="source_id"),
    ),
    "pyarrow": arrow,
    "record batch": lambda: arrow().to_batches()[0],
    "interchange": lambda: Interchanged(arrow()),
    "arrow stream": lambda: Streamed(arrow()),
    "to_table": lambda: SimpleNamespace(to_table=arrow),
    "masked records": masked_records,
    "HDU": hdu,
    "FITS_rec": lambda: hdu().data,
    "HDUList": lambda: fits.HDUList([fits.PrimaryHDU(), hdu()]),
    "dict": lambda: {"source_id": [BIG, None, 7], "logg": np.array(NUMBERS)},
    "dict of masked": lambda: {"source_id": np.ma.array(IDS, mask=MASK), "logg": Masked(NUMBERS)},
    "list of dicts": lambda: [{"source_id": BIG, "logg": 1.5}, {}, {"source_id": 7, "logg": 3.0}],
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_columns_and_masks_are_those_of_the_container(container):
    columns = named_columns(CONTAINERS[container]())
    assert sorted(columns.names) == ["logg", "source_id"]
    assert len(columns) == 3
    ids, mask, _ = columns.raw("source_id")
    np.testing.assert_array_equal(mask, MASK)
    assert [int(value) for value in ids[KNOWN]] == [BIG, 7]
    values, mask, _ = columns.raw("logg")
    np.testing.assert_array_equal(np.where(mask, np.nan, values).astype(float), NUMBERS)


def test_polars_is_read_by_name():
    columns = named_columns(pl.DataFrame({"source_id": [BIG, None, 7], "logg": NUMBERS}))
    ids, mask, _ = columns.raw("source_id")
    np.testing.assert_array_equal(mask, MASK)
    assert ids[0] == BIG


def test_one_star_by_itself_is_one_row():
    for star in ({"teff": 5772.0 * u.K}, np.array((5772.0,), dtype=[("teff", "f8")])):
        columns = named_columns(star)
        assert len(columns) == 1
        assert float(columns.raw("teff").values[0]) == 5772.0
    assert named_columns({"teff": 5772.0 * u.K}).raw("teff").unit == u.K


def test_a_unit_of_rows_is_that_of_the_column():
    columns = named_columns([{"parallax": 1 * u.mas}, {}, {"parallax": 3 * u.mas}])
    values, _, unit = columns.raw("parallax")
    np.testing.assert_array_equal(values, [1.0, np.nan, 3.0])
    assert unit == u.mas
    mixed = named_columns([{"parallax": 1 * u.mas}, {"parallax": 3 * u.arcsec}])
    with pytest.raises(ColumnError, match="'parallax' must be in one unit"):
        mixed.raw("parallax")


def test_columns_of_columns_are_these():
    columns = named_columns(arrow())
    assert named_columns(columns) is columns
    renamed = columns.renamed({"logg": "log_g"})
    assert renamed.names == ("source_id", "log_g")
    assert "log_g" in renamed
    assert "logg" not in renamed
    np.testing.assert_array_equal(renamed.raw("log_g").values, NUMBERS)


@pytest.mark.parametrize(
    "matrix", [np.ones((2, 3)), [[1.0, 2.0]], None, 3.0, [], pd.Series([1.0, 2.0])]
)
def test_a_matrix_has_no_names(matrix):
    assert column_names(matrix) is None
    with pytest.raises(ColumnError, match="must be a table, read by the names"):
        require_columns(matrix)


def lazy(method):
    return type("Lazy", (), {"columns": ["teff"], method: None})()


@pytest.mark.parametrize(
    ("container", "message"),
    [
        ("stars.fits", r"got 'stars.fits'.*read it first.*read_stars"),
        (Table({"teff": [1.0]})[0], r"one row by itself \(astropy's Row\)"),
        (np.zeros(1, dtype=[("teff", "f8")])[0], r"one row by itself \(numpy's void\)"),
        (hdu().data[0], r"one row by itself \(astropy's FITS_record\)"),
        ([Table({"teff": [1.0]})[0]], r"list of rows.*Pass StarTable\(table\)"),
        (fits.PrimaryHDU(), "got an image"),
        (fits.HDUList([fits.PrimaryHDU()]), "must have one table, got 0: none"),
        (fits.HDUList([fits.PrimaryHDU(), hdu(), hdu()]), "got 2: 1 '', 2 ''"),
        ({}, "got an empty one"),
        ({"teff": [1.0, 2.0], "logg": [1.0]}, "one length.*teff: 2, logg: 1"),
        ({"teff": [1.0, 2.0], "logg": 1.0}, "teff: 2, logg: one value"),
        (np.zeros((2, 2), dtype=[("teff", "f8")]), r"one dimension.*got shape \(2, 2\)"),
        (
            pd.DataFrame([[1.0]], columns=pd.MultiIndex.from_tuples([("gaia", "teff")])),
            r"one name each, got names of 2 levels, such as \('gaia', 'teff'\)",
        ),
        (lazy("collect"), r"not computed yet. Pass stars.collect\(\)"),
        (lazy("compute"), r"Pass stars.compute\(\)"),
        (lazy("toPandas"), r"Pass stars.toPandas\(\)"),
    ],
)
def test_what_is_no_table_of_stars_is_refused_by_name(container, message):
    with pytest.raises(ColumnError, match=message):
        named_columns(container)
