"""Quantities that are asked for: words, and columns that follow from words and told columns."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from msaestimator.exceptions import ColumnError
from msaestimator.preprocessing._token_names import words_by_group, words_of
from msaestimator.preprocessing._token_reader import Measured, read_part, unit_of_part
from msaestimator.schema import Token, Vocabulary, pseudo_luminosity
from msaestimator.tables import column_names

__all__ = ["AskedQuantities", "Quantity", "find_quantities"]

Back = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Function of a word and a told column, which gives the other column of the word's recipe."""

BACK: dict[tuple[str | None, int], Back] = {
    ("difference", 0): lambda color, second: color + second,
    ("difference", 1): lambda color, first: first - color,
    ("pseudo_luminosity", 0): lambda value, g: value / pseudo_luminosity(np.ones(1), g),
}
"""Ways back from words to a column of their recipe, by recipe and the column's place in it."""


class Way(NamedTuple):
    """A way to a column: the word's position, the word, and the column's place in its recipe."""

    position: int
    token: Token
    place: int

    @property
    def needs(self) -> str:
        """Name of the other column of the recipe, which has to be told."""
        return self.token.columns[1 - self.place]


class Quantity(NamedTuple):
    """A quantity that is asked for, with the positions of its word or of those it follows from."""

    name: str
    unit: str
    positions: tuple[int, ...]
    ways: tuple[Way, ...] = ()


def find_quantities(
    names: str | Sequence[str], vocabulary: Vocabulary, is_trained: np.ndarray
) -> list[Quantity]:
    """Return what is asked for by name.

    Parameters
    ----------
    names : str or sequence of str
        Words; groups of them, see `words_by_group`; and columns that follow from a word and
        another column: ``"j_m"`` from the word ``j_h`` and ``h_m``.
    vocabulary : Vocabulary
    is_trained : ndarray of bool of shape (n_tokens,)
        Mask of the words that some star of ``fit`` had.

    Raises
    ------
    ColumnError
        A name is neither, no star of ``fit`` had the quantity, or training never asks for it.
    """
    words = words_of(names, vocabulary, is_trained, what="requests")
    if not words:
        raise ColumnError("`requests` must name at least one token, got none.")
    only_told = [w for w in words if w in vocabulary and not vocabulary[w].requested]
    if only_told:
        raise ColumnError(
            f"`requests` must be words that training asks for, and {', '.join(only_told)} it only "
            "tells. Ask for others, or fit with `requested=True` of these tokens."
        )
    quantities = [_quantity(name, vocabulary, is_trained) for name in words]
    absent = [quantity.name for quantity in quantities if not quantity.positions]
    if absent:
        raise ColumnError(
            "`requests` must be tokens that some star of fit had, and none had "
            f"{', '.join(absent)}. Fit on stars that have it."
        )
    return quantities


