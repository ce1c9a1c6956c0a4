"""Calibrate predicted quantiles on stars held back from training, so that they cover."""

from collections.abc import Sequence
from typing import Self

import numpy as np
from scipy.stats import norm
from sklearn.base import BaseEstimator
from sklearn.linear_model import PoissonRegressor
from sklearn.model_selection import cross_val_predict

from msaestimator.metrics import interval_positions

__all__ = ["MIN_KNOWN", "LabelCalibrator", "QuantileCalibrator", "quantiles_at"]

MIN_KNOWN = 50
"""Known values below which a label stays uncalibrated: fewer tell little of its tails."""

N_KNOTS = 6
PRIOR_STARS = 10
"""How many stars the belief weighs that the predicted widths are right but for a factor."""

TINY = 1e-6


def quantiles_at(
    quantiles: np.ndarray, own_levels: Sequence[float], levels: Sequence[float]
) -> np.ndarray:
    """Return predicted quantiles at other levels, along the last axis.

    Between two predicted quantiles the distribution is taken as normal; beyond the outermost,
    distances from the median grow as a normal's.

    Parameters
    ----------
    quantiles : ndarray of shape (n_stars, n_labels, n_own_levels)
        On a scale where errors are about normal.
    own_levels, levels : sequence of float
        Between 0 and 1; ``own_levels`` rise, with the median in the middle and others beside it.
    """
    own, asked = norm.ppf(own_levels), norm.ppf(levels)
    left = np.clip(np.searchsorted(own, asked, side="right") - 1, 0, len(own) - 2)
    step = (asked - own[left]) / (own[left + 1] - own[left])
    between = quantiles[..., left] * (1 - step) + quantiles[..., left + 1] * step
    median = quantiles[..., len(own) // 2, None]
    nearest = np.clip(asked, own[0], own[-1])
    beyond = asked / np.where(nearest == 0, 1.0, nearest)
    outermost = np.where(asked < 0, quantiles[..., :1], quantiles[..., -1:])
    return np.where(beyond > 1, median + (outermost - median) * beyond, between)


class LabelCalibrator(BaseEstimator):
    r"""Correct the half-widths of one label's intervals, and learn how far its errors reach.

    Attributes
    ----------
    knots_ : ndarray of shape (n_knots, n_covariates)
        Where the correction bends: quantiles of the covariates.
    weights_ : ndarray of shape (n_knots * n_covariates,)
    intercept_ : float
    scores_ : ndarray of shape (n_stars,)
        Residuals in units of the corrected half-width on their side, in increasing order.

    Notes
    -----
    Predicted widths are right on average rather than everywhere. With the residual r and the
    predicted half-width h on its side, :math:`\sqrt{|r| / h}` is learned by a regularised
    Poisson regression (positive by its logarithmic link; residuals may be zero; the root keeps
    outliers from ruling it) that is piecewise linear in each covariate; its square is the
    factor on the width. Scores of a star are from a factor learned without it: those of stars
    the factor was fitted to would be too small.
    """

    def fit(self, residual: np.ndarray, half_widths: np.ndarray, covariates: np.ndarray) -> Self:
        """Learn from stars whose truth is known.

        Parameters
        ----------
        residual : ndarray of shape (n_stars,)
            Truth minus predicted median.
        half_widths : ndarray of shape (n_stars, 2)
            Predicted, below and above the median.
        covariates : ndarray of shape (n_stars, n_covariates)
            What the error of the widths may depend on.
        """
        width = np.maximum(np.where(residual > 0, half_widths[:, 1], half_widths[:, 0]), TINY)
        root = np.sqrt(np.abs(residual) / width)
        knots = np.quantile(covariates, np.linspace(0, 1, N_KNOTS), axis=0)
        # Interpolation needs them to increase, though many values may agree.
        self.knots_ = knots + TINY * np.arange(N_KNOTS)[:, None]
        hats = self._hats(covariates)
        regression = PoissonRegressor(alpha=PRIOR_STARS / len(root), solver="newton-cholesky")
        without_itself = cross_val_predict(regression, hats, root)
        regression.fit(hats, root)
        self.weights_, self.intercept_ = regression.coef_, float(regression.intercept_)
        # Rounded to what is known of them, they are short to write down.
        self.scores_ = np.sort(residual / width / without_itself**2).round(4)
        return self

    def factor(self, covariates: np.ndarray) -> np.ndarray:
        """Return what the half-widths of stars are to be multiplied by, (n_stars,)."""
        return np.exp(2 * (self._hats(covariates) @ self.weights_ + self.intercept_))

    def score_at(self, level: float) -> float:
        """Return the score below which a further star's lies with probability ``level``.

        The order statistic is the one that errs outwards, for a finite sample; levels beyond
        the last one are reached as a normal's would be. Never on the other side of the median.
        """
        if level == 0.5:
            return 0.0
        if level > 0.5:
            return _outward(self.scores_, level)
        return -_outward(-self.scores_[::-1], 1 - level)

    def _hats(self, covariates: np.ndarray) -> np.ndarray:
        """Return the covariates on their knots, constant outside: (n_stars, n_weights)."""
        peaks = np.eye(len(self.knots_))
        return np.column_stack(
            [
                np.interp(values, knots, peak)
                for values, knots in zip(covariates.T, self.knots_.T, strict=True)
                for peak in peaks
            ]
        )


def _outward(rising: np.ndarray, level: float) -> float:
    """Return the upper score at a level above one half."""
    n = len(rising)
    # Rounded first: (n + 1) * level is whole where it should be.
    rank = int(np.ceil(np.round((n + 1) * level, 9)))
    beyond = 1.0 if rank <= n else norm.ppf(level) / norm.ppf(n / (n + 1))
    return max(rising[min(rank, n) - 1], 0.0) * beyond


class QuantileCalibrator(BaseEstimator):
    """Split-conformal calibration of quantiles, by label and group of stars.

    Everything is on a scale where errors are about normal.

    Parameters
    ----------
    levels : sequence of float
        Of the predicted quantiles: rising, with the median in the middle.

    Attributes
    ----------
    calibrators_ : tuple of tuples of LabelCalibrator or None
        By group, then label. None where fewer than `MIN_KNOWN` values were known.
    typical_ : ndarray of shape (n_extra,)
        Medians of the further covariates, for stars that lack them.

    Notes
    -----
    The quantiles of a label are its median plus the star's own half-widths, times a learned
    factor (`LabelCalibrator`), times a quantile of the held-back stars' signed scores, so the
    two sides need not be alike. The median does not move.

    References
    ----------
    Romano, Patterson & Candès (2019), *Conformalized quantile regression*, NeurIPS 32.
    """

    def __init__(self, levels: Sequence[float]) -> None:
        self.levels = levels

    def fit(
        self, truth: np.ndarray, quantiles: np.ndarray, groups: np.ndarray, extra: np.ndarray
    ) -> Self:
        """Learn from held-back stars.

        Parameters
        ----------
        truth : ndarray of shape (n_stars, n_labels)
            NaN where unknown.
        quantiles : ndarray of shape (n_stars, n_labels, n_levels)
            Predicted; rows of NaN do not count.
        groups : ndarray of int of shape (n_stars,)
            0 or 1.
        extra : ndarray of shape (n_stars, n_extra)
            Covariates besides the predictions; NaN where missing.
        """
        known = [values[np.isfinite(values)] for values in extra.T]
        self.typical_ = np.array([np.median(values) if len(values) else 0.0 for values in known])
        self.calibrators_ = tuple(
            tuple(
                self._fit_label(label, truth, quantiles, extra, groups == group)
                for label in range(truth.shape[1])
            )
            for group in range(2)
        )
        return self

    def _fit_label(
        self,
        label: int,
        truth: np.ndarray,
        quantiles: np.ndarray,
        extra: np.ndarray,
        rows: np.ndarray,
    ) -> LabelCalibrator | None:
        middle = quantiles[:, label, len(self.levels) // 2]
        rows = rows & np.isfinite(truth[:, label] - middle)
        if rows.sum() < MIN_KNOWN:
            return None
        half_widths, covariates = self._describe(label, quantiles[rows], extra[rows])
        return LabelCalibrator().fit((truth[:, label] - middle)[rows], half_widths, covariates)

    def predict(
        self,
        quantiles: np.ndarray,
        groups: np.ndarray,
        extra: np.ndarray,
        levels: Sequence[float],
    ) -> np.ndarray:
        """Return calibrated quantiles at any levels, (n_stars, n_labels, len(levels)).

        Labels that are not calibrated are as predicted, see `quantiles_at`.
        """
        calibrated = quantiles_at(quantiles, self.levels, levels)
        for group, calibrators in enumerate(self.calibrators_):
            rows = np.flatnonzero((groups == group) & np.isfinite(quantiles[:, 0, 0]))
            for label, calibrator in enumerate(calibrators):
                if calibrator is None or not len(rows):
                    continue
                half_widths, covariates = self._describe(label, quantiles[rows], extra[rows])
                half_widths = half_widths * calibrator.factor(covariates)[:, None]
                scores = np.array([calibrator.score_at(level) for level in levels])
                side = (scores > 0).astype(int)
                middle = quantiles[rows, label, len(self.levels) // 2, None]
                calibrated[rows, label] = middle + scores * half_widths[:, side]
        return calibrated

    def _describe(
        self, label: int, quantiles: np.ndarray, extra: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the half-widths of a label, (n_stars, 2), and the covariates."""
        low, middle, high = interval_positions(self.levels)
        half_widths = np.abs(quantiles[:, label][:, [low, high]] - quantiles[:, label, [middle]])
        width = np.log(np.maximum(half_widths.sum(axis=1), TINY))
        extra = np.where(np.isfinite(extra), extra, self.typical_)
        return half_widths, np.column_stack([quantiles[..., middle], width, extra])
