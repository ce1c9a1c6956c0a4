"""Read tables of stars, or matrices of features, into what the network takes."""

import warnings
from collections.abc import Iterable
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import RobustScaler
from sklearn.utils.validation import check_is_fitted, validate_data

from msaestimator.exceptions import ColumnError, MissingColumnWarning
from msaestimator.preprocessing._feature_matrix import FeatureColumns, Features
from msaestimator.preprocessing._features import StellarFeatures
from msaestimator.preprocessing._forms import (
    check_any_star,
    check_form,
    check_holds_features,
    check_takes_tables,
)
from msaestimator.preprocessing._measured_errors import errors_of
from msaestimator.preprocessing._measurements import Measurements
from msaestimator.preprocessing._open_stars import open_stars
from msaestimator.preprocessing._own_arrays import with_arrays
from msaestimator.preprocessing._xp_scaler import XPCoefficientScaler
from msaestimator.schema import FeatureSchema, StarTable, resolve_schema
from msaestimator.tables import NamedColumns, fill_missing_with_nan

__all__ = ["StarReader"]

RANGE_ERRORS = 5.0
"""Errors by which a value may lie beyond the range that stars made fainter were in."""


LEAST_LACKING = 0.01
"""Share of stars made fainter that lack a feature from which nobody is told of its absence."""


