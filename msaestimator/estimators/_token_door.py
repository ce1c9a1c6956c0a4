"""The door for quantities: from a table, or a matrix with labels, to what a star's tokens say."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from astropy.table import Table
from sklearn.utils.validation import check_consistent_length, validate_data

from msaestimator.estimators._forms import FormedEstimator
from msaestimator.estimators._labels import LabelSet, check_known, collect_labels
from msaestimator.exceptions import ColumnError, MissingColumnWarning
from msaestimator.preprocessing import (
    NORMALIZED,
    LabelScaler,
    column_names,
    has_tokens,
    read_tokens,
    token_columns,
)
from msaestimator.schema import GENERALIST, LABELS, Token, Vocabulary

__all__ = ["TokenDoor"]


class TokenDoor(FormedEstimator):
    """An estimator with ``vocabulary``, ``labels`` and ``asinh`` that takes tables or matrices.

    Sets ``vocabulary_``, ``labels_``, ``scaler_``, ``is_trained_`` (which tokens any star of
    ``fit`` had), ``one_dimensional_`` and ``fitted_on_table_``.
    """

    def _learn_tokens(self, X: Any, y: Any) -> np.ndarray:
        """Set the fitted attributes and return scaled values and errors, (n_stars, 2, n_tokens).

        float32; values are NaN where unknown, errors zero.
        """
        wanted = GENERALIST if self.vocabulary is None else self.vocabulary
        self.fitted_on_table_ = _is_table(X, wanted)
        labels = None
        if y is not None or not self.fitted_on_table_:
            labels = collect_labels(X, y, self.labels)
            check_consistent_length(X, labels.values)
            check_known(labels)
        if self.fitted_on_table_:
            self.vocabulary_ = _with_labels(wanted, labels)
            self.n_features_in_ = len(self.vocabulary_)
            self.feature_names_in_ = np.array(self.vocabulary_.names, dtype=object)
            values, errors = _read_stars(X, self.vocabulary_)
        else:
            matrix = self._validate(X, reset=True)
            self.vocabulary_ = _with_labels(self._matrix_vocabulary(), labels)
            values = np.full((len(matrix), len(self.vocabulary_)), np.nan)
            values[:, : matrix.shape[1]] = matrix
            errors = np.zeros_like(values)
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

    def _enter(self, X: Any) -> np.ndarray:
        """Return what fitted tokens say of stars, scaled, as `_learn_tokens` does."""
        table = _is_table(X, self.vocabulary_)
        self._check_form(X, table)
        if table:
            values, errors = _read_stars(X, self.vocabulary_)
            self._warn_of_untrained(np.isfinite(values).any(axis=0))
        else:
            matrix = self._validate(X, reset=False)
            values = np.full((len(matrix), len(self.vocabulary_)), np.nan)
            values[:, : matrix.shape[1]] = matrix
            errors = np.zeros_like(values)
        values[:, ~self.is_trained_] = np.nan
        return self._scale(values, errors)

    def _enter_labeled(self, X: Any, y: Any) -> np.ndarray:
        """Return stars as `_enter` does, with the labels of ``y`` in the place of theirs."""
        stars = self._enter(X)
        if y is None:
            return stars
        labels = collect_labels(X, y, self.labels)
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

    def _scale(self, values: np.ndarray, errors: np.ndarray) -> np.ndarray:
        errors = np.nan_to_num(self.scaler_.transform_errors(values, errors))
        return np.stack([self.scaler_.transform(values), errors], axis=1).astype(np.float32)

    def _unscale(
        self, tokens: Sequence[int], mean: np.ndarray, error: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return scaled values and errors of some tokens, (n_stars, n_chosen), in their units.

        The error of a logarithm is to first order (Zhang et al. 2026, section 3.5).
        """
        full = np.zeros((2, len(mean), len(self.vocabulary_)))
        full[0][:, tokens], full[1][:, tokens] = mean, error
        linear = self.scaler_.inverse_transform(full[0])[:, tokens]
        return linear, self.scaler_.inverse_transform_errors(*full)[:, tokens]

    def _positions(self, names: str | Sequence[str], *, what: str) -> list[int]:
        """Return the positions of tokens that training knew."""
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

    def _put_labels(
        self, labels: LabelSet, y: Any, values: np.ndarray, errors: np.ndarray
    ) -> None:
        """Put the labels of ``y`` in the place of those of ``X``."""
        positions = self.vocabulary_.index(labels.names)
        if column_names(y) is not None:
            values[:, positions], errors[:, positions] = self._read_labels(y, labels.names)
        else:
            values[:, positions], errors[:, positions] = labels.values, 0.0

    def _read_labels(self, table: Any, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return values and errors of labels in a table, each (n_stars, n_labels)."""
        return read_tokens(table, Vocabulary(tuple(self.vocabulary_[name] for name in names)))

    def _labels_to_predict(self, labels: LabelSet | None) -> tuple[str, ...]:
        if labels is not None:
            return labels.names
        if self.labels is not None:
            self._positions(self.labels, what="labels")
            return tuple(self.labels)
        trained = zip(self.vocabulary_.tokens, self.is_trained_, strict=True)
        return tuple(t.name for t, known in trained if t.block == "label" and known)

    def _matrix_vocabulary(self) -> Vocabulary:
        generic = [f"x{index}" for index in range(self.n_features_in_)]
        names = getattr(self, "feature_names_in_", generic)
        return Vocabulary(tuple(Token(name, block="feature") for name in names))

    def _without_untrained(self, stars: Table) -> Table:
        """Return stars without the columns that tell only what no star of ``fit`` had."""
        trained = zip(self.vocabulary_.tokens, self.is_trained_, strict=True)
        used = token_columns(Vocabulary(tuple(token for token, known in trained if known)))
        unused = token_columns(self.vocabulary_) - used
        return stars[[name for name in stars.colnames if name not in unused]]

    def _warn_of_untrained(self, is_given: np.ndarray) -> None:
        ignored = np.array(self.vocabulary_.names)[is_given & ~self.is_trained_]
        if len(ignored):
            more = f" and {len(ignored) - 3} more" if len(ignored) > 3 else ""
            warnings.warn(
                f"Column {', '.join(map(repr, ignored[:3].tolist()))}{more}: ignored: no star of "
                "fit had it.",
                MissingColumnWarning,
                stacklevel=4,
            )

    def _validate(self, X: Any, *, reset: bool) -> np.ndarray:
        return validate_data(
            self,
            X,
            reset=reset,
            dtype=np.float64,
            ensure_all_finite="allow-nan",
            ensure_min_samples=2 if reset else 1,
        )


def _is_table(X: Any, vocabulary: Vocabulary) -> bool:
    """Tell a table of quantities, read by name, from a matrix of features."""
    names = column_names(X)
    if names is None or isinstance(X, np.ndarray | Table):
        return names is not None
    return has_tokens(X, vocabulary) and not any(name.startswith(NORMALIZED) for name in names)


def _read_stars(table: Any, vocabulary: Vocabulary) -> tuple[np.ndarray, np.ndarray]:
    if not len(table):
        raise ColumnError("The table must have at least one star, got 0 rows.")
    return read_tokens(table, vocabulary)


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
