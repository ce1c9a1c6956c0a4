"""Read named columns out of any container into plain float arrays, NaN where missing."""

import itertools
import re
import reprlib
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from msaestimator.exceptions import (
    ColumnError,
    MissingColumnWarning,
    MissingValueWarning,
    did_you_mean,
)
from msaestimator.preprocessing._near_misses import near_miss
from msaestimator.schema import LABELS, CoefficientArray, FeatureSchema
from msaestimator.tables import (
    RawColumn,
    arrays_of_text,
    convert_unit,
    is_missing,
    raw_column,
    require_columns,
)

__all__ = [
    "ARCHIVE_MISSING",
    "Readings",
    "check_any_known",
    "check_once",
    "outside",
    "read_array",
    "read_column",
    "read_errors",
    "read_features",
    "read_labels",
    "read_scalar",
    "read_valid",
    "warn_of_invalid",
]

ARCHIVE_MISSING = -9999.0
"""Number that several surveys write where they have no measurement."""


class Readings(NamedTuple):
    """Values of stars' features, and which stars had values that no star has.

    Parameters
    ----------
    values : ndarray of shape (n_stars, len(schema)), float64
        Values in the schema's units; NaN is missing.
    is_invalid : ndarray of bool of shape (n_stars,)
        Mask of the stars with a value outside its column's limits, which is NaN in ``values``.
    """

    values: np.ndarray
    is_invalid: np.ndarray


def read_features(table: Any, schema: FeatureSchema) -> np.ndarray:
    """Return the schema's columns of a table as a matrix in the schema's units.

    Parameters
    ----------
    table : container of n_stars stars, see :func:`msaestimator.tables.named_columns`
        Columns the schema does not know are ignored; XP coefficients come as array columns
        (``bp_coefficients``) or as scalar columns (``bp_1`` …).
    schema : FeatureSchema
        Names, units and order.

    Returns
    -------
    ndarray of shape (n_stars, len(schema)), float64
        Masked, NaN, -9999 and absent values are NaN, and so are those outside a column's limits.

    Raises
    ------
    ColumnError
        No column of the schema is there, or one is duplicated, not numeric, infinite, or of
        the wrong number of coefficients.
    UnitMismatchError
        A unit of another physical type.

    Warns
    -----
    MissingValueWarning
        Values outside a column's limits are taken as missing.
    """
    return read_valid(table, schema).values


def read_valid(table: Any, schema: FeatureSchema, used: Collection[str] | None = None) -> Readings:
    """Return the schema's columns as `read_features`, and which stars have invalid values.

    Parameters
    ----------
    table, schema
        The same as in `read_features`.
    used : collection of str, optional
        Columns to read; the others are NaN, whatever they hold. None reads all.
    """
    columns = require_columns(table)
    _check_names(columns.names, schema, used)
    matrix = np.full((len(columns), len(schema)), np.nan)
    position = {name: index for index, name in enumerate(schema.names)}
    for array in schema.arrays:
        if array.name in columns and _any_used(array, used):
            matrix[:, [position[c.name] for c in array.columns]] = read_array(columns, array)
    for column in schema.columns:
        if column.name in columns and (used is None or column.name in used):
            matrix[:, position[column.name]] = read_scalar(columns, column.name, column.unit)
    low, high = np.transpose([column.limits for column in schema.columns])
    invalid = (matrix < low) | (matrix > high)
    if not invalid.any():
        return Readings(matrix, np.zeros(len(matrix), dtype=bool))
    warn_of_invalid(
        [
            outside(column.name, matrix[:, position[column.name]], column.limits, column.unit)
            for column in schema.columns
            if invalid[:, position[column.name]].any()
        ]
    )
    matrix[invalid] = np.nan
    return Readings(matrix, invalid.any(axis=1))


def _any_used(array: CoefficientArray, used: Collection[str] | None) -> bool:
    return used is None or any(column.name in used for column in array.columns)


def outside(name: str, values: np.ndarray, limits: tuple[float, float], unit: str) -> str:
    """Return in words how many values lie outside a range, and which one does first."""
    low, high = limits
    wrong = (values < low) | (values > high)
    first = tuple(np.argwhere(wrong)[0])
    return (
        f"{name}: {wrong.sum()} of {values.size} outside {low:g} to {high:g} {unit}".rstrip()
        + f", the first {values[first]:g} in row {first[0]}"
    )


def warn_of_invalid(found: Sequence[str]) -> None:
    """Warn of values that are taken as missing, told by column."""
    more = f"; and {len(found) - 3} columns more" if len(found) > 3 else ""
    warnings.warn(
        f"Values that no star has are taken as missing: {'; '.join(found[:3])}{more}.",
        MissingValueWarning,
        stacklevel=5,
    )


