"""The range that each quantity of a vocabulary had in training, and where in Teff it was known."""

import warnings
from collections.abc import Sequence
from typing import Self

import numpy as np
from sklearn.base import BaseEstimator

from msaestimator.results import PredictionFlag
from msaestimator.uncertainty._label_coverage import LabelCoverage

__all__ = ["TokenCoverage"]


class TokenCoverage(BaseEstimator):
    """Learn the range of each quantity in training, and in which range of Teff it was known.

    Everything is on the scale that the network learns.

    Parameters
    ----------
    teff : int or None
        Position of the effective temperature among the tokens. Without it no quantity is limited
        to a range of Teff.

    Attributes
    ----------
    n_known_ : ndarray of int of shape (n_tokens,)
        Numbers of training stars that had each quantity.
    range_ : ndarray of shape (2, n_tokens)
        Least and largest value of each; NaN of one that no star had.
    by_teff_ : LabelCoverage
        Range of Teff in which each was known.
    """

    n_known_: np.ndarray
    range_: np.ndarray
    by_teff_: LabelCoverage

    def __init__(self, teff: int | None = None) -> None:
        self.teff = teff

    def fit(self, values: np.ndarray) -> Self:
        """Learn from the quantities of a training, (n_stars, n_tokens), NaN where unknown."""
        self.n_known_ = np.isfinite(values).sum(axis=0)
        with warnings.catch_warnings():
            # A quantity that no star has: NaN.
            warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)
            self.range_ = np.stack([np.nanmin(values, axis=0), np.nanmax(values, axis=0)])
        self.by_teff_ = LabelCoverage(self.teff).fit(values)
        return self

    def extended(self, values: np.ndarray) -> "TokenCoverage":
        """Return the coverage of this and a further training, of quantities as in `fit`.

        Ranges hold both. Numbers are the larger, since a training that goes on mostly has the
        same stars.
        """
        both = TokenCoverage(self.teff).fit(values)
        limits = np.where(both.n_known_, both.by_teff_.limits_, np.nan)
        both.by_teff_.limits_ = _union(self.by_teff_.limits_, limits)
        both.by_teff_.spread_ = self.by_teff_.spread_
        both.range_ = _union(self.range_, both.range_)
        both.n_known_ = np.maximum(self.n_known_, both.n_known_)
        return both

    def input_flags(self, values: np.ndarray) -> np.ndarray:
        """Return ``OUT_OF_RANGE_INPUT`` of stars with a told value beyond its range.

        Parameters
        ----------
        values : ndarray of shape (n_stars, n_tokens)
            Told quantities, NaN where unknown.

        Returns
        -------
        ndarray of int32 of shape (n_stars,)
        """
        beyond = self._beyond(values, slice(None)).any(axis=1)
        return np.where(beyond, PredictionFlag.OUT_OF_RANGE_INPUT, 0).astype(np.int32)

    def with_teff(self, tokens: Sequence[int]) -> list[int]:
        """Return tokens, and that of Teff behind them if the flags of answers depend on it."""
        is_limited = np.isfinite(self.by_teff_.limits_[:, tokens]).any()
        if self.teff is None or self.teff in tokens or not is_limited:
            return [*tokens]
        return [*tokens, self.teff]

    def answer_flags(
        self, values: np.ndarray, tokens: Sequence[int], answers: np.ndarray
    ) -> np.ndarray:
        """Return the flags of answers that extrapolate.

        Parameters
        ----------
        values : ndarray of shape (n_stars, n_tokens)
            Told quantities, NaN where unknown.
        tokens : sequence of int of length n_requests
            Positions of the asked ones.
        answers : ndarray of shape (n_stars, n_requests)
            Medians of these; a star's Teff is among them, if it is not told.

        Returns
        -------
        ndarray of int32 of shape (n_stars, n_requests)
            ``OUT_OF_RANGE_ANSWER`` of answers beyond the range in training,
            ``UNCONSTRAINED_LABEL`` of those that no training star of this Teff knew.
        """
        flags = np.where(self._beyond(answers, tokens), PredictionFlag.OUT_OF_RANGE_ANSWER, 0)
        if self.teff is not None:
            known = np.full(values.shape, np.nan)
            known[:, tokens] = answers
            told = np.isfinite(values[:, self.teff])
            known[told, self.teff] = values[told, self.teff]
            unknown = self.by_teff_.outside(known)[:, tokens]
            flags |= np.where(unknown, PredictionFlag.UNCONSTRAINED_LABEL, 0)
        return flags.astype(np.int32)

    def _beyond(self, values: np.ndarray, tokens: Sequence[int] | slice) -> np.ndarray:
        low, high = self.range_[:, tokens]
        return (values < low) | (values > high)


def _union(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return ranges, (2, n), that hold both; NaN is none."""
    return np.stack([np.fmin(first[0], second[0]), np.fmax(first[1], second[1])])
