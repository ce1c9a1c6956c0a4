"""Levels of predicted quantiles, and quantiles at other levels."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import norm

__all__ = ["check_levels", "interpolate_rows", "quantiles_at"]

LEAST_STEP = 1e-6
"""Least distance of two knots, so that equal ones do not divide by zero."""


def check_levels(levels: Sequence[float]) -> None:
    """Refuse levels of quantiles that no model can be fitted with."""
    levels = list(levels)
    increasing = all(0 < a < b < 1 for a, b in zip([1e-9, *levels], levels, strict=False))
    if len(levels) % 2 == 0 or not increasing or levels[len(levels) // 2] != 0.5:
        raise ValueError(
            "`quantiles` must be an odd number of increasing levels between 0 and 1 with 0.5 "
            f"in the middle, got {levels}."
        )


def quantiles_at(
    quantiles: np.ndarray, own_levels: Sequence[float], levels: Sequence[float]
) -> np.ndarray:
    """Return predicted quantiles at other levels, along the last axis.

    Between two predicted quantiles the distribution is taken as normal; beyond the outermost,
    distances from the median grow as a normal's.

    Parameters
    ----------
    quantiles : ndarray of shape (n_stars, n_labels, n_own_levels)
        Predicted quantiles on a scale where errors are about normal.
    own_levels, levels : sequence of float
        Levels between 0 and 1; ``own_levels`` rise, with the median in the middle and others
        beside it.
    """
    rows = quantiles.reshape(-1, len(own_levels))
    median = rows[:, [len(own_levels) // 2]]
    own, asked = (np.broadcast_to(norm.ppf(p), (len(rows), len(p))) for p in (own_levels, levels))
    return (median + interpolate_rows(asked, own, rows - median)).reshape(
        *quantiles.shape[:-1], len(levels)
    )


def interpolate_rows(values: np.ndarray, knots: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Interpolate each row linearly between its knots.

    Beyond the outermost knots, go on with the slope from the middle knot to the outermost.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_values)
        Places to interpolate at.
    knots, images : ndarray of shape (n_rows, n_knots)
        Rising places, and the rising values there.
    """
    last, middle = knots.shape[1] - 1, knots.shape[1] // 2
    passed = (knots[:, None] <= values[..., None]).sum(axis=-1)
    left = np.where(passed > last, middle, np.maximum(passed - 1, 0))
    right = np.where(passed == 0, middle, np.minimum(passed, last))
    x0, x1 = (np.take_along_axis(knots, index, axis=1) for index in (left, right))
    y0, y1 = (np.take_along_axis(images, index, axis=1) for index in (left, right))
    return y0 + (y1 - y0) * (values - x0) / np.maximum(x1 - x0, LEAST_STEP)
