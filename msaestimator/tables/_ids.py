"""Gaia source ids as 64-bit integers, from whatever people keep them in, or one clear error."""

import re
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from msaestimator.exceptions import ColumnError, RenamedColumnWarning, did_you_mean
from msaestimator.tables._containers import named_columns
from msaestimator.tables._known_names import understand_names
from msaestimator.tables._named_columns import NamedColumns
from msaestimator.tables._raw_column import raw_column

__all__ = ["check_source_ids", "is_source_id", "source_ids_of"]

SAME_IDS = {"dr3": ("DR3", "EDR3"), "dr4": ("DR4",)}
"""Names of releases, as text may have them, by the release whose ids they share."""

LARGEST = np.iinfo(np.int64).max

DESIGNATION = re.compile(r"(?:gaia\s*(e?dr[0-9]+)\s+)?(-?[0-9]+)", re.IGNORECASE)
"""An id as text: its digits, or Gaia's name of the source."""

BLANK = frozenset({"", "null", "none", "nan", "<na>", "n/a", "--"})
"""Words that formats and libraries write for an id that is not there, in lower case."""


def is_source_id(text: Any) -> bool:
    """Tell whether a text is one id, such as ``"Gaia DR3 5937083312263887616"`` or its digits.

    The name of a release whose ids are others counts too, since it is no query either.
    """
    if isinstance(text, bytes):
        text = text.decode(errors="replace")
    return isinstance(text, str) and DESIGNATION.fullmatch(text.strip()) is not None


def check_source_ids(
    source_ids: Any, *, release: str = "dr3", name: str | None = None
) -> np.ndarray:
    """Return source ids as int64, in their order, duplicates kept.

    Parameters
    ----------
    source_ids : int, str, array-like of shape (n_stars,) or (n_stars, 1), or table
        Integers of any kind, or text: the digits, or ``"Gaia DR3 5937083312263887616"``. Of a
        table, the column ``source_id``, also by its other names
        (:data:`msaestimator.schema.ALIASES`).
    release : {"dr3", "dr4"}
        Data release whose ids these must be, where a text names one.
    name : str, optional
        Name of the ids, or of their table, in errors.

    Returns
    -------
    ndarray of int64 of shape (n_stars,)

    Raises
    ------
    ColumnError
        An id is not an integer, is missing, or lies outside 1 … 2**63 - 1; or the table has no
        ids. Floats are refused even when whole, since they cannot hold ids beyond 2**53.

    Examples
    --------
    >>> from msaestimator.tables import check_source_ids
    >>> check_source_ids(["Gaia DR3 5937083312263887616", "464858539679433344"])
    array([5937083312263887616,  464858539679433344])
    """
    columns = None if isinstance(source_ids, str | bytes) else named_columns(source_ids)
    if columns is not None:
        source_ids = _column_of_ids(columns, "" if name is None else f" {name}")
        name = "Column 'source_id'" if name is None else f"Column 'source_id' of {name}"
    name = "`source_ids`" if name is None else name
    ids, missing = _read(source_ids, name, SAME_IDS[release])
    if missing.any():
        raise ColumnError(
            f"{name} must all be known, got {int(missing.sum())} of {len(ids)} masked or "
            f"missing, the first at position {int(np.argmax(missing))}. Select the others first."
        )
    if (ids < 1).any():
        position = int(np.argmax(ids < 1))
        raise _not_an_id(name, ids[position].item(), position)
    return ids


def source_ids_of(X: Any) -> np.ndarray | None:
    """Return the source ids of stars, to go out beside what is found of them.

    Parameters
    ----------
    X : table of n_stars stars, or array
        Stars in any container that `named_columns` takes.

    Returns
    -------
    ndarray of int64 of shape (n_stars,), or None
        Column ``source_id``, each id exact; a masked array if some are missing, which is masked,
        null, None or blank text. None if there is no such column.

    Raises
    ------
    ColumnError
        An id is not an integer. Floats are refused even when whole, since they cannot hold ids
        beyond 2**53.
    """
    columns = named_columns(X)
    if columns is None or "source_id" not in columns:
        return None
    releases = [title for titles in SAME_IDS.values() for title in titles]
    ids, missing = _read(columns["source_id"], "Column 'source_id'", releases)
    return np.ma.MaskedArray(ids, missing) if missing.any() else ids


