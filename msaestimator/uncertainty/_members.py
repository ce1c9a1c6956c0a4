"""Several members' quantiles to one: their width and their disagreement together."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import norm

from msaestimator.metrics import interval_positions

__all__ = ["combine_members", "epistemic_share"]


def combine_members(quantiles: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Return the quantiles of an ensemble.

    The median is the mean of the members' medians. The distance of a quantile from it is the
    root of the members' mean squared distance plus the variance of their medians, the latter
    taken as normal: at the 16th and 84th percentiles one standard deviation (thesis section
    3.1.3, last paragraph).

    Parameters
    ----------
    quantiles : ndarray of shape (n_stars, n_members, n_labels, n_quantiles)
        Predicted quantiles on a scale where errors are about normal.
    levels : sequence of float of length n_quantiles
        Increasing levels, with the median in the middle.

    Returns
    -------
    ndarray of shape (n_stars, n_labels, n_quantiles)
        Quantiles in increasing order, as each member's are.
    """
    middle = len(levels) // 2
    medians = quantiles[..., middle]
    spread = medians.var(axis=1)[..., None] * norm.ppf(levels) ** 2
    distance = quantiles - medians[..., None]
    width = np.sqrt((distance**2).mean(axis=1) + spread)
    below = np.arange(len(levels)) < middle
    return medians.mean(axis=1)[..., None] + np.where(below, -width, width)


def epistemic_share(quantiles: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Return the part of an ensemble's variance that is its members' disagreement.

    Parameters
    ----------
    quantiles, levels
        The same as in `combine_members`.

    Returns
    -------
    ndarray of shape (n_stars, n_labels)
        Share from 0 (members agree) to 1, of the interval's squared half-widths on both sides.
    """
    low, middle, high = interval_positions(levels)
    combined = combine_members(quantiles, levels)[..., [low, middle, high]]
    total = (np.diff(combined, axis=-1) ** 2).sum(axis=-1)
    z = norm.ppf([levels[low], levels[high]])
    spread = quantiles[..., middle].var(axis=1) * (z**2).sum()
    # Rounding may put it above one, or leave no width at all.
    return np.minimum(spread / np.maximum(total, np.finfo(float).tiny), 1.0)
