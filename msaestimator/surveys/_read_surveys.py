"""Read which survey each star's labels are from."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from msaestimator.exceptions import ColumnError, did_you_mean
from msaestimator.tables import is_missing, named_columns, raw_column

__all__ = ["find_survey", "read_surveys"]


def read_surveys(
    X: Any,
    survey: str | ArrayLike | None,
    n_stars: int,
    reference: str | int | None = None,
) -> np.ndarray | None:
    """Return the survey of each star, strings or integers of shape (n_stars,).

    Parameters
    ----------
    X : table of n_stars stars or array
    survey : str, array-like of shape (n_stars,), or None
        A column of the table ``X``, or the surveys themselves: strings or integers. Of None
        nothing is known, and None is returned.
    n_stars : int
    reference : str or int, optional
        The survey whose labels are taken as they are.

    Raises
    ------
    ColumnError
        There is no such column, or a star's survey is missing or neither string nor integer.
    ValueError
        There is a reference, but no survey.
    """
    if survey is None and reference is not None:
        raise ValueError(
            f"`reference_survey` is {reference!r}, but fit was not told whose "
            "labels the stars have. Pass survey=, or leave `reference_survey` at None."
        )
    if survey is None:
        return None
    raw = raw_column(_column(X, survey) if isinstance(survey, str) else survey)
    if raw.mask.shape != (n_stars,):
        raise ColumnError(
            f"`survey` must have one value a star, {n_stars}, got shape {raw.mask.shape}."
        )
    given = np.where(raw.mask, np.array(None), raw.values.astype(object))
    names = [_strip(name) for name in given]
    kinds = {type(name) for name in names if not _is_missing(name)}
    if kinds not in ({str}, {int}, set()):
        raise ColumnError(
            "`survey` must be strings or integers, such as 'apogee' or 17, got "
            f"{' and '.join(sorted(kind.__name__ for kind in kinds))}."
        )
    missing = [row for row, name in enumerate(names) if _is_missing(name)]
    if missing:
        raise ColumnError(
            f"Each star must have a survey, but it is masked or empty for {len(missing)} of "
            f"{n_stars} stars, the first in row {missing[0]}. Name it, or leave these stars out."
        )
    return np.array(names)


def find_survey(name: str | int, surveys: np.ndarray, parameter: str) -> int:
    """Return the position of a survey among those known."""
    known = surveys.tolist()
    if name not in known:
        near = did_you_mean(str(name), map(str, known))
        raise ValueError(
            f"`{parameter}` must be a survey of fit, one of {known}, got {name!r}.{near}"
        )
    return known.index(name)


def _column(X: Any, name: str) -> Any:
    columns = named_columns(X)
    if columns is None:
        raise ColumnError(
            f"`survey` must be an array where stars are a matrix, got the name {name!r}: only a "
            "table has columns."
        )
    if name not in columns:
        raise ColumnError(
            f"The table has no column {name!r} of surveys.{did_you_mean(name, columns.names)}"
        )
    return columns[name]


def _strip(name: Any) -> Any:
    """Return a name as Python's own string or integer; other things as they are."""
    name = name.item() if isinstance(name, np.generic) else name
    name = name.decode() if isinstance(name, bytes) else name
    return name.strip() if isinstance(name, str) else name


def _is_missing(name: Any) -> bool:
    """Tell what stands for no name: an empty string, and what is missing anywhere."""
    return is_missing(name) or name == ""
