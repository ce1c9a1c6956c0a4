"""Density of measurements as noisy as their star is faint: what lies where, and what is left."""

from typing import Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA

from msaestimator.outliers._mixture import fit_mixture
from msaestimator.outliers._noise_profile import NoiseProfile
from msaestimator.preprocessing import with_arrays

__all__ = ["GAUSSIANS_NEAR", "NoisyDensity"]

N_FILLINGS = 4
"""Rounds in which missing values and principal directions settle on each other."""

LEAST_VARIANCE = 1e-4
"""Variance off the principal directions, where there is none: keeps the algebra regular."""

LEAST_PRECISION = 1e-3
"""Precision of a place along directions of which nothing is observed."""

GAUSSIANS_NEAR = 6
"""Gaussians whose density at a place is computed: those most likely by their variances."""

VECTORS_AT_ONCE = 1000


class NoisyDensity(BaseEstimator):
    """Density of vectors with errors, that of precise ones made as noisy.

    Columns are scaled, those that are mostly noise less, and turned to principal directions; along
    these precise vectors are a mixture of Gaussians. A noisy one is placed by weights that
    know its errors, and each Gaussian is as much wider as the place is uncertain.

    Parameters
    ----------
    n_directions : int
        Most principal directions.
    n_gaussians : int
        Most Gaussians; there is one for each 100 vectors.

    Attributes
    ----------
    center_, scale_ : ndarray of shape (n_columns,)
        Origin and unit of the columns.
    noise_ : ndarray of shape (n_columns,)
        Errors of the precise vectors, in these units.
    directions_ : ndarray of shape (n_columns, n_directions)
        Principal directions times their standard deviations.
    variances_ : ndarray of shape (n_columns,)
        Variances off them.
    shares_, means_, covariances_ : ndarray
        Parameters of the Gaussians: (n,), (n, n_directions), (n, n_directions, n_directions).
    profile_ : NoiseProfile
        Errors of the columns at each brightness, in units of the columns.
    """

    def __init__(self, n_directions: int = 16, n_gaussians: int = 48) -> None:
        self.n_directions = n_directions
        self.n_gaussians = n_gaussians

    @with_arrays
    def fit(
        self,
        vectors: np.ndarray,
        errors: np.ndarray,
        noisy: np.ndarray,
        brightness: np.ndarray,
    ) -> Self:
        """Learn where precise vectors lie.

        Parameters
        ----------
        vectors, errors : ndarray of shape (n_vectors, n_columns)
            Vectors and their errors; NaN is missing and unknown. Two with any value are needed.
        noisy : ndarray of shape (n_noisy, n_columns)
            Errors of these and of noisier vectors; NaN is unknown.
        brightness : ndarray of shape (n_noisy,)
            Brightnesses in mag that have such errors.
        """
        low, middle, high = _percentiles(vectors, [16.0, 50.0, 84.0])
        spread = np.where(high > low, (high - low) / 2, 1.0)
        noise = _percentiles(errors, [50.0])[0] / spread
        # A column of noise tells little, and would be most of the variance.
        self.center_, self.scale_ = middle, spread * np.hypot(1.0, noise)
        self.noise_ = noise / np.hypot(1.0, noise)
        self.profile_ = NoiseProfile().fit(noisy / self.scale_, brightness)
        scaled = self._scale(vectors[np.isfinite(vectors).any(axis=1)])
        self._fit_mixture(self._fit_directions(scaled))
        return self

    @with_arrays
    def misfit(
        self,
        vectors: np.ndarray,
        errors: np.ndarray,
        brightness: np.ndarray,
        n_near: int = GAUSSIANS_NEAR,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return how rare a place vectors have, and how much of them no place explains.

        Parameters
        ----------
        vectors, errors : ndarray of shape (n_vectors, n_columns)
            Vectors, each with any value, and their errors; one that is not known is usual.
        brightness : ndarray of shape (n_vectors,)
            Brightnesses in mag, which tell the usual errors.
        n_near : int
            Number of Gaussians that make up the density of a place, its most likely ones. Fewer
            take less time, and no place is less rare by them.

        Returns
        -------
        tuple of two ndarray of shape (n_vectors,)
            Minus the logarithm of the density of the place, over that of noise alone; and the
            logarithm of the mean square of residuals in units of their errors.
        """
        rarity, residual = np.empty(len(vectors)), np.empty(len(vectors))
        for start in range(0, len(vectors), VECTORS_AT_ONCE):
            rows = slice(start, start + VECTORS_AT_ONCE)
            usual = self.profile_.at(brightness[rows])
            known = errors[rows] / self.scale_
            noise = np.where(np.isfinite(known), known, usual)
            variances = self.variances_ + np.maximum(noise**2 - self.noise_**2, 0.0)
            scaled = self._scale(vectors[rows])
            rarity[rows], residual[rows] = self._misfit(scaled, variances, n_near)
        return rarity, residual

    def _misfit(
        self, scaled: np.ndarray, variances: np.ndarray, n_near: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return what ``misfit`` does, of scaled vectors with variances off the directions."""
        observed = np.isfinite(scaled)
        places, uncertain = self._place(scaled, observed / variances)
        squares = (scaled - places @ self.directions_.T) ** 2 / variances
        mean = squares.sum(axis=1, where=observed) / observed.sum(axis=1)
        return self._rarity(places, uncertain, n_near), np.log(np.maximum(mean, LEAST_VARIANCE))

    def _scale(self, vectors: np.ndarray) -> np.ndarray:
        return (vectors - self.center_) / self.scale_

    def _fit_directions(self, scaled: np.ndarray) -> np.ndarray:
        """Set ``directions_`` and ``variances_``, and return the places along them."""
        n_directions = min(self.n_directions, len(scaled) - 1, scaled.shape[1])
        missing = np.isnan(scaled)
        filled = np.where(missing, 0.0, scaled)
        for _ in range(N_FILLINGS if missing.any() else 1):
            with np.errstate(invalid="ignore"):  # shares of no variance at all
                pca = PCA(n_directions, svd_solver="covariance_eigh").fit(filled)
            origin = pca.mean_
            spread = np.sqrt(np.maximum(pca.explained_variance_, LEAST_VARIANCE))
            self.directions_ = pca.components_.T * spread
            off = scaled - pca.inverse_transform(pca.transform(filled))
            variances = np.nansum(off**2, axis=0) / np.maximum((~missing).sum(axis=0), 1)
            self.variances_ = np.maximum(variances, LEAST_VARIANCE)
            # A place along what is not observed counts as usual.
            places, _ = self._place(scaled - origin, ~missing / self.variances_, usual=1.0)
            filled = np.where(missing, origin + places @ self.directions_.T, scaled)
        self.center_ = self.center_ + origin * self.scale_
        return places

    def _place(
        self, scaled: np.ndarray, weights: np.ndarray, usual: float = LEAST_PRECISION
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return vectors' places by weights of their columns, and the places' covariances.

        ``usual`` is the precision of what is known of places without any vector.
        """
        n_columns, n_directions = self.directions_.shape
        products = self.directions_[:, :, None] * self.directions_[:, None]
        precision = weights @ products.reshape(n_columns, -1)
        precision = precision.reshape(-1, n_directions, n_directions)
        covariance = np.linalg.inv(precision + usual * np.eye(n_directions))
        toward = (weights * np.nan_to_num(scaled)) @ self.directions_
        return np.einsum("nij,nj->ni", covariance, toward), covariance

    def _rarity(self, places: np.ndarray, uncertain: np.ndarray, n_near: int) -> np.ndarray:
        """Return minus the logarithm of the density of uncertain places.

        It is relative to a Gaussian's of unit variance that is as uncertain, so that what is
        missing makes no place rare.
        """
        near = self._nearest(places, uncertain, n_near)
        off = places[:, None] - self.means_[near]
        log_peak, squares = _factors(self.covariances_[near] + uncertain[:, None], off)
        heights = np.log(self.shares_[near]) + log_peak - 0.5 * squares
        log_density = np.logaddexp.reduce(heights, axis=1)
        usual, _ = _factors(np.eye(places.shape[1]) + uncertain, np.zeros_like(places))
        return usual - log_density

    def _nearest(self, places: np.ndarray, uncertain: np.ndarray, n_near: int) -> np.ndarray:
        """Return the Gaussians that matter for each place, as far as their variances tell."""
        own = np.diagonal(self.covariances_, axis1=1, axis2=2)
        uncertain = np.diagonal(uncertain, axis1=1, axis2=2)
        distance = np.zeros((len(places), len(own)))
        volume = np.ones_like(distance)
        # One direction after the other, so that what is computed stays in the caches.
        for direction in range(places.shape[1]):
            variance = own[:, direction] + uncertain[:, direction, None]
            distance += (places[:, direction, None] - self.means_[:, direction]) ** 2 / variance
            volume *= variance
        height = np.log(self.shares_) - 0.5 * (distance + np.log(volume))
        n_near = min(n_near, len(self.shares_))
        return np.argpartition(-height, n_near - 1, axis=1)[:, :n_near]

    def _fit_mixture(self, places: np.ndarray) -> None:
        mixture = fit_mixture(places, self.n_gaussians)
        self.shares_ = mixture.weights_
        self.means_ = mixture.means_
        self.covariances_ = mixture.covariances_


def _factors(covariances: np.ndarray, off: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return of Gaussians the logarithm of their peak, but for a constant, and squared distances.

    Parameters
    ----------
    covariances : ndarray of shape (..., n, n)
        Covariances of the Gaussians.
    off : ndarray of shape (..., n)
        Distances from their means, whose squares are told in units of the covariances.
    """
    n = off.shape[-1]
    # With the distances as one more row, its part of the factor is what solves for them.
    joint = np.empty((*off.shape[:-1], n + 1, n + 1))
    joint[..., :n, :n] = covariances
    joint[..., n, :n] = off
    joint[..., n, n] = np.finfo(joint.dtype).max
    lower = np.linalg.cholesky(joint)
    volume = np.diagonal(lower[..., :n, :n], axis1=-2, axis2=-1).prod(axis=-1)
    return -np.log(volume), (lower[..., n, :n] ** 2).sum(axis=-1)


def _percentiles(values: np.ndarray, wanted: list[float]) -> np.ndarray:
    """Return percentiles of each column, (n_wanted, n_columns), 0 of one of NaN."""
    percentiles = np.zeros((len(wanted), values.shape[1]))
    known = np.isfinite(values).any(axis=0)
    if known.any():
        percentiles[:, known] = np.nanpercentile(values[:, known], wanted, axis=0)
    return percentiles
