"""Read a column of a table as plain values, and where they are known."""

import astropy.units as u
import numpy as np
from astropy.table import Table

from msaestimator.exceptions import UnitMismatchError

__all__ = ["read_known"]


def read_known(table: Table, name: str, unit: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return a column's values, and where they are neither masked nor NaN.

    Integers stay integers: flags of 64 bits do not survive as floats.

    Parameters
    ----------
    table : Table of n_stars rows
        Table with the column; a column it does not have is unknown everywhere.
    name : str
        Name of a column of one value a star.
    unit : str, optional
        Unit to convert to; a column that states none is taken to be in it already.

    Returns
    -------
    values : ndarray of shape (n_stars,)
        Values of the column; 0 where unknown.
    known : ndarray of bool of shape (n_stars,)

    Raises
    ------
    UnitMismatchError
        The column is in a unit of another physical type.
    """
    if name not in table.colnames:
        return np.zeros(len(table)), np.zeros(len(table), dtype=bool)
    column = table[name]
    known = ~np.broadcast_to(getattr(column, "mask", False), column.shape)
    plain = np.asarray(getattr(column, "unmasked", column))
    if plain.dtype.kind == "f":
        known &= ~np.isnan(plain)
    values = np.zeros_like(plain)
    values[known] = plain[known]
    if unit is not None and column.unit is not None:
        values = _convert(name, values, column.unit, unit)
    return values, known


def _convert(name: str, values: np.ndarray, unit: u.UnitBase, target: str) -> np.ndarray:
    """Return values in ``target``; mag(AB) are numbers in mag on a stated zero point."""
    try:
        return getattr(unit, "function_unit", unit).to(target, values)
    except u.UnitConversionError:
        raise UnitMismatchError(
            f"Column {name!r} must be in {target} (or convertible to it), got {unit} "
            f"({unit.physical_type}). Convert the column or correct its unit."
        ) from None
