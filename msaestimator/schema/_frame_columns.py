"""The columns of a DataFrame as an astropy table takes them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from astropy.table import MaskedColumn
from astropy.time import Time

from msaestimator.exceptions import ColumnError

__all__ = ["frame_columns"]


def frame_columns(frame: Any) -> dict[str, Any]:
    """Return the columns of a pandas or polars DataFrame or a pyarrow Table, by name.

    Parameters
    ----------
    frame : DataFrame or pyarrow.Table
        Frame of stars; an index of pandas that has a name is a column like the others.

    Returns
    -------
    dict of str to ndarray, MaskedColumn or Time
        Integers as they are, masked where null; floats with NaN where null; text masked where
        null; lists of one length as a matrix.

    Raises
    ------
    ColumnError
        Two columns have one name.
    """
    if hasattr(frame, "iloc"):
        unique = [name for name in frame.index.names if name not in (None, *frame.columns)]
        frame = frame.reset_index(unique) if unique else frame
        names = [str(name) for name in frame.columns]
        columns: Any = (_of_pandas(frame.iloc[:, place]) for place in range(len(names)))
    else:
        table = pa.table(frame)
        names, columns = table.column_names, map(_of_arrow, table.columns)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ColumnError(f"Column names must be distinct, got {', '.join(twice)} more than once.")
    return dict(zip(names, columns, strict=True))


def _of_pandas(series: Any) -> Any:
    """Return a column of pandas; objects that Arrow knows no one type of stay objects."""
    if isinstance(series.dtype, np.dtype) and series.dtype.kind in "fiubc":
        return series.to_numpy()
    try:
        return _of_arrow(pa.array(series, from_pandas=True))
    except (pa.ArrowException, OverflowError):
        return series.to_numpy(dtype=object)


def _of_arrow(column: Any) -> Any:
    """Return a column of Arrow."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_dictionary(column.type):
        # Arrow cannot take from the views of text that polars' categories are.
        column = pa.array(column.dictionary.to_pylist()).take(column.indices)
    mask = np.asarray(column.is_null())
    for is_of_kind, read in _KINDS.items():
        if is_of_kind(column.type):
            return read(column, mask)
    return _objects(column)


def _objects(column: pa.Array) -> np.ndarray:
    values = np.empty(len(column), dtype=object)
    values[:] = column.to_pylist()
    return values


def _floats(column: pa.Array, mask: np.ndarray) -> np.ndarray:
    values = column.to_numpy(zero_copy_only=False)
    return values if values.dtype.kind == "f" else values.astype(np.float64)


def _integers(column: pa.Array, mask: np.ndarray) -> Any:
    return _masked(column.fill_null(0).to_numpy(zero_copy_only=False), mask)


def _booleans(column: pa.Array, mask: np.ndarray) -> Any:
    return _masked(column.fill_null(False).to_numpy(zero_copy_only=False), mask)


def _text(column: pa.Array, mask: np.ndarray) -> Any:
    blank = b"" if "binary" in str(column.type) else ""
    values = [blank if value is None else value for value in column.to_pylist()]
    return _masked(np.array(values, dtype=type(blank)), mask)


def _times(column: pa.Array, mask: np.ndarray) -> Time:
    times = Time(column.to_numpy(zero_copy_only=False), format="datetime64")
    if mask.any():
        times[mask] = np.ma.masked
    times.format = "isot"
    return times


def _lists(column: pa.Array, mask: np.ndarray) -> Any:
    """Return lists as a matrix if they are of one length, else as objects."""
    lengths = np.unique(pc.list_value_length(column.drop_null()))
    if len(lengths) != 1:
        return _objects(column)
    inner = np.ma.asarray(_of_arrow(pc.list_flatten(column)))
    shape = len(column), int(lengths[0])
    values = np.ma.MaskedArray(np.zeros(shape, dtype=inner.dtype), mask=True)
    values[~mask] = inner.reshape(np.count_nonzero(~mask), -1)
    is_float = inner.dtype.kind == "f"
    return values.filled(np.nan) if is_float else _masked(values.data, np.asarray(values.mask))


def _masked(values: np.ndarray, mask: np.ndarray) -> Any:
    return MaskedColumn(values, mask=mask) if mask.any() else values


_KINDS: Mapping[Any, Any] = {
    lambda kind: pa.types.is_floating(kind) or pa.types.is_decimal(kind): _floats,
    pa.types.is_null: _floats,
    pa.types.is_integer: _integers,
    pa.types.is_boolean: _booleans,
    lambda kind: "string" in str(kind) or "binary" in str(kind): _text,
    lambda kind: pa.types.is_timestamp(kind) or pa.types.is_date(kind): _times,
    lambda kind: str(kind).startswith(("list<", "large_list<", "fixed_size_list<")): _lists,
}
"""Readers of columns by what tells the kind of Arrow they are for."""
