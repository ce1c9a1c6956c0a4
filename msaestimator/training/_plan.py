"""Order in which stars that are on disk are trained on."""

from collections.abc import Iterator, Sequence

import numpy as np

__all__ = ["WINDOW", "plan", "shuffled_rows"]

WINDOW = 100_000
"""Stars that are shuffled together in memory: as many whole pieces as begin within so many."""


def plan(seed: int, epoch: int, rank: int, world: int, sizes: np.ndarray) -> list[np.ndarray]:
    """Return the pieces that a process reads in an epoch, those of a window together.

    Parameters
    ----------
    seed, epoch : int
        Seed of the training, and number of the epoch. The same give the same plan.
    rank, world : int
        Number of the process, from zero, and of all processes. They have as many pieces each, and
        none in common; up to ``world - 1`` pieces, others in each epoch, are nobody's.
    sizes : ndarray of int of shape (n_pieces,)
        Numbers of stars.

    Returns
    -------
    list of ndarray of int
        Numbers of the pieces of each window, in the order in which they are read.
    """
    order = np.random.default_rng([seed, epoch]).permutation(len(sizes))
    mine = order[: len(order) // world * world][rank::world]
    stars = sizes[mine]
    window = (np.cumsum(stars) - stars) // WINDOW
    return np.split(mine, np.flatnonzero(np.diff(window)) + 1)


def shuffled_rows(
    seed: int, epoch: int, pieces: Sequence[np.ndarray], sizes: np.ndarray
) -> Iterator[np.ndarray]:
    """Yield the order of the stars of each window, counted from the first of its first piece."""
    for window in pieces:
        rng = np.random.default_rng([seed, epoch, window[0]])
        yield rng.permutation(int(sizes[window].sum()))
