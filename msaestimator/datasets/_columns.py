"""Columns of stars read as floats in the schema's units, and written back as they were."""

from collections.abc import Sequence
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import Table

from msaestimator.exceptions import ColumnError
from msaestimator.schema import COEFFICIENT_LIMITS, CoefficientArray, StarTable, limits_of
from msaestimator.tables import (
    NamedColumns,
    as_table,
    convert_unit,
    raw_column,
    require_columns,
    understand_names,
)

__all__ = [
    "copy_stars",
    "read_coefficients",
    "read_matrix",
    "read_numbers",
    "write_coefficients",
    "write_numbers",
]


def copy_stars(stars: Any, known: Sequence[str]) -> StarTable:
    """Return a copy of stars in any container, known columns by our names.

    Parameters
    ----------
    stars : container of n_stars stars, see :func:`msaestimator.tables.named_columns`
        Stars, with names of columns.
    known : sequence of str
        Names that a column may have; those of other catalogues are understood as these.
    """
    columns = require_columns(stars)
    ours, _ = understand_names(columns.names, frozenset(known))
    return as_table(columns.renamed(ours)).copy()


def read_numbers(table: Table | NamedColumns, name: str, unit: str) -> np.ndarray:
    """Return a column as float64 in a unit, NaN where missing or what no star can have.

    Raises
    ------
    ColumnError
        The column does not hold numbers.
    UnitMismatchError
        The column's unit is of another physical type.
    """
    values, mask, stated = raw_column(table[name])
    try:
        if values.dtype.kind == "O":
            # Cells of arrays, as some tables hold coefficients.
            values = np.array(np.where(mask, np.nan, values).tolist(), dtype=float)
            mask = np.isnan(values)
        numbers = np.where(mask, np.nan, values.astype(float))
    except (TypeError, ValueError):
        raise ColumnError(
            f"Column {name!r} must hold numbers, of one shape in all rows, got "
            f"{values.dtype}. Correct it or remove it."
        ) from None
    numbers = convert_unit(name, numbers, stated, unit)
    low, high = limits_of(name, unit)
    return np.where((numbers >= low) & (numbers <= high), numbers, np.nan)


def write_numbers(table: Table, name: str, numbers: np.ndarray, unit: str, like: str) -> None:
    """Set a column, in ``unit`` if that or the column ``like`` states one, with its precision."""
    old = table[name if name in table.colnames else like]
    dtype = old.dtype if old.dtype.kind == "f" else np.dtype(float)
    description = old.info.description if name in table.colnames else None
    stated = getattr(old, "unit", None) is not None
    values = numbers.astype(dtype)
    table[name] = u.Quantity(values, unit, copy=False) if stated else values
    table[name].info.description = description


def read_coefficients(table: Table, array: CoefficientArray) -> np.ndarray | None:
    """Return one band's coefficients, (n_stars, array.size), NaN missing; None if it has none.

    They are an array column or scalar columns, of which some may be absent.
    """
    if array.name in table.colnames:
        return read_matrix(table, array.name, array.size)
    names = _scalar_names(table, array)
    if not names:
        return None
    matrix = np.full((len(table), array.size), np.nan)
    for order, name in names.items():
        matrix[:, order] = _within(read_numbers(table, name, ""))
    return matrix


def read_matrix(table: Table, name: str, size: int) -> np.ndarray:
    """Return an array column, (n_stars, size), NaN missing; another size is a ColumnError."""
    matrix = read_numbers(table, name, "")
    if matrix.shape != (len(table), size):
        raise ColumnError(
            f"Column {name!r} must have {size} coefficients a star, those of Gaia DR3, got "
            f"shape {matrix.shape}."
        )
    return _within(matrix)


def write_coefficients(
    table: Table, array: CoefficientArray, matrix: np.ndarray, errors: np.ndarray
) -> None:
    """Set one band's coefficients, in the columns that they are read from, and their errors."""
    if array.name in table.colnames:
        write_numbers(table, array.name, matrix, "", array.name)
        write_numbers(table, array.error, errors, "", array.name)
        return
    names = _scalar_names(table, array)
    for order, name in names.items():
        write_numbers(table, name, matrix[:, order], "", name)
    write_numbers(table, array.error, errors, "", next(iter(names.values())))


def _scalar_names(table: Table, array: CoefficientArray) -> dict[int, str]:
    """Return the scalar columns of a band that are there, by their place in it."""
    names = enumerate(column.name for column in array.columns)
    return {order: name for order, name in names if name in table.colnames}


def _within(matrix: np.ndarray) -> np.ndarray:
    low, high = COEFFICIENT_LIMITS
    # The number that several surveys write where they have no measurement.
    is_known = (matrix >= low) & (matrix <= high) & (matrix != -9999.0)
    return np.where(is_known, matrix, np.nan)
