"""A table of stellar parameters alone as a matrix in the schema's units."""

from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import Table
from astropy.utils.masked import Masked

from msaestimator.schema._columns import Label
from msaestimator.schema._labels import LABELS

__all__ = ["holds_only_labels", "label_matrix"]


def holds_only_labels(table: Table) -> bool:
    """Tell whether every column is a stellar parameter, one number a star."""
    return bool(table.colnames) and all(
        name in LABELS and _is_label(LABELS[name], table[name]) for name in table.colnames
    )


def label_matrix(table: Table) -> np.ndarray:
    """Return the labels in the schema's units, (n_stars, n_labels), NaN where missing.

    A column that states no unit is taken to be in the schema's. What no star can have, such as
    the -9999.99 that stands for nothing, is missing as well.
    """
    return np.column_stack([_floats(table[name], LABELS[name]) for name in table.colnames])


def _is_label(label: Label, column: Any) -> bool:
    """Tell whether a column holds numbers in the label's unit, in one like it, or in none."""
    if column.ndim != 1 or column.dtype.kind not in "fiu":
        return False
    unit: Any = getattr(column, "unit", None)
    if isinstance(unit, u.UnrecognizedUnit):
        return False
    if isinstance(column, u.Dex):
        return label.unit == "dex" or unit.physical_unit.is_equivalent(label.unit)
    return unit in (None, u.dimensionless_unscaled) or unit.is_equivalent(label.unit)


def _floats(column: Any, label: Label) -> np.ndarray:
    mask = np.ma.getmaskarray(column) if isinstance(column, np.ma.MaskedArray) else False
    if isinstance(column, Masked):
        column, mask = column.unmasked, column.mask
    values = np.asarray(_in_unit_of(label, column), dtype=np.float64)
    low, high = label.accepted_in(label.unit)
    return np.where(mask | (values < low) | (values > high), np.nan, values)


def _in_unit_of(label: Label, column: Any) -> Any:
    """Return the numbers of a column in the label's unit."""
    if not isinstance(column, u.Quantity):
        return column
    if isinstance(column, u.Dex):
        logarithm = u.dex(label.log_of)
        if label.unit != "dex":
            column = column.physical
        elif column.unit.is_equivalent(logarithm):
            return column.to_value(logarithm)
        else:
            return column.value
    if column.unit == u.dimensionless_unscaled:
        return column.value
    return column.to_value(label.unit)
