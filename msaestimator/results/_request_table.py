"""Answers to requests as a table with units, errors and flags."""

from collections.abc import Mapping, Sequence

import astropy.units as u
import numpy as np
from numpy.typing import ArrayLike

from msaestimator.exceptions import ColumnError
from msaestimator.results._flags import describe_flags
from msaestimator.results._prediction_table import integers
from msaestimator.schema import StarTable

__all__ = ["request_table"]


def request_table(
    names: Sequence[str],
    values: ArrayLike,
    errors: ArrayLike,
    *,
    units: Mapping[str, str],
    identifiers: ArrayLike | None = None,
    flags: ArrayLike | None = None,
) -> StarTable:
    """Return answers as a table: value and standard error of each quantity, one row a star.

    Parameters
    ----------
    names : sequence of str of length n_requests
        Names of the asked quantities.
    values, errors : array-like of shape (n_stars, n_requests)
        Answers and their standard errors in ``units``.
    units : mapping of str to str
        Units by quantity; one that is not named is dimensionless.
    identifiers : array-like of int of shape (n_stars,), optional
        Gaia source identifiers, kept exactly; masked where a star has none.
    flags : array-like of int of shape (n_stars,), optional
        Bits of `PredictionFlag`.

    Returns
    -------
    StarTable of length n_stars
        Columns ``source_id`` (int64); for each quantity its value (``teff``) and standard error
        (``teff_err``), both Quantities; then ``flags`` (int32). Columns of what was not given are
        left out.

    Raises
    ------
    ColumnError
        The shapes do not fit, or the identifiers are not integers.

    Examples
    --------
    >>> from msaestimator.results import request_table
    >>> print(request_table(["teff"], [[5772.0]], [[30.0]], units={"teff": "K"}))
     teff  teff_err
      K       K
    ------ --------
    5772.0     30.0
    """
    values, errors = np.asarray(values, dtype=float), np.asarray(errors, dtype=float)
    if values.ndim != 2 or values.shape != errors.shape or values.shape[1] != len(names):
        raise ColumnError(
            f"`values` and `errors` must have shape (n_stars, {len(names)}), got "
            f"{values.shape} and {errors.shape}."
        )
    table = StarTable()
    if identifiers is not None:
        table["source_id"] = integers(identifiers, "identifiers", len(values), np.int64)
    for name, value, error in zip(names, values.T, errors.T, strict=True):
        unit = u.Unit(units.get(name, ""))
        table[name], table[f"{name}_err"] = value * unit, error * unit
    if flags is not None:
        table["flags"] = integers(flags, "flags", len(values), np.int32)
        table.meta["flags"] = describe_flags()
    return table
