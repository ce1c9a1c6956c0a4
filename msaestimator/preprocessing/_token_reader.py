"""Read the quantities of a vocabulary, and their errors, out of any table."""

import re
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from msaestimator.exceptions import ColumnError, MissingValueWarning
from msaestimator.preprocessing._open_stars import open_by_names
from msaestimator.preprocessing._table_reader import (
    check_any_known,
    check_once,
    outside,
    read_array,
    read_scalar,
    warn_of_invalid,
)
from msaestimator.schema import (
    COEFFICIENT_LIMITS,
    GAIA_DR3,
    LABELS,
    CoefficientArray,
    Token,
    Vocabulary,
    g_flux,
    limits_of,
    pseudo_luminosity,
)
from msaestimator.tables import NamedColumns, require_columns

__all__ = [
    "Measured",
    "TokenReadings",
    "coefficient_arrays",
    "open_tokens",
    "read_part",
    "read_tokens",
    "read_valid_tokens",
    "token_columns",
    "token_errors",
    "unit_of_part",
]

NOISE_LIMIT = 5.0
"""Standard errors below zero from which a value that has no logarithm is worth a warning."""

Measured = tuple[np.ndarray, np.ndarray]
"""Values, NaN where missing, and their standard errors, zero where unknown."""


class TokenReadings(NamedTuple):
    """Values and errors of quantities, and which stars had values that no star has.

    Parameters
    ----------
    values, errors : ndarray of shape (n_stars, n_tokens), float64
        Values, NaN where missing, and errors, zero where unknown, in the tokens' units.
    is_invalid : ndarray of bool of shape (n_stars,)
        Mask of the stars with a value outside its limits, which is NaN in ``values``.
    """

    values: np.ndarray
    errors: np.ndarray
    is_invalid: np.ndarray


def open_tokens(X: Any, vocabulary: Vocabulary, *, aliases: bool = True) -> NamedColumns | None:
    """Return stars by the names of a vocabulary's columns; None of a matrix; see `open_stars`."""
    features = token_columns(vocabulary)
    return open_by_names(X, features, token_errors(vocabulary), aliases=aliases)


def token_columns(vocabulary: Vocabulary) -> set[str]:
    """Return the columns that tell a vocabulary's quantities: theirs, parts and XP arrays."""
    parts = {column for token in vocabulary.tokens for column in token.columns}
    return {*vocabulary.names, *parts, *(array.name for array in coefficient_arrays(vocabulary))}


def token_errors(vocabulary: Vocabulary) -> set[str]:
    """Return the columns that tell the errors of `token_columns`."""
    of_arrays = {array.error for array in coefficient_arrays(vocabulary)}
    return of_arrays | {e for name in token_columns(vocabulary) for e in _error_names(name)}


def read_tokens(table: Any, vocabulary: Vocabulary) -> Measured:
    """Return a table's values and errors of the vocabulary's quantities.

    Parameters
    ----------
    table : Table, QTable, StarTable, DataFrame or structured array of length n_stars
        A quantity is the column of its name, or follows from others by its recipe if they
        are there. Errors are columns such as ``teff_err`` or ``teff_error``, or those the schema
        names.
    vocabulary : Vocabulary

    Returns
    -------
    values, errors : ndarray of shape (n_stars, n_tokens), float64
        Values and errors in the tokens' units. Values are NaN where missing, errors zero where
        unknown.

    Raises
    ------
    ColumnError
        No quantity of the vocabulary is there; a column is there twice, not numeric or
        infinite; an error is negative; coefficients are of another number than the vocabulary's,
        or come without the G magnitude.
    UnitMismatchError
        A unit of another physical type.

    Warns
    -----
    MissingValueWarning
        A value has no logarithm, though it is learned as one, and noise does not explain it: it
        is below zero by five standard errors, or zero or below with an unknown one.
    """
    return read_valid_tokens(table, vocabulary)[:2]


