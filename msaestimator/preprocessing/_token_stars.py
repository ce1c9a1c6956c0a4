"""Read tables of stars, or matrices with labels, into the values of tokens."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from astropy.table import Table
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_consistent_length, validate_data

from msaestimator.exceptions import ColumnError, MissingColumnWarning
from msaestimator.preprocessing._asked_quantities import (
    AskedQuantities,
    Quantity,
    find_quantities,
)
from msaestimator.preprocessing._forms import (
    check_any_star,
    check_form,
    check_holds_features,
    check_takes_tables,
)
from msaestimator.preprocessing._label_scaler import LabelScaler
from msaestimator.preprocessing._label_set import LabelSet, check_known, collect_labels
from msaestimator.preprocessing._token_names import (
    check_no_columns,
    words_by_group,
    words_of,
)
from msaestimator.preprocessing._token_reader import (
    TokenReadings,
    open_tokens,
    read_valid_tokens,
    token_columns,
    token_errors,
)
from msaestimator.schema import GENERALIST, LABELS, Token, Vocabulary
from msaestimator.tables import NamedColumns, column_names, fill_missing_with_nan

__all__ = ["TokenReader"]


class TokenReader(BaseEstimator):
    """Read tables of stars, or matrices of features, into scaled values of tokens.

    Parameters
    ----------
    vocabulary : Vocabulary, optional
        Quantities that the model knows; None is :data:`msaestimator.schema.GENERALIST`.
    labels : sequence of str, optional
        Names of the labels; None takes the columns of ``y``, or the stellar parameters that the
        stars of ``fit`` have.
    asinh : bool
        Whether scaled quantities are compressed by asinh.
    invalid : {"raise", "mask"}
        Treatment of labels that no star has: an error, or taken as missing with a warning.

    Attributes
    ----------
    vocabulary_ : Vocabulary
        The quantities, labels included.
    labels_ : tuple of str
        Names of the labels.
    one_dimensional_ : bool
        Whether ``y`` was a single column.
    is_trained_ : ndarray of bool of shape (n_tokens,)
        Mask of the quantities that any star of ``fit`` had.
    scaler_ : LabelScaler
        Scaler between quantities and the network's numbers.
    fitted_on_table_ : bool
        Whether ``fit`` saw a table of stars.
    n_features_in_ : int
        Number of input columns.
    feature_names_in_ : ndarray of str of shape (n_features_in,)
        Names of the input columns, if these had any.
    """

    def __init__(
        self,
        vocabulary: Vocabulary | None = None,
        labels: Sequence[str] | None = None,
        asinh: bool = True,
        invalid: str = "raise",
    ) -> None:
        self.vocabulary = vocabulary
        self.labels = labels
        self.asinh = asinh
        self.invalid = invalid

    @property
    def units_(self) -> dict[str, str]:
        """Units of the labels."""
        return {name: self.vocabulary_[name].unit for name in self.labels_}

    def fit_transform(self, X: Any, y: Any = None) -> np.ndarray:
        """Learn how quantities are scaled, and return those of the stars.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_columns)
        y : table, array of shape (n_stars,) or (n_stars, n_labels), or None
            Labels in the place of those of ``X``.

        Returns
        -------
        ndarray of shape (n_stars, 2, n_tokens), float32
            Scaled values, NaN where unknown, and their errors, zero where unknown.
        """
        wanted = GENERALIST if self.vocabulary is None else self.vocabulary
        columns = open_tokens(X, wanted)
        self.fitted_on_table_ = columns is not None
        labels = None
        if y is not None or columns is None:
            labels = collect_labels(X, y, self.labels, invalid=self.invalid)
            check_consistent_length(X, labels.values)
            check_known(labels)
        if columns is not None:
            check_any_star(columns)
            self.vocabulary_ = _with_labels(wanted, labels)
            self.n_features_in_ = len(self.vocabulary_)
            self.feature_names_in_ = np.array(self.vocabulary_.names, dtype=object)
            values, errors, _ = read_valid_tokens(
                columns, self.vocabulary_, invalid_labels=self.invalid
            )
        else:
            matrix = self._validate(X, reset=True)
            self.vocabulary_ = _with_labels(self._matrix_vocabulary(), labels)
            values, errors = self._as_tokens(matrix)
        if labels is not None:
            self._put_labels(labels, y, values, errors)
        self.is_trained_ = np.isfinite(values).any(axis=0)
        if not self.is_trained_.any():
            raise ColumnError("The stars must have at least one known quantity, got none.")
        self.labels_ = self._labels_to_predict(labels)
        self.one_dimensional_ = labels is not None and labels.one_dimensional
        self.scaler_ = LabelScaler(
            self.vocabulary_.names,
            log=[token.name for token in self.vocabulary_.tokens if token.log],
            robust=True,
            asinh=self.asinh,
            units={token.name: token.unit for token in self.vocabulary_.tokens},
        ).fit(values)
        return self._scale(values, errors)

    def transform(self, X: Any, y: Any = None) -> np.ndarray:
        """Return what the tokens of stars say, as `fit_transform` does.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_columns)
        y : table, array of shape (n_stars,) or (n_stars, n_labels), or None
            Labels in the place of those of ``X``.
        """
        stars = self.read(X)[0]
        if y is None:
            return stars
        labels = collect_labels(X, y, self.labels, invalid=self.invalid)
        check_consistent_length(X, labels.values)
        if labels.names != self.labels_:
            raise ValueError(
                f"With warm_start the labels must stay {self.labels_}, got {labels.names}."
            )
        values = np.full((len(stars), len(self.vocabulary_)), np.nan)
        errors = np.zeros_like(values)
        self._put_labels(labels, y, values, errors)
        positions = self.vocabulary_.index(labels.names)
        stars[:, :, positions] = self._scale(values, errors)[:, :, positions]
        return stars

    def inverse_transform(
        self, tokens: Sequence[int], mean: np.ndarray, error: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return scaled values and errors of some tokens, (n_stars, n_chosen), in their units.

        Returns
        -------
        values, errors : ndarray of shape (n_stars, n_chosen)
            Medians and standard errors. The error of a logarithm is to first order (Zhang et al.
            2026, section 3.5).
        bounds : ndarray of shape (n_stars, n_chosen, 2)
            Values an error below and above, on the scale that the network learns.
        """
        full = np.zeros((2, len(mean), len(self.vocabulary_)))
        full[0][:, tokens], full[1][:, tokens] = mean, error
        values, lower, upper = (
            self.scaler_.inverse_transform(full[0] + side * full[1])[:, tokens]
            for side in (0, -1, 1)
        )
        errors = self.scaler_.inverse_transform_errors(*full)[:, tokens]
        return values, errors, np.stack([lower, upper], axis=-1)

    def unscaled(self, tokens: Sequence[int], values: np.ndarray) -> np.ndarray:
        """Return scaled values of some tokens, (..., n_chosen), in their units."""
        full = np.zeros((*values.shape[:-1], len(self.vocabulary_)))
        full[..., tokens] = values
        return self.scaler_.inverse_transform(full)[..., tokens]

    def scaled(self, tokens: Sequence[int], values: np.ndarray) -> np.ndarray:
        """Return values of some tokens in their units, (n_stars, n_chosen), as learned."""
        full = np.full((len(values), len(self.vocabulary_)), np.nan)
        full[:, tokens] = np.nan_to_num(values, nan=np.nan)  # infinite is very large
        return self.scaler_.scaled(full)[:, tokens]

    def positions(self, names: str | Sequence[str], *, what: str) -> list[int]:
        """Return the positions of tokens that training knew; ``what`` is the parameter's name."""
        names = [names] if isinstance(names, str) else list(names)
        if not names:
            raise ColumnError(f"`{what}` must name at least one token, got none.")
        positions = self.vocabulary_.index(names)
        untrained = [n for n, p in zip(names, positions, strict=True) if not self.is_trained_[p]]
        if untrained:
            raise ColumnError(
                f"`{what}` must be tokens that some star of fit had, and none had "
                f"{', '.join(untrained)}. Fit on stars that have it."
            )
        return positions

    def find_words(self, names: str | Sequence[str], *, what: str) -> list[int]:
        """Return the positions of words, those of groups too, that fit knew."""
        words = words_of(names, self.vocabulary_, self.is_trained_, what=what)
        check_no_columns(words, self.vocabulary_, what=what)
        self.vocabulary_.index(words, words_by_group(self.vocabulary_))
        return self.positions(words, what=what)

    def find_quantities(self, names: str | Sequence[str]) -> list[Quantity]:
        """Return the quantities that are asked for by name; see `AskedQuantities`."""
        return find_quantities(names, self.vocabulary_, self.is_trained_)

    def ask(self, names: str | Sequence[str], X: Any) -> AskedQuantities:
        """Return what stars, as `open` returns them, are asked for by name."""
        return AskedQuantities(self.find_quantities(names), X, self.vocabulary_)

    def new_words(self, X: Any) -> list[str]:
        """Return the words that stars have, as `open` returns them, and no star of ``fit`` had."""
        columns = open_tokens(X, self.vocabulary_)
        if columns is None or self.is_trained_.all():
            return []
        untrained = read_valid_tokens(columns, self.vocabulary_, ~self.is_trained_).values
        return np.array(self.vocabulary_.names)[np.isfinite(untrained).any(axis=0)].tolist()

    def read_labels(self, table: Any, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return values and errors of labels in a table, each (n_stars, n_labels)."""
        vocabulary = Vocabulary(tuple(self.vocabulary_[name] for name in names))
        columns = open_tokens(table, vocabulary)
        return read_valid_tokens(columns, vocabulary, invalid_labels=self.invalid)[:2]

    def without_untrained(self, stars: Table) -> Table:
        """Return stars without the columns that tell only what no star of ``fit`` had."""
        unused = token_columns(self.vocabulary_) - token_columns(self._trained)
        return stars[[name for name in stars.colnames if name not in unused]]

    @property
    def input_columns(self) -> frozenset[str]:
        """Columns of a table that matter: what tells the trained quantities, and errors."""
        return frozenset(token_columns(self._trained) | token_errors(self._trained))

    @property
    def _trained(self) -> Vocabulary:
        """Quantities that any star of ``fit`` had."""
        known = zip(self.vocabulary_.tokens, self.is_trained_, strict=True)
        return Vocabulary(tuple(token for token, is_trained in known if is_trained))

    @property
    def trained_tokens(self) -> tuple[str, ...]:
        """Names of the quantities that any star of ``fit`` had."""
        return tuple(np.array(self.vocabulary_.names)[self.is_trained_].tolist())

    def check_takes_tables(self) -> None:
        """Refuse a reader that was fitted on a matrix."""
        check_takes_tables(self.fitted_on_table_)

    def read(self, X: Any, *, invalid_labels: str = "mask") -> tuple[np.ndarray, np.ndarray]:
        """Return what `transform` does, and a mask of the stars with values that no star has.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_columns)
        invalid_labels : {"raise", "mask"}
            Treatment of labels that no star has: an error, or missing with a warning.

        Returns
        -------
        scaled : ndarray of shape (n_stars, 2, n_tokens), float32
        is_invalid : ndarray of bool of shape (n_stars,)
        """
        columns = open_tokens(X, self.vocabulary_)
        check_form(X, columns is not None, self.fitted_on_table_)
        if columns is None:
            values, errors = self._as_tokens(self._validate(X, reset=False))
            readings = TokenReadings(values, errors, np.zeros(len(values), dtype=bool))
        else:
            readings = read_valid_tokens(
                columns, self.vocabulary_, self.is_trained_, invalid_labels=invalid_labels
            )
            self._warn_of_untrained(columns)
        readings.values[:, ~self.is_trained_] = np.nan
        return self._scale(readings.values, readings.errors), readings.is_invalid

    def open(self, X: Any, *, aliases: bool = True) -> NamedColumns | Any:
        """Return a container of stars by our names of its columns, and a matrix as it is."""
        own = GENERALIST if self.vocabulary is None else self.vocabulary
        columns = open_tokens(X, getattr(self, "vocabulary_", own), aliases=aliases)
        return X if columns is None else columns

    def _as_tokens(self, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return a matrix as the first tokens' values, with errors of zero."""
        values = np.full((len(matrix), len(self.vocabulary_)), np.nan)
        values[:, : matrix.shape[1]] = matrix
        return values, np.zeros_like(values)

    def _scale(self, values: np.ndarray, errors: np.ndarray) -> np.ndarray:
        errors = np.nan_to_num(self.scaler_.transform_errors(values, errors))
        return np.stack([self.scaler_.scaled(values), errors], axis=1).astype(np.float32)

    def _put_labels(
        self, labels: LabelSet, y: Any, values: np.ndarray, errors: np.ndarray
    ) -> None:
        """Put the labels of ``y`` in the place of those of ``X``."""
        positions = self.vocabulary_.index(labels.names)
        if column_names(y) is not None:
            values[:, positions], errors[:, positions] = self.read_labels(y, labels.names)
        else:
            values[:, positions], errors[:, positions] = labels.values, 0.0

    def _labels_to_predict(self, labels: LabelSet | None) -> tuple[str, ...]:
        if labels is not None:
            return labels.names
        if self.labels is not None:
            self.positions(self.labels, what="labels")
            return tuple(self.labels)
        trained = zip(self.vocabulary_.tokens, self.is_trained_, strict=True)
        return tuple(t.name for t, known in trained if t.block == "label" and known)

    def _matrix_vocabulary(self) -> Vocabulary:
        generic = [f"x{index}" for index in range(self.n_features_in_)]
        names = getattr(self, "feature_names_in_", generic)
        return Vocabulary(tuple(Token(name, block="feature") for name in names))

    def _warn_of_untrained(self, columns: NamedColumns) -> None:
        """Warn of columns of quantities that no star of ``fit`` had."""
        tokens = zip(self.vocabulary_.tokens, self.is_trained_, strict=True)
        ignored = [token.name for token, known in tokens if not known and token.name in columns]
        if ignored:
            more = f" and {len(ignored) - 3} more" if len(ignored) > 3 else ""
            warnings.warn(
                f"Column {', '.join(map(repr, ignored[:3]))}{more}: ignored: no star of "
                "fit had it.",
                MissingColumnWarning,
                stacklevel=4,
            )

    def _validate(self, X: Any, *, reset: bool) -> np.ndarray:
        matrix = validate_data(
            self,
            fill_missing_with_nan(X),
            reset=reset,
            dtype=np.float64,
            ensure_all_finite="allow-nan",
            ensure_min_samples=2 if reset else 0,
        )
        return check_holds_features(matrix) if reset else matrix


def _with_labels(vocabulary: Vocabulary, labels: LabelSet | None) -> Vocabulary:
    """Return a vocabulary that has the labels too."""
    if labels is None:
        return vocabulary
    new = [name for name in labels.names if name not in vocabulary]
    return vocabulary.with_tokens(
        *(
            Token(name, labels.units[name], "label", log=name in LABELS and LABELS[name].log)
            for name in new
        )
    )
