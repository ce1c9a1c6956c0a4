"""Read named columns out of any table into plain float arrays, NaN where missing."""

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import Row, Table
from astropy.utils.masked import Masked

from msaestimator.exceptions import (
    ColumnError,
    MissingColumnWarning,
    UnitMismatchError,
    did_you_mean,
)
from msaestimator.schema import CoefficientArray, FeatureSchema

__all__ = [
    "NORMALIZED",
    "check_any_known",
    "check_once",
    "column_names",
    "is_table",
    "read_array",
    "read_column",
    "read_errors",
    "read_features",
    "read_labels",
    "read_scalar",
]

NORMALIZED = "normalized_"
"""Prefix of a coefficient's name once it is divided by the G flux and scaled."""

ARCHIVE_MISSING = -9999.0
"""Number that several surveys write where they have no measurement."""


def column_names(table: Any) -> tuple[str, ...] | None:
    """Return the column names of a table, DataFrame or structured array; None of an array.

    One row by itself is an error.
    """
    if isinstance(table, Row | np.void):
        raise ColumnError(
            "Stars must be a table, with a row for each, got one row by itself. Pass a slice of "
            "the table, such as stars[:1]."
        )
    if isinstance(table, Table):
        return tuple(table.colnames)
    if hasattr(table, "iloc") and hasattr(table, "columns"):
        return tuple(str(name) for name in table.columns)
    return getattr(getattr(table, "dtype", None), "names", None)


def is_table(X: Any, schema: FeatureSchema) -> bool:
    """Tell raw stars, read by column name, from a matrix of prepared features.

    An astropy table and a structured array are always stars. A DataFrame is stars if it has a
    column (or the near miss of one) of the schema and none of the names that
    `XPCoefficientScaler` gives its output.
    """
    names = column_names(X)
    if names is None:
        return False
    if isinstance(X, np.ndarray | Table):
        return True
    if any(name.startswith(NORMALIZED) for name in names):
        return False
    known = {*schema.names, *(array.name for array in schema.arrays)}
    return any(name in known or _near_miss(name, known) for name in names)


def read_features(table: Any, schema: FeatureSchema) -> np.ndarray:
    """Return the schema's columns of a table as a matrix in the schema's units.

    Parameters
    ----------
    table : Table, QTable, StarTable, DataFrame or structured array of length n_stars
        Columns the schema does not know are ignored; XP coefficients come as array columns
        (``bp_coefficients``) or as scalar columns (``bp_1`` …).
    schema : FeatureSchema
        Names, units and order.

    Returns
    -------
    ndarray of shape (n_stars, len(schema)), float64
        Masked, NaN, -9999 and absent values are NaN.

    Raises
    ------
    ColumnError
        No column of the schema is there, or one is duplicated, not numeric, infinite, or of
        the wrong number of coefficients.
    UnitMismatchError
        A unit of another physical type.
    """
    names = column_names(table) or ()
    _check_names(names, schema)
    matrix = np.full((len(table), len(schema)), np.nan)
    position = {name: index for index, name in enumerate(schema.names)}
    for array in schema.arrays:
        if array.name in names:
            matrix[:, [position[c.name] for c in array.columns]] = read_array(table, array)
    for column in schema.columns:
        if column.name in names:
            matrix[:, position[column.name]] = read_scalar(table, column.name, column.unit)
    return matrix


def read_errors(table: Any, schema: FeatureSchema) -> np.ndarray:
    """Return the standard errors of the schema's columns, in their units.

    Parameters
    ----------
    table : any table of length n_stars
    schema : FeatureSchema
        Names the error columns.

    Returns
    -------
    ndarray of shape (n_stars, len(schema)), float64
        NaN where unknown.
    """
    names = column_names(table) or ()
    errors = np.full((len(table), len(schema)), np.nan)
    position = {name: index for index, name in enumerate(schema.names)}
    for array in schema.arrays:
        if array.error in names:
            columns = [position[c.name] for c in array.columns]
            errors[:, columns] = read_array(table, replace(array, name=array.error))
    for column in schema.columns:
        if column.error in names:
            errors[:, position[column.name]] = read_scalar(table, column.error, column.unit)
    return errors


def read_column(table: Any, name: str, unit: str) -> np.ndarray:
    """Return one column as floats in ``unit``, NaN where masked, NaN or -9999.

    A column that states no unit is taken to be in ``unit`` already.
    """
    values, mask, stated = _raw_column(table, name)
    if values.dtype.kind not in "fiub":
        raise ColumnError(
            f"Column {name!r} must hold numbers, got {_dtype_name(values)}. "
            "Convert it, with NaN where a value is missing."
        )
    # Told by the number as written: -9999 mmag is missing, and so is -9999 as float16 rounds it.
    missing = mask | (values == ARCHIVE_MISSING)
    values = _convert(name, np.array(values, dtype=np.float64), stated, unit)
    values[missing] = np.nan
    infinite = np.abs(values) > np.finfo(np.float32).max
    if infinite.any():
        row = int(np.argwhere(infinite)[0][0])
        raise ColumnError(
            f"Column {name!r} must be finite or NaN, got {infinite.sum()} values infinite in "
            f"single precision, the first in row {row}. Set them to NaN if they are missing."
        )
    return values


def read_scalar(table: Any, name: str, unit: str) -> np.ndarray:
    """Return a column of one number a star."""
    values = read_column(table, name, unit)
    if values.ndim != 1:
        raise ColumnError(
            f"Column {name!r} must hold one number a star, got shape {values.shape}."
        )
    return values


