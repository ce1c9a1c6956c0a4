"""Stars that a training holds in memory: all of a table, of a dataset on disk a bounded part."""

import warnings
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from msaestimator.datasets import Fragment, StarDataset
from msaestimator.preprocessing import collect_labels
from msaestimator.schema import SPECTROSCOPIC_LABELS

__all__ = ["HELD", "HeldStars", "check_on_disk", "held_stars"]

HELD, HELD_SEED = 20_000, 20261128
"""Stars of a dataset on disk that are held in memory, the same ones each time: half of them drawn
from those with labels. Scales, offsets of surveys, calibration, ranges and outlier scores are
learned from them."""

REMEDIES = {
    "y": ("None", "Write the labels into the files, as columns beside those of the stars."),
    "survey": ("the name of a column, or None,", "Write the surveys into the files, as a column."),
    "sample_weight": ("None", "Write the files without the stars that shall not count."),
}
"""Values that arguments must have for stars on disk, and remedies for others."""

FEWEST = 64
"""Fewest row groups, if there are as many, that these are drawn from."""

SURPLUS = 4
"""Number of rows that they are drawn from, at least, for each of them."""


class HeldStars(NamedTuple):
    """Stars in memory, and where they are on disk.

    Parameters
    ----------
    stars : table of n_stars stars, or array
    rows : ndarray of int of shape (n_stars,)
        Increasing numbers of their rows in the dataset; none of stars that came in memory.
    """

    stars: Any
    rows: np.ndarray

    def left_out(self, dataset: StarDataset, held_back: np.ndarray) -> dict[int, np.ndarray]:
        """Return rows of fragments, by their numbers, that are some of these stars.

        Parameters
        ----------
        dataset : StarDataset
            Dataset of the stars.
        held_back : ndarray of int
            Numbers of some of the stars.
        """
        rows = np.sort(self.rows[held_back])
        starts = np.array([fragment.start for fragment in dataset.fragments])
        fragments = np.searchsorted(starts, rows, side="right") - 1
        return {
            int(number): rows[fragments == number] - starts[number]
            for number in np.unique(fragments)
        }


def held_stars(X: Any, labels: Iterable[str] | None, *, aliases: bool) -> HeldStars:
    """Return stars as they are, or those of a dataset on disk that are held in memory.

    Parameters
    ----------
    X : table of n_stars stars, array, or StarDataset
    labels : iterable of str, or None
        Labels of which held stars shall know some, as far as the dataset has these columns. None
        is those that are learned if none are named.
    aliases : bool
        Whether columns are known by other names too.
    """
    if not isinstance(X, StarDataset):
        return HeldStars(X, np.empty(0, dtype=np.int64))
    wanted = SPECTROSCOPIC_LABELS if labels is None else labels
    rows = _draw_rows(X, [name for name in wanted if name in X.columns], aliases)
    return HeldStars(X.take(rows), rows)


def check_on_disk(X: Any, **others: Any) -> None:
    """Refuse what comes apart from stars on disk, such as ``y``; ``survey`` may be a name."""
    if not isinstance(X, StarDataset):
        return
    for name, value in others.items():
        if value is None or (name == "survey" and isinstance(value, str)):
            continue
        wanted, remedy = REMEDIES[name]
        raise TypeError(
            f"`{name}` must be {wanted} for stars on disk, got {type(value).__name__}. {remedy}"
        )


def _draw_rows(stars: StarDataset, labels: list[str], aliases: bool) -> np.ndarray:
    """Return the numbers of rows that are held, in increasing order."""
    rng = np.random.default_rng(HELD_SEED)
    fragments, n_labelled = stars.fragments, HELD // 2 if labels else 0
    anyone, labelled = np.empty(0, np.int64), np.empty(0, np.int64)
    for n_read, place in enumerate(rng.permutation(len(fragments)).tolist()):
        enough = n_read >= FEWEST and len(anyone) >= SURPLUS * HELD
        if enough and len(labelled) >= SURPLUS * n_labelled:
            break
        rows = fragments[place].start + np.arange(fragments[place].n_rows)
        if not enough:
            anyone = np.append(anyone, rows)
        if labels:
            known = _knows_any(stars, fragments[place], labels, aliases)
            labelled = np.append(labelled, rows[known])
    first = rng.permutation(labelled)[:n_labelled]
    others = rng.permutation(np.setdiff1d(anyone, first))[: HELD - len(first)]
    return np.sort(np.append(first, others))


def _knows_any(
    stars: StarDataset, fragment: Fragment, labels: list[str], aliases: bool
) -> np.ndarray:
    """Tell which stars of a fragment know any of the labels."""
    with warnings.catch_warnings():
        # What is wrong with them is told of those that are held.
        warnings.simplefilter("ignore")
        table = stars.read(fragment, labels)
        found = collect_labels(table, None, labels, invalid="mask", aliases=aliases)
    return np.isfinite(found.values).any(axis=1)
