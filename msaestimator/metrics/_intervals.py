"""Honesty of the predicted uncertainties: pinball loss, z-scores and coverage."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import mean_pinball_loss

from msaestimator.exceptions import ColumnError
from msaestimator.metrics._values import check_finite, in_one_unit, per_label

__all__ = ["coverage", "interval_positions", "pinball_loss", "z_scores"]

ONE_SIGMA = (0.16, 0.84)
"""The quantiles one standard deviation either side of the median, as the thesis rounds them."""


def interval_positions(quantiles: Sequence[float]) -> tuple[int, int, int]:
    """Return the positions of the lower bound, the median and the upper bound in ``quantiles``.

    Parameters
    ----------
    quantiles : sequence of float of length n_quantiles
        Rising levels between 0 and 1, with 0.5 and at least one on either side of it.

    Returns
    -------
    tuple of int
        Positions of 0.16, 0.5 and 0.84; without both of the outer two, the first and last.

    Examples
    --------
    >>> from msaestimator.metrics import interval_positions
    >>> interval_positions((0.05, 0.16, 0.5, 0.84, 0.95))
    (1, 2, 3)
    >>> interval_positions((0.05, 0.25, 0.5, 0.75, 0.95))
    (0, 2, 4)
    """
    levels = _check_quantiles(quantiles)
    middle = np.flatnonzero(np.isclose(levels, 0.5))
    if middle.size == 0 or middle[0] in (0, len(levels) - 1):
        raise ColumnError(
            "`quantiles` must hold 0.5 and a level on either side of it, "
            f"got {tuple(levels.tolist())}."
        )
    bounds = [np.flatnonzero(np.isclose(levels, level)) for level in ONE_SIGMA]
    if all(found.size for found in bounds):
        return int(bounds[0][0]), int(middle[0]), int(bounds[1][0])
    return 0, int(middle[0]), len(levels) - 1


def pinball_loss(
    y_true: ArrayLike, quantiles_pred: ArrayLike, quantiles: Sequence[float]
) -> float | np.ndarray:
    r"""Return the pinball loss, averaged over stars and quantiles.

    Parameters
    ----------
    y_true : array-like or Quantity of shape (n_stars,) or (n_stars, n_labels)
        Truth; NaN is missing.
    quantiles_pred : array-like or Quantity of shape (\*y_true.shape, n_quantiles)
        Predicted quantiles; a row with a NaN among them is ignored.
    quantiles : sequence of float of length n_quantiles
        Rising levels between 0 and 1.

    Returns
    -------
    float or ndarray of shape (n_labels,)
        Loss in the unit of ``y_true``; NaN where no row is left.

    Raises
    ------
    ColumnError
        The shapes do not fit, the levels do not rise between 0 and 1, or a value is infinite.
    UnitMismatchError
        The units are of different physical types.

    Examples
    --------
    >>> from msaestimator.metrics import pinball_loss
    >>> pinball_loss([1.0], [[0.0, 1.0, 3.0]], (0.16, 0.5, 0.84))
    0.16
    """
    levels = _check_quantiles(quantiles)
    predicted = np.moveaxis(np.asanyarray(quantiles_pred), -1, 0)
    if len(predicted) != len(levels):
        raise ColumnError(
            f"`quantiles_pred` must have one entry a quantile on its last axis, {len(levels)}, "
            f"got {len(predicted)}."
        )
    named = {f"quantiles_pred[..., {k}]": values for k, values in enumerate(predicted)}
    arrays = in_one_unit(y_true=y_true, **named)
    for name, values in zip(("y_true", *named), arrays, strict=True):
        check_finite(values, name)

    def mean_over_levels(true: np.ndarray, *predicted: np.ndarray) -> float:
        pairs = zip(levels, predicted, strict=True)
        return np.mean([mean_pinball_loss(true, values, alpha=level) for level, values in pairs])

    return per_label(mean_over_levels, *arrays)


def z_scores(
    y_true: ArrayLike, lower: ArrayLike, median: ArrayLike, upper: ArrayLike
) -> np.ndarray:
    r"""Return residuals in units of the predicted uncertainty.

    Parameters
    ----------
    y_true, lower, median, upper : array-like or Quantity, one shape
        Truth and predicted quantiles, (n_stars,) or (n_stars, n_labels).

    Returns
    -------
    ndarray of the inputs' shape
        Residuals, dimensionless; NaN where anything is missing or the interval's width is not
        positive and finite.

    Raises
    ------
    ColumnError
        The shapes differ, or a truth or median is infinite.
    UnitMismatchError
        The units are of different physical types.

    Notes
    -----
    :math:`z = (y - m) / \sigma` with :math:`\sigma = \frac{1}{2}[(u - m) + (m - l)]`, the
    average of the two half-widths (McKay 2025, section 4.2). A mean above 0 says that
    predictions are too low; a standard deviation above 1, that intervals are too narrow.

    Examples
    --------
    >>> from msaestimator.metrics import z_scores
    >>> z_scores([5.0, 1.0], lower=[3.0, 3.0], median=[4.0, 4.0], upper=[7.0, 7.0])
    array([ 0.5, -1.5])
    """
    true, low, middle, high = in_one_unit(y_true=y_true, lower=lower, median=median, upper=upper)
    check_finite(true, "y_true")
    check_finite(middle, "median")
    width = np.where(np.isfinite(high) & np.isfinite(low), high, np.nan) - low
    return (true - middle) / np.where((width > 0) & np.isfinite(width), width / 2, np.nan)


def coverage(y_true: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> float | np.ndarray:
    """Return the fraction of stars whose truth lies in the predicted interval, ends included.

    Parameters
    ----------
    y_true, lower, upper : array-like or Quantity, one shape
        Truth and bounds, (n_stars,) or (n_stars, n_labels). Rows with a NaN are ignored; a
        bound may be infinite.

    Returns
    -------
    float or ndarray of shape (n_labels,)
        Fraction between 0 and 1; the 0.16 and 0.84 quantiles should give 0.68. NaN where no row is
        left.

    Raises
    ------
    ColumnError
        The shapes differ, or a truth is infinite.
    UnitMismatchError
        The units are of different physical types.

    Examples
    --------
    >>> from msaestimator.metrics import coverage
    >>> coverage([1.0, 2.0, 3.0, 4.0], lower=[0.0, 0.0, 0.0, 0.0], upper=[2.0, 2.0, 2.0, 2.0])
    0.5
    """
    true, low, high = in_one_unit(y_true=y_true, lower=lower, upper=upper)
    check_finite(true, "y_true")
    return per_label(_fraction_inside, true, low, high)


def _fraction_inside(true: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
    return float(np.mean((low <= true) & (true <= high)))


def _check_quantiles(quantiles: Sequence[float]) -> np.ndarray:
    levels = np.asarray(quantiles, dtype=float)
    inside = levels.ndim == 1 and levels.size > 0 and np.all((levels > 0) & (levels < 1))
    if not inside or np.any(np.diff(levels) <= 0):
        raise ColumnError(
            f"`quantiles` must rise between 0 and 1, both left out, got {quantiles}."
        )
    return levels