def read_valid_tokens(
    table: Any,
    vocabulary: Vocabulary,
    is_used: np.ndarray | None = None,
    *,
    invalid_labels: str = "mask",
) -> TokenReadings:
    """Return quantities as `read_tokens`, and which stars have invalid values.

    Parameters
    ----------
    table, vocabulary
        The same as in `read_tokens`.
    is_used : ndarray of bool of shape (n_tokens,), optional
        Mask of the tokens to read; the others are NaN, whatever the table holds. None reads all.
    invalid_labels : {"raise", "mask"}
        Treatment of labels that no star has: an error, or missing with a warning.
    """
    columns = require_columns(table)
    check_once(columns.names, coefficient_arrays(vocabulary))
    check_any_known(columns.names, token_columns(vocabulary), "a quantity of the vocabulary")
    reader = _Reader(columns, vocabulary)
    values = np.full((len(columns), len(vocabulary)), np.nan)
    errors = np.zeros_like(values)
    for position, token in enumerate(vocabulary.tokens):
        measured = None if is_used is not None and not is_used[position] else reader.read(token)
        if measured is not None:
            values[:, position] = _usable(token, *measured)
            error = np.hypot(measured[1], token.error_floor)
            errors[:, position] = np.where(np.isfinite(error), error, 0.0)
    reader.report(invalid_labels)
    return TokenReadings(values, errors, reader.is_invalid)