def read_array(table: Any, array: CoefficientArray) -> np.ndarray:
    """Return the coefficients, (n_stars, size), or (n_stars, 1) of NaN where no star has any."""
    values = read_column(table, array.name, "")
    if values.ndim == 1 and np.isnan(values).all():
        return values[:, np.newaxis]
    if values.shape[1:] != (array.size,):
        found = " x ".join(str(length) for length in values.shape[1:]) or "1"
        raise ColumnError(
            f"Column {array.name!r} must have {array.size} coefficients a star, got {found}. "
            "Gaia DR3 has 55 BP and 55 RP coefficients, DR4 51 and 55: "
            "pass schema=GAIA_DR3 or GAIA_DR4, or the vocabulary of it, to match the table."
        )
    return values


def _raw_column(table: Any, name: str) -> tuple[np.ndarray, Any, Any]:
    """Return a column's numbers as they stand, where they are masked, and the stated unit."""
    column = table[name]
    if hasattr(column, "to_numpy") and not isinstance(column, np.ndarray):
        column = column.to_numpy()
    mask = np.ma.getmaskarray(column) if isinstance(column, np.ma.MaskedArray) else False
    if isinstance(column, Masked):
        column, mask = column.unmasked, column.mask
    values = np.asarray(getattr(column, "value", column))
    if values.dtype.kind == "O":
        # What lies beneath a mask need not be a number.
        values, mask = _stack_objects(name, np.where(mask, np.array(None), values)), False
    return values, mask, getattr(column, "unit", None)


def _convert(name: str, values: np.ndarray, unit: Any, target: str) -> np.ndarray:
    """Return values in ``target``, which is their unit too if they state none."""
    if unit is None:
        return values
    unit = u.Unit(unit) if isinstance(unit, str) else unit
    wanted = u.Unit(target)
    # mag(AB) and dex(cm/s2) are numbers in mag and dex on a stated zero point.
    plain = getattr(unit, "function_unit", unit)
    if str(plain) == "dex":
        # VOTable has no word for it, and astropy reads a tenth of an unknown "ex" there.
        plain = u.dex
    if plain == wanted or (plain == u.dimensionless_unscaled and wanted == u.dex):
        return values
    if not plain.is_equivalent(wanted):
        hint = (
            "A flux is not a magnitude: convert it with the survey's zero point first."
            if wanted == u.mag
            else "Convert the column or correct its unit."
        )
        raise UnitMismatchError(
            f"Column {name!r} must be in {target or 'no unit'} (or convertible to it), got "
            f"{unit.to_string() or 'dimensionless'} ({unit.physical_type}). {hint}"
        )
    return plain.to(wanted, values)


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
    pandas_missing = type(value).__name__ == "NAType"
    if value is None or value is np.ma.masked or pandas_missing or np.size(value) == 0:
        return np.array([np.nan])
    try:
        if isinstance(value, str | bytes):
            raise TypeError
        return np.ma.filled(np.ma.asarray(value, dtype=np.float64), np.nan).reshape(-1)
    except (TypeError, ValueError):
        raise ColumnError(
            f"Column {name!r} must hold numbers, got {value!r} ({type(value).__name__})."
        ) from None


def _check_names(names: tuple[str, ...], schema: FeatureSchema) -> None:
    """Refuse duplicates, surplus coefficients and tables with no known column; warn of typos."""
    check_once(names, schema.arrays)
    for array in schema.arrays:
        surplus = sorted(set(_scalars(names, array)) - {column.name for column in array.columns})
        if surplus:
            raise ColumnError(
                f"The schema {schema.release!r} has {array.size} {array.prefix.upper()} "
                f"coefficients, got a column {surplus[0]!r}. Pass the schema of that release."
            )
    known = {*schema.names, *(array.name for array in schema.arrays)}
    check_any_known(names, known, f"a feature of the schema {schema.release!r}")


def check_once(names: Sequence[str], arrays: Sequence[CoefficientArray]) -> None:
    """Refuse columns that come twice, and coefficients both as an array and one by one."""
    twice = sorted({name for name in names if names.count(name) > 1})
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
        raise ColumnError(
            f"None of the {len(names)} columns is {what}."
            + "".join(did_you_mean(name, known) for name in names[:1])
            + " Use the Gaia archive's column names, such as 'phot_g_mean_mag'."
        )
    for name in set(names) - known:
        near = _near_miss(name, known - present)
        if near:
            warnings.warn(
                f"Column {name!r} is not {what} and is ignored. Did you mean {near!r}?",
                MissingColumnWarning,
                stacklevel=5,
            )


def _near_miss(name: str, absent: Any) -> str | None:
    """Return the feature this name is a misspelling of: same letters, or one more or less."""
    plain = _letters(name)
    for candidate in sorted(absent):
        target = _letters(candidate)
        if plain == target or (len(target) > 7 and _one_letter_more(plain, target)):
            return candidate
    return None


@lru_cache(maxsize=10_000)
def _letters(name: str) -> str:
    """Return a name's letters and digits alone, in lower case."""
    return re.sub(r"[\W_]", "", name).lower()


def _one_letter_more(first: str, second: str) -> bool:
    """Tell whether one word is the other with one letter too many.

    One letter for another is no misspelling here: ``catwise_w3`` is another band.
    """
    short, long = sorted((first, second), key=len)
    return len(long) - len(short) == 1 and any(
        long[:index] + long[index + 1 :] == short for index in range(len(long))
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
    names = column_names(table) or ()
    absent = [name for name in units if name not in names]
    if absent:
        raise ColumnError(
            f"The table must have a column for each label, but {', '.join(absent)} "
            f"{'is' if len(absent) == 1 else 'are'} absent." + did_you_mean(absent[0], names)
        )
    return np.column_stack([read_scalar(table, name, unit) for name, unit in units.items()])
