"""Stars that a regressor was not made for: odd ones, and those unlike its training stars."""

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from msaestimator.estimators._base import observed_rows
from msaestimator.estimators._calibrating import CalibratedEstimator
from msaestimator.outliers._density import fit_novelty
from msaestimator.outliers._input_outliers import Oddity
from msaestimator.results import PredictionFlag
from msaestimator.schema import G_BAND

__all__ = ["OutlierEstimator"]

ODD = 2.0
"""Score from which a star is flagged: one in a hundred ordinary stars is."""


class OutlierEstimator(CalibratedEstimator):
    """An estimator that tells how odd a star is, by ``novelty_`` and ``latent_novelties_``.

    The former knows what stars of the training look like, the latter where their latent vectors
    lie: of stars with XP coefficients, and of the same stars without them.
    """

    novelty_ = None
    """None of a model that was saved before there was a score, or fitted on a single star."""

    def outlier_score(self, X: Any) -> np.ndarray:
        """Return how odd stars are, such as blends, emission-line stars and quasars.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_features)

        Returns
        -------
        ndarray of shape (n_stars,)
            Minus log10 of the fraction of stars like those of ``fit`` that are at least as odd:
            2 for one in a hundred, and beyond the oddest of them a continuation. NaN for a
            star without colour or spectrum.

        Raises
        ------
        ValueError
            The model was fitted before there was a score, or on a single star with features.

        Notes
        -----
        Odd is a star whose spectrum and colours are seldom seen together among the stars of
        ``fit``, or whose spectrum does not give its own magnitudes. Neither depends on its
        brightness, and ``bp_coefficient_errors`` and ``rp_coefficient_errors`` tell how much of
        it noise explains; a star without them counts as noisy as those of ``fit`` are. A matrix
        of prepared features is taken as it is.
        """
        check_is_fitted(self, "module_")
        features = self._enter(X, reset=False)
        if self.novelty_ is None:
            raise ValueError(
                "`outlier_score` needs a regressor fitted on two stars with features or more, by "
                "a version with this score, got another. Fit it again."
            )
        return self._oddness(X, features)

    def _learn_novelty(self, X: Any, features: np.ndarray, held_back: np.ndarray) -> None:
        """Set ``novelty_`` and ``latent_novelties_``; rows ``held_back`` were not trained on."""
        readable = self.fitted_on_table_ and G_BAND in self._schema
        oddity = Oddity(self._schema).fit(X) if readable else None
        blind = oddity is None or oddity.is_blind
        self.novelty_ = fit_novelty(features) if blind else oddity
        unseen = np.isin(np.arange(len(features)), held_back)
        self.latent_novelties_ = [
            fit_novelty(latent, held_back=unseen) for latent in self._latent_views(features)
        ]

    def _oddness(self, X: Any, features: np.ndarray) -> np.ndarray:
        return self.novelty_.score(X if isinstance(self.novelty_, Oddity) else features)

    def _latent_views(self, features: np.ndarray) -> list[np.ndarray]:
        """Return latent vectors with and without XP coefficients, NaN where they are missing."""
        hidden = features.copy()
        is_xp = self._is_xp()
        hidden[:, is_xp if is_xp.any() else slice(None)] = np.nan
        full = features.copy()
        full[self._groups(features) == 1] = np.nan
        return [self._latent(full), self._latent(hidden)]

    def _latent(self, features: np.ndarray) -> np.ndarray:
        n_dimensions = self.encoder_.hidden_widths[-1]
        return self._map(self.encoder_.module_.encode, features, (n_dimensions,))

    def _novelty_flags(self, X: Any, features: np.ndarray) -> np.ndarray:
        """Return the flags of odd stars, int32 of shape (n_stars,)."""
        flags = np.zeros(len(features), dtype=np.int32)
        flags[self._lack_blocks(features)] |= PredictionFlag.MISSING_BLOCKS
        if self.novelty_ is None:
            return flags
        flags[self._oddness(X, features) >= ODD] |= PredictionFlag.INCONSISTENT_INPUTS
        far = np.zeros(len(features), dtype=bool)
        alone = self._groups(features) == 1
        latent = self._latent(features)
        for novelty, rows in zip(self.latent_novelties_, (~alone, alone), strict=True):
            if novelty is not None and rows.any():
                far[rows] = novelty.score(latent[rows]) >= ODD
        flags[far] |= PredictionFlag.EXTRAPOLATION
        return flags

    def _lack_blocks(self, features: np.ndarray) -> np.ndarray:
        """Tell which stars with any feature lack a whole block, but for XP, that others had."""
        blocks = np.array(
            [
                self._schema[name].block if name in self._schema else ""
                for name in map(self._base_name, self.feature_names_)
            ]
        )
        lacking = np.zeros(len(features), dtype=bool)
        for block in set(blocks) - {"xp", ""}:
            lacking |= ~np.isfinite(features[:, blocks == block]).any(axis=1)
        return lacking & observed_rows(features)
