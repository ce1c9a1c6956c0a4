"""Coefficient of determination of stars that are in memory a part at a time."""

from collections.abc import Iterable

import numpy as np

__all__ = ["mean_r2"]


def mean_r2(parts: Iterable[tuple[np.ndarray, np.ndarray]]) -> float:
    """Return the mean over the labels of what :func:`msaestimator.metrics.r2` is of all stars.

    Parameters
    ----------
    parts : iterable of pairs of ndarray of shape (n_stars, n_labels)
        Truth and prediction of some stars, NaN where unknown.

    Returns
    -------
    float
        Mean over the labels that two stars or more know, NaN without any.
    """
    n_stars = mean = around_mean = errors = np.zeros(())
    for truth, predicted in parts:
        known = np.isfinite(truth) & np.isfinite(predicted)
        n_new = known.sum(axis=0)
        values = np.where(known, truth, 0.0)
        own_mean = values.sum(axis=0) / np.maximum(n_new, 1)
        own = np.where(known, truth - own_mean, 0.0)
        total = n_stars + n_new
        # Sums of squares around a mean are exact where those around zero are not.
        shift = own_mean - mean
        between = shift**2 * n_stars * n_new / np.maximum(total, 1)
        around_mean = around_mean + (own**2).sum(axis=0) + between
        mean = mean + shift * n_new / np.maximum(total, 1)
        errors = errors + (np.where(known, truth - predicted, 0.0) ** 2).sum(axis=0)
        n_stars = total
    # As scikit-learn defines it where the truth is constant.
    share = np.divide(errors, around_mean, out=(errors > 0).astype(float), where=around_mean > 0)
    scores = (1.0 - share)[n_stars > 1]
    return float(scores.mean()) if scores.size else float("nan")
