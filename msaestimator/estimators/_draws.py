"""Draws of requested quantities: each given those before it, or each by itself."""

from collections.abc import Callable, Sequence

import numpy as np

__all__ = ["draw_apart", "draw_jointly"]

Predict = Callable[[np.ndarray, Sequence[int]], tuple[np.ndarray, np.ndarray]]


def draw_jointly(
    predict: Predict,
    values: np.ndarray,
    tokens: Sequence[int],
    n_samples: int,
    rng: np.random.RandomState,
) -> np.ndarray:
    """Return draws of tokens, each told those before it.

    Parameters
    ----------
    predict : callable
        Function of told quantities and asked tokens that returns mean and error of these.
    values : ndarray of shape (n_stars, n_tokens)
        Told quantities as the network learns them, NaN where unknown.
    tokens : sequence of int of length n_requests
        Positions of the asked ones.
    n_samples : int
    rng : RandomState

    Returns
    -------
    ndarray of shape (n_stars, n_samples, n_requests)
    """
    told = np.repeat(values, n_samples, axis=0)
    for token in tokens:
        mean, error = (part[:, 0] for part in predict(told, [token]))
        told[:, token] = rng.normal(mean, error)
    return told[:, tokens].reshape(len(values), n_samples, len(tokens))


def draw_apart(
    predict: Predict,
    values: np.ndarray,
    tokens: Sequence[int],
    n_samples: int,
    rng: np.random.RandomState,
) -> np.ndarray:
    """Return draws as `draw_jointly`, each token's by themselves, in one pass of the network."""
    mean, error = (part[:, None] for part in predict(values, tokens))
    return rng.normal(mean, error, (len(values), n_samples, len(tokens)))