def read_errors(
    table: Any, schema: FeatureSchema, used: Collection[str] | None = None
) -> np.ndarray:
    """Return the standard errors of the schema's columns, in their units.

    Parameters
    ----------
    table : container of n_stars stars
    schema : FeatureSchema
        Names of the error columns.
    used : collection of str, optional
        Columns whose errors are read; None reads all.

    Returns
    -------
    ndarray of shape (n_stars, len(schema)), float64
        NaN where unknown.
    """
    columns = require_columns(table)
    errors = np.full((len(columns), len(schema)), np.nan)
    position = {name: index for index, name in enumerate(schema.names)}
    for array in schema.arrays:
        if array.error in columns and _any_used(array, used):
            of_array = [position[c.name] for c in array.columns]
            errors[:, of_array] = read_array(columns, replace(array, name=array.error))
    for column in schema.columns:
        if column.error and column.error in columns and (used is None or column.name in used):
            errors[:, position[column.name]] = read_scalar(columns, column.error, column.unit)
    # Numbers such as -999 and 99.99 mag stand for no error.
    largest = np.array([column.limits[1] for column in schema.columns])
    errors[(errors < 0) | (errors > largest)] = np.nan
    return errors


def read_column(table: Any, name: str, unit: str, *, log_of: str = "") -> np.ndarray:
    """Return one column as floats in ``unit``, NaN where masked, None, NaN or -9999.

    A column that states no unit is taken to be in ``unit`` already. A number whose logarithm a
    column in dex is may be told as ``log_of``, see `convert_unit`.
    """
    values, mask, stated = _as_numbers(name, require_columns(table).raw(name))
    # Told by the number as written: -9999 mmag is missing, and so is -9999 as float16 rounds it.
    missing = mask | (values == ARCHIVE_MISSING)
    values = convert_unit(name, values.astype(np.float64), stated, unit, log_of=log_of)
    values = np.where(missing, np.nan, values)
    infinite = np.abs(values) > np.finfo(np.float32).max
    if infinite.any():
        row = int(np.argwhere(infinite)[0][0])
        raise ColumnError(
            f"Column {name!r} must be finite or NaN, got {infinite.sum()} values infinite in "
            f"single precision, the first in row {row}. Set them to NaN if they are missing."
        )
    return values


def read_scalar(table: Any, name: str, unit: str, *, log_of: str = "") -> np.ndarray:
    """Return a column of one number a star."""
    values = read_column(table, name, unit, log_of=log_of)
    if values.ndim != 1:
        raise ColumnError(
            f"Column {name!r} must hold one number a star, got shape {values.shape}."
        )
    return values


def read_array(table: Any, array: CoefficientArray) -> np.ndarray:
    """Return the coefficients, (n_stars, size), or (n_stars, 1) of NaN if no star has any."""
    values = read_column(table, array.name, "")
    if len(values) == 0:
        return np.empty((0, array.size))
    if values.size == len(values) and np.isnan(values).all():
        return values.reshape(-1, 1)
    if values.shape[1:] != (array.size,):
        found = " x ".join(str(length) for length in values.shape[1:]) or "1"
        raise ColumnError(
            f"Column {array.name!r} must have {array.size} coefficients a star, got {found}. "
            "Gaia DR3 has 55 BP and 55 RP coefficients, DR4 51 and 55: "
            "pass schema=GAIA_DR3 or GAIA_DR4, or the vocabulary of it, to match the table."
        )
    return values


def _as_numbers(name: str, raw: RawColumn) -> RawColumn:
    """Return a column as numbers; arrays may come as objects, or as text in brackets."""
    values, mask, unit = _without_text(raw)
    if values.dtype.kind == "O":
        # What lies beneath a mask need not be a number.
        values = _stack_objects(name, np.where(mask, np.array(None), values))
        return RawColumn(values, np.zeros(values.shape, dtype=bool), unit)
    if values.dtype.kind not in "fiub":
        raise ColumnError(
            f"Column {name!r} must hold numbers, got {_dtype_name(values)}. "
            "Convert it, with NaN where a value is missing."
        )
    return RawColumn(values, mask, unit)


def _without_text(raw: RawColumn) -> RawColumn:
    """Return a column of arrays in brackets as arrays, and any other as it is."""
    if raw.values.dtype.kind not in "USO" or raw.values.ndim != 1:
        return raw
    texts = [v.decode(errors="replace") if isinstance(v, bytes) else v for v in raw.values]
    if not all(isinstance(text, str) for text in itertools.compress(texts, ~raw.mask)):
        return raw
    column = pa.chunked_array([pa.array(texts, pa.string(), mask=raw.mask)])
    arrays = arrays_of_text(column)
    return raw if arrays is column else raw_column(arrays)


