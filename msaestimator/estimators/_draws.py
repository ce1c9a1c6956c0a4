"""Draws of requested quantities: each given those before it, all in common, or each by itself."""

from collections.abc import Callable, Sequence

import numpy as np

__all__ = ["draw_apart", "draw_in_common", "draw_jointly"]

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


def draw_in_common(
    error_shares: Callable[[np.ndarray, Sequence[int]], np.ndarray | None],
    predict: Predict,
    values: np.ndarray,
    tokens: Sequence[int],
    n_samples: int,
    rng: np.random.RandomState,
) -> np.ndarray:
    """Return draws as `draw_jointly`, by what errors have in common, in one pass of the network.

    Parameters
    ----------
    error_shares : callable
        Function of the same as ``predict`` that returns the shares of answers' errors in factors,
        (n_stars, n_requests, n_factors + 1), see :func:`msaestimator.networks.error_shares`.
    predict, values, tokens, n_samples, rng
        The same as in `draw_jointly`.
    """
    mean, error = (part[:, None] for part in predict(values, tokens))
    shares = np.asarray(error_shares(values, tokens))
    common, own = shares[..., :-1].swapaxes(1, 2), shares[:, None, :, -1]
    factors = rng.normal(size=(len(values), n_samples, common.shape[1]))
    deviation = factors @ common + own * rng.normal(size=(len(values), n_samples, len(tokens)))
    return np.asarray(mean + error * deviation)


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
