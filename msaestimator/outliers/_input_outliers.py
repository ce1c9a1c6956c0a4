"""How odd stars are: the density of what is seen of them, and whether spectra fit magnitudes."""

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator

from msaestimator.outliers._false_alarm import FalseAlarmRate
from msaestimator.outliers._density import fit_novelty, hold_back
from msaestimator.outliers._brightness_free import StarView
from msaestimator.schema import FeatureSchema

__all__ = ["Oddity"]

FADING = (1.0, 3.0, 10.0, 30.0, 100.0)
"""How many times noisier held-back stars are made, to know what to expect of faint stars."""

HANDICAP = 0.5
"""Decades of false-alarm rate by which the lesser ways to be odd count less.

Each adds false alarms, and the density of the whole view has most use for those there may be.
"""


class Oddity(BaseEstimator):
    """Score stars of a table by the false-alarm rate of their inputs.

    A star with a spectrum is odd in three ways: spectrum and colours are seldom seen together,
    the spectrum does not give its own magnitudes, or the colours are seldom seen. One without
    is so in the last.

    Parameters
    ----------
    schema : FeatureSchema, optional
        None is :data:`msaestimator.schema.GAIA_DR3`.

    Attributes
    ----------
    view_ : StarView
        What is seen of stars.
    spectral_, photometric_ : Novelty or None
        Of the whole view, for stars with a spectrum, and of colours alone, for others.
    density_rate_, disagreement_rate_ : FalseAlarmRate or None
        Of the density and of the spectrum's disagreement with magnitudes, for a star's noise.
    rate_ : FalseAlarmRate or None
        Of the oddest of these and the colours.
    """

    def __init__(self, schema: FeatureSchema | None = None) -> None:
        self.schema = schema

    def fit(self, X: Any) -> Self:
        """Learn from a table of stars, of which one in five tells the rates."""
        self.view_ = StarView(self.schema)
        values, errors = self.view_.read(X)
        self.view_.fit(values, errors)
        seen = self.view_.transform(values)
        n_xp = self.view_.n_coefficients
        self.photometric_ = fit_novelty(seen[:, n_xp:])
        has_xp = np.isfinite(seen[:, :n_xp]).any(axis=1)
        seen[~has_xp] = np.nan
        held_back = hold_back(has_xp)
        self.spectral_ = fit_novelty(seen, weights=self.view_.weights_, held_back=held_back)
        self.density_rate_ = self.disagreement_rate_ = self.rate_ = None
        if self.spectral_ is not None:
            self._fit_rates(values[held_back], errors[held_back])
        return self

    @property
    def is_blind(self) -> bool:
        """Whether the stars of ``fit`` had neither spectra nor colours to be odd in."""
        return self.photometric_ is None and self.spectral_ is None

    def score(self, X: Any) -> np.ndarray:
        """Return minus log10 of false-alarm rates, (n_stars,), NaN for what is not seen."""
        values, errors = self.view_.read(X)
        seen = self.view_.transform(values)
        n_xp = self.view_.n_coefficients
        colors = seen[:, n_xp:]
        scores = np.full(len(seen), np.nan)
        if self.photometric_ is not None:
            scores = self.photometric_.score(colors)
        has_xp = np.isfinite(seen[:, :n_xp]).any(axis=1)
        if self.spectral_ is not None and has_xp.any():
            scores[has_xp] = self.rate_.score(self._oddest(values[has_xp], errors[has_xp]))
        return scores

    def _oddest(self, values: np.ndarray, errors: np.ndarray) -> np.ndarray:
        """Return the rarest of density, disagreement and colours, as minus log10 of its rate."""
        noise = self.view_.noise(values, errors)
        seen = self.view_.transform(values)
        score = self.density_rate_.score(self.spectral_.misfit(seen), noise)
        if self.disagreement_rate_ is not None:
            disagreement = self.disagreement_rate_.score(self.view_.disagreement(values), noise)
            score = np.fmax(score, disagreement - HANDICAP)
        if self.photometric_ is not None:
            colors = self.photometric_.score(seen[:, self.view_.n_coefficients :])
            score = np.fmax(score, colors - HANDICAP)
        return score

    def _fit_rates(self, values: np.ndarray, errors: np.ndarray) -> None:
        """Learn what to expect of ordinary stars, and of the same stars were they fainter."""
        rng = np.random.default_rng(0)
        noise, density, disagreement = [], [], []
        known = np.where(self.view_.is_xp_ & np.isfinite(errors), errors, 0.0)
        for factor in FADING if known.any() else FADING[:1]:
            faded = values + known * np.sqrt(factor**2 - 1) * rng.standard_normal(known.shape)
            noise.append(self.view_.noise(values, errors * factor))
            density.append(self.spectral_.misfit(self.view_.transform(faded)))
            disagreement.append(self.view_.disagreement(faded))
        noise, density, disagreement = map(np.concatenate, (noise, density, disagreement))
        as_observed = np.arange(len(noise)) < len(values)
        self.density_rate_ = FalseAlarmRate().fit(density, noise, as_observed=as_observed)
        whole = np.isfinite(disagreement)
        if (whole & as_observed).any():
            self.disagreement_rate_ = FalseAlarmRate().fit(
                disagreement[whole], noise[whole], as_observed=as_observed[whole]
            )
        self.rate_ = FalseAlarmRate().fit(self._oddest(values, errors))
