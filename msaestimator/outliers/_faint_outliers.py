"""Outlier scores of inputs at every brightness, learned from stars and their fainter copies."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator

from msaestimator.outliers._brightness_free import BrightnessFreeView
from msaestimator.outliers._input_outliers import measured_of
from msaestimator.outliers._local_rate import LocalFalseAlarmRate
from msaestimator.outliers._noisy_density import GAUSSIANS_NEAR
from msaestimator.outliers._noisy_outliers import NoisyOutliers, largest, without_copying
from msaestimator.outliers._rates_by_columns import (
    RatesByColumns,
    kinds_by_columns,
    score_by_columns,
    with_gaps,
)
from msaestimator.preprocessing import Features

__all__ = ["FaintInputOutliers"]

HELD_BACK = 3
"""One star in so many tells the rates, with its copies."""

BLUE_PENALTY = 0.8
"""Penalty in dex on how blue a star is: it is to tell what is hotter than all, not hot stars."""

FEWEST = 4
"""Fewest stars with spectra, or with colours, of which some are learned and some held back."""


class FaintInputOutliers(BaseEstimator):
    """Score stars of a table by the false-alarm rate of their inputs among stars as faint.

    As of `InputOutliers`, spectrum and colours may be a rare combination, the spectrum may not
    give its own magnitudes, or the colours may be rare. Fainter copies of the stars tell what
    noise is to be expected, and how often it makes an ordinary star look odd, at each G.

    Attributes
    ----------
    view_ : BrightnessFreeView
        View of stars apart from their brightness.
    spectral_, photometric_ : NoisyOutliers or None
        Scores of spectrum and colours together, for stars with a spectrum, and of colours alone.
    disagreement_rate_, blueness_rate_ : LocalFalseAlarmRate or None
        Rates of the spectrum's disagreement with magnitudes, and of how blue stars are.
    rate_, color_rate_ : RatesByColumns, LocalFalseAlarmRate or None
        Rates of the largest of these scores, for stars with a spectrum and for others, among
        stars of which as much is known; of a model from before, among all stars as bright.

    Notes
    -----
    A density says little of the hottest stars, which are as sparse as the Gaussians there are
    wide: what is hotter than all of them seems no rarer. So how few are as blue counts too.
    """

    view_: BrightnessFreeView
    spectral_: Any
    photometric_: Any
    disagreement_rate_: Any
    blueness_rate_: Any
    rate_: Any
    color_rate_: Any

    def fit(self, X: Features, fainter: Sequence[Features] = ()) -> Self:
        """Learn from stars of a table, and from copies of them all, star by star, made fainter."""
        stars, *copies = (measured_of(features) for features in (X, *fainter))
        self.view_ = BrightnessFreeView(stars.schema).fit(stars.values, stars.errors)
        values = np.concatenate([m.values for m in (stars, *copies)])
        errors = np.concatenate([m.errors for m in (stars, *copies)])
        vectors, noise = self.view_.relative(values, errors)
        brightness = self.view_.g_magnitude(values)
        n_xp, n_stars = self.view_.n_coefficients, len(stars)
        has_xp = np.isfinite(vectors[:, :n_xp]).any(axis=1)
        held_back = _held_back(has_xp[:n_stars])
        tells_rate = np.tile(held_back, 1 + len(copies))
        learned = ~tells_rate & (np.arange(len(values)) < n_stars)
        rows = {"learned": learned, "tells_rate": tells_rate}
        self.photometric_ = _fitted(vectors[:, n_xp:], noise[:, n_xp:], brightness, rows)
        misfit = self.view_.blueness(values[tells_rate])
        self.blueness_rate_ = _rate(misfit, brightness[tells_rate])
        vectors[~has_xp] = np.nan
        self.spectral_ = _fitted(vectors, noise, brightness, rows)
        self.disagreement_rate_ = None
        if self.spectral_ is not None:
            told = has_xp & tells_rate
            misfit = self.view_.disagreement(values[told], errors[told])
            self.disagreement_rate_ = _rate(misfit, brightness[told])
        self._fit_rates(values[tells_rate], errors[tells_rate])
        return self

    @property
    def is_blind(self) -> bool:
        """Whether the stars of ``fit`` had neither spectra nor colours to be unusual in."""
        return self.photometric_ is None and self.spectral_ is None

    def score(self, X: Features) -> np.ndarray:
        """Return minus log10 of false-alarm rates, (n_stars,), NaN for what is not seen."""
        measured = measured_of(X)
        return self._score(measured.values, measured.errors)

    def reaches(self, X: Features, score: float) -> np.ndarray:
        """Tell which stars have that score or a larger one, bool of shape (n_stars,).

        In less time than ``score`` takes: with one Gaussian a density no place is less rare, so
        only stars that seem unusual by one are scored by all.
        """
        measured = measured_of(X)
        values, errors = measured.values, measured.errors
        found = self._score(values, errors, n_near=1) >= score
        if found.any():
            found[found] = self._score(values[found], errors[found]) >= score
        return found

    def _score(
        self, values: np.ndarray, errors: np.ndarray, n_near: int = GAUSSIANS_NEAR
    ) -> np.ndarray:
        """Return the scores of stars, by so many Gaussians a density."""
        known = self._brightness_and_kinds(values)
        scores, spectral = self._rarest(values, errors, n_near)
        if self.color_rate_ is not None:
            scores = score_by_columns(self.color_rate_, scores, *known)
        rows = ~np.isnan(spectral)
        if rows.any():
            brightness, kinds = (array[rows] for array in known)
            scores[rows] = score_by_columns(self.rate_, spectral[rows], brightness, kinds)
        return scores

    def _rarest(
        self, values: np.ndarray, errors: np.ndarray, n_near: int = GAUSSIANS_NEAR
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the largest score of stars' colours, and that with their spectra, NaN without."""
        vectors, noise = self.view_.relative(values, errors)
        brightness = self.view_.g_magnitude(values)
        colors, blueness = self._colors(vectors, noise, brightness, n_near), self._blueness(values)
        has_xp = np.isfinite(vectors[:, : self.view_.n_coefficients]).any(axis=1)
        with_spectra = np.full(len(values), np.nan)
        if self.spectral_ is not None and has_xp.any():
            rows = without_copying(has_xp)
            spectral = self.spectral_.score(vectors[rows], noise[rows], brightness[rows], n_near)
            disagreement = self._disagreement(values[rows], errors[rows])
            rarest = largest(spectral, disagreement, colors[rows])
            with_spectra[rows] = largest(rarest, blueness[rows], penalty=BLUE_PENALTY)
        return largest(colors, blueness, penalty=BLUE_PENALTY), with_spectra

    def _fit_rates(self, values: np.ndarray, errors: np.ndarray) -> None:
        """Learn how rare scores are, of stars and of copies that lack some columns."""
        lacking = [*with_gaps(values, self._blocks)]
        values = np.concatenate([values, *(copies for copies, _ in lacking)])
        errors = np.concatenate([errors, *(errors[rows] for _, rows in lacking)])
        known = self._brightness_and_kinds(values)
        self.color_rate_, self.rate_ = (
            RatesByColumns().fit(rarest, *known) if np.isfinite(rarest).any() else None
            for rarest in self._rarest(values, errors)
        )

    def _brightness_and_kinds(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return G of stars and what tells which surveys they have."""
        return self.view_.g_magnitude(values), kinds_by_columns(values, self._blocks)

    @property
    def _blocks(self) -> np.ndarray:
        return np.array([column.block for column in self.view_.schema.columns])

    def _colors(
        self,
        vectors: np.ndarray,
        noise: np.ndarray,
        brightness: np.ndarray,
        n_near: int = GAUSSIANS_NEAR,
    ) -> np.ndarray:
        """Return the score of colours alone, (n_stars,)."""
        if self.photometric_ is None:
            return np.full(len(vectors), np.nan)
        colors = slice(self.view_.n_coefficients, None)
        return self.photometric_.score(vectors[:, colors], noise[:, colors], brightness, n_near)

    def _disagreement(self, values: np.ndarray, errors: np.ndarray) -> np.ndarray:
        """Return the score of spectra's disagreement with magnitudes, (n_stars,)."""
        if self.disagreement_rate_ is None:
            return np.full(len(values), np.nan)
        misfit = self.view_.disagreement(values, errors)
        return self.disagreement_rate_.score(misfit, self.view_.g_magnitude(values))

    def _blueness(self, values: np.ndarray) -> np.ndarray:
        """Return the score of how blue stars are, (n_stars,)."""
        if self.blueness_rate_ is None:
            return np.full(len(values), np.nan)
        return self.blueness_rate_.score(
            self.view_.blueness(values), self.view_.g_magnitude(values)
        )


def _rate(misfit: np.ndarray, brightness: np.ndarray) -> LocalFalseAlarmRate | None:
    """Return the fitted rate of a misfit, or None if no star has it."""
    known = np.isfinite(misfit).any()
    return LocalFalseAlarmRate().fit(misfit, brightness) if known else None


def _held_back(has_xp: np.ndarray) -> np.ndarray:
    """Tell which stars tell the rates: one in three of those with spectra, and of the others."""
    held_back = np.zeros(len(has_xp), dtype=bool)
    rng = np.random.default_rng(0)
    for kind in (has_xp, ~has_xp):
        held_back[rng.permutation(np.flatnonzero(kind))[::HELD_BACK]] = True
    return held_back


def _fitted(
    vectors: np.ndarray, errors: np.ndarray, brightness: np.ndarray, rows: dict[str, np.ndarray]
) -> NoisyOutliers | None:
    """Return fitted scores, or None if there are too few stars to learn from and to hold back."""
    seen = np.isfinite(vectors).any(axis=1)
    if min((seen & chosen).sum() for chosen in rows.values()) < FEWEST:
        return None
    return NoisyOutliers().fit(vectors, errors, brightness, **rows)
