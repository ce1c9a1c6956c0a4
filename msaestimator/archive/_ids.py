"""Gaia source ids as 64-bit integers, checked before anything is sent."""

from typing import Any

import numpy as np

from msaestimator.exceptions import ColumnError

__all__ = ["check_source_ids"]


def check_source_ids(source_ids: Any) -> np.ndarray:
    """Return source ids as int64, in their order, duplicates kept.

    Parameters
    ----------
    source_ids : array-like of int of shape (n_stars,)

    Raises
    ------
    ColumnError
        An id is not an integer, is missing, or lies outside 1 … 2**63 - 1. Floats are refused
        even when whole, since they cannot hold ids beyond 2**53.
    """
    if np.ma.is_masked(source_ids):
        n_missing = int(np.ma.getmaskarray(source_ids).sum())
        raise ColumnError(
            f"`source_ids` must all be known, got {n_missing} masked. Select the others first."
        )
    # As objects, so that a float among integers is seen before NumPy rounds them all.
    kind = None if isinstance(source_ids, np.ndarray) else object
    given = np.asarray(source_ids, dtype=kind)
    if given.ndim != 1:
        raise ColumnError(
            "`source_ids` must be a one-dimensional sequence of integers, got "
            f"{type(source_ids).__name__} of {given.ndim} dimensions. Write one id as [id]."
        )
    wrong = _first_wrong(given)
    if wrong is not None:
        position, value = wrong
        raise ColumnError(
            "`source_ids` must be integers between 1 and 2**63 - 1, got "
            f"{value!r} ({type(value).__name__}) at position {position}. Read the ids as int64: "
            "floats and strings are not taken, since floats cannot hold a Gaia source_id."
        )
    return np.asarray(given, dtype=np.int64)


def _first_wrong(given: np.ndarray) -> tuple[int, Any] | None:
    """Return position and value of the first that is no id, if there is one."""
    if given.dtype.kind in "iu":
        outside = (given < 1) | (given > np.iinfo(np.int64).max)
        position = int(np.argmax(outside)) if outside.any() else None
        return None if position is None else (position, given[position].item())
    for position, value in enumerate(given.tolist()):
        integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if not integer or not 1 <= value <= np.iinfo(np.int64).max:
            return position, value
    return None
