"""False-alarm rates at each brightness, apart for stars that lack 2MASS or optical surveys."""

from collections.abc import Iterator
from itertools import chain, compress, product
from typing import Self

import numpy as np
from sklearn.base import BaseEstimator

from msaestimator.outliers._local_rate import FEWEST, LocalFalseAlarmRate

__all__ = ["RatesByColumns", "kinds_by_columns", "score_by_columns", "with_gaps"]

LACKING = (("tmass",), ("ps1", "sdss", "skymapper"))
"""Blocks of columns that stars may lack together: near-infrared and optical surveys."""


class RatesByColumns(BaseEstimator):
    """Turn misfits into false-alarm rates among stars as bright of which as much is known.

    Attributes
    ----------
    rates_ : tuple of LocalFalseAlarmRate or None
        Rates by the number of a kind; None where there were too few stars.
    overall_ : LocalFalseAlarmRate
        Rate of all stars, for kinds that were too few.
    """

    def fit(self, misfit: np.ndarray, brightness: np.ndarray, kinds: np.ndarray) -> Self:
        """Learn from ordinary stars.

        Parameters
        ----------
        misfit, brightness : ndarray of shape (n_stars,)
            The same as of `LocalFalseAlarmRate`.
        kinds : ndarray of int of shape (n_stars,)
            Kinds of the stars; a kind of fewer than 600 stars has the rate of all.
        """
        self.overall_ = LocalFalseAlarmRate().fit(misfit, brightness)
        of_kind = [np.isfinite(misfit) & (kinds == kind) for kind in range(2 ** len(LACKING))]
        self.rates_ = tuple(
            LocalFalseAlarmRate().fit(misfit[rows], brightness[rows])
            if rows.sum() >= FEWEST
            else None
            for rows in of_kind
        )
        return self

    def score(self, misfit: np.ndarray, brightness: np.ndarray, kinds: np.ndarray) -> np.ndarray:
        """Return minus log10 of the false-alarm rates, (n_stars,); NaN of NaN."""
        scores = np.full(len(misfit), np.nan)
        for kind in np.unique(kinds).tolist():
            rows, rate = kinds == kind, self.rates_[kind] or self.overall_
            scores[rows] = rate.score(misfit[rows], brightness[rows])
        return scores


def score_by_columns(
    rate: RatesByColumns | LocalFalseAlarmRate,
    misfit: np.ndarray,
    brightness: np.ndarray,
    kinds: np.ndarray,
) -> np.ndarray:
    """Return the score of a rate; one of a model from before there were kinds minds none."""
    if isinstance(rate, RatesByColumns):
        return rate.score(misfit, brightness, kinds)
    return rate.score(misfit, brightness)


def kinds_by_columns(values: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """Return numbers that tell which of 2MASS and optical surveys stars have, int (n_stars,).

    Parameters
    ----------
    values : ndarray of shape (n_stars, n_columns)
        Values; NaN is missing.
    blocks : ndarray of str of shape (n_columns,)
        Block of each column.
    """
    has = _has(values, blocks)
    return has.astype(int) @ 2 ** np.arange(has.shape[1])


def with_gaps(values: np.ndarray, blocks: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield copies of stars that lack more than they do, and which stars these are.

    Parameters are those of `kinds_by_columns`. A star has a copy without each of what it has.

    Yields
    ------
    values : ndarray of shape (n_copies, n_columns)
    rows : ndarray of int of shape (n_copies,)
    """
    has = _has(values, blocks)
    for hidden in product((False, True), repeat=len(LACKING)):
        rows = np.flatnonzero(has[:, np.array(hidden)].all(axis=1))
        if any(hidden) and len(rows):
            copies = values[rows]
            names = [*chain.from_iterable(compress(LACKING, hidden))]
            copies[:, np.isin(blocks, names)] = np.nan
            yield copies, rows


def _has(values: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """Tell which of what may be lacking stars have, bool of shape (n_stars, n_lacking)."""
    seen = np.isfinite(values)
    return np.column_stack([seen[:, np.isin(blocks, names)].any(axis=1) for names in LACKING])
