"""Stars that a model was not made for: unusual inputs or latent vectors, unlearned gaps."""

from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, clone

from msaestimator.outliers._density import fit_density
from msaestimator.outliers._faint_outliers import FaintInputOutliers
from msaestimator.outliers._input_outliers import InputOutliers
from msaestimator.outliers._latent_outliers import LatentOutliers
from msaestimator.outliers._rates_by_columns import kinds_by_columns, with_gaps
from msaestimator.preprocessing import Features
from msaestimator.results import PredictionFlag
from msaestimator.schema import G_BAND

__all__ = ["OUTLIER_SCORE", "OutlierModel", "stars_with_gaps", "training_views"]

OUTLIER_SCORE = 2.0
"""Score from which a star is flagged: a false-alarm rate of 1 %."""

LEAST_WITHOUT = 0.01
"""Least share of what training shows that is without a feature, to learn to do without it."""


class OutlierModel(BaseEstimator):
    """Score how unusual stars are, and flag those that a model was not made for.

    Parameters
    ----------
    detector : estimator, optional
        Scores the inputs of stars: ``fit(features)`` learns from `Features`, and
        ``score(features)`` returns minus log10 of the fraction of ordinary stars that are at
        least as unusual, of shape (n_stars,). None takes `InputOutliers` for stars of a table, or
        `FaintInputOutliers` if there are fainter copies of them, and `DensityOutliers` for a
        matrix of features.

    Attributes
    ----------
    detector_ : estimator or None
        The fitted detector. None of a model that was saved before there was a score, or fitted
        on a single star.
    latent_detectors_ : list of DensityOutliers, LatentOutliers or None
        Detectors on the latent vectors of the training: of stars with XP coefficients, and of the
        same stars without them; with fainter copies, at each brightness. Empty where
        ``detector_`` is None of an old model.
    lacking_ : ndarray of shape (n_features,) or None
        Share of the training's stars that lack each feature. None of a model that was saved before
        this was noted, which counts as zero.
    """

    latent_detectors_: list[Any]
    lacking_: np.ndarray | None = None

    def __init__(self, detector: BaseEstimator | None = None) -> None:
        self.detector = detector

    def fit(
        self,
        features: Features,
        latents: Sequence[np.ndarray],
        held_back: np.ndarray,
        fainter: Sequence[tuple[Features, Sequence[np.ndarray]]] = (),
        lacking: Sequence[tuple[Features, Sequence[np.ndarray]]] = (),
    ) -> Self:
        """Learn what ordinary stars look like.

        Parameters
        ----------
        features : Features of n_stars stars
        latents : pair of ndarray of shape (n_stars, n_latent)
            Latent vectors with and without XP coefficients, NaN where these are missing.
        held_back : ndarray of int
            Rows of stars that the network was not trained on.
        fainter : sequence of pairs of Features and latents
            The same stars made fainter, row by row, once or several times. With them what is
            unusual is learned at each brightness. A ``detector`` that is given learns from the
            stars as they are alone.
        lacking : sequence of pairs of Features and latents
            Copies of stars held back, made fainter or not, that lack some columns: they too tell
            how often latent vectors are as far out.
        """
        copies = [copy for copy, _ in fainter]
        self.detector_ = self._fit_detector(features, copies)
        unseen = np.isin(np.arange(len(features)), held_back)
        self.latent_detectors_ = _fit_latents([(features, latents), *fainter], unseen, lacking)
        shown = np.concatenate([shown.values[shown.is_observed] for shown in (features, *copies)])
        self.lacking_ = np.isnan(shown).mean(axis=0)
        return self

    def score(self, features: Features) -> np.ndarray:
        """Return how unusual the inputs of stars are, (n_stars,).

        Raises
        ------
        ValueError
            The model was fitted before there was a score, or on a single star with features.
        """
        if self.detector_ is None:
            raise ValueError(
                "`outlier_score` needs a regressor fitted on two stars with features or more, by "
                "a version with this score, got another. Fit it again."
            )
        return self.detector_.score(features)

    def flags(self, features: Features, latent: np.ndarray, hide_ratios: np.ndarray) -> np.ndarray:
        """Return the flags of unusual stars, int32 of shape (n_stars,).

        Parameters
        ----------
        features : Features of n_stars stars
        latent : ndarray of shape (n_stars, n_latent)
            The stars' latent vectors.
        hide_ratios : ndarray of shape (n_features,)
            Probability with which training hid each feature.
        """
        flags = np.zeros(len(features), dtype=np.int32)
        flags[self._lacks_needed(features, hide_ratios)] |= PredictionFlag.MISSING_BLOCKS
        if self.detector_ is None:
            return flags
        flags[self._is_unusual(features)] |= PredictionFlag.INCONSISTENT_INPUTS
        alone = features.lacks_xp
        for detector, rows in zip(self.latent_detectors_, (~alone, alone), strict=True):
            if detector is not None and rows.any():
                vectors = latent if rows.all() else latent[rows]
                if isinstance(detector, LatentOutliers):
                    kinds = _kinds(features)[rows]
                    score = detector.score(vectors, _brightness(features)[rows], kinds)
                else:
                    score = detector.score(vectors)
                far = np.flatnonzero(rows)[score >= OUTLIER_SCORE]
                flags[far] |= PredictionFlag.EXTRAPOLATION
        return flags

    def _is_unusual(self, features: Features) -> np.ndarray:
        """Tell which stars' inputs are unusual enough for a flag."""
        if isinstance(self.detector_, FaintInputOutliers):
            return self.detector_.reaches(features, OUTLIER_SCORE)
        return self.score(features) >= OUTLIER_SCORE

    def _lacks_needed(self, features: Features, hide_ratios: np.ndarray) -> np.ndarray:
        """Tell which stars lack a feature that the network has hardly ever been without."""
        without = hide_ratios if self.lacking_ is None else np.maximum(hide_ratios, self.lacking_)
        needed = features.values[:, without < LEAST_WITHOUT]
        return np.isnan(needed).any(axis=1) & features.is_observed

    def _fit_detector(self, features: Features, fainter: Sequence[Features]) -> Any:
        if self.detector is not None:
            return clone(self.detector).fit(features)
        stars = (features, *fainter)
        if all(f.measured is not None and G_BAND in f.measured.schema for f in stars):
            detector = (
                FaintInputOutliers().fit(features, fainter)
                if fainter
                else InputOutliers().fit(features)
            )
            if not detector.is_blind:
                return detector
        return fit_density(features)


