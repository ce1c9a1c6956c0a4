"""The door for stars: from a table, or a matrix of prepared features, to what the network sees."""

import warnings
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import RobustScaler
from sklearn.utils.validation import validate_data

from msaestimator.estimators._forms import FormedEstimator
from msaestimator.exceptions import ColumnError, MissingColumnWarning
from msaestimator.preprocessing import (
    NORMALIZED,
    StellarFeatures,
    XPCoefficientScaler,
    column_names,
    is_table,
)
from msaestimator.schema import GAIA_DR3, FeatureSchema, StarTable

__all__ = ["StarDoor"]


class StarDoor(FormedEstimator):
    """An estimator with ``schema`` and ``preprocessor`` that takes stars as tables or matrices.

    Sets ``preprocessor_``, ``feature_names_``, ``is_observed_`` (which of the preprocessor's
    columns any star of ``fit`` had: the features the network sees), ``feature_range_`` (their
    least and largest values) and ``fitted_on_table_``.
    """

    @property
    def _schema(self) -> FeatureSchema:
        return GAIA_DR3 if self.schema is None else self.schema

    def _enter(self, X: Any, *, reset: bool) -> np.ndarray:
        """Return scaled features, (n_stars, len(feature_names_)) float32, NaN missing.

        A table is raw stars and is read by name; an array, or a DataFrame that
        `XPCoefficientScaler` made, is a matrix of prepared features and is only scaled to
        median and interquartile range.
        """
        table = is_table(X, self._schema)
        if not reset:
            self._check_form(X, table)
        if not table:
            X = validate_data(
                self,
                X,
                reset=reset,
                dtype=np.float32,
                ensure_all_finite="allow-nan",
                ensure_min_samples=2 if reset else 1,
            )
        elif reset:
            self.feature_names_in_ = np.array(self._schema.names, dtype=object)
            self.n_features_in_ = len(self._schema)
        if reset:
            self.fitted_on_table_ = table
            self._fit_preprocessor(X)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "X does not have valid feature names")
            matrix = self.preprocessor_.transform(X)
        if table and not reset:
            self._warn_of_columns(X)
        return np.ascontiguousarray(np.asarray(matrix, dtype=np.float32)[:, self.is_observed_])

    def _fit_preprocessor(self, X: Any) -> None:
        """Fit the preprocessor, and note which features any star has."""
        if self.preprocessor is not None:
            self.preprocessor_ = clone(self.preprocessor)
        elif self.fitted_on_table_:
            self.preprocessor_ = make_pipeline(
                StellarFeatures(self.schema), XPCoefficientScaler(self.schema), RobustScaler()
            )
        else:
            self.preprocessor_ = make_pipeline(RobustScaler())
        with warnings.catch_warnings():
            # A feature that no star has is left out below, so it is not worth a warning.
            warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)
            matrix = np.asarray(self.preprocessor_.fit_transform(X), dtype=np.float32)
        self.is_observed_ = np.isfinite(matrix).any(axis=0)
        if not self.is_observed_.any():
            raise ColumnError("The stars must have at least one observed feature, got none.")
        names = self._matrix_names(matrix.shape[1])
        self.feature_names_ = tuple(names[self.is_observed_])
        observed = matrix[:, self.is_observed_]
        self.feature_range_ = np.stack([np.nanmin(observed, 0), np.nanmax(observed, 0)])

    def _matrix_names(self, n_columns: int) -> np.ndarray:
        """Return the column names of the preprocessor's output."""
        given = getattr(self, "feature_names_in_", None)
        if given is None and n_columns == self.n_features_in_ == len(self._schema):
            return np.array(self._schema.names, dtype=object)
        return self.preprocessor_.get_feature_names_out(None if self.fitted_on_table_ else given)

    def _warn_of_columns(self, X: Any) -> None:
        """Warn of columns that only the stars of ``fit``, or only these, have."""
        schema = self._schema
        given = set(column_names(X))
        for array in schema.arrays:
            if array.name in given:
                given |= {column.name for column in array.columns}
        known = self._seen_in_fit()
        absent = [n for n in schema.names if n in known and n not in given]
        unseen = [n for n in schema.names if n in given and n not in known]
        for names, fate in (
            (absent, "absent here and taken as missing, though fit saw it"),
            (unseen, "ignored: no star of fit had it"),
        ):
            if names:
                more = f" and {len(names) - 3} more" if len(names) > 3 else ""
                warnings.warn(
                    f"Column {', '.join(map(repr, names[:3]))}{more}: {fate}.",
                    MissingColumnWarning,
                    stacklevel=4,
                )

    def _seen_in_fit(self) -> set[str]:
        """Return the schema's columns that any star of ``fit`` had."""
        return {self._base_name(name) for name in self.feature_names_}

    def _uses(self, name: str) -> bool:
        """Tell whether a column of the schema is a feature of the fitted network."""
        return name in self._seen_in_fit()

    def _without_unseen(self, stars: StarTable) -> StarTable:
        """Return stars without the schema's columns that no star of ``fit`` had."""
        seen = self._seen_in_fit()
        unseen = {name for name in self._schema.names if name not in seen}
        for array in self._schema.arrays:
            if all(column.name in unseen for column in array.columns):
                unseen.add(array.name)
        return stars[[name for name in stars.colnames if name not in unseen]]

    @staticmethod
    def _base_name(name: str) -> str:
        return name.removeprefix(NORMALIZED)
