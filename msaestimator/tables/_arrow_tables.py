"""Arrow's tables as tables of stars, and back, with units as astropy keeps them in parquet."""

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from astropy.table import Column, MaskedColumn, Table, meta, serialize
from astropy.utils.data_info import serialize_context_as

from msaestimator.tables._raw_column import raw_column
from msaestimator.tables._text_arrays import arrays_of_text

__all__ = ["arrow_of_table", "describe_columns", "table_of_arrow"]

DESCRIPTION = b"table_meta_yaml"
"""Key of Arrow's metadata under which astropy keeps units, descriptions and ``meta``."""


def table_of_arrow(arrow: pa.Table) -> Table:
    """Return a table of Arrow columns; a struct is a column for each of its fields.

    Parameters
    ----------
    arrow : pyarrow.Table
        Columns. Nulls are masked, lists of equal lengths are a matrix, texts of arrays are
        arrays, and the row labels of pandas, which are no column there, are left out.
    """
    description = (arrow.schema.metadata or {}).get(DESCRIPTION)
    arrow = _with_index(arrow)
    while any(pa.types.is_struct(field.type) for field in arrow.schema):
        arrow = arrow.flatten()
    names = [n for n in arrow.column_names if not re.fullmatch(r"__index_level_\d+__", n)]
    table = Table([_column(arrow[name]) for name in names], names=names, copy=False)
    return table if description is None else describe_columns(table, description.decode())


def describe_columns(table: Table, description: str) -> Table:
    """Return a table with what a YAML header of astropy says of it and of its columns.

    Parameters
    ----------
    table : Table
        Plain columns.
    description : str
        Header of an ECSV file, or what astropy writes into a parquet file. What it says of
        columns that the table lacks is ignored.
    """
    header = meta.get_header_from_yaml(description.split("\n"))
    table.meta.update(header.get("meta") or {})
    for column in header["datatype"]:
        for attribute in {"unit", "description", "format", "meta"} & column.keys():
            if column["name"] in table.colnames:
                setattr(table[column["name"]], attribute, column[attribute])
    mixins = table.meta.get("__serialized_columns__", {})
    for name in [name for name, parts in mixins.items() if _lacks(table, parts)]:
        del mixins[name]
    # Astropy makes these public of no table but one that it reads from a file itself.
    return serialize._construct_mixins_from_columns(table)


def arrow_of_table(table: Table) -> pa.Table:
    """Return an Arrow table of stars: masked values are null, and units are in its metadata."""
    with serialize_context_as("parquet"):
        # A table that is no QTable has quantities as plain columns with a unit.
        plain = serialize.represent_mixins_as_columns(Table(table), (Column, MaskedColumn))
    columns = {column.name: _array(column) for column in plain.itercols()}
    description = {DESCRIPTION: "\n".join(meta.get_yaml_from_table(plain)).encode()}
    # Astropy's own reader asks for the lengths of texts.
    lengths = {
        f"table::len::{column.name}".encode(): str(column.dtype.itemsize // 4).encode()
        for column in plain.itercols()
        if column.dtype.kind == "U"
    }
    return pa.table(columns).replace_schema_metadata(description | lengths)


def _with_index(arrow: pa.Table) -> pa.Table:
    """Return a table with the named index that pandas keeps as a range, not as a column."""
    for index in (arrow.schema.pandas_metadata or {}).get("index_columns", ()):
        if isinstance(index, dict) and index["name"] is not None:
            labels = range(index["start"], index["stop"], index["step"])
            if len(labels) == len(arrow):
                arrow = arrow.add_column(0, index["name"], pa.array(labels, pa.int64()))
    return arrow


def _column(column: pa.ChunkedArray) -> Column:
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = arrays_of_text(column)
    values, mask, _ = raw_column(column)
    if values.dtype == np.float16:
        # Masked arrays of NumPy have no number to fill these with.
        values = values.astype(np.float32)
    if (
        values.shape[1:] == (1,)
        and mask.all()
        and not pc.max(pc.list_value_length(column)).as_py()
    ):
        # Nobody knows how long the arrays would be.
        values, mask = np.full(len(column), np.nan), np.ones(len(column), dtype=bool)
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        values = column.to_numpy()
    elif pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        values = np.where(mask, "", values).astype(str)
    elif values.dtype.kind == "f" and mask.any():
        values = np.where(mask, values.dtype.type(np.nan), values)
    return MaskedColumn(values, mask=mask, copy=False) if mask.any() else Column(values)


def _lacks(table: Table, parts: Any) -> bool:
    """Tell whether a table lacks a column that a column is to be made of."""
    if isinstance(parts, serialize.SerializedColumn) and "name" in parts:
        return parts["name"] not in table.colnames
    return isinstance(parts, dict) and any(_lacks(table, part) for part in parts.values())


def _array(column: Column) -> pa.Array:
    """Return a column as an Arrow array; each row of a matrix is a list of fixed size."""
    values, mask, _ = raw_column(column)
    if values.dtype.kind == "O":
        return pa.array(values.tolist())
    values = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))
    if values.dtype.kind == "S":
        values = np.strings.decode(values, "utf-8")
    kind = pa.string() if values.dtype.kind in "SU" else pa.from_numpy_dtype(values.dtype)
    array = pa.array(values.ravel(), kind, mask=mask.ravel())
    for size in reversed(values.shape[1:]):
        array = pa.FixedSizeListArray.from_arrays(array, size)
    return array
