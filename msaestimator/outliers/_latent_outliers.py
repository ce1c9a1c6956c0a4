"""Score latent vectors by how rare they are among those of ordinary stars as faint."""

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator

from msaestimator.outliers._density import fit_density
from msaestimator.outliers._rates_by_columns import RatesByColumns, score_by_columns

__all__ = ["LatentOutliers"]


class LatentOutliers(BaseEstimator):
    """Score latent vectors by the false-alarm rate of their density among those as faint.

    Attributes
    ----------
    density_ : DensityOutliers or None
        Density of the vectors, of all brightnesses together.
    rate_ : RatesByColumns, LocalFalseAlarmRate or None
        Rate of its misfit; of a model from before there were kinds of stars, at each brightness
        alone.
    """

    density_: Any
    rate_: Any

    def fit(
        self,
        latent: np.ndarray,
        g_magnitude: np.ndarray,
        held_back: np.ndarray,
        kinds: np.ndarray,
    ) -> Self:
        """Learn which latent vectors are ordinary.

        Parameters
        ----------
        latent : ndarray of shape (n_vectors, n_latent)
            Vectors of stars and of their fainter copies; NaN of those that do not count.
        g_magnitude : ndarray of shape (n_vectors,)
            Magnitudes G on any scale; NaN is unknown.
        held_back : ndarray of bool of shape (n_vectors,)
            Vectors that tell the rates.
        kinds : ndarray of int of shape (n_vectors,)
            Kinds of stars that have rates of their own, see `RatesByColumns`.
        """
        seen = np.isfinite(latent).any(axis=1)
        told = seen & held_back if (seen & held_back).any() else seen
        self.density_ = fit_density(latent, held_back=held_back)
        self.rate_ = None
        if self.density_ is not None:
            misfit = self.density_.misfit(latent[told])
            self.rate_ = RatesByColumns().fit(misfit, g_magnitude[told], kinds[told])
        return self

    def score(self, latent: np.ndarray, g_magnitude: np.ndarray, kinds: np.ndarray) -> np.ndarray:
        """Return minus log10 of the false-alarm rates, (n_vectors,); NaN of no vector."""
        scores = np.full(len(latent), np.nan)
        seen = np.isfinite(latent).any(axis=1)
        if self.density_ is not None and seen.any():
            misfit = self.density_.misfit(latent[seen])
            scores[seen] = score_by_columns(self.rate_, misfit, g_magnitude[seen], kinds[seen])
        return scores
