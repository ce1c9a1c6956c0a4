"""Archive answers as Arrow tables: columns checked by name, unit and kind, ids exact.

Arrow holds missing integers and strings without a sentinel, so nothing has to be told apart
from a value; a missing row is a row of nulls.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import astropy.units as u
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from astropy.table import Column, Table

from msaestimator.archive._columns import ArchiveColumn
from msaestimator.archive._failures import Malformed, Refused
from msaestimator.exceptions import did_you_mean

__all__ = ["align", "arrow_rows", "arrow_schema", "float_array", "float_column"]


def arrow_schema(columns: Iterable[ArchiveColumn]) -> pa.Schema:
    """Return the Arrow schema of rows with these columns after ``source_id``."""
    types = {
        "float": pa.float64(),
        "integer": pa.int64(),
        "boolean": pa.bool_(),
        "string": pa.string(),
        # Not of fixed size: parquet has not always known missing ones of these.
        "array": pa.list_(pa.float64()),
    }
    return pa.schema(
        [pa.field("source_id", pa.int64())] + [pa.field(c.name, types[c.kind]) for c in columns]
    )


def arrow_rows(answer: Table, columns: Sequence[ArchiveColumn]) -> pa.Table:
    """Return the rows of an answer under the names, units and kinds of ``columns``.

    Parameters
    ----------
    answer : Table of n_rows rows
        Answer of a query. Columns are found by name, whatever their case and order; others are
        ignored.
    columns : sequence of ArchiveColumn

    Raises
    ------
    Malformed
        An id is missing.
    Refused
        A column is absent or cannot be what it should be.
    """
    there = {name.lower(): name for name in answer.colnames}
    arrays = [_ids(_find(answer, there, "source_id"))]
    for column in columns:
        given = _find(answer, there, column.name)
        try:
            arrays.append(_CONVERTERS[column.kind](given, column))
        except (ValueError, TypeError) as error:
            raise Refused(f"column {column.name!r} {error}") from error
    return pa.Table.from_arrays(arrays, schema=arrow_schema(columns))


def align(rows: pa.Table, ids: np.ndarray, nearest_by: str | None = None) -> pa.Table:
    """Return one row an id, in the order of ``ids``: nulls for ids without a row.

    Of several rows of one id the first is taken, or the one with the least ``nearest_by``. A
    column ``found`` is false, not null, for ids without a row.
    """
    found = rows["source_id"].to_numpy()
    if nearest_by is None:
        order = np.argsort(found, kind="stable")
    else:
        order = np.lexsort((float_column(rows, nearest_by), found))
    first = np.searchsorted(found, ids, sorter=order)
    inside = first < len(found)
    position = (
        np.where(inside, order[np.minimum(first, len(found) - 1)], 0) if len(found) else first
    )
    known = inside.copy()
    known[inside] = found[position[inside]] == ids[inside]
    taken = rows.take(pa.array(position, mask=~known)).set_column(0, "source_id", pa.array(ids))
    if "found" in taken.column_names:
        place = taken.schema.get_field_index("found")
        taken = taken.set_column(place, "found", pc.fill_null(taken["found"], False))
    return taken


def float_column(rows: pa.Table, name: str) -> np.ndarray:
    """Return a numeric column as float64, NaN where null."""
    return rows[name].to_numpy(zero_copy_only=False).astype(float)


def float_array(rows: pa.Table, column: ArchiveColumn) -> np.ndarray:
    """Return an array column as float64 of shape (n_rows, size), NaN where null."""
    given = rows[column.name].combine_chunks()
    result = np.full((len(rows), column.size), np.nan)
    # Flattening leaves out the null rows.
    result[np.asarray(given.is_valid())] = given.flatten().to_numpy().reshape(-1, column.size)
    return result


def _find(answer: Table, there: dict[str, str], name: str) -> Column:
    if name.lower() not in there:
        raise Refused(
            f"column {name!r} is not in the answer, which has {', '.join(answer.colnames)}."
            + did_you_mean(name, answer.colnames)
        )
    return answer[there[name.lower()]]


def _ids(given: Column) -> pa.Array:
    values, missing = _plain(given)
    if missing.any():
        raise Malformed(f"{int(missing.sum())} rows without source_id")
    if len(values) and values.dtype.kind not in "iu":
        raise Refused(f"column 'source_id' holds {values.dtype} where integers are needed")
    return pa.array(values.astype(np.int64))


def _plain(given: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return a column's values in native byte order, and where they are missing."""
    values = np.ma.getdata(given)
    values = np.asarray(getattr(values, "value", values))
    missing = np.ma.getmaskarray(given).copy()
    if values.dtype.kind in "fiu":
        values = values.astype(values.dtype.newbyteorder("="))
    return values, missing


