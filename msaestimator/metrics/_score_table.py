"""Every score of every label in one table."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from astropy.table import QTable
from numpy.typing import ArrayLike

from msaestimator.exceptions import ColumnError
from msaestimator.metrics._agreement import r2, spearman
from msaestimator.metrics._intervals import coverage, z_scores
from msaestimator.metrics._label_tables import (
    bounds_of_labels,
    label_names,
    label_values,
    open_tables,
    units_of_labels,
)
from msaestimator.metrics._residuals import mae, nmad, residual_std, rmse

__all__ = ["score_table"]

SCORES = {
    "rmse": rmse,
    "sigma": residual_std,
    "mae": mae,
    "nmad": nmad,
    "r2": r2,
    "spearman": spearman,
}


def score_table(
    y_true: Any,
    y_pred: Any,
    labels: Sequence[str] | None = None,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    units: Mapping[str, str] | None = None,
) -> QTable:
    """Return the scores of each label, one row a label.

    Parameters
    ----------
    y_true : table of n_stars stars, or array of shape (n_stars, n_labels)
        Truth, a column a label; (n_stars,) for one label. Any container of named columns, such as
        the stars themselves, or an array or Quantity. Rows where truth or prediction is NaN are
        ignored, label by label.
    y_pred : table of n_stars stars, or array of shape (n_stars, n_labels)
        Predictions (the medians, where there are quantiles), in the same order of stars; such as
        ``predict_table`` returns, or an array.
    labels : sequence of str of length n_labels, optional
        Names of the labels. None takes those that two tables have in common.
    lower, upper : array-like or Quantity of shape (n_stars, n_labels), optional
        Predicted 0.16 and 0.84 quantiles; they add the columns of the uncertainties. None takes
        ``teff_lower`` and ``teff_upper`` of a table of predictions, if it has them. These may be
        of another interval, if it has ``teff_err`` too, half the width of this one.
    units : mapping of str to str, optional
        Units by label name. A label not named is in the unit of an array ``y_true``, else in the
        schema's, else in that of the table's column, else dimensionless.

    Returns
    -------
    QTable of length n_labels
        Columns ``label``, ``unit``, ``n_stars`` (stars with truth and prediction), then ``rmse``,
        ``sigma``, ``mae`` and ``nmad`` as plain numbers in the row's ``unit``, ``r2`` and
        ``spearman``; with intervals also ``z_mean`` and ``z_std``, 0 and 1 where these are right,
        and ``coverage``, the share of truth within ``lower`` and ``upper``.

    Raises
    ------
    ColumnError
        The shapes do not fit ``labels``, only one of ``lower`` and ``upper`` came, a table lacks a
        label, the tables have none in common, or their ``source_id`` are those of other stars.
    UnitMismatchError
        A unit is of another physical type than the row's.

    Examples
    --------
    >>> from msaestimator.metrics import score_table
    >>> truth = [[5000.0, 4.4], [6000.0, 4.2], [4500.0, 2.1]]
    >>> predicted = [[5100.0, 4.4], [5900.0, 4.1], [4600.0, 2.2]]
    >>> table = score_table(truth, predicted, ["teff", "logg"])
    >>> print(table["label", "unit", "n_stars", "rmse", "mae"])
    label unit n_stars   rmse    mae
    ----- ---- ------- ------- -------
     teff    K       3     100     100
     logg  dex       3 0.08165 0.06667
    """
    if (lower is None) != (upper is None):
        raise ColumnError("`lower` and `upper` must come together, got only one of them.")
    truth, predictions = open_tables(y_true, y_pred)
    names = label_names(truth, predictions, labels)
    in_units = units_of_labels(names, units or {}, y_true, truth, predictions)
    arrays = {
        "y_true": label_values(y_true if truth is None else truth, in_units, "y_true"),
        "y_pred": label_values(y_pred if predictions is None else predictions, in_units, "y_pred"),
    }
    if lower is not None:
        arrays["lower"] = label_values(lower, in_units, "lower")
        arrays["upper"] = label_values(upper, in_units, "upper")
    elif predictions is not None:
        arrays |= bounds_of_labels(predictions, in_units)
    rows = []
    for position, (label, unit) in enumerate(in_units.items()):
        columns = {name: values[:, position] for name, values in arrays.items()}
        rows.append({"label": label, "unit": unit.to_string(), **_scores(**columns)})
    return _as_table(rows)


def _scores(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    lower: np.ndarray | None = None,
    upper: np.ndarray | None = None,
    error: np.ndarray | None = None,
) -> dict[str, Any]:
    """Return one row: the scores of one label."""
    # The scores check the shapes, so they come before the count.
    scores = {name: score(y_true, y_pred) for name, score in SCORES.items()}
    known = ~np.isnan(y_true) & ~np.isnan(y_pred)
    row: dict[str, Any] = {"n_stars": int(known.sum()), **scores}
    if lower is None or upper is None:
        return row
    z = z_scores(y_true, *_one_sigma(lower, y_pred, upper, error))
    z = z[~np.isnan(z)]
    row["z_mean"] = float(z.mean()) if z.size else np.nan
    row["z_std"] = float(z.std()) if z.size else np.nan
    row["coverage"] = coverage(y_true, lower, upper)
    return row


def _one_sigma(
    lower: np.ndarray, median: np.ndarray, upper: np.ndarray, error: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return bounds and median, the bounds brought to the width that half of is ``error``."""
    if error is None:
        return lower, median, upper
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = 2 * error / (upper - lower)
    factor = np.where(np.isfinite(factor), factor, 1.0)
    return median - (median - lower) * factor, median, median + (upper - median) * factor


def _as_table(rows: list[dict[str, Any]]) -> QTable:
    table = QTable(rows=rows)
    for name in table.colnames:
        if table[name].dtype.kind == "f":
            table[name].info.format = ".4g"
    return table
