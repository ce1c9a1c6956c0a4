"""Stars that a trained network finds alike: neighbours in its latent space."""

import numpy as np
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from msaestimator.preprocessing import with_arrays

__all__ = ["find_similar"]


@with_arrays
def find_similar(
    vectors: np.ndarray, k: int, *, among: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return distances and rows of the latent vectors that are nearest to each vector.

    Parameters
    ----------
    vectors : ndarray of shape (n_stars, n_dimensions)
        Latent vectors; NaN of a star without any feature.
    k : int
        Number of stars to find for each star.
    among : ndarray of shape (n_searched, n_dimensions), optional
        The vectors to search. None searches ``vectors``, and finds no star itself.

    Returns
    -------
    distances : ndarray of shape (n_stars, k)
        Increasing, between vectors scaled to unit variance over those searched; NaN of NaN.
    indices : ndarray of int of shape (n_stars, k)
        Rows of ``among``; -1 of NaN.
    """
    # The encoder may be set to return frames.
    vectors = np.asarray(vectors)
    searched = vectors if among is None else np.asarray(among)
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
