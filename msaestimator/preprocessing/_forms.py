"""Refuse stars in another form, a table or a matrix, than those of ``fit``."""

from typing import Any

import numpy as np

from msaestimator.exceptions import ColumnError
from msaestimator.tables import column_names, kind_of

__all__ = ["check_any_star", "check_form", "check_holds_features", "check_takes_tables"]

LARGEST_FEATURE = 2.0**53


def check_any_star(X: Any) -> None:
    """Refuse no stars at all, where an answer is about all of them."""
    if len(X) == 0:
        raise ColumnError("The table must have at least one star, got 0 rows.")


def check_holds_features(matrix: np.ndarray) -> np.ndarray:
    """Return a matrix of features, or refuse one that ids are among."""
    known = np.isfinite(matrix)
    large = (np.abs(matrix, where=known, out=np.zeros_like(matrix)) > LARGEST_FEATURE).sum(axis=0)
    ids = np.flatnonzero(large > known.sum(axis=0) / 2)
    if ids.size:
        raise ColumnError(
            f"Column {ids[0]} of the matrix holds numbers beyond 2**53, as ids are and features "
            "are not. Pass the table itself, whose columns have names; where scikit-learn makes a "
            "matrix of it, as BaggingRegressor does, begin a Pipeline with StellarFeatures."
        )
    return matrix


def check_form(X: Any, is_table: bool, fitted_on_table: bool) -> None:
    """Refuse a table where ``fit`` saw a matrix, or the other way round."""
    if fitted_on_table == is_table:
        return
    matrix = "a matrix of features"
    names = column_names(X)
    if names and not is_table:
        shown = ", ".join(map(repr, names[:3])) + (", …" if len(names) > 3 else "")
        matrix += f" (none of its columns, {shown}, is one of stars)"
    elif not is_table and not isinstance(X, np.ndarray | list | tuple):
        matrix = f"{kind_of(X)}, which has no columns of stars"
    fitted, given = "a table of stars", matrix
    if is_table:
        fitted, given = given, fitted
    raise ColumnError(
        f"The model was fitted on {fitted} and got {given}. Pass both in the same form, or use a "
        "Pipeline."
    )


def check_takes_tables(fitted_on_table: bool) -> None:
    """Refuse to ask an archive for stars where ``fit`` saw a matrix."""
    if not fitted_on_table:
        raise ColumnError(
            "The model was fitted on a matrix of features, and an archive gives a table of stars. "
            "Fit it on a table, or fetch the table and use the Pipeline."
        )
