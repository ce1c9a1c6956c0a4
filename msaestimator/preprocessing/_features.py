"""The transformer from a table of stars to a matrix of features."""

from typing import Any

import astropy.units as u
import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from msaestimator.exceptions import ColumnError
from msaestimator.preprocessing._forms import check_any_star
from msaestimator.preprocessing._measurements import Measurements
from msaestimator.preprocessing._open_stars import open_stars
from msaestimator.preprocessing._sampled import sampled
from msaestimator.schema import CoefficientArray, FeatureSchema, StarTable, resolve_schema
from msaestimator.tables import fill_missing_with_nan

__all__ = ["StellarFeatures", "names_out", "read_matrix", "stars_of"]


def read_matrix(transformer: BaseEstimator, X: Any, *, reset: bool) -> np.ndarray:
    """Return stars or a matrix as a float matrix, and note its column names on the transformer.

    Sets ``schema_``, ``n_features_in_`` and ``column_names_`` when ``reset``. A table is read by
    name, unless it comes as `Measurements` and has been; an array as wide as the schema is
    taken in the schema's order; any other array is generic and its columns are ``x0, x1, …``.
    """
    if reset:
        transformer.schema_ = resolve_schema(transformer.schema)
    schema = transformer.schema_
    measured = _measured(X, schema, aliases=transformer.aliases)
    if measured is None:
        matrix = validate_data(
            transformer,
            fill_missing_with_nan(X),
            reset=reset,
            dtype=np.float32,
            ensure_all_finite="allow-nan",
            ensure_min_samples=1 if reset else 0,
        )
        if reset:
            transformer.column_names_ = _matrix_names(transformer, schema)
        return matrix
    if reset:
        check_any_star(measured)
        transformer.feature_names_in_ = np.array(schema.names, dtype=object)
        transformer.n_features_in_ = len(schema)
        transformer.column_names_ = schema.names
    elif transformer.column_names_ != schema.names:
        raise ColumnError(
            f"{type(transformer).__name__} was fitted on a matrix of {transformer.n_features_in_} "
            "prepared features and got a table of stars. Pass both in the same form."
        )
    return measured.values.astype(np.float32)


def _measured(X: Any, schema: FeatureSchema, *, aliases: bool) -> Measurements | None:
    """Return a table as read by the schema, or None of a matrix."""
    if isinstance(X, Measurements):
        return X if X.schema == schema else Measurements(X.columns, schema, X.used)
    columns = open_stars(X, schema, aliases=aliases)
    return None if columns is None else Measurements(columns, schema)


def _matrix_names(transformer: BaseEstimator, schema: FeatureSchema) -> tuple[str, ...]:
    if hasattr(transformer, "feature_names_in_"):
        return tuple(transformer.feature_names_in_)
    if transformer.n_features_in_ == len(schema):
        return schema.names
    return tuple(f"x{index}" for index in range(transformer.n_features_in_))


def names_out(transformer: BaseEstimator, input_features: Any) -> tuple[str, ...]:
    """Return the matrix's column names; where these are not the schema's, ``input_features``.

    The columns of a table do not matter: those of the matrix are always the schema's.
    """
    if input_features is None or transformer.column_names_ == transformer.schema_.names:
        return transformer.column_names_
    given = getattr(transformer, "feature_names_in_", None)
    if given is not None and not np.array_equal(given, input_features):
        raise ValueError("input_features is not equal to feature_names_in_")
    if len(input_features) != transformer.n_features_in_:
        raise ValueError(
            "input_features should have length equal to number of features "
            f"({transformer.n_features_in_}), got {len(input_features)}"
        )
    return tuple(input_features)


def stars_of(matrix: np.ndarray, schema: FeatureSchema) -> StarTable:
    """Return a matrix with a schema's columns, (n_stars, len(schema)), as stars with units."""
    by_name = dict(zip(schema.names, matrix.T, strict=True))
    stars = StarTable()
    for member in schema.members:
        if isinstance(member, CoefficientArray):
            stars[member.name] = np.column_stack([by_name[c.name] for c in member.columns])
        else:
            stars[member.name] = u.Quantity(by_name[member.name], member.unit)
    return stars


class StellarFeatures(TransformerMixin, BaseEstimator):
    """Turn a table of stars into a float32 matrix with the schema's columns, in its order.

    Values are converted to the schema's units by physical type and otherwise left alone:
    magnitudes stay magnitudes, coefficients the archive's numbers.

    Parameters
    ----------
    schema : FeatureSchema, optional
        The columns wanted; None is :data:`msaestimator.schema.GAIA_DR3`, the thesis's 138.
    aliases : bool
        Whether columns are known by other names too, as in `MaskedStellarAutoencoder`.

    Attributes
    ----------
    schema_ : FeatureSchema
        The schema that ``fit`` took.
    n_features_in_ : int
        Number of columns, those of the schema.
    column_names_ : tuple of str
        Names of the columns.

    Notes
    -----
    Input is any container of named columns (:func:`msaestimator.tables.named_columns`). A
    masked, NaN, -9999 or absent value is NaN in the matrix, and so is one that no star has, such
    as 99.99 mag; columns the schema does not know are ignored. A plain array is taken to be
    features already, in the schema's order if it is as wide as the schema.

    Examples
    --------
    >>> import astropy.units as u
    >>> from msaestimator import StarTable
    >>> parallax, j_m = [0.001, 0.002] * u.arcsec, [11.0, -9999.0] * u.mag
    >>> stars = StarTable({"parallax": parallax, "j_m": j_m})
    >>> features = StellarFeatures()
    >>> matrix = features.fit_transform(stars)
    >>> matrix.shape, matrix.dtype
    ((2, 138), dtype('float32'))
    >>> features.inverse_transform(matrix)["parallax"].unit
    Unit("mas")
    """

    schema_: FeatureSchema
    column_names_: tuple[str, ...]

    def __init__(self, schema: FeatureSchema | None = None, *, aliases: bool = True) -> None:
        self.schema = schema
        self.aliases = aliases

    def fit(self, X: Any, y: Any = None) -> "StellarFeatures":
        """Check the columns of stars, or of a sample of those on disk; nothing is learned.

        Raises
        ------
        ColumnError, UnitMismatchError
            The table is refused, as by :func:`msaestimator.preprocessing.read_features`.
        """
        read_matrix(self, sampled(X), reset=True)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the features of ``X``: shape (n_stars, n_features), float32, NaN missing."""
        check_is_fitted(self, "column_names_")
        return read_matrix(self, X, reset=False)

    def inverse_transform(self, X: np.ndarray) -> StarTable | np.ndarray:
        """Return a matrix of features as a `StarTable` with units.

        Parameters
        ----------
        X : ndarray of shape (n_stars, n_features)

        Returns
        -------
        StarTable
            XP coefficients as array columns, NaN where missing. The matrix itself if the
            transformer was fitted on columns that are not the schema's.
        """
        check_is_fitted(self, "column_names_")
        X = np.asarray(X)
        if X.ndim != 2 or X.shape[1] != self.n_features_in_:
            raise ColumnError(
                f"The matrix must have {self.n_features_in_} columns, got shape {X.shape}."
            )
        return X if self.column_names_ != self.schema_.names else stars_of(X, self.schema_)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the column names of the matrix, an array of str objects."""
        check_is_fitted(self, "column_names_")
        return np.array(names_out(self, input_features), dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
