"""Agreement of predictions with the truth: R² and Spearman's rank correlation."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import spearmanr
from sklearn.metrics import r2_score

from msaestimator.metrics._residuals import point_score

__all__ = ["r2", "spearman"]


def r2(
    y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
) -> float | np.ndarray:
    """Return the coefficient of determination, as `sklearn.metrics.r2_score` defines it.

    Errors and missing values are those of `rmse`.

    Parameters
    ----------
    y_true, y_pred : array-like or Quantity of shape (n_stars,) or (n_stars, n_labels)
        Truth and prediction.
    sample_weight : array-like of shape (n_stars,), optional
        Weights of the stars; None weighs all alike.

    Returns
    -------
    float or ndarray of shape (n_labels,)
        Coefficient, at most 1; NaN for fewer than two stars.

    Examples
    --------
    >>> from msaestimator.metrics import r2
    >>> r2([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    0.5
    """
    return point_score(_r2_of_rows, y_true, y_pred, sample_weight)


def spearman(y_true: ArrayLike, y_pred: ArrayLike) -> float | np.ndarray:
    """Return Spearman's rank correlation coefficient.

    Parameters, errors and missing values are those of `rmse`.

    Returns
    -------
    float or ndarray of shape (n_labels,)
        Coefficient between -1 and 1; NaN for fewer than two stars and where either side is
        constant.

    Examples
    --------
    >>> from msaestimator.metrics import spearman
    >>> round(spearman([1.0, 2.0, 3.0, 4.0], [10.0, 20.0, 30.0, 31.0]), 6)
    1.0
    """
    return point_score(_spearman_of_rows, y_true, y_pred)


def _r2_of_rows(
    true: np.ndarray, predicted: np.ndarray, weights: np.ndarray | None = None
) -> float:
    n_stars = len(true) if weights is None else np.count_nonzero(weights)
    return r2_score(true, predicted, sample_weight=weights) if n_stars > 1 else np.nan


def _spearman_of_rows(true: np.ndarray, predicted: np.ndarray) -> float:
    # A constant column has no ranks to correlate; scipy would warn and return NaN too.
    if np.ptp(true) == 0 or np.ptp(predicted) == 0:
        return np.nan
    return spearmanr(true, predicted).statistic
