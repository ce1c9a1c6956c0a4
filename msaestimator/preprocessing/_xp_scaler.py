"""The scaler of XP coefficients: divide by the G flux, centre, scale, asinh."""

import warnings
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from msaestimator.exceptions import ColumnError
from msaestimator.preprocessing._features import names_out, read_matrix
from msaestimator.preprocessing._measurements import Measurements
from msaestimator.preprocessing._open_stars import NORMALIZED, open_stars
from msaestimator.preprocessing._sampled import sampled
from msaestimator.preprocessing._table_reader import read_column
from msaestimator.schema import G_BAND, FeatureSchema, g_flux
from msaestimator.tables import NamedColumns

__all__ = ["XPCoefficientScaler"]


class XPCoefficientScaler(TransformerMixin, BaseEstimator):
    """Bring XP coefficients of stars of every brightness to one scale.

    Each coefficient is divided by its star's G flux, then centred on its median and divided
    by its interquartile range over the stars, then compressed by asinh. Other columns pass
    through unchanged.

    Parameters
    ----------
    schema : FeatureSchema, optional
        Schema that tells which columns are coefficients; None is
        :data:`msaestimator.schema.GAIA_DR3`.
    normalize_flux : bool
        Whether to divide by the G flux. This needs the column ``phot_g_mean_mag``; a star without
        G loses its coefficients (they become NaN).
    asinh : bool
        Whether to compress the scaled values by asinh, which is linear near zero and logarithmic
        far away.
    n_coefficients : int, "relevant" or None
        Number of coefficients kept of each band, the first ones; basis functions are ordered by
        how much of the spectra they hold; ``"relevant"`` makes each star's coefficients beyond its
        ``bp_n_relevant_bases`` and ``rp_n_relevant_bases`` missing (a table must be passed, with
        these columns).
    aliases : bool
        Whether columns are known by other names too, as in `MaskedStellarAutoencoder`.

    Attributes
    ----------
    schema_ : FeatureSchema
        The schema that ``fit`` took.
    center_, scale_ : ndarray of shape (n_features,)
        Median and interquartile range of the coefficients; 0 and 1 for other columns.
    is_coefficient_ : ndarray of bool, shape (n_features,)
        Mask of the columns that are scaled.
    is_kept_ : ndarray of bool, shape (n_features,)
        Mask of the columns in the output.

    Notes
    -----
    The scaled value is ``asinh((c / F_G - median) / IQR)`` with
    ``F_G = 10 ** ((25.6873668671 - G) / 2.5)``; an IQR of zero counts as one. Scaled columns
    are renamed, ``bp_1`` to ``normalized_bp_1``: they are another quantity. NaN stays NaN.
    In an array that has neither names nor the schema's width, every column is a coefficient
    and none is divided by a flux.

    DIFF(mckay2025): the thesis feeds raw coefficients scaled by median and IQR; without the
    flux they are mostly brightness. The preset "mckay2025" does as the thesis.

    Examples
    --------
    >>> from msaestimator.datasets import load_apogee_xp
    >>> from msaestimator.preprocessing import StellarFeatures
    >>> from sklearn.pipeline import make_pipeline
    >>> scaler = make_pipeline(StellarFeatures(), XPCoefficientScaler(n_coefficients=20))
    >>> scaler.fit_transform(load_apogee_xp()[:100]).shape
    (100, 68)
    """

    schema_: FeatureSchema
    column_names_: tuple[str, ...]

    def __init__(
        self,
        schema: FeatureSchema | None = None,
        *,
        normalize_flux: bool = True,
        asinh: bool = True,
        n_coefficients: int | str | None = None,
        aliases: bool = True,
    ) -> None:
        self.schema = schema
        self.normalize_flux = normalize_flux
        self.asinh = asinh
        self.n_coefficients = n_coefficients
        self.aliases = aliases

    def fit(self, X: Any, y: Any = None) -> "XPCoefficientScaler":
        """Learn each coefficient's median and interquartile range.

        Parameters
        ----------
        X : table of stars, array of shape (n_stars, n_features), or StarDataset
            Stars, or the matrix that `StellarFeatures` makes of them; of stars on disk a sample
            of 20,000 is read.
        y : ignored

        Raises
        ------
        ColumnError
            No star has the G magnitude to divide its coefficients by.
        """
        self._check_n_coefficients()
        matrix = self._read(sampled(X), reset=True)
        self._find_coefficients()
        self._check_any_g(matrix)
        matrix = self._divide_by_flux(matrix).astype(np.float64)
        with warnings.catch_warnings():
            # A coefficient no star has is NaN in and NaN out, not worth a warning.
            warnings.simplefilter("ignore", RuntimeWarning)
            low, median, high = np.nanpercentile(matrix, [25, 50, 75], axis=0)
        width = high - low
        self.center_ = np.where(self.is_coefficient_, median, 0.0)
        self.scale_ = np.where(self.is_coefficient_ & (width > 0), width, 1.0)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the matrix with scaled coefficients: shape (n_stars, n_kept), float32."""
        check_is_fitted(self, "center_")
        matrix = self._read(X, reset=False)
        self.check_g_column(X, matrix)
        matrix = self._divide_by_flux(matrix)
        scaled = (matrix - self.center_) / self.scale_
        if self.asinh:
            scaled = np.where(self.is_coefficient_, np.arcsinh(scaled), scaled)
        return scaled[:, self.is_kept_].astype(np.float32)

    def inverse_transform(self, X: np.ndarray) -> np.ndarray:
        """Return coefficients in the archive's units: shape (n_stars, n_features), float32.

        Coefficients left out by ``n_coefficients`` come back as NaN, and those too large for
        single precision as infinity.
        """
        check_is_fitted(self, "center_")
        X = np.asarray(X, dtype=np.float64)
        if X.ndim != 2 or X.shape[1] != self.is_kept_.sum():
            raise ColumnError(
                f"The matrix must have {self.is_kept_.sum()} columns, got shape {X.shape}."
            )
        matrix = np.full((len(X), self.n_features_in_), np.nan)
        matrix[:, self.is_kept_] = X
        with np.errstate(over="ignore"):
            if self.asinh:
                matrix = np.where(self.is_coefficient_, np.sinh(matrix), matrix)
            matrix = matrix * self.scale_ + self.center_
            if self._g_column is not None:
                flux = g_flux(matrix[:, self._g_column])
                matrix = np.where(self.is_coefficient_, matrix * flux[:, None], matrix)
            return matrix.astype(np.float32)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the output's column names; a scaled coefficient is ``normalized_bp_1``."""
        check_is_fitted(self, "center_")
        names = names_out(self, input_features)
        marked = [
            f"{NORMALIZED}{name}" if is_coefficient and name in self.schema_ else name
            for name, is_coefficient in zip(names, self.is_coefficient_, strict=True)
        ]
        return np.array(marked, dtype=object)[self.is_kept_]

    def check_g_column(self, X: Any, values: np.ndarray) -> None:
        """Refuse a table with coefficients that has no column of the G magnitude.

        Parameters
        ----------
        X : table of n_stars stars, or array
            An array is not refused.
        values : ndarray of shape (n_stars, len(schema))
            The stars as read.

        Raises
        ------
        ColumnError
            All coefficients would be lost.
        """
        columns = self._columns_of(X)
        if columns is not None and G_BAND not in columns:
            self._check_any_g(values)

    def _check_any_g(self, values: np.ndarray) -> None:
        """Refuse stars that have coefficients, but none of which has the G magnitude."""
        if self._g_column is None or np.isfinite(values[:, self._g_column]).any():
            return
        if np.isfinite(values[:, self.is_coefficient_]).any():
            raise ColumnError(
                f"The XP coefficients are divided by the G flux, so stars must have {G_BAND!r}, "
                "and no star here has it. Join the column from the archive's gaia_source, or ask "
                "for the stars with GaiaArchive().fetch_features(source_ids)."
            )

    @property
    def _g_column(self) -> int | None:
        """Position of G; None when nothing is divided by its flux."""
        known = self.normalize_flux and G_BAND in self.column_names_
        return self.column_names_.index(G_BAND) if known else None

    def _check_n_coefficients(self) -> None:
        n = self.n_coefficients
        if n is not None and n != "relevant" and not (isinstance(n, int | np.integer) and n > 0):
            raise ValueError(
                f"`n_coefficients` must be a positive integer, 'relevant' or None, got {n!r}."
            )

    def _find_coefficients(self) -> None:
        """Note which columns are coefficients and which of them are kept."""
        names = self.column_names_
        order = {
            column.name: rank
            for array in self.schema_.arrays
            for rank, column in enumerate(array.columns)
        }
        generic = not any(name in self.schema_ for name in names)
        ranks = np.array([index if generic else order.get(n, -1) for index, n in enumerate(names)])
        self.is_coefficient_ = ranks >= 0
        needs_g = self.normalize_flux and self.is_coefficient_.any() and not generic
        if needs_g and G_BAND not in names:
            raise ColumnError(
                f"Dividing the coefficients by the G flux needs the column {G_BAND!r}, which is "
                "absent. Pass it along, or set normalize_flux=False."
            )
        limit = self.n_coefficients if isinstance(self.n_coefficients, int | np.integer) else None
        self.is_kept_ = np.ones(len(names), bool) if limit is None else ranks < limit

    def _read(self, X: Any, *, reset: bool) -> np.ndarray:
        matrix = read_matrix(self, X, reset=reset)
        return self._drop_irrelevant(X, matrix) if self.n_coefficients == "relevant" else matrix

    def _drop_irrelevant(self, X: Any, matrix: np.ndarray) -> np.ndarray:
        """Make the coefficients past each star's number of relevant bases missing."""
        matrix = matrix.copy()
        X = self._columns_of(X)
        for array in self.schema_.arrays:
            if X is None or array.relevant_bases not in X:
                raise ColumnError(
                    "n_coefficients='relevant' needs a table of stars with the column "
                    f"{array.relevant_bases!r}, which is absent. Use a number instead."
                )
            relevant = read_column(X, array.relevant_bases, "")
            columns = [self.column_names_.index(column.name) for column in array.columns]
            beyond = np.arange(array.size) >= relevant[:, None]
            matrix[:, columns] = np.where(beyond, np.nan, matrix[:, columns])
        return matrix

    def _columns_of(self, X: Any) -> NamedColumns | None:
        """Return the columns of stars by our names; None of a matrix."""
        if isinstance(X, Measurements):
            return X.columns
        return open_stars(X, self.schema_, aliases=self.aliases)

    def _divide_by_flux(self, matrix: np.ndarray) -> np.ndarray:
        if self._g_column is None:
            return matrix
        flux = g_flux(matrix[:, self._g_column].astype(np.float64))
        return np.where(self.is_coefficient_, matrix / flux[:, None], matrix)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
