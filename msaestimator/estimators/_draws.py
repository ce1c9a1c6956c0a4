"""Draws of requested quantities: each given those before it, or each by itself."""

from collections.abc import Sequence

import numpy as np

from msaestimator.estimators._token_inference import TokenInference

__all__ = ["draw_apart", "draw_jointly"]


def draw_jointly(
    run: TokenInference,
    values: np.ndarray,
    tokens: Sequence[int],
    n_samples: int,
    rng: np.random.RandomState,
) -> np.ndarray:
    """Return draws of tokens, each told those before it.

    Parameters
    ----------
    run : TokenInference
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
        mean, error = (part[:, 0] for part in run.predict(told, [token]))
        told[:, token] = rng.normal(mean, error)
    return told[:, tokens].reshape(len(values), n_samples, len(tokens))


def draw_apart(
    run: TokenInference,
    values: np.ndarray,
    tokens: Sequence[int],
    n_samples: int,
    rng: np.random.RandomState,
) -> np.ndarray:
    """Return draws as `draw_jointly`, each token's by themselves, in one pass of the network."""
    mean, error = (part[:, None] for part in run.predict(values, tokens))
    return rng.normal(mean, error, (len(values), n_samples, len(tokens)))
