"""Score noisy vectors by how rare they are among ordinary ones of the same brightness."""

from typing import Self

import numpy as np
from sklearn.base import BaseEstimator

from msaestimator.outliers._local_rate import LocalFalseAlarmRate
from msaestimator.outliers._noisy_density import GAUSSIANS_NEAR, NoisyDensity

__all__ = ["PENALTY", "NoisyOutliers", "largest", "without_copying"]

PENALTY = 0.5
"""Penalty in dex on all scores but the first before the largest is taken.

Without it several tests would raise several times the false alarms; with rates of the largest it
decides which test has how many of these.
"""


def largest(first: np.ndarray, *others: np.ndarray, penalty: float = PENALTY) -> np.ndarray:
    """Return each vector's largest score, the others less a penalty; NaN does not count."""
    for other in others:
        first = np.fmax(first, other - penalty)
    return first


def without_copying(rows: np.ndarray) -> np.ndarray | slice:
    """Return a mask of rows as what takes them; all of them without a copy."""
    return slice(None) if rows.all() else rows


class NoisyOutliers(BaseEstimator):
    """Score vectors by the false-alarm rate of their place and of what it leaves over.

    Attributes
    ----------
    density_ : NoisyDensity
        Density of the vectors.
    place_rate_, residual_rate_ : LocalFalseAlarmRate
        Rates of the place's rarity and of the residual.
    """

    def fit(
        self,
        vectors: np.ndarray,
        errors: np.ndarray,
        brightness: np.ndarray,
        *,
        learned: np.ndarray,
        tells_rate: np.ndarray,
    ) -> Self:
        """Learn which vectors are ordinary.

        Parameters
        ----------
        vectors, errors : ndarray of shape (n_vectors, n_columns)
            Vectors and their errors; NaN is missing and unknown.
        brightness : ndarray of shape (n_vectors,)
            Brightnesses in mag that have such errors.
        learned, tells_rate : ndarray of bool of shape (n_vectors,)
            Vectors that tell the density, and others that tell the false-alarm rates; those
            without any value do not count.
        """
        seen = np.isfinite(vectors).any(axis=1)
        learned, told = seen & learned, seen & tells_rate
        self.density_ = NoisyDensity().fit(
            vectors[learned], errors[learned], errors[seen], brightness[seen]
        )
        rarity, residual = self.density_.misfit(vectors[told], errors[told], brightness[told])
        self.place_rate_ = LocalFalseAlarmRate().fit(rarity, brightness[told])
        self.residual_rate_ = LocalFalseAlarmRate().fit(residual, brightness[told])
        return self

    def score(
        self,
        vectors: np.ndarray,
        errors: np.ndarray,
        brightness: np.ndarray,
        n_near: int = GAUSSIANS_NEAR,
    ) -> np.ndarray:
        """Return minus log10 of the false-alarm rates, (n_vectors,); NaN of no value at all.

        Arguments are those of `NoisyDensity.misfit`.
        """
        scores = np.full(len(vectors), np.nan)
        seen = np.isfinite(vectors).any(axis=1)
        if seen.any():
            rows = without_copying(seen)
            brightness = brightness[rows]
            rarity, residual = self.density_.misfit(
                vectors[rows], errors[rows], brightness, n_near
            )
            scores[rows] = largest(
                self.place_rate_.score(rarity, brightness),
                self.residual_rate_.score(residual, brightness),
            )
        return scores
