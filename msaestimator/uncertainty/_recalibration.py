"""Correct calibrated quantiles for a selection of stars, as far as a few of its stars say so."""

from collections.abc import Sequence
from typing import Self

import numpy as np
from scipy.special import ndtr, ndtri
from scipy.stats import norm
from sklearn.base import BaseEstimator
from sklearn.linear_model import ARDRegression

from msaestimator.uncertainty._conformal import LEARNED_LEVELS, MIN_KNOWN
from msaestimator.uncertainty._levels import interpolate_rows

__all__ = ["DISTRIBUTION_LEVELS", "LabelRecalibration", "Recalibration"]

DISTRIBUTION_LEVELS = tuple(ndtr(np.linspace(-3.5, 3.5, 15)).tolist())
"""Levels of the quantiles that stand for a star's calibrated distribution."""

DEVIATES = ndtri(DISTRIBUTION_LEVELS)

MIDDLE = len(DEVIATES) // 2

ONE_SIGMA = (int(np.abs(DEVIATES + 1).argmin()), int(np.abs(DEVIATES - 1).argmin()))
"""Positions of the quantiles one standard deviation on either side of the median."""

LEAST_BEYOND = 8
"""Stars that must lie on either side of a level for its quantile to be corrected."""

N_FOLDS = 5

LARGEST = 2.0
"""Residual in standard deviations from which a star counts less, by the inverse of its own."""

TINY = 1e-6


class LabelRecalibration(BaseEstimator):
    """Correct one label's calibrated distributions by a shift, and by their width and shape.

    Attributes
    ----------
    center_, spread_ : ndarray of shape (n_covariates,)
        Scale of the covariates.
    range_ : ndarray of shape (2, n_covariates)
        Range of the covariates on this scale; beyond, the shift is as at its ends.
    shift_ : ndarray of shape (n_covariates + 1,)
        Coefficients of the shift of all quantiles: a constant, and of each covariate.
    deviates_, places_ : ndarray of shape (n_levels,)
        Normal deviates, rising, and the z-scores in shifted distributions that take their place.

    Notes
    -----
    A correction is kept as far as it exceeds its own error, and is none at all where it does not:
    of the shift each term has a prior as wide as the stars say (automatic relevance
    determination, MacKay 1994), and the z-scores obey a positive-part rule as of James and Stein.
    So few stars change little, and stars for which the calibration is right change nothing but
    for chance. A z-score is from a shift that was found without the star.

    References
    ----------
    MacKay (1994), *Bayesian nonlinear modeling for the prediction competition*, ASHRAE 100.
    Efron & Morris (1973), *Stein's estimation rule and its competitors*, JASA 68, 117.
    """

    def fit(self, residuals: np.ndarray, distances: np.ndarray, covariates: np.ndarray) -> Self:
        """Learn from stars whose truth is known.

        Parameters
        ----------
        residuals : ndarray of shape (n_stars,)
            Truth minus calibrated median; at least `MIN_KNOWN`.
        distances : ndarray of shape (n_stars, n_levels)
            Calibrated quantiles at `DISTRIBUTION_LEVELS` minus the median.
        covariates : ndarray of shape (n_stars, n_covariates)
            Covariates that the shift may change with; NaN where missing.
        """
        self.center_, self.spread_, self.range_ = _scale_of(covariates)
        # Whatever the order of the stars, and like stars in different folds.
        order = np.lexsort((distances[:, -1], residuals))
        residuals, distances = residuals[order], distances[order]
        design = self._design(covariates[order])
        fold = np.arange(len(order)) % N_FOLDS
        left = np.empty(len(order))
        for left_out in range(N_FOLDS):
            rows, others = fold == left_out, fold != left_out
            shift = _fit_shift(residuals[others], distances[others], design[others])
            left[rows] = residuals[rows] - design[rows] @ shift
        self.shift_ = _fit_shift(residuals, distances, design)
        knots = np.broadcast_to(DEVIATES, distances.shape)
        self.deviates_, self.places_ = _fit_shape(
            interpolate_rows(left[:, None], distances, knots)[:, 0]
        )
        return self

    def predict(
        self, distances: np.ndarray, covariates: np.ndarray, levels: Sequence[float]
    ) -> np.ndarray:
        """Return quantiles of stars minus the calibrated median, (n_stars, len(levels))."""
        asked = ndtri(np.asarray(levels))
        z = interpolate_rows(asked[None], self.deviates_[None], self.places_[None])
        shift = self._design(covariates) @ self.shift_
        knots, z = (np.broadcast_to(v, (len(distances), v.size)) for v in (DEVIATES, z))
        return shift[:, None] + interpolate_rows(z, knots, distances)

    def _design(self, covariates: np.ndarray) -> np.ndarray:
        """Return a constant and the scaled covariates; a missing one is a typical one."""
        scaled = np.clip((covariates - self.center_) / self.spread_, *self.range_)
        return np.column_stack([np.ones(len(covariates)), np.nan_to_num(scaled)])