class StarReader(BaseEstimator):
    """Read tables of stars, or matrices of features, into what the network takes.

    A table is raw stars and is read by name, once; an array, or a DataFrame that
    `XPCoefficientScaler` made, is a matrix of prepared features and is only scaled.

    Parameters
    ----------
    schema : FeatureSchema, optional
        The input columns; None is :data:`msaestimator.schema.GAIA_DR3`.
    preprocessor : transformer, optional
        Transformer of stars into scaled features. None is `StellarFeatures`, `XPCoefficientScaler`
        and `sklearn.preprocessing.RobustScaler` for a table, and `RobustScaler` for a matrix.

    Attributes
    ----------
    schema_ : FeatureSchema
        The schema that ``fit`` took, whatever the default becomes.
    preprocessor_ : transformer
        The fitted preprocessor.
    fitted_on_table_ : bool
        Whether ``fit`` saw a table of stars.
    is_observed_ : ndarray of bool of shape (n_columns,)
        Mask of the preprocessor's columns that any star of ``fit`` had: these are the features.
    feature_names_ : tuple of str of length n_features
        Names of the features.
    feature_range_ : ndarray of shape (2, n_features)
        Least and largest value of each feature in ``fit``, and of what `extend_range` was given.
    range_errors_ : float
        Errors of its own by which a value may lie beyond, and still not be called out of range:
        0 if `extend_range` was not called, as of models that were saved before there was one.
    optional_ : tuple of str
        Columns whose absence is no surprise, since many of the stars that `extend_range` was given
        lack them.
    n_features_in_ : int
        Number of input columns.
    feature_names_in_ : ndarray of str of shape (n_features_in,)
        Names of the input columns, if these had any.
    """

    feature_range_: np.ndarray
    range_errors_: float = 0.0
    optional_: tuple[str, ...] = ()

    def __init__(
        self, schema: FeatureSchema | None = None, preprocessor: BaseEstimator | None = None
    ) -> None:
        self.schema = schema
        self.preprocessor = preprocessor

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn how stars become features.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_columns)
        y : ignored
        """
        self.fit_transform(X)
        return self

    def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> Features:
        """Learn how stars become features, and return these."""
        self.schema_ = resolve_schema(self.schema)
        columns = open_stars(X, self.schema_)
        self.fitted_on_table_ = columns is not None
        if columns is None:
            return self._fit_preprocessor(self._validate(X, reset=True), None)
        check_any_star(columns)
        self.feature_names_in_ = np.array(self.schema_.names, dtype=object)
        self.n_features_in_ = len(self.schema_)
        return self._fit_preprocessor(X, Measurements(columns, self.schema_))

    def transform(self, X: Any) -> Features:
        """Return the features of stars.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_columns)

        Returns
        -------
        Features
            Features, a row a star.

        Raises
        ------
        ColumnError, UnitMismatchError
            The stars come in another form than those of ``fit``, a column is wrong, or there are
            coefficients without the G magnitude.
        """
        check_is_fitted(self, "preprocessor_")
        columns = open_stars(X, self.schema_)
        check_form(X, columns is not None, self.fitted_on_table_)
        if columns is None:
            return self._features(self._scale(self._validate(X, reset=False), None), None)
        measured = Measurements(columns, self.schema_, self._used)
        self._check_g_column(measured)
        matrix = self._scale(X, measured)
        self._warn_of_columns(columns)
        return self._features(matrix, measured)

    def extend_range(self, features: Features) -> Self:
        """Widen the range of the features to hold stars of ``fit`` that were made fainter.

        From then on noise puts no star out of range, see ``range_errors_``, and columns that one
        in a hundred of these lack are ``optional_``.
        """
        beyond = np.full((2, len(self.columns)), np.nan)
        seen = np.isfinite(features.values).any(axis=0)
        if seen.any():
            beyond[0, seen] = np.nanmin(features.values[:, seen], axis=0)
            beyond[1, seen] = np.nanmax(features.values[:, seen], axis=0)
        low, high = self.feature_range_
        self.feature_range_ = np.stack([np.fmin(low, beyond[0]), np.fmax(high, beyond[1])]).astype(
            low.dtype
        )
        self.range_errors_ = RANGE_ERRORS
        lacking = np.isnan(features.values[features.is_observed]).mean(axis=0) >= LEAST_LACKING
        self.optional_ = tuple(np.array(self.columns.base_names)[lacking].tolist())
        return self

    def without_noise_beyond(self, features: Features) -> np.ndarray:
        """Return features with what noise puts beyond their range at its end.

        Parameters
        ----------
        features : Features of n_stars stars

        Returns
        -------
        ndarray of shape (n_stars, n_features)
            Features; those that are beyond by more than ``range_errors_`` errors, or whose errors
            are not known, as they are.
        """
        values, measured = features.values, features.measured
        if not self.range_errors_ or measured is None or self.preprocessor is not None:
            return values
        low, high = self.feature_range_
        rows = np.flatnonzero(((values < low) | (values > high)).any(axis=1))
        if not len(rows):
            return values
        errors = errors_of(measured, self.preprocessor_, rows)[:, self.is_observed_]
        own = values[rows]
        inside = np.clip(own, low, high)
        values = values.copy()
        values[rows] = np.where(np.abs(own - inside) <= self.range_errors_ * errors, inside, own)
        return values

    def open(
        self, X: Any, *, aliases: bool = True, labels: Iterable[str] = ()
    ) -> NamedColumns | Any:
        """Return a container of stars by our names of its columns, and a matrix as it is.

        Parameters
        ----------
        X : container of n_stars stars, or array of shape (n_stars, n_columns)
        aliases, labels
            The same as in `open_stars`.
        """
        schema = self.schema_ if self.__sklearn_is_fitted__() else resolve_schema(self.schema)
        columns = open_stars(X, schema, aliases=aliases, labels=labels)
        return X if columns is None else columns

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "preprocessor_")

    def inverse_transform(self, values: np.ndarray) -> Any:
        """Return features, (n_stars, n_features), as the preprocessor's input: table or matrix."""
        if len(values) == 0:  # which scikit-learn's scalers refuse
            return self.inverse_transform(np.full((1, len(self.columns)), np.nan))[:0]
        scaled = np.full((len(values), len(self.is_observed_)), np.nan, dtype=np.float32)
        scaled[:, self.is_observed_] = values
        return self.preprocessor_.inverse_transform(scaled)

    @property
    def columns(self) -> FeatureColumns:
        """The features' names, and what the schema says of them."""
        return FeatureColumns(self.feature_names_, self.schema_)

    def uses(self, name: str) -> bool:
        """Tell whether a column of the schema is a feature."""
        return name in self.columns.base_names

    def without_unseen(self, stars: StarTable) -> StarTable:
        """Return stars without the schema's columns, and their errors, that no star of fit had."""
        seen = set(self.columns.base_names)
        unseen = [column for column in self.schema_.columns if column.name not in seen]
        left_out = {name for column in unseen for name in (column.name, column.error)}
        for array in self.schema_.arrays:
            if seen.isdisjoint(column.name for column in array.columns):
                left_out |= {array.name, array.error}
        return stars[[name for name in stars.colnames if name not in left_out]]

    @property
    def input_columns(self) -> frozenset[str] | None:
        """Columns of a table that matter: features, their errors, arrays of them.

        None if only a preprocessor of one's own knows.
        """
        if self._used is None:
            return None
        errors = {c.error for c in self.schema_.columns if c.name in self._used and c.error}
        arrays = [a for a in self.schema_.arrays if any(c.name in self._used for c in a.columns)]
        of_arrays = {name for a in arrays for name in (a.name, a.error, a.relevant_bases)}
        return frozenset(self._used | errors | of_arrays)

    def check_takes_tables(self) -> None:
        """Refuse a reader that was fitted on a matrix."""
        check_takes_tables(self.fitted_on_table_)

    @property
    def _used(self) -> set[str] | None:
        """Columns that the features are made of; None if only the preprocessor knows."""
        return set(self.columns.base_names) if self.preprocessor is None else None

    @with_arrays
    def _fit_preprocessor(self, X: Any, measured: Measurements | None) -> Features:
        """Fit the preprocessor, note which features any star has, and return them."""
        self.preprocessor_ = self._new_preprocessor()
        with warnings.catch_warnings():
            # A feature that no star has is left out below, so it is not worth a warning.
            warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)
            self.preprocessor_.fit(self._input(X, measured))
        matrix = self._scale(X, measured)
        self.is_observed_ = np.isfinite(matrix).any(axis=0)
        if not self.is_observed_.any():
            raise ColumnError("The stars must have at least one observed feature, got none.")
        names = self._matrix_names(matrix.shape[1])
        self.feature_names_ = tuple(names[self.is_observed_])
        features = self._features(matrix, measured)
        observed = features.values
        self.feature_range_ = np.stack([np.nanmin(observed, 0), np.nanmax(observed, 0)])
        return features

    def _new_preprocessor(self) -> Any:
        if self.preprocessor is not None:
            return clone(self.preprocessor)
        if not self.fitted_on_table_:
            return make_pipeline(RobustScaler())
        return make_pipeline(
            StellarFeatures(self.schema_), XPCoefficientScaler(self.schema_), RobustScaler()
        )

    def _check_g_column(self, measured: Measurements) -> None:
        """Refuse stars with coefficients and without the G magnitude to divide them by."""
        steps = self.preprocessor_
        for step in steps if isinstance(steps, Pipeline) else [steps]:
            if isinstance(step, XPCoefficientScaler) and self.columns.is_xp.any():
                step.check_g_column(measured, measured.values)

    def _input(self, X: Any, measured: Measurements | None) -> Any:
        """Return what the preprocessor takes: stars as read, if it is one of ours that reads."""
        steps = self.preprocessor_
        first = steps[0] if isinstance(steps, Pipeline) else steps
        if measured is None:
            return X
        reads = isinstance(first, StellarFeatures | XPCoefficientScaler)
        return measured if reads else measured.columns.container

    @with_arrays
    def _scale(self, X: Any, measured: Measurements | None) -> np.ndarray:
        if len(X if measured is None else measured) == 0:
            return np.empty((0, len(self.is_observed_)), dtype=np.float32)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "X does not have valid feature names")
            matrix = self.preprocessor_.transform(self._input(X, measured))
        return np.asarray(matrix, dtype=np.float32)

    def _features(self, matrix: np.ndarray, measured: Measurements | None) -> Features:
        values = np.ascontiguousarray(matrix[:, self.is_observed_])
        return Features(values, self.columns, measured)

    def _matrix_names(self, n_columns: int) -> np.ndarray:
        """Return the column names of the preprocessor's output."""
        given = getattr(self, "feature_names_in_", None)
        if given is None and n_columns == self.n_features_in_ == len(self.schema_):
            return np.array(self.schema_.names, dtype=object)
        return self.preprocessor_.get_feature_names_out(None if self.fitted_on_table_ else given)

    def _validate(self, X: Any, *, reset: bool) -> np.ndarray:
        matrix = validate_data(
            self,
            fill_missing_with_nan(X),
            reset=reset,
            dtype=np.float32,
            ensure_all_finite="allow-nan",
            ensure_min_samples=2 if reset else 0,
        )
        return check_holds_features(matrix) if reset else matrix

    def _warn_of_columns(self, columns: NamedColumns) -> None:
        """Warn of columns that only the stars of ``fit``, or only these, have."""
        given = set(columns.names)
        for array in self.schema_.arrays:
            if array.name in given:
                given |= {column.name for column in array.columns}
        known = set(self.columns.base_names)
        needed = known.difference(self.optional_)
        absent = [n for n in self.schema_.names if n in needed and n not in given]
        unseen = [n for n in self.schema_.names if n in given and n not in known]
        for names, fate in (
            (absent, "absent here and taken as missing, though fit saw it"),
            (unseen, "ignored: no star of fit had it"),
        ):
            if names:
                more = f" and {len(names) - 3} more" if len(names) > 3 else ""
                warnings.warn(
                    f"Column {', '.join(map(repr, names[:3]))}{more}: {fate}.",
                    MissingColumnWarning,
                    stacklevel=5,
                )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
