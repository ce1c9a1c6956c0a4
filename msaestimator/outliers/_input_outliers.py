"""Outlier scores of inputs: spectrum, colours, and the agreement of both."""

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator

from msaestimator.exceptions import ColumnError
from msaestimator.outliers._brightness_free import BrightnessFreeView
from msaestimator.outliers._density import fit_density, hold_back
from msaestimator.outliers._false_alarm import FalseAlarmRate
from msaestimator.preprocessing import Features, Measurements

__all__ = ["InputOutliers", "measured_of"]

FADING = (1.0, 3.0, 10.0, 30.0, 100.0)
"""Factors by which held-back stars are made noisier, to know what to expect of faint stars."""

PENALTY = 0.5
"""Penalty in dex on the disagreement and colour scores before the largest score is taken.

Without it three tests would raise three times the false alarms.
"""


class InputOutliers(BaseEstimator):
    """Score stars of a table by the false-alarm rate of their inputs.

    A star with a spectrum is an outlier in three ways: spectrum and colours are a rare
    combination, the spectrum does not give its own magnitudes, or the colours are rare. A star
    without one can only have rare colours.

    Attributes
    ----------
    view_ : BrightnessFreeView
        View of stars apart from their brightness.
    spectral_, photometric_ : DensityOutliers or None
        Density of the whole view, for stars with a spectrum, and of colours alone, for others.
    density_rate_, disagreement_rate_ : FalseAlarmRate or None
        Rates of the density and of the spectrum's disagreement with magnitudes, for a star's
        noise.
    rate_ : FalseAlarmRate or None
        Rate of the largest of these scores and that of the colours.
    """

    view_: BrightnessFreeView
    spectral_: Any
    photometric_: Any
    density_rate_: Any
    disagreement_rate_: Any
    rate_: Any

    def fit(self, X: Features) -> Self:
        """Learn from stars of a table, of which one in five tells the rates."""
        measured = measured_of(X)
        values, errors = measured.values, measured.errors
        self.view_ = BrightnessFreeView(measured.schema).fit(values, errors)
        seen = self.view_.transform(values)
        n_xp = self.view_.n_coefficients
        self.photometric_ = fit_density(seen[:, n_xp:])
        has_xp = np.isfinite(seen[:, :n_xp]).any(axis=1)
        seen[~has_xp] = np.nan
        held_back = hold_back(has_xp)
        self.spectral_ = fit_density(seen, weights=self.view_.weights_, held_back=held_back)
        self.density_rate_ = self.disagreement_rate_ = self.rate_ = None
        if self.spectral_ is not None:
            self._fit_rates(values[held_back], errors[held_back])
        return self

    @property
    def is_blind(self) -> bool:
        """Whether the stars of ``fit`` had neither spectra nor colours to be unusual in."""
        return self.photometric_ is None and self.spectral_ is None

    def score(self, X: Features) -> np.ndarray:
        """Return minus log10 of false-alarm rates, (n_stars,), NaN for what is not seen."""
        measured = measured_of(X)
        values = measured.values
        seen = self.view_.transform(values)
        n_xp = self.view_.n_coefficients
        scores = np.full(len(seen), np.nan)
        if self.photometric_ is not None:
            scores = self.photometric_.score(seen[:, n_xp:])
        has_xp = np.isfinite(seen[:, :n_xp]).any(axis=1)
        if self.spectral_ is not None and has_xp.any():
            # All rows are a view, some are a copy of a hundred columns.
            rows = slice(None) if has_xp.all() else has_xp
            rarest = self._rarest(seen[rows], scores[rows], values[rows], measured.errors[rows])
            scores[rows] = self.rate_.score(rarest)
        return scores

    def _rarest(
        self, seen: np.ndarray, colors: np.ndarray, values: np.ndarray, errors: np.ndarray
    ) -> np.ndarray:
        """Return the largest of the scores by density, disagreement and colours, (n_stars,).

        ``seen`` is the view of stars, ``colors`` the score of their colours.
        """
        noise = self.view_.noise(values, errors)
        score = self.density_rate_.score(self.spectral_.misfit(seen), noise)
        if self.disagreement_rate_ is not None:
            disagreement = self.disagreement_rate_.score(self.view_.disagreement(values), noise)
            score = np.fmax(score, disagreement - PENALTY)
        return np.fmax(score, colors - PENALTY)

    def _fit_rates(self, values: np.ndarray, errors: np.ndarray) -> None:
        """Learn what to expect of ordinary stars, and of the same stars were they fainter."""
        rng = np.random.default_rng(0)
        samples: list[tuple[np.ndarray, ...]] = []
        known = np.where(self.view_.is_xp_ & np.isfinite(errors), errors, 0.0)
        for factor in FADING if known.any() else FADING[:1]:
            faded = values + known * np.sqrt(factor**2 - 1) * rng.standard_normal(known.shape)
            noise = self.view_.noise(values, errors * factor)
            density = self.spectral_.misfit(self.view_.transform(faded))
            samples.append((noise, density, self.view_.disagreement(faded)))
        noise, density, disagreement = map(np.concatenate, zip(*samples, strict=True))
        as_observed = np.arange(len(noise)) < len(values)
        self.density_rate_ = FalseAlarmRate().fit(density, noise, as_observed=as_observed)
        whole = np.isfinite(disagreement)
        if (whole & as_observed).any():
            self.disagreement_rate_ = FalseAlarmRate().fit(
                disagreement[whole], noise[whole], as_observed=as_observed[whole]
            )
        seen = self.view_.transform(values)
        colors = np.full(len(seen), np.nan)
        if self.photometric_ is not None:
            colors = self.photometric_.score(seen[:, self.view_.n_coefficients :])
        self.rate_ = FalseAlarmRate().fit(self._rarest(seen, colors, values, errors))


def measured_of(features: Features) -> Measurements:
    """Return the stars as their table has them."""
    if features.measured is None:
        raise ColumnError(
            "An outlier score of inputs needs stars of a table, got a matrix of features. Use "
            "`DensityOutliers` for these."
        )
    return features.measured