def _column_of_ids(columns: NamedColumns, table: str) -> Any:
    """Return the column of ids; another name of it is told, and a table without it refused."""
    names = columns.names
    taken, _ = understand_names(names, frozenset({"source_id"}))
    found = next(iter(taken), "source_id")
    if found not in columns:
        raise ColumnError(
            f"The table{table} must have the column 'source_id', got {', '.join(names)}."
            + did_you_mean("source_id", names)
        )
    if found != "source_id":
        warnings.warn(
            f"Column {found!r} is taken for 'source_id'.", RenamedColumnWarning, stacklevel=4
        )
    return columns[found]


def _read(given: Any, name: str, releases: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return ids, 0 where missing, and where they are missing."""
    if isinstance(given, list | tuple | int):
        # As objects, so that a float among integers is seen before NumPy rounds them all.
        given = np.array(given, dtype=object)
    values, mask, _ = raw_column(given)
    if values.ndim == 0 and isinstance(values.item(), int | float | str | bytes):
        values, mask = values.reshape(1), mask.reshape(1)
    if values.ndim == 2 and values.shape[1] == 1:
        values, mask = values[:, 0], mask[:, 0]
    if values.ndim != 1:
        raise ColumnError(
            f"{name} must be one id a star, a sequence of integers or text, got "
            f"{type(given).__name__} of shape {values.shape}."
        )
    known = ~mask
    if values.dtype.kind == "f":
        known &= ~np.isnan(values)
    ids = np.zeros(len(values), dtype=np.int64)
    if values.dtype.kind in "iu":
        _check_fits(values, known, name)
        ids[known] = values[known]
        return ids, ~known
    if values.dtype.kind in "mM":
        # Which would be counted in nanoseconds.
        values = values.astype(str)
    positions = np.flatnonzero(known)
    for position, value in zip(positions.tolist(), values[known].tolist(), strict=True):
        one = _parse(value, position, name, releases)
        ids[position], known[position] = one or 0, one is not None
    return ids, ~known


def _check_fits(values: np.ndarray, known: np.ndarray, name: str) -> None:
    """Refuse unsigned integers that no signed one can hold."""
    too_large = known & (values > LARGEST)
    if too_large.any():
        position = int(np.argmax(too_large))
        raise _not_an_id(name, values[position].item(), position)


def _parse(value: Any, position: int, name: str, releases: Sequence[str]) -> int | None:
    """Return one id from an integer or a text; None of text that says there is none."""
    if isinstance(value, str | bytes):
        text = value.decode(errors="replace") if isinstance(value, bytes) else value
        if text.strip().lower() in BLANK:
            return None
        one = _of_text(text, position, name, releases)
    elif isinstance(value, int | np.integer) and not isinstance(value, bool):
        one = int(value)
    else:
        one = None
    if one is None or abs(one) > LARGEST:
        raise _not_an_id(name, value if one is None else one, position)
    return one


def _of_text(text: str, position: int, name: str, releases: Sequence[str]) -> int | None:
    """Return the id that a text is; None of text that is none."""
    match = DESIGNATION.fullmatch(text.strip())
    if match is None:
        return None
    release, digits = match.groups()
    if release is not None and release.upper() not in releases:
        raise ColumnError(
            f"{name} must be ids of Gaia {releases[0]}, got {text!r} at position {position}. "
            "Releases number their sources anew: match the ids first, those of DR2 by the "
            "archive's table gaiadr3.dr2_neighbourhood."
        )
    return int(digits)


def _not_an_id(name: str, value: Any, position: int) -> ColumnError:
    """Return the error that says what is no id, why, and what to do."""
    if isinstance(value, float | np.floating):
        advice = (
            "A float has no room for ids beyond 2**53, so it names another star. Read the column "
            "as 64-bit integers or as text: in pandas dtype={'source_id': 'int64'}, or 'Int64' "
            "if some are missing."
        )
    elif isinstance(value, str | bytes):
        advice = (
            "Text must be the digits, or 'Gaia DR3' and the digits. "
            "msaestimator.archive.resolve_names finds the ids of stars by their names."
        )
    else:
        advice = "Read the ids as 64-bit integers or as text."
    return ColumnError(
        f"{name} must be integers between 1 and 2**63 - 1, got {value!r} "
        f"({type(value).__name__}) at position {position}. {advice}"
    )
