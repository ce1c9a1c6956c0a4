"""Score vectors by how rare they are: their density among the vectors of a training set."""

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from sklearn.preprocessing import StandardScaler

from msaestimator.outliers._false_alarm import FalseAlarmRate
from msaestimator.outliers._mixture import fit_mixture
from msaestimator.preprocessing import with_arrays

__all__ = ["DensityOutliers", "fit_density", "hold_back", "rows_by_pattern"]

N_FILLINGS = 5
"""Rounds in which missing values and principal directions settle on each other."""

LEAST_NOISE = 1e-3
"""Variance off the principal directions, where there is none: keeps the algebra regular."""

HELD_BACK = 5
"""One vector in so many is held back when none are named."""


def hold_back(seen: np.ndarray) -> np.ndarray:
    """Tell which vectors are held back: one in five of those seen, or all of fewer than ten.

    Parameters and result are bool of shape (n_vectors,).
    """
    rows = np.random.default_rng(0).permutation(np.flatnonzero(seen))
    held_back = np.zeros(len(seen), dtype=bool)
    held_back[rows if len(rows) < 2 * HELD_BACK else rows[::HELD_BACK]] = True
    return held_back


class DensityOutliers(BaseEstimator):
    """Score vectors by the false-alarm rate of their density under a Gaussian mixture.

    Columns are scaled to unit variance and turned to their principal directions; along these
    the density is a mixture of Gaussians. Vectors held back from it tell how often an ordinary
    one lies at so low a density.

    Parameters
    ----------
    n_directions : int
        Most principal directions.
    n_gaussians : int
        Most Gaussians; there is one for each 100 vectors.

    Attributes
    ----------
    scaler_ : StandardScaler
        Scaler of the columns.
    weights_ : ndarray of shape (n_columns,)
        Weights that multiply the scaled columns.
    loadings_ : ndarray of shape (n_columns, n_directions)
        Principal directions times their standard deviations.
    noise_ : float
        Variance off them, of each column.
    shares_, means_, precisions_ : ndarray
        Parameters of the Gaussians: (n,), (n, n_directions), (n, n_directions, n_directions), the
        last as Cholesky factors.
    rate_ : FalseAlarmRate
        False-alarm rate of minus the logarithm of the density.

    Notes
    -----
    A vector's place along the directions is its most likely one given the values that are
    there, as in probabilistic principal components, so any may be missing (NaN).
    """

    def __init__(self, n_directions: int = 12, n_gaussians: int = 48) -> None:
        self.n_directions = n_directions
        self.n_gaussians = n_gaussians

    @with_arrays
    def fit(
        self,
        X: Any,
        *,
        weights: np.ndarray | None = None,
        held_back: np.ndarray | None = None,
    ) -> Self:
        """Learn which vectors are ordinary.

        Parameters
        ----------
        X : ndarray of shape (n_vectors, n_columns), or Features
            Vectors; NaN is missing. Those without any value do not count; two others are needed.
        weights : ndarray of shape (n_columns,), optional
            Weights of the columns relative to each other.
        held_back : ndarray of bool of shape (n_vectors,), optional
            Vectors for the false-alarm rate. None, or none with a value: one in five, or all
            of fewer than ten.
        """
        X = np.asarray(X)
        self.weights_ = np.ones(X.shape[1]) if weights is None else np.asarray(weights)
        seen = np.isfinite(X).any(axis=1)
        if held_back is None or not (seen & held_back).any():
            held_back = hold_back(seen)
        held_back = seen & held_back
        learned = X[seen & ~held_back] if (seen & ~held_back).sum() > 1 else X[seen]
        with np.errstate(invalid="ignore"):  # a column no vector has: NaN in, NaN out
            self.scaler_ = StandardScaler().fit(learned)
        self._fit_directions(self._scale(learned))
        self._fit_mixture(self._place(self._scale(learned)))
        self.rate_ = FalseAlarmRate().fit(self.misfit(X[held_back]))
        return self

    def score(self, X: Any) -> np.ndarray:
        """Return minus log10 of the false-alarm rates, (n_vectors,); NaN of no value at all."""
        X = np.asarray(X)
        scores = np.full(len(X), np.nan)
        seen = np.isfinite(X).any(axis=1)
        if seen.any():
            scores[seen] = self.rate_.score(self.misfit(X if seen.all() else X[seen]))
        return scores

    @with_arrays
    def misfit(self, X: np.ndarray) -> np.ndarray:
        """Return minus the logarithm of the density, (n_vectors,), for vectors with any value."""
        mixture = GaussianMixture(len(self.shares_))
        mixture.weights_, mixture.means_ = self.shares_, self.means_
        mixture.precisions_cholesky_ = self.precisions_
        return -mixture.score_samples(self._place(self._scale(X)))

    def _scale(self, X: np.ndarray) -> np.ndarray:
        return self.scaler_.transform(X) * self.weights_

    def _fit_directions(self, scaled: np.ndarray) -> None:
        """Set ``loadings_`` and ``noise_``, with what is missing filled in as they have it."""
        n_directions = min(self.n_directions, len(scaled) - 1, scaled.shape[1])
        missing = np.isnan(scaled)
        filled = np.where(missing, 0.0, scaled)
        for _ in range(N_FILLINGS if missing.any() else 1):
            with np.errstate(invalid="ignore"):  # shares of no variance at all
                pca = PCA(n_directions, svd_solver="covariance_eigh").fit(filled)
            self.noise_ = max(float(pca.noise_variance_), LEAST_NOISE)
            variance = np.maximum(pca.explained_variance_ - self.noise_, LEAST_NOISE)
            self.loadings_ = pca.components_.T * np.sqrt(variance)
            filled = np.where(missing, self._place(scaled) @ self.loadings_.T, scaled)

    def _place(self, scaled: np.ndarray) -> np.ndarray:
        """Return vectors' most likely places along the directions, given what is observed."""
        places = np.empty((len(scaled), self.loadings_.shape[1]))
        is_observed = np.isfinite(scaled)
        for rows in rows_by_pattern(is_observed):
            observed = is_observed[rows[0]]
            loadings = self.loadings_[observed]
            precision = loadings.T @ loadings + self.noise_ * np.eye(loadings.shape[1])
            known = scaled[np.ix_(rows, observed)]
            places[rows] = np.linalg.solve(precision, loadings.T @ known.T).T
        return places

    def _fit_mixture(self, places: np.ndarray) -> None:
        mixture = fit_mixture(places, self.n_gaussians)
        self.shares_ = mixture.weights_
        self.means_ = mixture.means_
        self.precisions_ = mixture.precisions_cholesky_


def rows_by_pattern(observed: np.ndarray) -> list[np.ndarray]:
    """Return the rows of bool of shape (n_rows, n_columns) that are alike, pattern by pattern."""
    bits = np.packbits(observed, axis=1)
    # As one value a row: numpy sorts rows of many columns a hundred times slower.
    keys = np.ascontiguousarray(bits).view(f"V{bits.shape[1]}").ravel()
    _, pattern, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return np.split(np.argsort(pattern, kind="stable"), np.cumsum(counts)[:-1])


def fit_density(X: Any, **how: np.ndarray | None) -> DensityOutliers | None:
    """Return fitted `DensityOutliers`, or None if fewer than two vectors have any value."""
    known = np.isfinite(np.asarray(X)).any(axis=1)
    return DensityOutliers().fit(X, **how) if known.sum() > 1 else None
