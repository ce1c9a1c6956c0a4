"""Several tables of stars as one."""

from collections.abc import Sequence
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import Table, vstack

from msaestimator.exceptions import ColumnError
from msaestimator.schema import StarTable

__all__ = ["join_stars"]


def join_stars(tables: Sequence[Table]) -> StarTable:
    """Return the stars of several tables, each star once.

    Parameters
    ----------
    tables : sequence of Table
        Tables with ``source_id``. The first sets the columns and their units, which the others
        need not state.

    Returns
    -------
    StarTable
        The stars in the order of the tables; of a star that is in several, the first row. NaN
        for the stars of a table that lacks a column.

    Raises
    ------
    ColumnError
        A table lacks a column that does not hold floats, such as ``source_id``.

    Examples
    --------
    >>> from astropy.table import Table
    >>> from msaestimator.datasets import join_stars, load_apogee_xp
    >>> stars = load_apogee_xp()["source_id", "teff"][:3]
    >>> more = Table({"source_id": [stars["source_id"][1], 7], "teff": [5000.0, 5100.0]})
    >>> joined = join_stars([stars, more])
    >>> len(joined), joined["teff"][-1]
    (4, <Quantity 5100. K>)
    """
    first = tables[0]
    rows = [
        StarTable({n: _column(table, n, first[n]) for n in first.colnames}) for table in tables
    ]
    stars = vstack(rows, metadata_conflicts="silent")
    return stars[np.sort(np.unique(stars["source_id"], return_index=True)[1])]


def _column(table: Table, name: str, wanted: Any) -> Any:
    """Return a column like another; NaN if it is absent."""
    if name in table.colnames:
        return _like(wanted, table[name])
    if wanted.dtype.kind != "f":
        raise ColumnError(
            f"A table to join must have {name!r}, which the first has, got columns "
            f"{', '.join(table.colnames)}. Only numbers with decimals can be missing."
        )
    missing = np.full((len(table), *wanted.shape[1:]), np.nan, dtype=wanted.dtype)
    unit = getattr(wanted, "unit", None)
    return missing if unit is None else u.Quantity(missing, unit, copy=False)


def _like(wanted: Any, column: Any) -> Any:
    """Return a column in the unit of another; without a unit it is in that unit already."""
    unit = getattr(wanted, "unit", None)
    if unit is None:
        return column
    if getattr(column, "unit", None) is None:
        return u.Quantity(np.ma.filled(column, np.nan), unit)
    return column.to(unit)
