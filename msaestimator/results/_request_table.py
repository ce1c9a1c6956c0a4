"""Answers to requests as a table with units, errors, intervals and flags."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from msaestimator.exceptions import ColumnError
from msaestimator.results._estimates import add_estimate, add_flags
from msaestimator.results._flags import limit_flags
from msaestimator.results._prediction_table import integers, whole
from msaestimator.schema import LABELS, StarTable

__all__ = ["request_table"]


def request_table(
    names: Sequence[str],
    values: ArrayLike,
    errors: ArrayLike,
    *,
    units: Mapping[str, str],
    bounds: ArrayLike | None = None,
    identifiers: ArrayLike | None = None,
    flags: ArrayLike | None = None,
    request_flags: ArrayLike | None = None,
) -> StarTable:
    """Return answers as a table: value, standard error and interval of each, one row a star.

    Parameters
    ----------
    names : sequence of str of length n_requests
        Names of the asked quantities.
    values, errors : array-like of shape (n_stars, n_requests)
        Answers, which are medians, and their standard errors in ``units``.
    units : mapping of str to str
        Units by quantity; one that is not named is dimensionless.
    bounds : array-like of shape (n_stars, n_requests, 2), optional
        Lower and upper ends of the central 68 % intervals.
    identifiers : array-like of int of shape (n_stars,), optional
        Gaia source identifiers, kept exactly; masked where a star has none.
    flags : array-like of int of shape (n_stars,), optional
        Bits of `PredictionFlag` that concern the star.
    request_flags : array-like of int of shape (n_stars, n_requests), optional
        Bits of `PredictionFlag` that concern one answer, beside ``OUTSIDE_LIMITS``.

    Returns
    -------
    StarTable of length n_stars
        Columns ``source_id`` (int64); for each quantity its value (``teff``), standard error
        (``teff_err``) and interval (``teff_lower``, ``teff_upper``), all Quantities, and
        ``teff_flags`` (int32), what concerns it alone, without ``request_flags`` for stellar
        labels only; then ``flags`` (int32), what concerns the star. Columns of what was not given
        are left out.

    Raises
    ------
    ColumnError
        The shapes do not fit, or the identifiers are not integers.

    Examples
    --------
    >>> from msaestimator.results import request_table
    >>> bounds = [[[4.1, 6.2]]]
    >>> print(request_table(["age"], [[5.0]], [[1.0]], bounds=bounds, units={"age": "Gyr"}))
     age   age_err age_lower age_upper age_flags
     Gyr     Gyr      Gyr       Gyr
    ------ ------- --------- --------- ---------
    5.0000  1.0000    4.1000    6.2000         0
    """
    values, errors = np.asarray(values, dtype=float), np.asarray(errors, dtype=float)
    if values.ndim != 2 or values.shape != errors.shape or values.shape[1] != len(names):
        raise ColumnError(
            f"`values` and `errors` must have shape (n_stars, {len(names)}), got "
            f"{values.shape} and {errors.shape}."
        )
    ends = None if bounds is None else np.asarray(bounds, dtype=float)
    if ends is not None and ends.shape != (*values.shape, 2):
        raise ColumnError(f"`bounds` must have shape {(*values.shape, 2)}, got {ends.shape}.")
    table = StarTable()
    if identifiers is not None:
        table["source_id"] = integers(identifiers, "identifiers", len(values), np.int64)
    own_flags = limit_flags(values, names, units=units)
    if request_flags is not None:
        own_flags |= whole(request_flags, "request_flags", values.shape).astype(np.int32)
    for position, name in enumerate(names):
        parts = {
            "": (values[:, position], "median"),
            "_err": (errors[:, position], "standard error"),
        }
        if ends is not None:
            parts |= {
                "_lower": (ends[:, position, 0], "lower end of the central 68 % interval"),
                "_upper": (ends[:, position, 1], "upper end of the central 68 % interval"),
            }
        add_estimate(table, name, units.get(name, ""), parts)
        if name in LABELS or request_flags is not None:
            add_flags(table, {f"{name}_flags": own_flags[:, position]})
    if flags is not None:
        add_flags(table, {"flags": integers(flags, "flags", len(values), np.int32)})
    return table
