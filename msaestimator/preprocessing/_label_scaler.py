"""The scaler of labels: log10 where asked, then centred and divided by their spread."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import median_abs_deviation
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data

from msaestimator.schema import LABELS

__all__ = ["LabelScaler"]


class LabelScaler(TransformerMixin, BaseEstimator):
    """Scale stellar labels for learning, with their errors, and back.

    Parameters
    ----------
    labels : sequence of str, optional
        Names of the columns. None takes a DataFrame's, else ``x0, x1, …``.
    log : "auto" or sequence of str
        Labels learned as log10; "auto" takes those the schema learns so (``teff``, ``age``,
        ``mass``, ``parallax``).
    robust : bool
        Centre on the median and divide by the NMAD (1.4826 times the median absolute
        deviation) rather than by mean and standard deviation.
    asinh : bool
        Compress what follows by asinh, which is linear near zero and logarithmic far away.

    Attributes
    ----------
    is_log_ : ndarray of bool, shape (n_labels,)
    center_, scale_ : ndarray of shape (n_labels,)
        Mean and standard deviation, or median and NMAD, after the logarithm; NaN ignored.

    Notes
    -----
    NaN stays NaN. A value that is not positive has no logarithm and becomes NaN (missing),
    as the thesis does with parallaxes. An error is scaled by the derivative of the
    transformation at its value: ``sigma / (y ln 10) / scale`` for a logarithm. A spread of
    zero counts as one.

    Examples
    --------
    >>> scaler = LabelScaler(labels=["teff", "logg"])
    >>> y = np.array([[4000.0, 1.5], [6000.0, np.nan]])
    >>> bool(np.allclose(scaler.inverse_transform(scaler.fit_transform(y)), y, equal_nan=True))
    True
    """

    def __init__(
        self,
        labels: Sequence[str] | None = None,
        *,
        log: str | Sequence[str] = "auto",
        robust: bool = False,
        asinh: bool = False,
    ) -> None:
        self.labels = labels
        self.log = log
        self.robust = robust
        self.asinh = asinh

    def fit(self, X: Any, y: Any = None) -> "LabelScaler":
        """Learn centre and spread of the labels ``X``, (n_stars, n_labels)."""
        X = self._validate(X, reset=True)
        names = self._names()
        # DIFF(mckay2025): labels over decades are learned as logarithms; linear ones come out
        # negative for young stars and count errors of hot stars far above those of cool ones.
        log = (
            [n for n in names if n in LABELS and LABELS[n].log] if self.log == "auto" else self.log
        )
        unknown = sorted(set(log) - set(names))
        if unknown:
            raise ValueError(f"`log` must name labels of {list(names)}, got {unknown}.")
        self.is_log_ = np.isin(names, list(log))
        with np.errstate(invalid="ignore"):  # a label no star has: NaN in, NaN out
            self.center_, self.scale_ = self._center_and_scale(self._logarithm(X))
        return self

    def _center_and_scale(self, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if not self.robust:
            standard = StandardScaler().fit(labels)
            return standard.mean_, standard.scale_
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a label no star has
            center = np.nanmedian(labels, axis=0)
            scale = median_abs_deviation(labels, axis=0, nan_policy="omit", scale="normal")
        return center, np.where(scale > 0, scale, 1.0)

    def transform(self, X: Any) -> np.ndarray:
        """Return scaled labels of shape (n_stars, n_labels)."""
        check_is_fitted(self, "center_")
        scaled = (self._logarithm(self._validate(X, reset=False)) - self.center_) / self.scale_
        return np.arcsinh(scaled) if self.asinh else scaled

    def inverse_transform(self, X: Any) -> np.ndarray:
        """Return labels in their units; the last axis of ``X`` runs over the labels."""
        check_is_fitted(self, "center_")
        scaled = np.asarray(X, dtype=np.float64)
        with np.errstate(over="ignore"):
            linear = (np.sinh(scaled) if self.asinh else scaled) * self.scale_ + self.center_
            return np.where(self.is_log_, 10.0**linear, linear)

    def transform_errors(self, X: Any, errors: Any) -> np.ndarray:
        """Return the standard errors of ``X`` on the scaled labels, (n_stars, n_labels)."""
        check_is_fitted(self, "center_")
        return np.asarray(errors, dtype=np.float64) / self._slope(np.asarray(X, np.float64))

    def inverse_transform_errors(self, X: Any, errors: Any) -> np.ndarray:
        """Return scaled errors of scaled labels ``X`` in the labels' units."""
        check_is_fitted(self, "center_")
        return np.asarray(errors, dtype=np.float64) * self._slope(self.inverse_transform(X))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the labels' names, unchanged."""
        check_is_fitted(self, "center_")
        return np.array(self._names() if input_features is None else input_features, dtype=object)

    def _slope(self, labels: np.ndarray) -> np.ndarray:
        """Change of a label per unit of its scaled value."""
        positive = np.where(labels > 0, labels, np.nan)
        slope = np.where(self.is_log_, positive * np.log(10.0), 1.0) * self.scale_
        if not self.asinh:
            return slope
        return slope * np.hypot(1.0, (self._logarithm(labels) - self.center_) / self.scale_)

    def _logarithm(self, labels: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            logarithm = np.where(labels > 0, np.log10(labels), np.nan)
        return np.where(self.is_log_, logarithm, labels)

    def _names(self) -> tuple[str, ...]:
        if self.labels is None:
            generic = [f"x{index}" for index in range(self.n_features_in_)]
            return tuple(getattr(self, "feature_names_in_", generic))
        if len(self.labels) != self.n_features_in_:
            raise ValueError(
                f"`labels` must name each of the {self.n_features_in_} columns, "
                f"got {list(self.labels)}."
            )
        return tuple(self.labels)

    def _validate(self, X: Any, *, reset: bool) -> np.ndarray:
        return validate_data(self, X, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
