"""A scorer of scikit-learn's tools that reads the labels by name, wherever they are."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.metrics import get_scorer

from msaestimator.preprocessing import collect_labels

__all__ = ["LabelScorer"]


@dataclass(frozen=True)
class LabelScorer:
    """Score an estimator's predictions by a metric of scikit-learn, label by label.

    The labels are read as ``fit`` reads them: from the table of stars or from ``y``, by name,
    converted to the units that are predicted. Unknown ones (NaN, masked) are left out.

    Parameters
    ----------
    scoring : str
        Name of a scorer of scikit-learn for regressors, such as ``"r2"`` or
        ``"neg_mean_absolute_error"``.

    Notes
    -----
    ``scoring="r2"`` itself compares numbers: it needs ``y`` without NaN, in the units and the
    order that are predicted. The score is the mean over the labels.

    Examples
    --------
    >>> from sklearn.model_selection import cross_val_score
    >>> from msaestimator import StellarParameterRegressor
    >>> from msaestimator.datasets import load_apogee_xp
    >>> stars = load_apogee_xp("train")[:100]
    >>> reg = StellarParameterRegressor(
    ...     labels=("teff",), max_epochs=1, calibration_fraction=0.0, random_state=0
    ... )
    >>> errors = cross_val_score(
    ...     reg, stars, cv=2, scoring=LabelScorer("neg_median_absolute_error")
    ... )
    >>> errors.shape, bool((errors < 0).all())
    ((2,), True)
    """

    scoring: str = "r2"

    def __call__(
        self, estimator: Any, X: Any, y: Any = None, sample_weight: ArrayLike | None = None
    ) -> float:
        """Return the score of a fitted estimator, or a Pipeline that ends in one.

        Parameters
        ----------
        estimator : estimator
            Fitted regressor with ``labels_`` and ``units_``.
        X : table of n_stars stars, or array of shape (n_stars, n_features)
            Stars that the estimator takes.
        y : table, array of shape (n_stars,) or (n_stars, n_labels), or None
            The labels; None takes them from ``X``.
        sample_weight : array-like of shape (n_stars,), optional
            Weights of the stars, for metrics that take them.

        Returns
        -------
        float
            Mean of the labels' scores; NaN if no label is known.
        """
        scorer = get_scorer(self.scoring)
        truth = collect_labels(X, y, _last(estimator).units_).values
        predicted = np.reshape(estimator.predict(X), truth.shape)
        known = np.isfinite(truth) & np.isfinite(predicted)
        weights = {} if sample_weight is None else {"sample_weight": np.asarray(sample_weight)}
        scores = []
        for label, rows in enumerate(known.T):
            if rows.any():
                told, stars = _Told(predicted[rows, label]), np.empty((rows.sum(), 0))
                of_rows = {name: values[rows] for name, values in weights.items()}
                scores.append(scorer(told, stars, truth[rows, label], **of_rows))
        return float(np.mean(scores)) if scores else np.nan


class _Told(RegressorMixin, BaseEstimator):
    """Regressor that predicts what it was told."""

    def __init__(self, predictions: np.ndarray) -> None:
        self.predictions = predictions

    def predict(self, X: Any) -> np.ndarray:
        return self.predictions


def _last(estimator: Any) -> Any:
    """Return the estimator that knows its labels: itself, or the last of a Pipeline or search."""
    while not hasattr(estimator, "units_"):
        inner = getattr(estimator, "best_estimator_", None)
        steps = getattr(estimator, "steps", None)
        if inner is None and steps is None:
            raise TypeError(
                "`LabelScorer` needs an estimator with labels, such as StellarParameterRegressor, "
                f"got {type(estimator).__name__}."
            )
        estimator = inner if steps is None else steps[-1][1]
    return estimator
