"""Intervals of any level, calibrated on stars that the training did not see."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import torch
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from msaestimator.estimators._base import StellarEstimator, observed_rows
from msaestimator.uncertainty._conformal import MIN_KNOWN, QuantileCalibrator, quantiles_at
from msaestimator.uncertainty._members import combine_members
from msaestimator.preprocessing._label_set import LabelSet, collect_labels

__all__ = ["CalibratedEstimator"]

MAGNITUDE = "phot_g_mean_mag"
"""Brightness, on which the errors of the features depend."""


class CalibratedEstimator(StellarEstimator):
    """An estimator whose ``module_`` gives quantiles, calibrated by ``calibrator_``.

    The first group of stars are those with XP coefficients, the second those with photometry
    only; a model without XP has the first alone.
    """

    def calibrate(self, X: Any, y: Any = None) -> Self:
        """Calibrate the intervals on stars that were not in ``fit``.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_features)
            At least 50 of them with a known label; a few hundred do better. Each counts as it is
            and, for stars with photometry only, without its XP coefficients.
        y : table, array of shape (n_stars,) or (n_stars, n_labels), or None
            The labels, NaN where unknown. None takes the columns ``labels_`` of ``X``.

        Returns
        -------
        self
            With a new ``calibrator_``; medians are as they were.

        Raises
        ------
        ValueError
            Too few labels are known, or ``quantiles`` is the median alone.
        """
        check_is_fitted(self, "module_")
        self._check_intervals()
        truth = collect_labels(X, y, self.units_).values
        check_consistent_length(X, truth)
        features = self._enter(X, reset=False)
        known = np.isfinite(truth[observed_rows(features)]).sum(axis=0)
        if known.max() < MIN_KNOWN:
            raise ValueError(
                f"`calibrate` needs at least {MIN_KNOWN} stars with a known label, got "
                f"{known.max()}. Pass more stars, or leave the intervals as they are."
            )
        self._calibrate(features, self.label_scaler_.transform(truth))
        return self

    def predict_interval(self, X: Any, level: float = 0.9) -> np.ndarray:
        """Return central intervals that hold the truth with a given probability.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_features)
        level : float
            The probability, between 0 and 1.

        Returns
        -------
        ndarray of shape (n_stars, n_labels, 2)
            Lower and upper bounds, in the labels' units, with the median between them; NaN for
            a star without any feature. The truth is as often below as above, so the bounds need
            not be equally far from the median.

        Raises
        ------
        ValueError
            The level is not between 0 and 1, or ``quantiles`` is the median alone.
        """
        check_is_fitted(self, "module_")
        self._check_intervals()
        if not 0 < level < 1:
            raise ValueError(
                f"`level` must be between 0 and 1, both left out, got {level}. It is a "
                "probability: 0.9 for intervals that hold nine of ten true values."
            )
        features = self._enter(X, reset=False)
        levels = ((1 - level) / 2, (1 + level) / 2)
        return self._quantiles(features, self._members(features), levels)

    def _split_for_calibration(
        self, features: np.ndarray, labels: LabelSet
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows to train on and those to calibrate on, if they are enough for it."""
        # DIFF(mckay2025): the thesis tells how far its intervals are off, and leaves them.
        rows = np.flatnonzero(observed_rows(features))
        known = np.isfinite(labels.values)
        candidates = rows[known[rows].any(axis=1)]
        rng = np.random.default_rng(torch.initial_seed())
        n_held_back = int(self.calibration_fraction * len(candidates))
        held_back = np.sort(rng.permutation(candidates)[:n_held_back])
        if len(self.quantiles) == 1 or known[held_back].sum(axis=0).max() < MIN_KNOWN:
            return rows, held_back[:0]
        return np.setdiff1d(rows, held_back), held_back

    def _calibrate(self, features: np.ndarray, targets: np.ndarray) -> None:
        """Set ``calibrator_`` from stars with scaled labels."""
        sample = self._calibration_sample(features, targets)
        self.calibrator_ = QuantileCalibrator(tuple(self.quantiles)).fit(*sample)

    def _calibration_sample(
        self, features: np.ndarray, targets: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """Return what `QuantileCalibrator.fit` takes, of stars with scaled labels."""
        groups = self._groups(features)
        hidden = features[groups == 0]
        hidden[:, self._is_xp()] = np.nan
        if self._is_xp().any():
            features = np.concatenate([features, hidden])
            targets = np.concatenate([targets, targets[groups == 0]])
            groups = self._groups(features)
        quantiles = combine_members(self._members(features), self.quantiles)
        return targets, quantiles, groups, self._magnitude(features)

    def _members(self, features: np.ndarray) -> np.ndarray:
        """Return each member's quantiles of scaled labels, NaN for stars without a feature."""
        shape = (self.n_members, len(self.labels_), len(self.quantiles))
        return self._map(self.module_.quantiles, features, shape).astype(np.float64)

    def _quantiles(
        self, features: np.ndarray, members: np.ndarray, levels: Sequence[float]
    ) -> np.ndarray:
        """Return quantiles in the labels' units at any levels, calibrated if the model is.

        Wide where the training knew nothing of a label.
        """
        quantiles = combine_members(members, self.quantiles)
        medians = quantiles[..., len(self.quantiles) // 2]
        if self.calibrator_ is not None:
            quantiles = self.calibrator_.predict(
                quantiles, self._groups(features), self._magnitude(features), levels
            )
        elif tuple(levels) != tuple(self.quantiles):
            quantiles = quantiles_at(quantiles, self.quantiles, levels)
        quantiles = self.label_domains_.widen(quantiles, levels, medians)
        return self.label_scaler_.inverse_transform(quantiles.swapaxes(1, 2)).swapaxes(1, 2)

    def _check_intervals(self) -> None:
        if len(self.quantiles) == 1:
            raise ValueError(
                "`quantiles` must hold levels beside the median for intervals, got "
                f"{tuple(self.quantiles)}. Fit with quantiles=(0.16, 0.5, 0.84)."
            )

    def _groups(self, features: np.ndarray) -> np.ndarray:
        """Return the group of each star: 0, or 1 where the model's XP coefficients are missing."""
        is_xp = self._is_xp()
        return (is_xp.any() & ~np.isfinite(features[:, is_xp]).any(axis=1)).astype(int)

    def _is_xp(self) -> np.ndarray:
        """Tell which features are XP coefficients: bool of shape (n_features,)."""
        names = map(self._base_name, self.feature_names_)
        return np.array([n in self._schema and self._schema[n].block == "xp" for n in names])

    def _magnitude(self, features: np.ndarray) -> np.ndarray:
        """Return G as a feature, (n_stars, 1), or nothing, (n_stars, 0)."""
        return features[:, [name == MAGNITUDE for name in self.feature_names_]]
