"""The scaler of labels: log10 where asked, then centred and divided by their spread."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import median_abs_deviation
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data

from msaestimator.preprocessing._sampled import sampled
from msaestimator.schema import LABELS
from msaestimator.tables import fill_missing_with_nan

__all__ = ["LabelScaler"]

UNBOUNDED = (-np.inf, np.inf)


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
    units : mapping of str to str, optional
        Units of labels that are not in the schema's.

    Warns
    -----
    UserWarning
        Labels in `fit` are above the bound that the schema gives them; the message has their
        number.

    Attributes
    ----------
    is_log_ : ndarray of bool, shape (n_labels,)
        Mask of the labels that are learned as log10.
    bounds_ : ndarray of shape (2, n_labels)
        Least and largest value of each label by its nature, in its unit.
    center_, scale_ : ndarray of shape (n_labels,)
        Mean and standard deviation, or median and NMAD, after the logarithm; NaN ignored.

    Notes
    -----
    NaN stays NaN. A value that is not positive has no logarithm and becomes NaN (missing),
    as the thesis does with parallaxes. An error is scaled by the derivative of the
    transformation at its value: ``sigma / (y ln 10) / scale`` for a logarithm. A spread of
    zero counts as one.

    A label that the schema bounds (age within 0 and 14 Gyr; Teff, mass and parallax positive)
    is learned and given back within its bounds: a larger value counts as the bound. That is
    right for quantiles too, since those of ``min(age, 14)`` are ``min(quantile, 14)``.

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
        units: Mapping[str, str] | None = None,
    ) -> None:
        self.labels = labels
        self.log = log
        self.robust = robust
        self.asinh = asinh
        self.units = units

    def fit(self, X: Any, y: Any = None) -> "LabelScaler":
        """Learn centre and spread of the labels ``X``, (n_stars, n_labels), or of a sample.

        Parameters
        ----------
        X : table or array of shape (n_stars, n_labels), or StarDataset
            Labels; of stars on disk, with these columns, a sample of 20,000 is read.
        y : ignored
        """
        X = self._validate(sampled(X), reset=True)
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
        self.bounds_ = self._find_bounds()
        self._warn_of_bounds(X)
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
        return self.scaled(X)

    def scaled(self, X: Any) -> np.ndarray:
        """Return what `transform` does, an array whatever ``set_output`` asks for."""
        check_is_fitted(self, "center_")
        scaled = (self._logarithm(self._validate(X, reset=False)) - self.center_) / self.scale_
        return np.arcsinh(scaled) if self.asinh else scaled

    def inverse_transform(self, X: Any) -> np.ndarray:
        """Return labels in their units; the last axis of ``X`` runs over the labels."""
        check_is_fitted(self, "center_")
        # DIFF(mckay2025): the thesis lets ages fall below zero and exceed the universe's.
        low, high = self.bounds_
        # A bound of zero is open: log10 of what comes back is finite.
        return np.clip(self._unscale(X), np.where(low == 0, np.finfo(float).tiny, low), high)

    def transform_errors(self, X: Any, errors: Any) -> np.ndarray:
        """Return the standard errors of ``X`` on the scaled labels, (n_stars, n_labels)."""
        check_is_fitted(self, "center_")
        return np.asarray(errors, dtype=np.float64) / self._slope(np.asarray(X, np.float64))

    def inverse_transform_errors(self, X: Any, errors: Any) -> np.ndarray:
        """Return scaled errors of scaled labels ``X`` in the labels' units."""
        check_is_fitted(self, "center_")
        return np.asarray(errors, dtype=np.float64) * self._slope(self._unscale(X))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the labels' names, unchanged."""
        check_is_fitted(self, "center_")
        return np.array(self._names() if input_features is None else input_features, dtype=object)

    def _unscale(self, X: Any) -> np.ndarray:
        """Undo `transform`, beyond the bounds too."""
        scaled = np.asarray(X, dtype=np.float64)
        with np.errstate(over="ignore"):
            linear = (np.sinh(scaled) if self.asinh else scaled) * self.scale_ + self.center_
            return np.where(self.is_log_, 10.0**linear, linear)

    def _find_bounds(self) -> np.ndarray:
        """Return the labels' bounds in their units, (2, n_labels)."""
        known = {name: LABELS[name].unit for name in self._names() if name in LABELS}
        units = known | dict(self.units or {})
        # A label without its unit is another number, such as a feature that a pipeline scaled.
        bounded = {name for name in known if units[name]}
        return np.transpose(
            [
                LABELS[name].bounds_in(units[name]) if name in bounded else UNBOUNDED
                for name in self._names()
            ]
        )

    def _warn_of_bounds(self, labels: np.ndarray) -> None:
        bounds = self.bounds_[1]
        for name, bound, above in zip(
            self._names(), bounds, (labels > bounds).sum(0), strict=True
        ):
            if above:
                warnings.warn(
                    f"{above} of {len(labels)} stars have {name} above {bound:g}, which no star "
                    f"has: it counts as {bound:g}.",
                    UserWarning,
                    stacklevel=3,
                )

    def _slope(self, labels: np.ndarray) -> np.ndarray:
        """Change of a label per unit of its scaled value."""
        positive = np.where(labels > 0, labels, np.nan)
        slope = np.where(self.is_log_, positive * np.log(10.0), 1.0) * self.scale_
        if not self.asinh:
            return slope
        return slope * np.hypot(1.0, (self._logarithm(labels) - self.center_) / self.scale_)

    def _logarithm(self, labels: np.ndarray) -> np.ndarray:
        """Return labels, or their logarithms, before centring; none above its bound."""
        labels = np.minimum(labels, self.bounds_[1])
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
        return validate_data(
            self,
            fill_missing_with_nan(X),
            reset=reset,
            dtype=np.float64,
            ensure_all_finite="allow-nan",
            ensure_min_samples=1 if reset else 0,
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
