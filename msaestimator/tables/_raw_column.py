"""One column of any kind as plain values, where they are missing, and the unit it states."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from astropy.utils.masked import Masked

__all__ = ["RawColumn", "fill_missing_with_nan", "is_missing", "raw_column"]


class RawColumn(NamedTuple):
    """A column as its container holds it.

    Parameters
    ----------
    values : ndarray of shape (n_stars, ...)
        Numbers, text or Python objects; anything where missing.
    mask : ndarray of bool of the shape of ``values``
        True where a value is masked, null or None. NaN is a number, and not masked.
    unit : UnitBase, str or None
        Unit that the column states.
    """

    values: np.ndarray
    mask: np.ndarray
    unit: Any = None


def raw_column(column: Any) -> RawColumn:
    """Return a column of any kind: of astropy, NumPy, pandas, polars, pyarrow, or a list."""
    if isinstance(column, pa.Array | pa.ChunkedArray):
        return _of_arrow(column)
    if hasattr(column, "to_arrow"):
        return _of_arrow(column.to_arrow())
    if hasattr(column, "isna") and hasattr(column, "to_numpy"):
        return _of_pandas(column)
    unit = getattr(column, "unit", None)
    if isinstance(column, Masked):
        return _with_objects(_plain(column.unmasked), np.asarray(column.mask), unit)
    if isinstance(column, np.ma.MaskedArray):
        return _with_objects(np.asarray(column.data), np.ma.getmaskarray(column), unit)
    values = _plain(column)
    return _with_objects(values, np.zeros(values.shape, dtype=bool), unit)


def is_missing(value: Any) -> bool:
    """Tell whether one Python object stands for no value: None, masked, NaN, pandas' NA, NaT."""
    if value is None or value is np.ma.masked or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float | np.floating | np.datetime64) and value != value


def fill_missing_with_nan(values: Any) -> Any:
    """Return a matrix, or labels, with NaN where it is masked or None; others as they are.

    Parameters
    ----------
    values : array-like
        Array that may be masked, or hold Python objects.
    """
    if hasattr(values, "iloc") or hasattr(values, "__arrow_c_stream__"):
        return values
    masked = isinstance(values, Masked | np.ma.MaskedArray)
    if isinstance(values, list | tuple):
        masked, values = True, _as_array(values)
    elif not masked and not (isinstance(values, np.ndarray) and values.dtype.kind == "O"):
        return values
    raw = raw_column(values)
    if not raw.mask.any():
        return raw.values if masked else values
    kept = raw.values if raw.values.dtype.kind in ("f", "O") else raw.values.astype(np.float64)
    return np.where(raw.mask, np.nan, kept)


def _as_array(rows: list[Any] | tuple[Any, ...]) -> np.ndarray:
    """Return nested lists as an array, masked if any of their parts is."""
    if any(isinstance(row, np.ma.MaskedArray) for row in rows):
        return np.ma.stack(rows)
    return np.asarray(rows)


def _plain(column: Any) -> np.ndarray:
    return np.asarray(getattr(column, "value", column))


def _with_objects(values: np.ndarray, mask: np.ndarray, unit: Any) -> RawColumn:
    """Return a column in which Python objects that stand for no value are masked too."""
    mask = np.broadcast_to(mask, values.shape)
    if values.dtype.kind == "O":
        missing = np.fromiter(map(is_missing, values.flat), dtype=bool, count=values.size)
        mask = mask | missing.reshape(values.shape)
    return RawColumn(values, mask, unit)


def _of_pandas(column: Any) -> RawColumn:
    """Return a pandas Series, Index or array; one of Arrow's types by pyarrow."""
    dtype = column.dtype
    if hasattr(dtype, "pyarrow_dtype"):
        return _of_arrow(pa.array(column))
    if hasattr(dtype, "numpy_dtype"):
        values = column.to_numpy(dtype=dtype.numpy_dtype, na_value=dtype.numpy_dtype.type(0))
        return RawColumn(values, np.asarray(column.isna()))
    values = np.asarray(column.to_numpy())
    mask = np.zeros(values.shape, dtype=bool) if values.dtype.kind in "fc" else column.isna()
    return _with_objects(values, np.asarray(mask), None)


