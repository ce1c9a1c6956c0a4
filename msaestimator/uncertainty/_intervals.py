"""Labels of a fit, and the calibrated quantiles of them that an ensemble predicts."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import has_fit_parameter

from msaestimator.exceptions import CalibrationWarning
from msaestimator.preprocessing import Features, LabelScaler, LabelSet
from msaestimator.results import limit_flags
from msaestimator.uncertainty._conformal import MIN_KNOWN, QuantileCalibrator
from msaestimator.uncertainty._kinds_of_stars import detailed_kinds_of, kinds_of
from msaestimator.uncertainty._label_coverage import LabelCoverage
from msaestimator.uncertainty._levels import check_levels, quantiles_at
from msaestimator.uncertainty._members import combine_members
from msaestimator.uncertainty._recalibration import DISTRIBUTION_LEVELS, Recalibration

__all__ = ["IntervalModel"]


class IntervalModel(BaseEstimator):
    """Turn the quantiles that members of an ensemble predict into quantiles in units.

    Members predict scaled labels. Their quantiles are combined, calibrated on held-back stars,
    corrected for a selection of stars if there is a `Recalibration`, widened where no training
    star had the label, and brought to the labels' units.

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
    recalibration_ : Recalibration or None
        Correction for a selection of stars; None of a model without one.
    """

    calibrator_: Any
    recalibration_: Recalibration | None = None

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
        self.calibrator_ = self.recalibration_ = None
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

    def check_enough(self, truth: np.ndarray, asked: str) -> None:
        """Refuse to do what is asked with labels (n_stars, n_labels) that too few stars know."""
        n_known = np.isfinite(truth).sum(axis=0).max()
        if n_known < MIN_KNOWN:
            raise ValueError(
                f"`{asked}` needs at least {MIN_KNOWN} stars with a known label, got {n_known}. "
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

    def calibrate(
        self,
        members: np.ndarray,
        features: Features,
        targets: np.ndarray,
        stars: np.ndarray | None = None,
    ) -> None:
        """Learn from stars that the training did not see how far the intervals are off.

        Parameters
        ----------
        members : ndarray of shape (n_rows, n_members, n_labels, n_levels)
            Predicted quantiles of scaled labels.
        features : Features of n_rows stars
        targets : ndarray of shape (n_rows, n_labels)
            Scaled labels, NaN where unknown.
        stars : ndarray of int of shape (n_rows,), optional
            Number of each row's star, for several copies of stars; None has a star in each row.

        Warns
        -----
        CalibrationWarning
            Too few stars know a label for `QuantileCalibrator`.
        """
        calibrator = QuantileCalibrator() if self.calibrator is None else clone(self.calibrator)
        if "levels" in calibrator.get_params():
            calibrator.set_params(levels=tuple(self.levels))
        stars = np.arange(len(targets)) if stars is None else stars
        quantiles = combine_members(members, self.levels)
        groups, extra = detailed_kinds_of(features)
        copies = {"stars": stars} if has_fit_parameter(calibrator, "stars") else {}
        self.calibrator_ = calibrator.fit(targets, quantiles, groups, extra, **copies)
        self.recalibration_ = None
        if isinstance(calibrator, QuantileCalibrator):
            known = np.isfinite(targets) & np.isfinite(quantiles[..., 0])
            counts = [
                [len(np.unique(stars[of_label & (groups == group)])) for of_label in known.T]
                for group in np.unique(groups)
            ]
            _warn_of_few(self.labels_, np.min(counts, axis=0), stacklevel=5)

    def recalibrate(self, members: np.ndarray, features: Features, targets: np.ndarray) -> None:
        """Learn from stars of a selection how far their calibrated quantiles are off.

        Arguments are those of `calibrate`, with each star once. What was learned of another
        selection is forgotten.

        Warns
        -----
        CalibrationWarning
            Some stars know a label, but too few for `Recalibration`.
        """
        quantiles = self._calibrated(members, features, DISTRIBUTION_LEVELS)
        self.recalibration_ = Recalibration().fit(targets, quantiles, *kinds_of(features))
        known = np.isfinite(targets) & np.isfinite(quantiles[..., 0])
        # A label that nobody told was not to be corrected.
        counts = zip(self.labels_, known.sum(axis=0).tolist(), strict=True)
        told = {name: count for name, count in counts if count}
        _warn_of_few_to_correct(told, stacklevel=4)

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
        medians = self.medians(members)
        if self.recalibration_ is None:
            quantiles = self._calibrated(members, features, levels)
        else:
            known = self._calibrated(members, features, DISTRIBUTION_LEVELS)
            kinds = kinds_of(features)
            both = self.recalibration_.predict(known, *kinds, (*levels, 0.5))
            quantiles, medians = both[..., :-1], both[..., -1]
        return self._in_units(self.label_coverage_.widen(quantiles, levels, medians))

    def _calibrated(
        self, members: np.ndarray, features: Features, levels: Sequence[float]
    ) -> np.ndarray:
        """Return quantiles of scaled labels as the calibration has them."""
        quantiles = combine_members(members, self.levels)
        if self.calibrator_ is not None:
            return self.calibrator_.predict(quantiles, *detailed_kinds_of(features), levels)
        if tuple(levels) != tuple(self.levels):
            return quantiles_at(quantiles, self.levels, levels)
        return quantiles

    def interval(self, members: np.ndarray, features: Features, level: float) -> np.ndarray:
        """Return the bounds of the central interval of a level, (n_stars, n_labels, 2)."""
        return self.quantiles(members, features, ((1 - level) / 2, (1 + level) / 2))

    def medians(self, members: np.ndarray) -> np.ndarray:
        """Return medians of scaled labels, (n_stars, n_labels)."""
        return members[..., len(self.levels) // 2].mean(axis=1)

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


def _warn_of_few(labels: Iterable[str], counts: np.ndarray, *, stacklevel: int) -> None:
    """Warn of labels that fewer stars know than calibration takes."""
    few = _few(labels, counts)
    if few:
        warnings.warn(
            f"The intervals of {few} are not calibrated but as wide as the network "
            f"predicts them: it takes {MIN_KNOWN} stars that know the label and were not trained "
            "on. Fit on more stars or with a larger `calibration_fraction`, or pass more to "
            "`calibrate`.",
            CalibrationWarning,
            stacklevel=stacklevel,
        )


def _warn_of_few_to_correct(counts: Mapping[str, int], *, stacklevel: int) -> None:
    """Warn of labels that fewer stars know than a recalibration takes."""
    few = _few(counts, counts.values())
    if few:
        warnings.warn(
            f"The quantiles of {few} are not recalibrated but as they were: it takes {MIN_KNOWN} "
            "stars that know the label. Pass more to `recalibrate`.",
            CalibrationWarning,
            stacklevel=stacklevel,
        )


def _few(labels: Iterable[str], counts: Iterable[int]) -> str:
    """Return the labels that too few stars know, with their numbers."""
    return ", ".join(
        f"{name!r} ({count} {'star' if count == 1 else 'stars'})"
        for name, count in zip(labels, counts, strict=True)
        if count < MIN_KNOWN
    )
