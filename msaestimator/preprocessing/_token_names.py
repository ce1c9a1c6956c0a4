"""The names by which words of a vocabulary are told and asked: their own, arrays', blocks'."""

from collections.abc import Iterable

import numpy as np

from msaestimator.exceptions import ColumnError
from msaestimator.preprocessing._token_reader import coefficient_arrays
from msaestimator.schema import Vocabulary

__all__ = ["check_no_columns", "words_by_group", "words_of"]

SHOWN = 3
"""Most words that an error names."""


def words_by_group(vocabulary: Vocabulary) -> dict[str, tuple[str, ...]]:
    """Return the words of each name that stands for several, or for one of another name.

    These are the vocabulary's blocks (``"color"``), the archive's array columns
    (``"bp_coefficients"``), and its names of single coefficients (``"bp_1"``).
    """
    groups: dict[str, tuple[str, ...]] = {}
    for token in vocabulary.tokens:
        groups[token.block] = (*groups.get(token.block, ()), token.name)
    by_column = {t.columns[0]: t.name for t in vocabulary.tokens if t.recipe == "over_g_flux"}
    for array in coefficient_arrays(vocabulary):
        columns = (column.name for column in array.columns)
        groups[array.name] = tuple(by_column[name] for name in columns if name in by_column)
    return groups | {column: (word,) for column, word in by_column.items()}


def words_of(
    names: str | Iterable[str], vocabulary: Vocabulary, is_trained: np.ndarray, *, what: str
) -> list[str]:
    """Return names with the words that they stand for in the place of those of groups.

    A group stands for those of its words that some star of ``fit`` had. Other names are returned
    as they are, whatever they are, and none of them twice.

    Parameters
    ----------
    names : str or iterable of str
        Words, or names of `words_by_group`; a word goes before a group of its name.
    vocabulary : Vocabulary
    is_trained : ndarray of bool of shape (n_tokens,)
        Mask of the words that some star of ``fit`` had.
    what : str
        Name of the parameter, for the error.

    Raises
    ------
    ColumnError
        No star of ``fit`` had any word of a group.
    """
    groups = words_by_group(vocabulary)
    trained = {t.name for t, known in zip(vocabulary.tokens, is_trained, strict=True) if known}
    found: dict[str, None] = {}
    for name in [names] if isinstance(names, str) else names:
        if name in vocabulary or name not in groups:
            found[name] = None
            continue
        members = [word for word in groups[name] if word in trained]
        if not members:
            raise ColumnError(
                f"`{what}` must be of quantities that some star of fit had, and none had any of "
                f"{name!r}. Fit on stars that have it."
            )
        found |= dict.fromkeys(members)
    return list(found)


def check_no_columns(names: Iterable[str], vocabulary: Vocabulary, *, what: str) -> None:
    """Refuse a column that tells words together with another, in the place of these words."""
    for name in names:
        words = [token.name for token in vocabulary.tokens if name in token.columns]
        if words and name not in vocabulary:
            more = f" and {len(words) - SHOWN} more" if len(words) > SHOWN else ""
            raise ColumnError(
                f"`{what}` must name words, and {name!r} is a column that tells some of them, "
                f"each with another column: {', '.join(words[:SHOWN])}{more}. Name these."
            )
