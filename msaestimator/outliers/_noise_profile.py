"""Errors of measurements that are usual at each brightness."""

from typing import Self

import numpy as np
from sklearn.base import BaseEstimator

__all__ = ["NoiseProfile"]

STEP = 0.5
"""Distance in mag of the brightnesses at which errors are kept."""


class NoiseProfile(BaseEstimator):
    """Median errors of each column, at brightnesses half a magnitude apart.

    Attributes
    ----------
    places_ : ndarray of shape (n_places,)
        Brightnesses in mag.
    errors_ : ndarray of shape (n_places, n_columns)
        Errors; zero in a column of which none is known.
    """

    def fit(self, errors: np.ndarray, brightness: np.ndarray) -> Self:
        """Learn from errors, (n_stars, n_columns), NaN unknown, and brightness, (n_stars,)."""
        nearest = np.rint(brightness / STEP)
        steps = np.unique(nearest[np.isfinite(nearest)])
        self.places_ = STEP * steps if len(steps) else np.zeros(1)
        medians = np.array([_medians(errors[nearest == step]) for step in steps])
        medians = medians.reshape(-1, errors.shape[1])
        self.errors_ = np.zeros((len(self.places_), errors.shape[1]))
        for column, values in enumerate(medians.T):
            known = np.isfinite(values)
            if known.any():
                self.errors_[:, column] = np.interp(
                    self.places_, self.places_[known], values[known]
                )
        return self

    def at(self, brightness: np.ndarray) -> np.ndarray:
        """Return the errors at brightnesses between those kept, (n_stars, n_columns)."""
        place = np.interp(brightness, self.places_, np.arange(len(self.places_)))
        place = np.nan_to_num(place)
        lower = np.floor(place).astype(int)
        upper = np.minimum(lower + 1, len(self.places_) - 1)
        share = (place - lower)[:, None]
        return (1 - share) * self.errors_[lower] + share * self.errors_[upper]


def _medians(errors: np.ndarray) -> np.ndarray:
    """Return the median of each column, NaN of one of NaN."""
    medians = np.full(errors.shape[1], np.nan)
    known = np.isfinite(errors).any(axis=0)
    medians[known] = np.nanmedian(errors[:, known], axis=0)
    return medians
