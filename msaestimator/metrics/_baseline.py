"""The baseline that models are measured against: gradient boosting on the same rows."""

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.pipeline import make_pipeline

from msaestimator.metrics._two_half import hide_xp
from msaestimator.preprocessing import (
    LabelScaler,
    StellarFeatures,
    XPCoefficientScaler,
    read_labels,
    with_arrays,
)
from msaestimator.schema import get_label

__all__ = ["BoostingBaseline"]


class BoostingBaseline(RegressorMixin, BaseEstimator):
    """Gradient-boosted trees, one model a label, on flux-normalised features.

    Two sets are trained, with the XP coefficients and without, and each star is predicted by
    the set its features call for, so that neither half of the table handicaps it.

    Parameters
    ----------
    labels : tuple of str
        Names of the labels to predict.
    max_iter, learning_rate, max_leaf_nodes, l2_regularization
        Parameters of `sklearn.ensemble.HistGradientBoostingRegressor`; the values here are those
        that ``benchmarks/tune_baseline.py`` found on the packaged training stars.
    random_state : int
        Seed of every model.
    """

    def __init__(
        self,
        labels: tuple[str, ...],
        *,
        max_iter: int = 400,
        learning_rate: float = 0.06,
        max_leaf_nodes: int = 31,
        l2_regularization: float = 1.8,
        random_state: int = 0,
    ) -> None:
        self.labels = labels
        self.max_iter = max_iter
        self.learning_rate = learning_rate
        self.max_leaf_nodes = max_leaf_nodes
        self.l2_regularization = l2_regularization
        self.random_state = random_state

    @with_arrays
    def fit(self, X: Any, y: Any = None) -> Self:
        """Train on a table of stars with the label columns; unknown labels are left out."""
        self.labels_ = tuple(self.labels)
        units = {name: get_label(name).unit for name in self.labels}
        self.label_scaler_ = LabelScaler(self.labels).fit(read_labels(X, units))
        targets = self.label_scaler_.scaled(read_labels(X, units))
        self.features_ = make_pipeline(StellarFeatures(), XPCoefficientScaler()).fit(X)
        self.models_ = {
            with_xp: self._fit_models(X if with_xp else hide_xp(X), targets)
            for with_xp in (True, False)
        }
        return self

    @with_arrays
    def predict(self, X: Any) -> np.ndarray:
        """Return the labels of a table of stars, (n_stars, n_labels)."""
        matrix = self.features_.transform(X)
        names = self.features_.get_feature_names_out()
        has_xp = np.isfinite(matrix[:, [n.startswith("normalized_") for n in names]]).any(axis=1)
        scaled = np.empty((len(matrix), len(self.labels)))
        for with_xp, (columns, models) in self.models_.items():
            rows = has_xp == with_xp
            if rows.any():
                scaled[rows] = np.column_stack(
                    [m.predict(matrix[rows][:, columns]) for m in models]
                )
        return self.label_scaler_.inverse_transform(scaled)

    def _fit_models(
        self, stars: Any, targets: np.ndarray
    ) -> tuple[np.ndarray, list[HistGradientBoostingRegressor]]:
        matrix = self.features_.transform(stars)
        columns = np.isfinite(matrix).any(axis=0)
        models = []
        for target in targets.T:
            known = np.isfinite(target)
            model = HistGradientBoostingRegressor(
                max_iter=self.max_iter,
                learning_rate=self.learning_rate,
                max_leaf_nodes=self.max_leaf_nodes,
                l2_regularization=self.l2_regularization,
                early_stopping=False,
                random_state=self.random_state,
            )
            models.append(model.fit(matrix[known][:, columns], target[known]))
        return columns, models
