"""Bring arrays to plain floats in one unit and score them label by label."""

from collections.abc import Callable
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import Column
from astropy.utils.masked import Masked
from numpy.typing import ArrayLike

from msaestimator.exceptions import ColumnError, UnitMismatchError

__all__ = ["check_finite", "in_one_unit", "label_columns", "per_label", "to_floats", "unit_of"]


def unit_of(values: Any) -> u.UnitBase | None:
    """Return the unit of a Quantity or table column, None of what has none."""
    unit = values.unit if isinstance(values, u.Quantity | Column) else None
    # dex(cm / s2) is a number in dex on a stated zero point.
    return getattr(unit, "function_unit", unit)


def to_floats(values: Any, name: str, unit: u.UnitBase | None = None) -> np.ndarray:
    """Return ``values`` as float64 in ``unit``, masked ones as NaN.

    Values without a unit are taken to be in ``unit`` already.
    """
    if isinstance(values, Masked):
        values = values.astype(float).filled(np.nan)
    if isinstance(values, np.ma.MaskedArray):
        values = np.ma.asarray(values, dtype=float).filled(np.nan)
    own = unit_of(values)
    try:
        plain = np.asarray(
            getattr(values, "value", values) if own is not None else values, dtype=np.float64
        )
    except (TypeError, ValueError) as error:
        raise ColumnError(f"`{name}` must hold numbers, NaN where missing: {error}.") from None
    if own is None or unit is None or own == unit:
        return plain
    try:
        return own.to(unit, plain)
    except u.UnitConversionError:
        raise UnitMismatchError(
            f"`{name}` must be in {unit.to_string() or 'no unit'} or a unit convertible to it, "
            f"got {own.to_string() or 'dimensionless'}. Convert it first."
        ) from None


def in_one_unit(**arrays: Any) -> list[np.ndarray]:
    """Return arrays of one shape, ``(n_stars,)`` or ``(n_stars, n_labels)``, in one unit.

    The unit is that of the first array that has one.
    """
    units = [unit_of(values) for values in arrays.values()]
    common = next((unit for unit in units if unit is not None), None)
    plain = {name: to_floats(values, name, common) for name, values in arrays.items()}
    shapes = {name: values.shape for name, values in plain.items()}
    if len(set(shapes.values())) > 1 or len(next(iter(shapes.values()))) not in (1, 2):
        found = ", ".join(f"`{name}` {shape}" for name, shape in shapes.items())
        raise ColumnError(
            "The arrays must have one shape, (n_stars,) or (n_stars, n_labels), "
            f"got {found}. Reshape them to match."
        )
    return list(plain.values())


def label_columns(values: ArrayLike, n_labels: int, name: str) -> np.ndarray:
    """Return ``values`` as (n_stars, n_labels); one label may come as (n_stars,)."""
    values = np.asanyarray(values)
    if values.ndim == 1 and n_labels == 1:
        values = values[:, np.newaxis]
    if values.ndim != 2 or values.shape[1] != n_labels:
        raise ColumnError(
            f"`{name}` must have one column a label, {n_labels}, got shape {values.shape}."
        )
    return values


def check_finite(values: np.ndarray, name: str) -> None:
    """Refuse infinite values; NaN is missing and passes."""
    infinite = np.isinf(values)
    if infinite.any():
        raise ColumnError(
            f"`{name}` must be finite or NaN, got {infinite.sum()} infinite values, the first in "
            f"row {np.argwhere(infinite)[0][0]}. Set them to NaN if they are missing."
        )


def per_label(score: Callable[..., float], *arrays: np.ndarray) -> float | np.ndarray:
    """Apply ``score`` to each label's rows that are NaN in none of the arrays.

    Parameters
    ----------
    score : callable
        Function of one array of shape (n_rows,) for each of ``arrays``; never empty ones.
    *arrays : ndarray of one shape, (n_stars,) or (n_stars, n_labels)

    Returns
    -------
    float or ndarray of shape (n_labels,)
        Score; NaN where no row is left.
    """
    if arrays[0].ndim == 1:
        return _score_rows(score, arrays)
    columns = zip(*(values.T for values in arrays), strict=True)
    return np.array([_score_rows(score, column) for column in columns])


def _score_rows(score: Callable[..., float], columns: tuple[np.ndarray, ...]) -> float:
    keep = ~np.any(np.isnan(columns), axis=0)
    return float(score(*(values[keep] for values in columns))) if keep.any() else np.nan
