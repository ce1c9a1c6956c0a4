"""A table of stellar parameters alone as a matrix in the schema's units."""

from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import Table
from astropy.utils.masked import Masked

from msaestimator.schema._labels import LABELS

__all__ = ["holds_only_labels", "label_matrix"]

SURFACE_GRAVITY = u.dex(u.cm / u.s**2)


def holds_only_labels(table: Table) -> bool:
    """Tell whether every column is a stellar parameter, one number a star."""
    return bool(table.colnames) and all(
        name in LABELS and table[name].ndim == 1 and table[name].dtype.kind in "fiu"
        for name in table.colnames
    )


def label_matrix(table: Table) -> np.ndarray:
    """Return the labels in the schema's units, (n_stars, n_labels), NaN where masked.

    A column that states no unit is taken to be in the schema's.
    """
    return np.column_stack([_floats(table[name], LABELS[name].unit) for name in table.colnames])


def _floats(column: Any, unit: str) -> np.ndarray:
    mask = np.ma.getmaskarray(column) if isinstance(column, np.ma.MaskedArray) else False
    if isinstance(column, Masked):
        column, mask = column.unmasked, column.mask
    if isinstance(column, u.Dex):
        # The only logarithm among the labels that has an absolute unit.
        column = column.to(SURFACE_GRAVITY) if _is_gravity(column.unit) else column
    elif isinstance(column, u.Quantity):
        column = column.to(unit)
    return np.where(mask, np.nan, np.asarray(getattr(column, "value", column), dtype=np.float64))


def _is_gravity(unit: Any) -> bool:
    return bool(unit.physical_unit.is_equivalent(SURFACE_GRAVITY.physical_unit))