class AskedQuantities:
    """Quantities that stars are asked for, by what a network is asked for.

    Parameters
    ----------
    quantities : sequence of Quantity
    table : table of n_stars stars
        Stars, of which columns are read that others follow from.
    vocabulary : Vocabulary

    Attributes
    ----------
    names : list of str of length n_asked
        Names of the quantities.
    units : dict of str to str
        Units of the quantities.
    tokens : list of int of length n_tokens
        Positions of the words to ask a network for.

    Raises
    ------
    ColumnError
        The table has none of the columns that a quantity which is no word follows from.
    """

    def __init__(self, quantities: Sequence[Quantity], table: Any, vocabulary: Vocabulary) -> None:
        asked = [_as_told(quantity, table) for quantity in quantities]
        self.names = [quantity.name for quantity in asked]
        self.units = {quantity.name: quantity.unit for quantity in asked}
        self.tokens = list(dict.fromkeys(p for quantity in asked for p in quantity.positions))
        token_of = {position: token for token, position in enumerate(self.tokens)}
        self._first = [token_of[quantity.positions[0]] for quantity in asked]
        self._columns = [
            _Column(
                number,
                token_of[way.position],
                BACK[way.token.recipe, way.place],
                read_part(table, vocabulary, way.token, 1 - way.place),
            )
            for number, quantity in enumerate(asked)
            # So that of the ways that a star allows, the first is taken last and stays.
            for way in reversed(quantity.ways)
        ]

    def answers(
        self, medians: np.ndarray, errors: np.ndarray, bounds: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return medians, errors and bounds of the quantities, from those of the tokens.

        Parameters
        ----------
        medians, errors : ndarray of shape (n_stars, n_tokens)
        bounds : ndarray of shape (n_stars, n_tokens, 2)

        Returns
        -------
        medians, errors : ndarray of shape (n_stars, n_asked)
            NaN where a star lacks the column that the quantity follows from, whose error counts.
        bounds : ndarray of shape (n_stars, n_asked, 2)
        """
        median, error, ends = (self._begun(part, axis=1) for part in (medians, errors, bounds))
        for column in self._columns:
            of_token = (part[:, column.token] for part in (medians, errors, bounds))
            for whole, part in zip((median, error, ends), column.estimate(*of_token), strict=True):
                whole[column.is_told, column.number] = part[column.is_told]
        return median, error, ends

    def draws(self, drawn: np.ndarray) -> np.ndarray:
        """Return draws of the quantities, (n_stars, n_samples, n_asked), from the tokens'."""
        draws = self._begun(drawn, axis=2)
        for column in self._columns:
            follow = column.follow(drawn[..., column.token])
            draws[column.is_told, :, column.number] = follow[column.is_told]
        return draws

    def of_tokens(self, values: np.ndarray) -> np.ndarray:
        """Return what is said of tokens, (n_stars, n_tokens), for the quantities from them."""
        found = values[:, self._first]
        for column in self._columns:
            found[column.is_told, column.number] = values[column.is_told, column.token]
        return found

    def _begun(self, values: np.ndarray, axis: int) -> np.ndarray:
        """Return the tokens' values along an axis as the quantities', NaN for columns."""
        found = np.take(values, self._first, axis=axis)
        for column in self._columns:
            np.moveaxis(found, axis, 0)[column.number] = np.nan
        return found


class _Column(NamedTuple):
    """A way to a column: its number among the quantities, the token, and the told other column."""

    number: int
    token: int
    back: Back
    told: Measured

    @property
    def is_told(self) -> np.ndarray:
        """Mask of the stars that have the other column."""
        return np.isfinite(self.told[0])

    def follow(self, values: np.ndarray) -> np.ndarray:
        """Return the column for values of the token, of shape (n_stars, n)."""
        return self.back(values, self.told[0][:, None])

    def estimate(
        self, median: np.ndarray, error: np.ndarray, bounds: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return median, error and bounds, with the other column's error in them."""
        value, value_error = self.told
        middle = self.back(median, value)
        blur = self.back(median, value + value_error) - middle
        spread = np.hypot(self.back(median + error, value) - middle, blur)
        reach = np.hypot(np.sort(self.follow(bounds), axis=1) - middle[:, None], blur[:, None])
        return middle, spread, middle[:, None] + reach * [-1, 1]


def _quantity(name: str, vocabulary: Vocabulary, is_trained: np.ndarray) -> Quantity:
    """Return what a name asks for; without a position if no star of ``fit`` had it."""
    ways = () if name in vocabulary else _ways(name, vocabulary)
    if not ways:
        understood = (*words_by_group(vocabulary), *_columns_that_follow(vocabulary))
        (position,) = vocabulary.index([name], understood)
        known = (position,) if is_trained[position] else ()
        return Quantity(name, vocabulary[name].unit, known)
    unit = unit_of_part(ways[0].token, ways[0].place)
    return _by(Quantity(name, unit, ()), [way for way in ways if is_trained[way.position]])


def _by(quantity: Quantity, ways: Sequence[Way]) -> Quantity:
    """Return a column by some of its ways."""
    return quantity._replace(ways=tuple(ways), positions=tuple(way.position for way in ways))


def _as_told(quantity: Quantity, table: Any) -> Quantity:
    """Return a quantity by the ways that a table allows."""
    if not quantity.ways:
        return quantity
    columns = column_names(table) or ()
    told = [way for way in quantity.ways if way.needs in columns]
    if not told:
        words = " or ".join(way.token.name for way in quantity.ways)
        needed = " or ".join(repr(way.needs) for way in quantity.ways)
        raise ColumnError(
            f"{quantity.name!r} is no word of the model: it follows from {words} and the column "
            f"{needed}, which the stars lack. Pass it along, or ask for {words}."
        )
    return _by(quantity, told)


def _ways(name: str, vocabulary: Vocabulary) -> tuple[Way, ...]:
    """Return how a column follows from words."""
    return tuple(
        Way(position, token, place)
        for position, token in enumerate(vocabulary.tokens)
        for place, column in enumerate(token.columns)
        if column == name and (token.recipe, place) in BACK
    )


def _columns_that_follow(vocabulary: Vocabulary) -> set[str]:
    """Return the columns that follow from words."""
    return {
        column
        for token in vocabulary.tokens
        for place, column in enumerate(token.columns)
        if (token.recipe, place) in BACK
    }
