"""A Gaussian mixture of places along principal directions, as densities are made of."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

__all__ = ["fit_mixture"]

REGULARIZATION = 1e-2
"""Variance added to each Gaussian along each direction, of about unit variance overall."""

VECTORS_PER_GAUSSIAN = 100


def fit_mixture(places: np.ndarray, n_most: int) -> GaussianMixture:
    """Return a mixture fitted to places, (n_vectors, n_directions).

    There is one Gaussian for each 100 vectors, and at most ``n_most``.
    """
    mixture = GaussianMixture(
        int(np.clip(len(places) // VECTORS_PER_GAUSSIAN, 1, n_most)),
        reg_covar=REGULARIZATION,
        tol=1e-2,
        max_iter=40,
        init_params="k-means++",
        random_state=0,
    )
    with warnings.catch_warnings():
        # The density is as good for its use some steps before it settles.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return mixture.fit(places)