def _stack_objects(name: str, values: np.ndarray) -> np.ndarray:
    """Turn a column of Python objects into floats: one array, one number or None a row."""
    rows = [_object_row(name, value) for value in values]
    width = max((row.size for row in rows), default=0)
    if width == 1:
        return np.concatenate(rows) if rows else np.empty(0)
    missing = np.full(width, np.nan)
    rows = [missing if row.size == 1 and np.isnan(row[0]) else row for row in rows]
    sizes = {row.size for row in rows}
    if len(sizes) > 1:
        raise ColumnError(
            f"Column {name!r} must have as many values in every row, got {sorted(sizes)}."
        )
    return np.stack(rows) if rows else np.empty((0, 0))


def _object_row(name: str, value: Any) -> np.ndarray:
    if is_missing(value) or np.size(value) == 0:
        return np.array([np.nan])
    try:
        if isinstance(value, str | bytes):
            raise TypeError
        numbers = np.ma.asarray(_without_none(value), dtype=np.float64)
        return np.ma.filled(numbers, np.nan).reshape(-1)
    except (TypeError, ValueError):
        raise ColumnError(
            f"Column {name!r} must hold numbers, got {reprlib.repr(value)} "
            f"({type(value).__name__}). Convert it, with NaN where a value is missing."
        ) from None


def _without_none(value: Any) -> Any:
    """Return a row of numbers with NaN where it has None."""
    if not isinstance(value, list | tuple) and getattr(value, "dtype", None) != np.dtype(object):
        return value
    return [np.nan if is_missing(number) else number for number in value]


def _check_names(
    names: tuple[str, ...], schema: FeatureSchema, used: Collection[str] | None
) -> None:
    """Refuse duplicates, surplus coefficients and tables with no known column; warn of typos."""
    arrays = [array for array in schema.arrays if _any_used(array, used)]
    check_once(names, arrays, used)
    for array in arrays:
        surplus = sorted(set(_scalars(names, array)) - {column.name for column in array.columns})
        if surplus:
            raise ColumnError(
                f"The schema {schema.release!r} has {array.size} {array.prefix.upper()} "
                f"coefficients, got a column {surplus[0]!r}. Pass the schema of that release."
            )
    known = {*schema.names, *(array.name for array in schema.arrays)}
    check_any_known(names, known, f"a feature of the schema {schema.release!r}")


def check_once(
    names: Sequence[str],
    arrays: Sequence[CoefficientArray],
    used: Collection[str] | None = None,
) -> None:
    """Refuse columns that come twice, and coefficients both as an array and one by one.

    Of columns that are not ``used`` any number may have one name; None uses all.
    """
    twice = sorted({name for name in names if names.count(name) > 1})
    twice = [name for name in twice if used is None or name in used]
    if twice:
        raise ColumnError(f"Column names must be distinct, got {', '.join(twice)} more than once.")
    for array in arrays:
        scalars = _scalars(names, array)
        if scalars and array.name in names:
            raise ColumnError(
                f"The {array.prefix.upper()} coefficients must come once, got both {array.name!r} "
                f"and {scalars[0]!r}. Drop one of them."
            )


def _scalars(names: Sequence[str], array: CoefficientArray) -> list[str]:
    return [name for name in names if re.fullmatch(rf"{array.prefix}_[0-9]+", name)]


def check_any_known(names: Sequence[str], known: set[str], what: str) -> None:
    """Refuse a table without a known column, and warn of columns that are nearly known.

    ``what`` says what a known column is.
    """
    present = known.intersection(names)
    if not present:
        near = (did_you_mean(name, known) for name in names)
        raise ColumnError(
            f"None of the {len(names)} columns is {what}."
            + next(filter(None, near), "")
            + " Use the Gaia archive's column names, such as 'phot_g_mean_mag'."
        )
    for name in set(names) - known:
        near_name = near_miss(name, known - present)
        if near_name:
            warnings.warn(
                f"Column {name!r} is not {what} and is ignored. Did you mean {near_name!r}?",
                MissingColumnWarning,
                stacklevel=5,
            )


def _dtype_name(values: np.ndarray) -> str:
    return {"U": "strings", "S": "strings", "M": "dates", "c": "complex numbers"}.get(
        values.dtype.kind, str(values.dtype)
    )


def read_labels(table: Any, units: Mapping[str, str]) -> np.ndarray:
    """Return the label columns of a table as a matrix of shape (n_stars, n_labels).

    Parameters
    ----------
    table : any table
        Must have every label as a column.
    units : mapping of str to str
        Label name to unit, in the order wanted.
    """
    columns = require_columns(table)
    absent = [name for name in units if name not in columns]
    if absent:
        raise ColumnError(
            f"The table must have a column for each label, but {', '.join(absent)} "
            f"{'is' if len(absent) == 1 else 'are'} absent."
            + did_you_mean(absent[0], columns.names)
        )
    check_once([name for name in columns.names if name in units], [])
    return np.column_stack(
        [
            read_scalar(columns, name, unit, log_of=LABELS[name].log_of if name in LABELS else "")
            for name, unit in units.items()
        ]
    )
