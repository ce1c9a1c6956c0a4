"""Stars that are in several files, or several times in one, found within bounded memory."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

__all__ = ["find_twice"]

AT_ONCE = 20_000_000
"""Number of ids that are in memory at once, 8 bytes each."""

ODD = np.uint64(0x9E3779B97F4A7C15)
"""Factor that spreads ids, which follow the sky, evenly over the passes."""


def find_twice(
    paths: Sequence[Path], ids_of: Callable[[Path], Iterator[np.ndarray]], n_stars: int
) -> tuple[int, list[Path]] | None:
    """Return the id of a star that is there twice, and the files that have it; None of none.

    Parameters
    ----------
    paths : sequence of Path
        Files of stars.
    ids_of : callable
        Function from a file to arrays of its ids.
    n_stars : int
        Number of stars of all files.
    """
    n_passes = np.uint64(-(-n_stars // AT_ONCE))
    for number in range(int(n_passes)):
        parts = [_of_pass(ids, number, n_passes) for path in paths for ids in ids_of(path)]
        ids = np.sort(np.concatenate(parts))
        twice = ids[1:][ids[1:] == ids[:-1]]
        if len(twice):
            found = [path for path in paths if any(twice[0] in ids for ids in ids_of(path))]
            return int(twice[0]), found
    return None


def _of_pass(ids: np.ndarray, number: int, n_passes: np.uint64) -> np.ndarray:
    """Return the ids that one of several passes looks at."""
    spread = ids.astype(np.uint64) * ODD >> np.uint64(40)
    return ids[spread % n_passes == number]