def _of_arrow(column: pa.Array | pa.ChunkedArray) -> RawColumn:
    """Return an Arrow column; lists of equal lengths make a matrix."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if isinstance(column, pa.ChunkedArray):  # of no chunk, or too large for one
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.nulls(0, column.type)
    if isinstance(column.type, pa.BaseExtensionType):
        column = column.storage
    if pa.types.is_dictionary(column.type):
        # Arrow cannot take from the views of text that polars' categories are.
        column = pa.array(column.dictionary.to_pylist()).take(column.indices)
    for is_of_kind, read in _ARROW_KINDS:
        if is_of_kind(column.type):
            return read(column)
    values = np.empty(len(column), dtype=object)
    values[:] = column.to_pylist()
    return RawColumn(values, _nulls(column))


def _nulls(column: pa.Array) -> np.ndarray:
    return np.asarray(column.is_null())


def _of_numbers(column: pa.Array) -> RawColumn:
    mask = _nulls(column)
    # Floats have NaN for null; integers would become floats.
    plain = pa.types.is_floating(column.type) or not mask.any()
    filled = column if plain else column.fill_null(0)
    return RawColumn(filled.to_numpy(zero_copy_only=False), mask)


def _of_booleans(column: pa.Array) -> RawColumn:
    mask = _nulls(column)
    return RawColumn(np.asarray(column.fill_null(False)), mask)


def _of_nulls(column: pa.Array) -> RawColumn:
    return RawColumn(np.full(len(column), np.nan), np.ones(len(column), dtype=bool))


def _of_decimals(column: pa.Array) -> RawColumn:
    """Return decimals as floats, or as integers, which identifiers of other databases are."""
    if column.type.scale == 0:
        with suppress(pa.ArrowInvalid):  # larger than any integer
            return _of_numbers(column.cast(pa.int64()))
    return _of_numbers(column.cast(pa.float64()))


def _of_lists(column: pa.Array) -> RawColumn:
    """Return lists as a matrix if they are equally long, and else as an array each.

    An empty list is a missing one: so archives write an array that is not there.
    """
    lengths = np.asarray(pc.list_value_length(column).fill_null(0))
    known = lengths > 0
    lengths = lengths[known]
    inner = raw_column(pc.list_flatten(column))
    if len(np.unique(lengths)) > 1 or inner.values.dtype.kind == "O":
        return _of_ragged_lists(inner, lengths, known)
    width = lengths[0] if len(lengths) else getattr(column.type, "list_size", 1)
    shape = (width, *inner.values.shape[1:])
    values = np.zeros((len(column), *shape), dtype=inner.values.dtype)
    mask = np.ones(values.shape, dtype=bool)
    values[known] = inner.values.reshape(-1, *shape)
    mask[known] = inner.mask.reshape(-1, *shape)
    return RawColumn(values, mask)


def _of_ragged_lists(inner: RawColumn, lengths: np.ndarray, known: np.ndarray) -> RawColumn:
    values = np.full(len(known), None, dtype=object)
    ends = np.cumsum(lengths)
    numbers = np.ma.MaskedArray(inner.values, inner.mask)
    for row, start, end in zip(np.flatnonzero(known), ends - lengths, ends, strict=True):
        values[row] = numbers[start:end]
    return RawColumn(values, ~known)


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind)


def _is_list(kind: pa.DataType) -> bool:
    return (
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


_ARROW_KINDS: tuple[tuple[Callable[[pa.DataType], bool], Callable[[pa.Array], RawColumn]], ...] = (
    (_is_number, _of_numbers),
    (pa.types.is_boolean, _of_booleans),
    (pa.types.is_null, _of_nulls),
    (pa.types.is_decimal, _of_decimals),
    (_is_list, _of_lists),
)
"""Kinds of Arrow columns that become numbers; all others become Python objects."""
