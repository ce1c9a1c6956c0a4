"""The stars whose predictions can be used, and the flags of each in words."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from msaestimator.archive import ArchiveFlag
from msaestimator.exceptions import ColumnError, did_you_mean
from msaestimator.results._flags import PredictionFlag
from msaestimator.schema import ExplainedFlag
from msaestimator.tables import NamedColumns, require_columns

__all__ = ["REFUSED", "flag_names", "usable"]

HARMLESS = PredictionFlag.NO_XP | PredictionFlag.PARTIAL_XP | PredictionFlag.INVALID_INPUT
"""Bits of gaps. What models have not learned to do without has a bit of its own."""

REFUSED = ~HARMLESS
"""Bits of stars, or of a label, whose values are not to be used."""

MARKS = ("_flags", "_err", "_lower")
"""Endings of the columns that a predicted quantity has beside its own."""


def usable(
    table: Any, labels: str | Sequence[str] | None = None, *, strict: bool = False
) -> np.ndarray:
    """Return the mask of stars whose predicted labels can be used.

    Parameters
    ----------
    table : table of n_stars stars
        Predictions as ``predict_table``, ``request`` and ``predict_from_gaia`` return them, or as
        they come back from a file, in any container of columns.
    labels : str, sequence of str or None
        Labels that are to be used; None takes all. A hot star's unknown [Fe/H] is no reason
        against its log g: name the labels that matter.
    strict : bool
        Whether to accept no flag at all, which leaves stars whose inputs were complete.

    Returns
    -------
    ndarray of bool of shape (n_stars,)
        True where the values of all ``labels`` are known, and neither these labels nor the star
        have a flag, but for ``NO_XP``, ``PARTIAL_XP`` and ``INVALID_INPUT``: gaps, which widen
        intervals and are no fault, as ``MISSING_BLOCKS`` is.

    Raises
    ------
    ColumnError
        The table has no column ``flags``, or a label is not among its predictions.

    Examples
    --------
    >>> from msaestimator.results import prediction_table, usable
    >>> table = prediction_table(
    ...     ["logg", "fe_h"],
    ...     [[[4.1, 4.2, 4.3], [-0.6, 0.0, 0.6]], [[4.3, 4.4, 4.5], [-0.1, 0.0, 0.1]]],
    ...     (0.16, 0.5, 0.84),
    ...     units={},
    ...     flags=[0, 2],
    ...     label_flags=[[0, 1024], [0, 0]],
    ... )
    >>> usable(table)
    array([False,  True])
    >>> usable(table, labels="logg")
    array([ True,  True])
    >>> usable(table, labels="logg", strict=True)
    array([ True, False])
    """
    columns = require_columns(table)
    bits, known = _bits(columns, "flags")
    for label in _labels(columns, labels):
        known &= np.isfinite(_numbers(columns, label))
        if f"{label}_flags" in columns:
            more, told = _bits(columns, f"{label}_flags")
            bits, known = bits | more, known & told
    return known & ((bits if strict else bits & REFUSED) == 0)


def flag_names(table: Any) -> np.ndarray:
    """Return the flags of each star of a table as words.

    Parameters
    ----------
    table : table of n_stars stars
        Predictions, as `usable` takes them.

    Returns
    -------
    ndarray of str of shape (n_stars,)
        Flags of the star, then those of each label and those of the archive after their name:
        ``"NO_XP; fe_h: WIDE_INTERVAL|UNCONSTRAINED_LABEL"``. Empty where there are none.

    Raises
    ------
    ColumnError
        The table has no column ``flags``.

    Examples
    --------
    >>> from msaestimator.results import flag_names, prediction_table
    >>> table = prediction_table(
    ...     ["fe_h"],
    ...     [[[-0.6, 0.0, 0.6]], [[-0.1, 0.0, 0.1]]],
    ...     (0.16, 0.5, 0.84),
    ...     units={},
    ...     flags=[2, 0],
    ...     label_flags=[[1536], [0]],
    ... )
    >>> flag_names(table).tolist()
    ['NO_XP; fe_h: WIDE_INTERVAL|UNCONSTRAINED_LABEL', '']
    """
    columns = require_columns(table)
    _require_flags(columns)
    of_labels = [f"{label}_flags" for label in _predicted(columns) if f"{label}_flags" in columns]
    named = ["flags", *of_labels, *(["archive_flags"] if "archive_flags" in columns else [])]
    bits = np.column_stack([_bits(columns, name)[0] for name in named])
    distinct, star = np.unique(bits, axis=0, return_inverse=True)
    words = [_in_words(named, row) for row in distinct]
    return np.array(words, dtype=str)[star.reshape(-1)]


def _in_words(names: Sequence[str], bits: np.ndarray) -> str:
    parts = []
    for name, value in zip(names, bits, strict=True):
        kind = ArchiveFlag if name == "archive_flags" else PredictionFlag
        if value:
            subject = "" if name == "flags" else f"{name.removesuffix('_flags')}: "
            parts.append(subject + _names(kind, int(value)))
    return "; ".join(parts)


def _names(kind: type[ExplainedFlag], value: int) -> str:
    """Return the names of a value's bits; one that this version does not know is its number."""
    known = {int(flag): flag.name for flag in kind}
    set_bits = [1 << place for place in range(value.bit_length()) if value >> place & 1]
    return "|".join(known.get(bit) or str(bit) for bit in set_bits)


def _bits(columns: NamedColumns, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return a column of flags as integers, zero where missing, and where it is there."""
    if name == "flags":
        _require_flags(columns)
    # A column with gaps may come back from a file as floats, which hold these bits exactly.
    values = _numbers(columns, name)
    told = np.isfinite(values)
    return np.where(told, values, 0).astype(np.int64), told


def _numbers(columns: NamedColumns, name: str) -> np.ndarray:
    """Return a column as floats, NaN where missing."""
    raw = columns.raw(name)
    return np.where(raw.mask, np.nan, raw.values).astype(float)


def _labels(columns: NamedColumns, labels: str | Sequence[str] | None) -> list[str]:
    predicted = _predicted(columns)
    if labels is None:
        return predicted
    asked = [labels] if isinstance(labels, str) else list(labels)
    for label in asked:
        if label not in predicted:
            raise ColumnError(
                f"`labels` must name predictions of the table ({', '.join(predicted) or 'none'}), "
                f"got {label!r}." + did_you_mean(label, predicted)
            )
    return asked


def _predicted(columns: NamedColumns) -> list[str]:
    """Return the names of the predicted quantities."""
    return [n for n in columns.names if any(f"{n}{mark}" in columns for mark in MARKS)]


def _require_flags(columns: NamedColumns) -> None:
    if "flags" not in columns:
        raise ColumnError(
            "The table must have the column 'flags' of a prediction, got columns "
            f"{', '.join(columns.names) or 'none'}. Pass what predict_table or request returned."
        )
