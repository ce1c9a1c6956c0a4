"""Labels of a fit, and the calibrated quantiles of them that an ensemble predicts."""

import warnings
from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, clone

from msaestimator.exceptions import CalibrationWarning
from msaestimator.preprocessing import Features, LabelScaler, LabelSet
from msaestimator.results import limit_flags
from msaestimator.uncertainty._conformal import MIN_KNOWN, QuantileCalibrator
from msaestimator.uncertainty._label_coverage import LabelCoverage
from msaestimator.uncertainty._levels import check_levels, quantiles_at
from msaestimator.uncertainty._members import combine_members

__all__ = ["IntervalModel", "calibration_sample"]


class IntervalModel(BaseEstimator):
    """Turn the quantiles that members of an ensemble predict into quantiles in units.

    Members predict scaled labels. Their quantiles are combined, calibrated on held-back stars,
    widened where no training star had the label, and brought to the labels' units.

    Parameters
    ----------
    levels : sequence of float
        Levels of the predicted quantiles: rising, with the median in the middle.
    log_labels : "auto" or sequence of str
        Labels learned as log10, as in `LabelScaler`.
    calibrator : estimator, optional
        Calibration with the methods of `QuantileCalibrator`, which is what None takes. Its
        parameter ``levels``, if it has one, is set.

    Attributes
    ----------
    labels_ : tuple of str
        Names of the labels.
    units_ : dict of str to str
        Units of the labels.
    one_dimensional_ : bool
        Whether the labels of ``fit`` were a single column.
    label_scaler_ : LabelScaler
        Scaler between labels in units and the network's predictions.
    label_coverage_ : LabelCoverage
        The range of Teff in which each label is known, and its spread.
    calibrator_ : estimator or None
        The fitted calibration; None of intervals as the network predicts them.
    """

    calibrator_: Any

    def __init__(
        self,
        levels: Sequence[float] = (0.16, 0.5, 0.84),
        log_labels: str | Sequence[str] = "auto",
        calibrator: BaseEstimator | None = None,
    ) -> None:
        self.levels = levels
        self.log_labels = log_labels
        self.calibrator = calibrator

    def fit(self, labels: LabelSet) -> Self:
        """Learn the scale of labels, and where they are known; nothing is calibrated yet."""
        self.labels_ = labels.names
        self.units_ = labels.units
        self.one_dimensional_ = labels.one_dimensional
        self.label_scaler_ = LabelScaler(
            labels.names, log=self.log_labels, units=labels.units
        ).fit(labels.values)
        teff = labels.names.index("teff") if "teff" in labels.names else None
        self.label_coverage_ = LabelCoverage(teff).fit(self.label_scaler_.scaled(labels.values))
        self.calibrator_ = None
        return self

    def check_same(self, labels: LabelSet, levels: Sequence[float]) -> None:
        """Refuse to train on with other labels or levels than those of ``fit``."""
        if labels.names != self.labels_:
            raise ValueError(
                f"With warm_start the labels must stay {self.labels_}, got {labels.names}."
            )
        if tuple(levels) != tuple(self.levels):
            raise ValueError(
                f"With warm_start the `quantiles` must stay {tuple(self.levels)}, got "
                f"{tuple(levels)}."
            )

    def check_follows(self, levels: Sequence[float]) -> None:
        """Refuse levels that cannot be told from those of ``fit``."""
        check_levels(levels)
        if len(levels) > 1:
            self.check_intervals()

    def check_intervals(self) -> None:
        """Refuse to tell intervals of the median alone."""
        if len(self.levels) == 1:
            raise ValueError(
                "`quantiles` must hold levels beside the median for intervals, got "
                f"{tuple(self.levels)}. Fit with quantiles=(0.16, 0.5, 0.84)."
            )

    def check_level(self, level: float) -> None:
        """Refuse what is not the probability of an interval, or intervals of the median alone."""
        self.check_intervals()
        if not 0 < level < 1:
            raise ValueError(
                f"`level` must be between 0 and 1, both left out, got {level}. It is a "
                "probability: 0.9 for intervals that hold nine of ten true values."
            )

    def check_enough(self, truth: np.ndarray) -> None:
        """Refuse to calibrate on labels (n_stars, n_labels) none of which enough stars know."""
        n_known = np.isfinite(truth).sum(axis=0).max()
        if n_known < MIN_KNOWN:
            raise ValueError(
                f"`calibrate` needs at least {MIN_KNOWN} stars with a known label, got {n_known}. "
                "Pass more stars, or leave the intervals as they are."
            )

    def split(
        self, fraction: float, features: Features, labels: LabelSet, seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows to train on and those to calibrate on, if these are enough for it.

        Warns
        -----
        CalibrationWarning
            Too few stars know any label, so that none are held back.
        """
        # DIFF(mckay2025): the thesis tells how far its intervals are off, and leaves them.
        rows = np.flatnonzero(features.is_observed)
        known = np.isfinite(labels.values)
        candidates = rows[known[rows].any(axis=1)]
        rng = np.random.default_rng(seed)
        held_back = np.sort(rng.permutation(candidates)[: int(fraction * len(candidates))])
        if len(self.levels) == 1 or fraction == 0:
            return rows, held_back[:0]
        counts = known[held_back].sum(axis=0)
        if counts.max() < MIN_KNOWN:
            _warn_of_few(self.labels_, counts, stacklevel=4)
            return rows, held_back[:0]
        return np.setdiff1d(rows, held_back), held_back

    def calibrate(self, members: np.ndarray, features: Features, targets: np.ndarray) -> None:
        """Learn from stars that the training did not see how far the intervals are off.

        Parameters
        ----------
        members : ndarray of shape (n_stars, n_members, n_labels, n_levels)
            Predicted quantiles of scaled labels.
        features : Features of n_stars stars
        targets : ndarray of shape (n_stars, n_labels)
            Scaled labels, NaN where unknown.

        Warns
        -----
        CalibrationWarning
            Too few stars know a label for `QuantileCalibrator`.
        """
        calibrator = QuantileCalibrator() if self.calibrator is None else clone(self.calibrator)
        if "levels" in calibrator.get_params():
            calibrator.set_params(levels=tuple(self.levels))
        quantiles = combine_members(members, self.levels)
        groups, extra = _kinds_of(features)
        self.calibrator_ = calibrator.fit(targets, quantiles, groups, extra)
        if isinstance(calibrator, QuantileCalibrator):
            known = np.isfinite(targets) & np.isfinite(quantiles[..., 0])
            counts = [known[groups == group].sum(axis=0) for group in np.unique(groups)]
            _warn_of_few(self.labels_, np.min(counts, axis=0), stacklevel=5)

    def quantiles(
        self, members: np.ndarray, features: Features, levels: Sequence[float] | None = None
    ) -> np.ndarray:
        """Return quantiles in the labels' units, (n_stars, n_labels, n_levels).

        Parameters
        ----------
        members, features
            The same as in `calibrate`.
        levels : sequence of float, optional
            Levels to return; None takes those that are predicted.
        """
        levels = self.levels if levels is None else levels
        quantiles = combine_members(members, self.levels)
        medians = quantiles[..., len(self.levels) // 2]
        if self.calibrator_ is not None:
            quantiles = self.calibrator_.predict(quantiles, *_kinds_of(features), levels)
        elif tuple(levels) != tuple(self.levels):
            quantiles = quantiles_at(quantiles, self.levels, levels)
        return self._in_units(self.label_coverage_.widen(quantiles, levels, medians))

    def interval(self, members: np.ndarray, features: Features, level: float) -> np.ndarray:
        """Return the bounds of the central interval of a level, (n_stars, n_labels, 2)."""
        return self.quantiles(members, features, ((1 - level) / 2, (1 + level) / 2))

    def medians(self, members: np.ndarray) -> np.ndarray:
        """Return medians of scaled labels, (n_stars, n_labels)."""
        return combine_members(members, self.levels)[..., len(self.levels) // 2]

    def flags(self, quantiles: np.ndarray, levels: Sequence[float]) -> np.ndarray:
        """Return the flags of quantiles in units at some levels, int32 of (n_stars, n_labels).

        See :class:`~msaestimator.results.PredictionFlag`.
        """
        medians = quantiles[..., len(levels) // 2]
        flags = limit_flags(medians, self.labels_, units=self.units_)
        by_label = quantiles.swapaxes(1, 2)
        scaled = self.label_scaler_.scaled(by_label.reshape(-1, len(self.labels_)))
        scaled = scaled.reshape(by_label.shape).swapaxes(1, 2)
        return flags | self.label_coverage_.flags(scaled, levels)

    def _in_units(self, scaled: np.ndarray) -> np.ndarray:
        return self.label_scaler_.inverse_transform(scaled.swapaxes(1, 2)).swapaxes(1, 2)


def calibration_sample(features: Features, targets: np.ndarray) -> tuple[Features, np.ndarray]:
    """Return stars to calibrate on: as they are, and those with XP coefficients without them too.

    Parameters
    ----------
    features : Features of n_stars stars
    targets : ndarray of shape (n_stars, n_labels)
    """
    if not features.columns.is_xp.any():
        return features, targets
    has_xp = ~features.lacks_xp
    values = np.concatenate([features.values, features[has_xp].without_xp().values])
    return Features(values, features.columns), np.concatenate([targets, targets[has_xp]])


def _warn_of_few(labels: Iterable[str], counts: np.ndarray, *, stacklevel: int) -> None:
    """Warn of labels that fewer stars know than calibration takes."""
    few = [
        f"{name!r} ({count} {'star' if count == 1 else 'stars'})"
        for name, count in zip(labels, counts, strict=True)
        if count < MIN_KNOWN
    ]
    if few:
        warnings.warn(
            f"The intervals of {', '.join(few)} are not calibrated but as wide as the network "
            f"predicts them: it takes {MIN_KNOWN} stars that know the label and were not trained "
            "on. Fit on more stars or with a larger `calibration_fraction`, or pass more to "
            "`calibrate`.",
            CalibrationWarning,
            stacklevel=stacklevel,
        )


def _kinds_of(features: Features) -> tuple[Any, Any]:
    """Return each star's group, 1 where XP coefficients are missing, and its G magnitude."""
    return features.lacks_xp.astype(int), features.g_magnitude