def read_part(
    table: Any, vocabulary: Vocabulary, token: Token, place: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return values and errors, (n_stars,), of the column that a token's recipe has at a place."""
    reader = _Reader(require_columns(table), vocabulary)
    measured = reader.read_part(token, place)
    reader.report("mask")
    return measured


def unit_of_part(token: Token, place: int) -> str:
    """Return the unit in which a token's recipe takes the column at a place."""
    unit = RECIPES[token.recipe].units[place] if token.recipe else None
    return token.unit if unit is None else unit


class _Reader:
    """A table's columns by the names that tokens and their recipes use."""

    def __init__(self, columns: NamedColumns, vocabulary: Vocabulary) -> None:
        self.columns = columns
        self.is_invalid = np.zeros(len(columns), dtype=bool)
        self.invalid: dict[str, str] = {}
        self.coefficients: dict[str, Measured] = {}
        for array in coefficient_arrays(vocabulary):
            if array.name in columns:
                self.coefficients |= self._expand(array)

    def read(self, token: Token) -> Measured | None:
        """Return a token's values and errors, None if the table does not have them."""
        if token.name in self.columns:
            return self._column(token.name, token.unit)
        if token.recipe is None or not all(self._has(name) for name in token.columns):
            self._refuse_coefficients_alone(token)
            return None
        return RECIPES[token.recipe].follow(self.read_part(token, 0), self.read_part(token, 1))

    def read_part(self, token: Token, place: int) -> Measured:
        """Return values and errors of the column that a token's recipe has at a place."""
        return self._column(token.columns[place], unit_of_part(token, place))

    def report(self, invalid_labels: str) -> None:
        """Tell of the values that no star has; of labels as an error if so asked."""
        labels = [text for name, text in self.invalid.items() if name in LABELS]
        if labels and invalid_labels == "raise":
            raise ColumnError(
                f"Labels must be values that a star can have, got {'; '.join(labels)}. Set them "
                "to NaN, or have them taken as missing with invalid='mask'."
            )
        if self.invalid:
            warn_of_invalid([*self.invalid.values()])

    def _expand(self, array: CoefficientArray) -> dict[str, Measured]:
        """Return an array column's coefficients one by one."""
        values, errors = self._spread(array, array.name), np.zeros(array.size)
        if array.error in self.columns:
            errors = _standard_errors(array.error, self._spread(array, array.error))
        parts = (part.T for part in np.broadcast_arrays(values, errors))
        return {column.name: (v, e) for column, v, e in zip(array.columns, *parts, strict=True)}

    def _spread(self, array: CoefficientArray, name: str) -> np.ndarray:
        """Return an array column as (n_stars, size), also where no star has any."""
        values = read_array(self.columns, replace(array, name=name))
        if name == array.name:
            values = self._within(COEFFICIENT_LIMITS, name, values, "")
        return np.broadcast_to(values, (len(values), array.size))

    def _has(self, name: str) -> bool:
        return name in self.columns or name in self.coefficients

    def _column(self, name: str, unit: str) -> Measured:
        if name in self.coefficients:
            return self.coefficients[name]
        label = LABELS.get(name)
        log_of = label.log_of if label and unit else ""
        values = read_scalar(self.columns, name, unit, log_of=log_of)
        limits = label.accepted_in(unit) if label and unit else limits_of(name, unit)
        values = self._within(limits, name, values, unit)
        error = next((e for e in _error_names(name) if e in self.columns), None)
        if error is None:
            return values, np.zeros_like(values)
        return values, _standard_errors(error, read_scalar(self.columns, error, unit))

    def _within(
        self, limits: tuple[float, float], name: str, values: np.ndarray, unit: str
    ) -> np.ndarray:
        """Return values with NaN for those outside limits, which are noted."""
        wrong = (values < limits[0]) | (values > limits[1])
        if not wrong.any():
            return values
        self.is_invalid |= wrong.reshape(len(wrong), -1).any(axis=1)
        self.invalid[name] = outside(name, values, limits, unit)
        return np.where(wrong, np.nan, values)

    def _refuse_coefficients_alone(self, token: Token) -> None:
        if token.recipe == "over_g_flux" and self._has(token.columns[0]):
            raise ColumnError(
                f"The coefficient {token.columns[0]!r} is divided by the G flux, which needs the "
                f"column {token.columns[1]!r}, and it is absent. Pass it along."
            )


def _standard_errors(name: str, errors: np.ndarray) -> np.ndarray:
    """Return the errors of a column, zero where unknown."""
    rows = np.flatnonzero(np.atleast_2d(errors.T < 0).any(axis=0))
    if len(rows):
        raise ColumnError(
            f"Column {name!r} must hold standard errors, which are not negative, got negative "
            f"ones in {len(rows)} rows, the first in row {rows[0]}. Set them to NaN if they are "
            "unknown."
        )
    return np.nan_to_num(errors)


def _difference(first: Measured, second: Measured) -> Measured:
    return first[0] - second[0], np.hypot(first[1], second[1])


def _over_g_flux(coefficient: Measured, magnitude: Measured) -> Measured:
    flux = g_flux(magnitude[0])
    return coefficient[0] / flux, coefficient[1] / flux


def _pseudo_luminosity(parallax: Measured, magnitude: Measured) -> Measured:
    return pseudo_luminosity(parallax[0], magnitude[0]), pseudo_luminosity(
        parallax[1], magnitude[0]
    )


class Recipe(NamedTuple):
    """A token's way from two columns, in their units; None is the token's own unit."""

    follow: Callable[[Measured, Measured], Measured]
    units: tuple[str | None, str | None]


RECIPES = {
    "difference": Recipe(_difference, (None, None)),
    "over_g_flux": Recipe(_over_g_flux, ("", "mag")),
    "pseudo_luminosity": Recipe(_pseudo_luminosity, ("mas", "mag")),
}
"""Recipes of tokens, by name."""


def _usable(token: Token, values: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Return values raised to the token's floor, NaN where its logarithm is not defined."""
    if token.floor is not None:
        values = np.maximum(values, token.floor)
    unusable = values <= 0 if token.log else np.zeros(len(values), bool)
    # Noise makes parallaxes of far stars negative, which is no news.
    strange = unusable & (values + NOISE_LIMIT * errors <= 0)
    if strange.any():
        warnings.warn(
            f"{strange.sum()} of {len(values)} stars have a {token.name!r} that is not "
            "positive and so has no logarithm; there it is taken as missing.",
            MissingValueWarning,
            stacklevel=5,
        )
    return np.where(unusable, np.nan, values)


def coefficient_arrays(vocabulary: Vocabulary) -> list[CoefficientArray]:
    """Return the archive's array columns that hold the vocabulary's coefficients."""
    sizes: dict[str, int] = {}
    for token in vocabulary.tokens:
        found = re.fullmatch(r"(\w+)_(\d+)", token.columns[0]) if token.columns else None
        if token.recipe == "over_g_flux" and found:
            band, order = found.groups()
            sizes[band] = max(int(order), sizes.get(band, 0))
    return [CoefficientArray(f"{band}_coefficients", band, size) for band, size in sizes.items()]


def _error_names(name: str) -> list[str]:
    """Return what the error of a column may be called."""
    stated = GAIA_DR3[name].error if name in GAIA_DR3 else None
    return [*([stated] if stated else []), f"{name}_err", f"{name}_error"]