def _float(given: Column, column: ArchiveColumn) -> pa.Array:
    values, missing = _plain(given)
    numbers = np.where(missing, np.nan, _numbers(values, missing))
    return pa.array(_in_unit(numbers, given.unit, column), mask=missing)


def _numbers(values: np.ndarray, missing: np.ndarray) -> np.ndarray:
    if values.dtype.kind in "fiub":
        return values.astype(float)
    if missing.all():
        # A service has no better type for a column of nulls.
        return np.full(len(values), np.nan)
    raise ValueError(f"holds {values.dtype} where numbers are needed.")


def _in_unit(numbers: np.ndarray, unit: Any, column: ArchiveColumn) -> np.ndarray:
    """Return values in the column's unit."""
    if not column.unit or unit in (None, ""):
        return numbers
    try:
        return u.Quantity(numbers, unit).to_value(column.unit)
    except (u.UnitConversionError, TypeError, ValueError):
        raise ValueError(f"is in {str(unit)!r} where {column.unit!r} is needed.") from None


def _integer(given: Column, column: ArchiveColumn) -> pa.Array:
    values, missing = _plain(given)
    if values.dtype.kind in "iub":
        whole = values.astype(np.int64)
    else:
        numbers = _numbers(values, missing)
        missing |= np.isnan(numbers)
        whole = np.where(missing, 0, numbers).astype(np.int64)
        if not np.array_equal(whole[~missing], numbers[~missing]):
            raise ValueError("holds fractions where integers are needed.")
    return pa.array(whole, mask=missing)


def _boolean(given: Column, column: ArchiveColumn) -> pa.Array:
    values, missing = _plain(given)
    if missing.all():
        return pa.nulls(len(values), pa.bool_())
    if values.dtype.kind in "biu":
        return pa.array(values.astype(bool), mask=missing)
    raise ValueError(f"holds {values.dtype} where booleans are needed.")


def _string(given: Column, column: ArchiveColumn) -> pa.Array:
    values, missing = _plain(given)
    plain = np.char.decode(values) if values.dtype.kind == "S" else values
    texts = np.array([str(value) for value in plain.tolist()], dtype=object)
    # A null of a binary VOTable comes as an empty string.
    return pa.array(texts, mask=missing | (texts == ""), type=pa.string())


def _array(given: Column, column: ArchiveColumn) -> pa.Array:
    """Return coefficients; an empty or all-masked array is a missing one."""
    if given.ndim == 2:
        rows: np.ndarray = np.ma.filled(
            np.ma.asarray(getattr(given, "value", given), dtype=float), np.nan
        )
        if rows.shape[1] != column.size:
            raise ValueError(_wrong_size(rows.shape[1], column))
    else:
        rows = np.full((len(given), column.size), np.nan)
        for number, value in enumerate(given):
            known = _one_array(value, column)
            if known is not None:
                rows[number] = known
    missing = np.isnan(rows).all(axis=1)
    ends = np.cumsum(np.where(missing, 0, column.size), dtype=np.int32)
    return pa.ListArray.from_arrays(
        pa.array(np.append(np.int32(0), ends)), rows[~missing].ravel(), mask=pa.array(missing)
    )


def _one_array(value: Any, column: ArchiveColumn) -> np.ndarray | None:
    """Return one star's coefficients from what a file format makes of them."""
    if value is None or value is np.ma.masked:
        return None
    if isinstance(value, str):
        # CSV writes an array as "(1.0, 2.0)".
        text = value.strip("()[] ")
        value = text.split(",") if text else []
    numbers: np.ndarray = np.ma.filled(np.ma.array(value, dtype=float), np.nan)
    if numbers.size == 0 or np.isnan(numbers).all():
        return None
    if numbers.shape != (column.size,):
        raise ValueError(_wrong_size(numbers.size, column))
    return numbers


def _wrong_size(size: int, column: ArchiveColumn) -> str:
    return f"has {size} elements where {column.size} are needed."


_CONVERTERS = {
    "float": _float,
    "integer": _integer,
    "boolean": _boolean,
    "string": _string,
    "array": _array,
}
