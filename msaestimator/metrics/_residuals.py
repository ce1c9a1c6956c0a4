"""Sizes of the residuals: RMSE, sigma, MAE and NMAD."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import median_abs_deviation
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from msaestimator.metrics._values import check_finite, in_one_unit, per_label
from msaestimator.preprocessing import read_sample_weight

__all__ = ["mae", "nmad", "point_score", "residual_std", "rmse"]

NMAD_FACTOR = 1.4826
"""Ratio of standard deviation to median absolute deviation of a normal distribution."""


def point_score(
    score: Callable[..., float],
    y_true: ArrayLike,
    y_pred: ArrayLike,
    sample_weight: ArrayLike | None = None,
) -> float | np.ndarray:
    """Apply ``score(true, predicted)`` to each label's rows where both are known.

    With weights of the stars it is ``score(true, predicted, weights)``.
    """
    true, predicted = in_one_unit(y_true=y_true, y_pred=y_pred)
    check_finite(true, "y_true")
    check_finite(predicted, "y_pred")
    if sample_weight is None:
        return per_label(score, true, predicted)
    weights = read_sample_weight(sample_weight, len(true))
    by_label = np.broadcast_to(weights.reshape(-1, *[1] * (true.ndim - 1)), true.shape)
    return per_label(score, true, predicted, by_label)


def rmse(y_true: ArrayLike, y_pred: ArrayLike) -> float | np.ndarray:
    """Return the root mean square of the residuals.

    Parameters
    ----------
    y_true, y_pred : array-like or Quantity of shape (n_stars,) or (n_stars, n_labels)
        Truth and prediction. Rows where either is NaN or masked are ignored, label by label.
        A plain array is taken to be in the other's unit.

    Returns
    -------
    float or ndarray of shape (n_labels,)
        Score in the unit of ``y_true``; NaN where no row is left.

    Raises
    ------
    ColumnError
        The shapes differ, or a value is infinite or not a number.
    UnitMismatchError
        The units are of different physical types.

    Examples
    --------
    >>> import astropy.units as u
    >>> from msaestimator.metrics import rmse
    >>> rmse([1.0, 2.0, float("nan")], [1.0, 4.0, 5.0])
    1.4142135623730951
    >>> rmse([5000.0, 6000.0] * u.K, [5.1, 6.1] * u.kK)
    100.0
    """
    return point_score(root_mean_squared_error, y_true, y_pred)


def residual_std(y_true: ArrayLike, y_pred: ArrayLike) -> float | np.ndarray:
    """Return the standard deviation of the residuals, the RMSE without the bias.

    Parameters, errors and missing values are those of `rmse`.

    Examples
    --------
    >>> from msaestimator.metrics import residual_std
    >>> residual_std([1.0, 2.0, 3.0], [2.0, 3.0, 4.0])
    0.0
    """
    return point_score(lambda true, predicted: np.std(predicted - true), y_true, y_pred)


def mae(y_true: ArrayLike, y_pred: ArrayLike) -> float | np.ndarray:
    """Return the mean absolute residual.

    Parameters, errors and missing values are those of `rmse`.

    Examples
    --------
    >>> from msaestimator.metrics import mae
    >>> mae([1.0, 2.0], [1.0, 4.0])
    1.0
    """
    return point_score(mean_absolute_error, y_true, y_pred)


def nmad(y_true: ArrayLike, y_pred: ArrayLike) -> float | np.ndarray:
    r"""Return the normalised median absolute deviation of the residuals.

    Parameters, errors and missing values are those of `rmse`.

    Notes
    -----
    :math:`1.4826\,\mathrm{median}\,|r - \mathrm{median}(r)|` with residuals :math:`r`: equal to
    the standard deviation for normal residuals, and blind to a minority of outliers.

    Examples
    --------
    >>> from msaestimator.metrics import nmad
    >>> nmad([0.0, 0.0, 0.0, 0.0, 0.0], [-2.0, -1.0, 0.0, 1.0, 1000.0])
    1.4826
    """
    return point_score(_nmad_of_rows, y_true, y_pred)


def _nmad_of_rows(true: np.ndarray, predicted: np.ndarray) -> float:
    return NMAD_FACTOR * median_abs_deviation(predicted - true)
