"""Score what is told of stars by how far it is, together, from what training stars were like."""

from collections import Counter
from typing import NamedTuple, Self

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator

from msaestimator.outliers._density import rows_by_pattern
from msaestimator.outliers._false_alarm import FalseAlarmRate
from msaestimator.schema import Vocabulary

__all__ = ["TokenOutliers"]

N_REFERENCE = 2000
"""Training stars that are kept to compare with."""

NEIGHBOR = 5
"""The neighbour whose distance tells how lonely a star is."""

LEAST_REFERENCE = 400
"""Fewest training stars that had all that is told, to tell what is rarer than one in a hundred."""

PHOTOMETRIC = ("difference", "over_g_flux")
"""Recipes of words that are not compared: colours and coefficients, of which there are many."""

LARGEST_BLOCK = 20
"""Most words of a block that is compared, as of a matrix of features."""

ROWS_AT_A_TIME = 4096


class TokenOutliers(BaseEstimator):
    """Score told quantities by the false-alarm rate of their distance to training stars.

    Whatever is told of a star, such as its labels, is compared with training stars that had all
    of that. How far the fifth nearest of these is tells, beside how far it is among themselves,
    how often an ordinary star is as lonely. Spectra and colours are not compared.

    Attributes
    ----------
    tokens_ : ndarray of int of shape (n_compared,)
        Positions of the compared words.
    reference_ : ndarray of float32 of shape (n_reference, n_compared)
        Numbers of some training stars, on the scale that the network learns; NaN where unknown.
    """

    tokens_: np.ndarray
    reference_: np.ndarray
    _ordinary: "dict[bytes, _Ordinary | None]"

    def fit(
        self, values: np.ndarray, vocabulary: Vocabulary, before: "TokenOutliers | None" = None
    ) -> Self:
        """Keep some of a training's stars.

        Parameters
        ----------
        values : ndarray of shape (n_stars, n_tokens)
            Quantities on the scale that the network learns, NaN where unknown.
        vocabulary : Vocabulary
        before : TokenOutliers, optional
            Stars of the training that this one goes on with; half of them are kept.
        """
        sizes = Counter(token.block for token in vocabulary.tokens)
        is_compared = [
            token.recipe not in PHOTOMETRIC and sizes[token.block] <= LARGEST_BLOCK
            for token in vocabulary.tokens
        ]
        self.tokens_ = np.flatnonzero(is_compared & np.isfinite(values).any(axis=0))
        drawn = _some(values, N_REFERENCE)[:, self.tokens_]
        if before is not None:
            self.tokens_ = before.tokens_
            half = N_REFERENCE // 2
            drawn = np.concatenate(
                [_some(before.reference_, half), _some(values, half)[:, self.tokens_]]
            )
        self.reference_ = drawn.astype(np.float32)
        self._ordinary = {}
        return self

    def score(self, values: np.ndarray) -> np.ndarray:
        """Return minus log10 of the false-alarm rates of told quantities.

        Parameters
        ----------
        values : ndarray of shape (n_stars, n_tokens)
            Quantities on the scale that the network learns, NaN where unknown.

        Returns
        -------
        ndarray of shape (n_stars,)
            Scores; NaN of a star of which fewer than two compared words are told, or words that
            too few training stars had together.
        """
        told = values[:, self.tokens_]
        is_told = np.isfinite(told)
        scores = np.full(len(told), np.nan)
        for rows in rows_by_pattern(is_told) if told.size else ():
            words = is_told[rows[0]]
            ordinary = self._ordinary_by(words)
            if ordinary is not None:
                distances = _distances(told[np.ix_(rows, words)], ordinary.points, NEIGHBOR)
                scores[rows] = ordinary.rate.score(distances)
        return scores

    def _ordinary_by(self, words: np.ndarray) -> "_Ordinary | None":
        """Return what training stars are like by some words, a mask of the compared ones."""
        known = self.__dict__.setdefault("_ordinary", {})
        key = words.tobytes()
        if key not in known:
            points = self.reference_[:, words]
            points = points[np.isfinite(points).all(axis=1)]
            known[key] = None
            if words.sum() > 1 and len(points) >= LEAST_REFERENCE:
                # Among themselves, where the nearest is the star itself.
                lonely = _distances(points, points, NEIGHBOR + 1)
                known[key] = _Ordinary(points, FalseAlarmRate().fit(lonely))
        return known[key]


class _Ordinary(NamedTuple):
    """Training stars by some words, and the rate of their distances."""

    points: np.ndarray
    rate: FalseAlarmRate


def _some(rows: np.ndarray, most: int) -> np.ndarray:
    """Return some rows, always the same, of an array of more."""
    if len(rows) <= most:
        return rows
    return rows[np.sort(np.random.default_rng(0).choice(len(rows), most, replace=False))]


def _distances(stars: np.ndarray, points: np.ndarray, neighbor: int) -> np.ndarray:
    """Return the distance of each star to the n-th nearest of the points."""
    parts = (
        np.partition(cdist(stars[start : start + ROWS_AT_A_TIME], points), neighbor - 1, axis=1)
        for start in range(0, len(stars), ROWS_AT_A_TIME)
    )
    return np.concatenate([part[:, neighbor - 1] for part in parts])
