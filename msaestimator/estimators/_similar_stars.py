"""Stars that a trained network finds alike: neighbours in its latent space."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

__all__ = ["SimilarStars"]


class SimilarStars(BaseEstimator):
    """An estimator that turns stars into latent vectors, and so knows which stars are alike."""

    def find_similar(
        self, X: Any, k: int = 10, *, among: Any = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the stars that are most like each star.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_features)
        k : int
            How many to find for each star.
        among : table or array, optional
            The stars to search. None searches ``X`` itself, and finds no star itself.

        Returns
        -------
        distances : ndarray of shape (n_stars, k)
            Increasing: Euclidean, between latent vectors whose components are scaled to unit
            variance over the stars searched. NaN for a star without any feature.
        indices : ndarray of int of shape (n_stars, k)
            Rows of ``among``; -1 for a star without any feature. Such a star is never found.

        Raises
        ------
        ValueError
            There are fewer than ``k`` stars to find.
        """
        check_is_fitted(self, "module_")
        vectors = self._latent_vectors(X)
        searched = vectors if among is None else self._latent_vectors(among)
        asked, known = (np.isfinite(stars).all(axis=1) for stars in (vectors, searched))
        rows = np.flatnonzero(known)
        n_others = len(rows) - (among is None)
        if not 1 <= k <= n_others:
            raise ValueError(
                f"`k` must be between 1 and {n_others}, the number of "
                f"{'other stars of `X`' if among is None else 'stars of `among`'} that have a "
                f"feature, got {k}. Take a smaller `k` or more stars."
            )
        scaler = StandardScaler().fit(searched[rows])
        neighbors = NearestNeighbors(n_neighbors=k).fit(scaler.transform(searched[rows]))
        distances = np.full((len(vectors), k), np.nan)
        indices = np.full((len(vectors), k), -1)
        if asked.any():
            # Without an argument, sklearn looks for neighbours of its own stars beside themselves.
            own = () if among is None else (scaler.transform(vectors[asked]),)
            distances[asked], found = neighbors.kneighbors(*own)
            indices[asked] = rows[found]
        return distances, indices

    def _latent_vectors(self, X: Any) -> np.ndarray:
        """Return latent vectors, (n_stars, n_dimensions), NaN for stars without any feature."""
        return self.transform(X)
