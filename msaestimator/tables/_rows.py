"""Some rows of whatever container stars come in."""

from typing import Any

import numpy as np
from astropy.table import MaskedColumn, Table

from msaestimator.tables._containers import named_columns
from msaestimator.tables._named_columns import NamedColumns

__all__ = ["take_rows"]


def take_rows(X: Any, rows: np.ndarray) -> Any:
    """Return some rows of a container of stars, a matrix or a sequence.

    Parameters
    ----------
    X : container of n_stars stars, see `named_columns`, or array-like of n_stars rows
    rows : ndarray of int
        Numbers of the rows.

    Returns
    -------
    object
        Container of the same kind where it can be asked for rows, and else `NamedColumns`.
    """
    columns = named_columns(X)
    if columns is None:
        return _rows_of_matrix(X, rows)
    container = columns.container
    if isinstance(container, Table | np.ndarray):
        return container[rows]
    if hasattr(container, "iloc"):
        return container.iloc[rows]

    def read(number: int) -> MaskedColumn:
        values, mask, unit = columns.raw(columns.names[number])
        return MaskedColumn(values[rows], mask=mask[rows], unit=unit)

    return NamedColumns(container, columns.names, len(rows), read)


def _rows_of_matrix(X: Any, rows: np.ndarray) -> Any:
    if isinstance(X, list | tuple):
        return [X[row] for row in rows]
    if hasattr(X, "iloc"):
        return X.iloc[rows]
    return X[rows] if hasattr(X, "shape") else np.asarray(X)[rows]
