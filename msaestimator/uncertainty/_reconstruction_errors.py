"""Expected errors of features that an autoencoder infers."""

from typing import Self

import numpy as np
from scipy.stats import norm
from sklearn.base import BaseEstimator

from msaestimator.preprocessing import FeatureColumns, Features

__all__ = ["ReconstructionErrors"]

ONE_SIGMA = 2 * norm.cdf(1) - 1
"""Share of the residuals that lie within one standard error, were they normal."""

ORDERS = (0, 3, 10, 25)
"""First orders of the parts of a band, most of whose spectrum the first coefficients hold."""

LEVELS = (0.02, 0.25, 0.5, 0.75, 0.98)
"""Quantiles of G between which errors change linearly in the logarithm; beyond, they do not."""

PRIOR_RESIDUALS = 10.0
"""Strength of the prior, in residuals, that errors do not depend on a covariate."""

LEAST_RESIDUALS = 20
"""Residuals below which a feature's error is not told."""

TINY = 1e-6


class ReconstructionErrors(BaseEstimator):
    """Learn how wrongly hidden features are inferred, by what else is known of a star.

    Everything is on the features' scale.

    Attributes
    ----------
    knots_ : ndarray of shape (n_knots,)
        Quantiles of the G magnitude.
    weights_ : ndarray of shape (2, n_covariates, n_features)
        Weights of the covariates in the logarithm of each feature's error, of stars with XP
        coefficients and of stars without; NaN of a feature that was hidden too seldom.

    Notes
    -----
    The logarithm of a residual's size is regressed on what of the star is shown (each magnitude,
    any and all of each survey, shares of the orders of each XP band) and on G. Errors are then
    scaled to hold 68 % of the residuals. These are between inferred and measured values, so the
    noise of measurements is in them: an error tells how far a measurement would be off.
    """

    def fit(self, shown: Features, residuals: np.ndarray) -> Self:
        """Learn from stars whose features were hidden.

        Parameters
        ----------
        shown : Features of n_stars stars
            Stars as the network saw them, NaN where hidden or missing.
        residuals : ndarray of shape (n_stars, n_features)
            Inferred minus measured values, NaN where nothing was hidden.
        """
        magnitudes = shown.g_magnitude[np.isfinite(shown.g_magnitude)]
        knots = np.quantile(magnitudes, LEVELS) if len(magnitudes) else np.array(LEVELS)
        # Interpolation needs knots that increase, though many values may agree.
        self.knots_ = knots + TINY * np.arange(len(LEVELS))
        covariates, lacks_xp = self._covariates(shown), shown.lacks_xp
        self.weights_ = np.stack(
            [
                np.column_stack(
                    [_fit_size(covariates[rows], sizes) for sizes in np.abs(residuals[rows]).T]
                )
                for rows in (~lacks_xp, lacks_xp)
            ]
        )
        return self

    def predict(self, shown: Features) -> np.ndarray:
        """Return the standard errors that features of stars are inferred with.

        Parameters
        ----------
        shown : Features of n_stars stars

        Returns
        -------
        ndarray of shape (n_stars, n_features)
            Errors of all features, were they missing; NaN where not known.
        """
        covariates, lacks_xp = self._covariates(shown), shown.lacks_xp
        logarithms = np.empty((len(shown), self.weights_.shape[-1]))
        for group, rows in enumerate((~lacks_xp, lacks_xp)):
            logarithms[rows] = covariates[rows] @ self.weights_[group]
        return np.exp(logarithms)

    def _covariates(self, shown: Features) -> np.ndarray:
        """Return what errors depend on, (n_stars, n_covariates), the first of them constant."""
        seen = np.isfinite(shown.values)
        magnitudes = shown.g_magnitude.sum(axis=1)
        hats = [np.interp(magnitudes, self.knots_, peak) for peak in np.eye(len(LEVELS))[1:]]
        parts = [seen[:, part].mean(axis=1) for part in _parts(shown.columns)]
        surveys = [
            some(seen[:, survey], axis=1)
            for survey in _surveys(shown.columns)
            for some in (np.any, np.all)
        ]
        columns = [np.ones(len(seen)), *np.nan_to_num(hats), *parts, *surveys]
        return np.column_stack([*columns, seen[:, ~shown.columns.is_xp]])


def _parts(columns: FeatureColumns) -> list[np.ndarray]:
    """Return which features are of which part of a band, from low orders to high ones."""
    orders = {c.name: n for array in columns.schema.arrays for n, c in enumerate(array.columns)}
    own = np.array([orders.get(name, -1) for name in columns.base_names])
    part = np.searchsorted(ORDERS, own, side="right")
    parts = [
        band & (part == number)
        for band in columns.bands.values()
        for number in range(1, len(ORDERS) + 1)
    ]
    return [part for part in parts if part.any()]


def _surveys(columns: FeatureColumns) -> list[np.ndarray]:
    """Return which features are of which survey, of those that have several."""
    names = sorted({*columns.blocks} - {"", "xp"})
    surveys = [columns.blocks == name for name in names]
    return [survey for survey in surveys if survey.sum() > 1]


def _fit_size(covariates: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return the weights of a feature's logarithmic error, of which 68 % of the sizes hold."""
    known = np.isfinite(sizes)
    if known.sum() < LEAST_RESIDUALS:
        return np.full(covariates.shape[1], np.nan)
    design, target = covariates[known], np.log(sizes[known] + TINY)
    center, spread = design[:, 1:].mean(axis=0), design[:, 1:].std(axis=0)
    spread[spread == 0] = 1.0
    varied = (design[:, 1:] - center) / spread
    prior = PRIOR_RESIDUALS * np.eye(varied.shape[1])
    slopes = np.linalg.solve(varied.T @ varied + prior, varied.T @ (target - target.mean()))
    rest = target - varied @ slopes
    slopes = slopes / spread
    return np.concatenate([[np.quantile(rest, ONE_SIGMA) - center @ slopes], slopes])