def _fit_latents(
    stars: Sequence[tuple[Features, Sequence[np.ndarray]]],
    held_back: np.ndarray,
    lacking: Sequence[tuple[Features, Sequence[np.ndarray]]],
) -> list[Any]:
    """Return detectors on both kinds of latent vectors, of stars and of any fainter copies.

    ``held_back`` tells which of the stars the network has not seen, of shape (n_stars,).
    """
    if len(stars) == 1:
        return [fit_density(latent, held_back=held_back) for latent in stars[0][1]]
    unseen = np.tile(held_back, len(stars))
    n_lacking = sum(len(features) for features, _ in lacking)
    unseen = np.append(unseen, np.ones(n_lacking, dtype=bool))
    every = [*stars, *lacking]
    g_magnitude = np.concatenate([_brightness(features) for features, _ in every])
    kinds = np.concatenate([_kinds(features) for features, _ in every])
    return [
        LatentOutliers().fit(np.concatenate(vectors), g_magnitude, unseen, kinds)
        for vectors in zip(*(latents for _, latents in every), strict=True)
    ]


def _brightness(features: Features) -> np.ndarray:
    """Return G on the features' scale, (n_stars,); NaN where it is missing or no feature."""
    g_magnitude = features.g_magnitude
    return g_magnitude[:, 0] if g_magnitude.shape[1] else np.full(len(features), np.nan)


def _kinds(features: Features) -> np.ndarray:
    """Return the kinds of stars by what is known of them, int of shape (n_stars,)."""
    return kinds_by_columns(features.values, features.columns.blocks)


def stars_with_gaps(features: Features) -> Iterator[Features]:
    """Yield copies of stars without 2MASS, without the optical surveys, and without both."""
    for values, _ in with_gaps(features.values, features.columns.blocks):
        yield Features(values, features.columns)


def training_views(features: Features) -> tuple[Features, Features]:
    """Return stars with XP coefficients, others without any feature; and all without them.

    Without coefficients among the features, the second has no feature at all.
    """
    full = features.values.copy()
    full[features.lacks_xp] = np.nan
    is_xp = features.columns.is_xp
    hidden = features.values.copy()
    hidden[:, is_xp if is_xp.any() else slice(None)] = np.nan
    return Features(full, features.columns), Features(hidden, features.columns)
