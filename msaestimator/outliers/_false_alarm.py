"""False-alarm rates: the rarity of a misfit among ordinary stars as noisy."""

from typing import Self

import numpy as np
from sklearn.base import BaseEstimator

__all__ = ["FalseAlarmRate"]

N_LEVELS = 60
"""Rates at which misfits are kept."""

STARS_PER_NOISE = 200
"""Ordinary stars that tell what to expect at one noise level."""

MOST_NOISES = 10


class FalseAlarmRate(BaseEstimator):
    """Turn misfits into minus log10 of the fraction of ordinary stars with a larger one.

    Attributes
    ----------
    typical_noise_ : float
        Median noise level, which stars of unknown noise count as.
    noises_ : ndarray of shape (n_noises,)
        Noise levels, rising.
    medians_, widths_ : ndarray of shape (n_noises,)
        The median misfit of ordinary stars at these, and how far above it the 90th percentile is.
    levels_ : ndarray of shape (n_levels,)
        Minus log10 of fractions, from 0 to what so many stars can tell.
    misfits_ : ndarray of shape (n_levels,)
        The misfits, in widths above the median, that these fractions exceed.

    Notes
    -----
    Beyond the largest misfit of an ordinary star the score goes on as a straight line, with
    its mean slope over the last decade of rates.
    """

    def fit(
        self,
        misfit: np.ndarray,
        noise: np.ndarray | None = None,
        *,
        as_observed: np.ndarray | slice = slice(None),
    ) -> Self:
        """Learn from ordinary stars.

        Parameters
        ----------
        misfit : ndarray of shape (n_stars,)
            Misfits, finite.
        noise : ndarray of shape (n_stars,), optional
            Noise levels, on a scale where equal steps matter alike; NaN unknown.
        as_observed : ndarray of bool of shape (n_stars,) or slice
            Stars that give the rates. Others, made noisier than they are, only tell what
            misfit to expect of noise, which hides how odd some ordinary stars are.
        """
        noise = np.zeros(len(misfit)) if noise is None else noise
        known = noise[as_observed][np.isfinite(noise[as_observed])]
        self.typical_noise_ = float(np.median(known)) if len(known) else 0.0
        noise = self._known(noise)
        self._fit_expectation(misfit, noise)
        usual = self._standardize(misfit, noise)[as_observed]
        self.levels_ = np.linspace(0.0, np.log10(len(usual) + 1), N_LEVELS)
        self.misfits_ = np.quantile(usual, 1 - 10**-self.levels_)
        return self

    def score(self, misfit: np.ndarray, noise: np.ndarray | None = None) -> np.ndarray:
        """Return minus log10 of the false-alarm rates, (n_stars,); NaN of NaN."""
        noise = np.full(len(misfit), np.nan) if noise is None else noise
        misfit = self._standardize(misfit, self._known(noise))
        top = self.misfits_[-1]
        decade = self.levels_[-1] - min(1.0, self.levels_[-1])
        width = top - np.interp(decade, self.levels_, self.misfits_)
        slope = (self.levels_[-1] - decade) / max(width, np.finfo(np.float32).eps)
        within = np.interp(misfit, self.misfits_, self.levels_)
        return np.where(misfit > top, self.levels_[-1] + slope * (misfit - top), within)

    def _fit_expectation(self, misfit: np.ndarray, noise: np.ndarray) -> None:
        order = np.argsort(noise)
        n_noises = int(np.clip(len(order) // STARS_PER_NOISE, 1, MOST_NOISES))
        parts = np.array_split(order, n_noises)
        self.noises_ = np.array([np.median(noise[part]) for part in parts])
        self.medians_ = np.array([np.median(misfit[part]) for part in parts])
        high = np.array([np.quantile(misfit[part], 0.9) for part in parts])
        self.widths_ = np.maximum(high - self.medians_, np.finfo(np.float32).eps)

    def _standardize(self, misfit: np.ndarray, noise: np.ndarray) -> np.ndarray:
        expected = np.interp(noise, self.noises_, self.medians_)
        return (misfit - expected) / np.interp(noise, self.noises_, self.widths_)

    def _known(self, noise: np.ndarray) -> np.ndarray:
        return np.where(np.isfinite(noise), noise, self.typical_noise_)
