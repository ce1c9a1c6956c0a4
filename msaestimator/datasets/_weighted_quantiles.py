"""Quantiles of weighted draws."""

import numpy as np

__all__ = ["weighted_quantiles"]


def weighted_quantiles(
    values: np.ndarray, weights: np.ndarray, levels: tuple[float, ...]
) -> np.ndarray:
    """Return quantiles of each row, (n_rows, n_levels), linear between the values.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_draws)
        Draws; a row with NaN has NaN for quantiles.
    weights : ndarray of shape (n_rows, n_draws)
        Weights, not negative, some of each row positive.
    levels : tuple of float of length n_levels
        Levels between 0 and 1.
    """
    order = np.argsort(values, axis=1)
    rising = np.take_along_axis(values, order, axis=1)
    weights = np.take_along_axis(weights, order, axis=1)
    reached = np.cumsum(weights, axis=1)
    # Each draw stands for what lies around it: half of its weight is below, half above.
    middle = (reached - 0.5 * weights) / reached[:, -1:]
    rows = zip(middle, rising, strict=True)
    return np.array([np.interp(levels, *row) for row in rows]).reshape(-1, len(levels))
