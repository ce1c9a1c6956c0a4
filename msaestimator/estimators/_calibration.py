"""Calibrate predicted quantiles on stars held back from training, so that they cover."""

from collections.abc import Sequence
from typing import Self

import numpy as np
from scipy.stats import norm
from sklearn.base import BaseEstimator
from sklearn.linear_model import PoissonRegressor
from sklearn.model_selection import cross_val_predict

from msaestimator.metrics import interval_positions

__all__ = ["MIN_KNOWN", "LabelCalibrator", "QuantileCalibrator", "check_levels", "quantiles_at"]

MIN_KNOWN = 50
"""Known values below which a label stays uncalibrated: fewer tell little of its tails."""

N_KNOTS = 6
PRIOR_STARS = 10
"""How many stars the belief weighs that the predicted widths are right but for a factor."""

TINY = 1e-6


def check_levels(levels: Sequence[float]) -> None:
    """Refuse levels of quantiles that no model can be fitted with."""
    levels = list(levels)
    increasing = all(0 < a < b < 1 for a, b in zip([1e-9, *levels], levels, strict=False))
    if len(levels) % 2 == 0 or not increasing or levels[len(levels) // 2] != 0.5:
        raise ValueError(
            "`quantiles` must be an odd number of increasing levels between 0 and 1 with 0.5 "
            f"in the middle, got {levels}."
        )


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
    rows = quantiles.reshape(-1, len(own_levels))
    median = rows[:, [len(own_levels) // 2]]
    own, asked = (np.broadcast_to(norm.ppf(p), (len(rows), len(p))) for p in (own_levels, levels))
    return (median + _carry(asked, own, rows - median)).reshape(*quantiles.shape[:-1], -1)


def _carry(values: np.ndarray, knots: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Return where the map that carries each row's knots to its images carries values.

    Linear between knots, and beyond the outermost, which lie on either side of zero, in
    proportion to them. Arrays of shape (n_rows, n_values), (n_rows, n_knots) twice.
    """
    last = knots.shape[1] - 2
    left = np.clip((knots[:, None] <= values[..., None]).sum(axis=-1) - 1, 0, last)
    x0, x1 = (np.take_along_axis(knots, index, axis=1) for index in (left, left + 1))
    y0, y1 = (np.take_along_axis(images, index, axis=1) for index in (left, left + 1))
    inside = y0 + (y1 - y0) * (values - x0) / np.maximum(x1 - x0, TINY)
    edge, image = (np.where(values < 0, a[:, :1], a[:, -1:]) for a in (knots, images))
    outside = image * np.abs(values) / np.maximum(np.abs(edge), TINY)
    return np.where(np.abs(values) > np.abs(edge), outside, inside)


class LabelCalibrator(BaseEstimator):
    r"""Learn the z-scores of one label: a factor that changes from star to star, and the rest.

    Attributes
    ----------
    knots_ : ndarray of shape (n_knots, n_covariates)
        Where the correction bends: quantiles of the covariates.
    weights_ : ndarray of shape (n_knots * n_covariates,)
    intercept_ : float
    scores_ : ndarray of shape (n_stars,)
        z-scores divided by their factors, in increasing order.

    Notes
    -----
    Predicted widths are right on average rather than everywhere. :math:`\sqrt{|z|}` is learned
    by a regularised Poisson regression (positive by its logarithmic link; z may be zero; the
    root keeps outliers from ruling it) that is piecewise linear in each covariate; its square is
    the factor. The score of a star is from a factor learned without it: those of stars the
    factor was fitted to would be too small.
    """

    def fit(self, z: np.ndarray, covariates: np.ndarray) -> Self:
        """Learn from stars whose truth is known.

        Parameters
        ----------
        z : ndarray of shape (n_stars,)
            Where the truth lies in the predicted distribution, as a normal deviate.
        covariates : ndarray of shape (n_stars, n_covariates)
            What the error of the widths may depend on.
        """
        root = np.sqrt(np.abs(z))
        knots = np.quantile(covariates, np.linspace(0, 1, N_KNOTS), axis=0)
        # Interpolation needs them to increase, though many values may agree.
        self.knots_ = knots + TINY * np.arange(N_KNOTS)[:, None]
        hats = self._hats(covariates)
        regression = PoissonRegressor(alpha=PRIOR_STARS / len(root), solver="newton-cholesky")
        without_itself = cross_val_predict(regression, hats, root)
        regression.fit(hats, root)
        self.weights_, self.intercept_ = regression.coef_, float(regression.intercept_)
        # In single precision, more than is known of them, they are shorter to write down.
        self.scores_ = np.sort(z / without_itself**2).astype(np.float32)
        return self

    def factor(self, covariates: np.ndarray) -> np.ndarray:
        """Return what stars' scores are to be multiplied by, (n_stars,)."""
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
    The predicted quantiles of a star, with normal deviates between them, say where its truth
    lies as a z-score. A calibrated quantile is where the same function puts a quantile of the
    held-back stars' z-scores, which need be neither symmetric nor normal, times a factor on
    the width that is learned too (`LabelCalibrator`). The median does not move.

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
        residual = truth[:, label] - quantiles[:, label, len(self.levels) // 2]
        rows = rows & np.isfinite(residual)
        if rows.sum() < MIN_KNOWN:
            return None
        distances, deviates, covariates = self._describe(label, quantiles[rows], extra[rows])
        z = _carry(residual[rows, None], distances, deviates)[:, 0]
        return LabelCalibrator().fit(z, covariates)

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
                distances, deviates, covariates = self._describe(
                    label, quantiles[rows], extra[rows]
                )
                scores = np.array([calibrator.score_at(level) for level in levels])
                z = calibrator.factor(covariates)[:, None] * scores
                median = quantiles[rows, label, len(self.levels) // 2, None]
                calibrated[rows, label] = median + _carry(z, deviates, distances)
        return calibrated

    def _describe(
        self, label: int, quantiles: np.ndarray, extra: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the quantiles' distances from the median, their deviates, and covariates."""
        low, middle, high = interval_positions(self.levels)
        distances = quantiles[:, label] - quantiles[:, label, [middle]]
        width = np.log(np.maximum(distances[:, high] - distances[:, low], TINY))
        extra = np.where(np.isfinite(extra), extra, self.typical_)
        deviates = np.broadcast_to(norm.ppf(self.levels), distances.shape)
        return distances, deviates, np.column_stack([quantiles[..., middle], width, extra])
