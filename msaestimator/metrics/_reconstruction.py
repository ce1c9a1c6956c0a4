"""Score of the reconstruction of hidden features."""

import numpy as np
from numpy.typing import ArrayLike

from msaestimator.exceptions import ColumnError
from msaestimator.metrics._values import in_one_unit

__all__ = ["reconstruction_error"]


def reconstruction_error(x_true: ArrayLike, x_pred: ArrayLike, mask: ArrayLike) -> float:
    """Return the mean absolute error over the features that were hidden.

    Parameters
    ----------
    x_true, x_pred : array-like of shape (n_stars, n_features)
        Features and their reconstruction, usually scaled: every hidden value weighs the same.
        Values that are NaN in either are ignored, since a missing feature has no truth.
    mask : array-like of bool of shape (n_stars, n_features)
        Mask, True where a feature was hidden from the model.

    Returns
    -------
    float
        Mean error; NaN where no hidden feature has a truth.

    Raises
    ------
    ColumnError
        The shapes differ, or ``mask`` is not boolean.

    Examples
    --------
    >>> from msaestimator.metrics import reconstruction_error
    >>> reconstruction_error([[1.0, 2.0]], [[9.0, 2.5]], mask=[[False, True]])
    0.5
    """
    true, predicted = in_one_unit(x_true=x_true, x_pred=x_pred)
    hidden = np.asarray(mask)
    if hidden.dtype != bool or hidden.shape != true.shape:
        raise ColumnError(
            f"`mask` must be boolean of shape {true.shape}, got {hidden.dtype} of shape "
            f"{hidden.shape}."
        )
    errors = np.abs(predicted - true)[hidden]
    known = errors[~np.isnan(errors)]
    return float(known.mean()) if known.size else np.nan
