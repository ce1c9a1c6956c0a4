"""The range of Teff in which training stars have each label, and the label's spread."""

from collections.abc import Sequence
from typing import Self

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.stats import norm
from sklearn.base import BaseEstimator

from msaestimator.metrics import interval_positions
from msaestimator.results import interval_flags

__all__ = ["LabelCoverage"]

NEIGHBORS = 50
"""Stars of like temperature among which the share that knows a label is taken."""

LEAST_SHARE = 0.2
"""Least share of stars that know a label, of its usual share; below it these are lone stars."""

LEAST_EXPECTED = 10
"""A limit is kept only if at least this many labelled stars would be expected beyond it.

Expected are as many as have the label at its usual rate.
"""


class LabelCoverage(BaseEstimator):
    """Learn the range of Teff in which training stars have each label, and the label's spread.

    Everything is on a scale where labels are about normal.

    Parameters
    ----------
    teff : int or None
        Position of the effective temperature among the labels. Without it nothing is limited.

    Attributes
    ----------
    limits_ : ndarray of shape (2, n_labels)
        Range of Teff in which each label is known; infinite where nothing limits it.
    spread_ : ndarray of shape (n_labels,)
        Distance of a label's 16th and 84th percentiles over that of the unit normal's.

    Notes
    -----
    Catalogues have no [Fe/H] for stars without lines to measure it from, so a network is never
    corrected there, and its narrow intervals mean nothing. The limits of a label are the coolest
    and the hottest star that know it, save lone ones (fewer than a fifth of the usual share
    among 50 stars of like Teff). An end that many stars lie beyond, of which 10 would know the
    label as a rule, is a limit; any other is not.
    """

    def __init__(self, teff: int | None) -> None:
        self.teff = teff

    def fit(self, labels: np.ndarray) -> Self:
        """Learn from the labels of a training, (n_stars, n_labels), NaN where unknown."""
        self.spread_ = np.array([_spread(values[np.isfinite(values)]) for values in labels.T])
        self.limits_ = np.array([[-np.inf], [np.inf]]).repeat(labels.shape[1], axis=1)
        if self.teff is None:
            return self
        teff = labels[:, self.teff]
        rows = np.argsort(teff)[: np.isfinite(teff).sum()]
        for label in range(labels.shape[1]):
            self.limits_[:, label] = _limits(teff[rows], np.isfinite(labels[rows, label]))
        return self

    def outside(self, medians: np.ndarray) -> np.ndarray:
        """Tell which labels stars' predicted Teff puts outside their limits.

        ``medians``, and what is returned, have shape (n_stars, n_labels).
        """
        if self.teff is None:
            return np.zeros(medians.shape, dtype=bool)
        teff = medians[:, [self.teff]]
        return (teff < self.limits_[0]) | (teff > self.limits_[1])

    def widen(
        self, quantiles: np.ndarray, levels: Sequence[float], medians: np.ndarray
    ) -> np.ndarray:
        """Return quantiles, (n_stars, n_labels, n_levels), as wide as the spread outside limits.

        ``medians`` are those of the labels, (n_stars, n_labels).
        """
        # DIFF(mckay2025): the thesis takes a network at its word where no star corrected it.
        reach = norm.ppf(levels)
        least = medians[..., None] + self.spread_[:, None] * reach
        wider = np.where(reach < 0, np.minimum(quantiles, least), np.maximum(quantiles, least))
        outside = self.outside(medians)[..., None] & (reach != 0)
        return np.where(outside, wider, quantiles)

    def flags(self, quantiles: np.ndarray, levels: Sequence[float]) -> np.ndarray:
        """Return the flags, (n_stars, n_labels), of quantiles, (n_stars, n_labels, n_levels)."""
        low, middle, high = interval_positions(levels)
        spread = self.spread_ * (norm.ppf(levels[high]) - norm.ppf(levels[low]))
        return interval_flags(
            quantiles[..., high] - quantiles[..., low],
            spread,
            self.outside(quantiles[..., middle]),
        )


def _spread(known: np.ndarray) -> float:
    """Return the standard deviation of a normal with the same 16th and 84th percentiles."""
    if not len(known):
        return np.nan
    return np.ptp(np.percentile(known, [16, 84])) / np.ptp(norm.ppf([0.16, 0.84]))


def _limits(teff: np.ndarray, known: np.ndarray) -> tuple[float, float]:
    """Return the range of rising temperatures in which a label is known."""
    usual = known.mean() if len(known) else 0.0
    share = uniform_filter1d(known.astype(float), NEIGHBORS, mode="nearest")
    inside = np.flatnonzero(known & (share >= LEAST_SHARE * usual))
    if not len(inside):
        return -np.inf, np.inf
    first, last = inside[[0, -1]]
    least = LEAST_EXPECTED / usual
    return (
        teff[first] if first >= least else -np.inf,
        teff[last] if len(teff) - 1 - last >= least else np.inf,
    )
