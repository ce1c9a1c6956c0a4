"""False-alarm rates at each brightness: the rarity of a misfit among ordinary stars there."""

from typing import Self

import numpy as np
from sklearn.base import BaseEstimator

__all__ = ["LocalFalseAlarmRate"]

N_PLACES = 24
"""Brightnesses at which misfits are kept."""

SHARE = 1 / 7
"""Most of all ordinary stars that tell the misfits of one brightness."""

FEWEST = 600
"""Fewest stars that do, if there are so many: among the brightest."""

LEVELS = np.linspace(0.0, 2.5, 41)
"""Minus log10 of the rates at which misfits are kept."""

STARS_PER_LEVEL = 2.0
"""Ordinary stars as rare as the lowest rate that is kept."""


class LocalFalseAlarmRate(BaseEstimator):
    """Turn misfits into minus log10 of the fraction of stars as bright with a larger one.

    Attributes
    ----------
    typical_ : float
        Median brightness, which stars of unknown one count as.
    places_ : ndarray of shape (n_places,)
        Brightnesses, rising.
    levels_ : ndarray of shape (n_levels,)
        Minus log10 of fractions, from 0.
    misfits_ : ndarray of shape (n_places, n_levels)
        Misfits that these fractions of the ordinary stars there exceed.

    Notes
    -----
    Unlike `FalseAlarmRate`, which scales one distribution of misfits, this has one for each
    brightness: odd stars among the ordinary stand out where noise is small and drown in it
    elsewhere. Beyond the rarest misfit that is kept the score goes on as a straight line, with its
    mean slope over the last decade of rates.
    """

    def fit(self, misfit: np.ndarray, brightness: np.ndarray) -> Self:
        """Learn from ordinary stars.

        Parameters
        ----------
        misfit : ndarray of shape (n_stars,)
            Misfits; NaN does not count.
        brightness : ndarray of shape (n_stars,)
            Brightnesses in mag, or on another scale where equal steps matter alike; NaN
            is unknown.
        """
        known = np.isfinite(brightness)
        self.typical_ = float(np.median(brightness[known])) if known.any() else 0.0
        usable = np.isfinite(misfit)
        brightness = self._known(brightness[usable])
        order = np.argsort(brightness, kind="stable")
        misfit, brightness = misfit[usable][order], brightness[order]
        n_stars = len(misfit)
        windows = _windows(n_stars)
        self.places_ = np.array([np.median(brightness[window]) for window in windows])
        most = max(window.stop - window.start for window in windows)
        rarest = min(STARS_PER_LEVEL, most + 1) / (most + 1)
        self.levels_ = LEVELS[rarest <= 10.0**-LEVELS]
        # In single precision, more than is known of them, they are shorter to write down.
        self.misfits_ = np.array(
            [np.quantile(misfit[window], 1 - 10.0**-self.levels_) for window in windows],
            dtype=np.float32,
        )
        return self

    def score(self, misfit: np.ndarray, brightness: np.ndarray) -> np.ndarray:
        """Return minus log10 of the false-alarm rates, (n_stars,); NaN of NaN."""
        expected = self._expected(self._known(brightness))
        last = len(self.levels_) - 1
        upper = np.clip((misfit[:, None] > expected).sum(axis=1), 1, max(last, 1))
        upper = np.minimum(upper, last)
        rows = np.arange(len(misfit))
        low, high = expected[rows, np.maximum(upper - 1, 0)], expected[rows, upper]
        width = np.maximum(high - low, np.finfo(np.float32).eps)
        step = self.levels_[upper] - self.levels_[np.maximum(upper - 1, 0)]
        within = self.levels_[np.maximum(upper - 1, 0)] + step * np.clip(
            (misfit - low) / width, 0.0, 1.0
        )
        beyond = misfit - expected[:, -1]
        return np.where(beyond > 0, self.levels_[-1] + self._slope(expected) * beyond, within)

    def _expected(self, brightness: np.ndarray) -> np.ndarray:
        """Return the misfits that the fractions exceed at each brightness, (n, n_levels)."""
        upper = np.clip(
            np.searchsorted(self.places_, brightness), 1, max(len(self.places_) - 1, 1)
        )
        lower, upper = upper - 1, np.minimum(upper, len(self.places_) - 1)
        span = np.maximum(self.places_[upper] - self.places_[lower], np.finfo(np.float32).eps)
        share = np.clip((brightness - self.places_[lower]) / span, 0.0, 1.0)[:, None]
        return (1 - share) * self.misfits_[lower] + share * self.misfits_[upper]

    def _slope(self, expected: np.ndarray) -> np.ndarray:
        """Return decades a misfit, (n_stars,), over the last decade of rates."""
        start = np.searchsorted(self.levels_, self.levels_[-1] - 1.0)
        width = expected[:, -1] - expected[:, start]
        decades = max(self.levels_[-1] - self.levels_[start], np.finfo(np.float32).eps)
        return decades / np.maximum(width, np.finfo(np.float32).eps)

    def _known(self, brightness: np.ndarray) -> np.ndarray:
        return np.where(np.isfinite(brightness), brightness, self.typical_)


def _windows(n_stars: int) -> list[slice]:
    """Return the stars, by rising brightness, that tell the misfits of each one.

    Windows are narrower towards the bright end, where stars are few: the outermost would else lie
    far from it.
    """
    middles = n_stars * (1 - np.cos(np.pi * np.arange(N_PLACES) / (N_PLACES - 1))) / 2
    half = np.clip(middles, FEWEST / 2, max(SHARE * n_stars, FEWEST) / 2)
    starts = np.clip(middles - half, 0, max(n_stars - FEWEST, 0)).astype(int)
    stops = np.clip(middles + half, min(FEWEST, n_stars), n_stars).astype(int)
    ends = sorted(set(zip(starts.tolist(), stops.tolist(), strict=True)))
    return [slice(start, stop) for start, stop in ends]