def _scale_of(covariates: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return centres, spreads and the scaled range of covariates."""
    known = np.where(np.isfinite(covariates).any(axis=0), covariates, 0.0)
    center, spread = np.nanmean(known, axis=0), np.nanstd(known, axis=0)
    spread = np.where(spread > TINY, spread, 1.0)
    scaled = (known - center) / spread
    return center, spread, np.array([np.nanmin(scaled, axis=0), np.nanmax(scaled, axis=0)])


def _fit_shift(residuals: np.ndarray, distances: np.ndarray, design: np.ndarray) -> np.ndarray:
    """Return the coefficients on a design, (n_stars, n_terms), that the stars bear out."""
    width = np.maximum(np.ptp(distances[:, ONE_SIGMA], axis=1) / 2, TINY)
    usual = np.median(width)
    # Of stars with like widths; and in units of these, in which coefficients are about one.
    target, design = residuals / width, design * (usual / width)[:, None]
    weight = np.ones(len(target))
    for _ in range(2):
        regression = ARDRegression(fit_intercept=False)
        regression.fit(design * weight[:, None], target * weight)
        left = np.abs(target - design @ regression.coef_)
        sigma = np.median(left) / norm.ppf(0.75) + TINY
        weight = np.sqrt(1 / np.maximum(1.0, left / (LARGEST * sigma)))
    return usual * regression.coef_


def _fit_shape(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return normal deviates, and the z-scores there as far as they differ from these."""
    levels = LEARNED_LEVELS
    levels = levels[np.minimum(levels, 1 - levels) * len(z) >= LEAST_BEYOND]
    deviates = ndtri(levels)
    # The quantile below which a further star lies with the level's probability.
    places = np.quantile(z, levels, method="weibull")
    difference = places - deviates
    spread = np.ptp(np.quantile(z, ndtr([-1, 1]))) / 2 + TINY
    error = spread * np.sqrt(levels * (1 - levels) / len(z)) / norm.pdf(deviates)
    evidence = np.mean((difference / error) ** 2) + TINY
    # Squared, the rule is firmer: what is plain is hardly shrunk.
    return deviates, deviates + max(0.0, 1 - evidence**-2) * difference


class Recalibration(BaseEstimator):
    """Correct the calibrated distributions of a selection of stars, by label and group.

    Everything is on a scale where errors are about normal.

    Attributes
    ----------
    parts_ : tuple of tuples of LabelRecalibration or None
        Corrections by group, then label. A group in which fewer than `MIN_KNOWN` stars know a
        label has that of all stars; None where all are fewer.

    Notes
    -----
    Shifts may change with the predicted labels of a star, and with what else describes it, see
    `LabelRecalibration`.
    """

    def fit(
        self, truth: np.ndarray, quantiles: np.ndarray, groups: np.ndarray, extra: np.ndarray
    ) -> Self:
        """Learn from stars that neither training nor calibration saw.

        Parameters
        ----------
        truth : ndarray of shape (n_stars, n_labels)
            NaN where unknown.
        quantiles : ndarray of shape (n_stars, n_labels, n_levels)
            Calibrated, at `DISTRIBUTION_LEVELS`; rows of NaN do not count.
        groups : ndarray of int of shape (n_stars,)
            Group of each star, 0 or 1.
        extra : ndarray of shape (n_stars, n_extra)
            Covariates besides the medians; NaN where missing.
        """
        medians = quantiles[..., MIDDLE]
        covariates = np.column_stack([medians, extra])
        residuals, distances = truth - medians, quantiles - medians[..., None]
        parts = []
        for group in range(2):
            rows = [_rows_of(of_label, groups == group) for of_label in residuals.T]
            parts.append(
                tuple(
                    None
                    if chosen is None
                    else LabelRecalibration().fit(
                        residuals[chosen, label], distances[chosen, label], covariates[chosen]
                    )
                    for label, chosen in enumerate(rows)
                )
            )
        self.parts_ = tuple(parts)
        return self

    def predict(
        self,
        quantiles: np.ndarray,
        groups: np.ndarray,
        extra: np.ndarray,
        levels: Sequence[float],
    ) -> np.ndarray:
        """Return corrected quantiles at any levels, (n_stars, n_labels, len(levels)).

        Other arguments are those of `fit`. Labels that too few knew are as calibrated.
        """
        medians = quantiles[..., [MIDDLE]]
        distances, covariates = quantiles - medians, np.column_stack([medians[..., 0], extra])
        asked = np.broadcast_to(ndtri(np.asarray(levels)), (len(quantiles), len(levels)))
        corrected = np.empty((*quantiles.shape[:2], len(levels)))
        for label in range(quantiles.shape[1]):
            knots = np.broadcast_to(DEVIATES, distances[:, label].shape)
            corrected[:, label] = interpolate_rows(asked, knots, distances[:, label])
            for group, parts in enumerate(self.parts_):
                rows, part = groups == group, parts[label]
                if part is not None and rows.any():
                    corrected[rows, label] = part.predict(
                        distances[rows, label], covariates[rows], levels
                    )
        return medians + corrected


def _rows_of(residuals: np.ndarray, of_group: np.ndarray) -> np.ndarray | None:
    """Return which stars to learn from for a group: its own or, if these are few, all."""
    known = np.isfinite(residuals)
    if known.sum() < MIN_KNOWN:
        return None
    return known & of_group if (known & of_group).sum() >= MIN_KNOWN else known
