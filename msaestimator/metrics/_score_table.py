"""Every score of every label in one table."""

from collections.abc import Mapping, Sequence
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable
from numpy.typing import ArrayLike

from msaestimator.exceptions import ColumnError
from msaestimator.metrics._agreement import r2, spearman
from msaestimator.metrics._intervals import coverage, z_scores
from msaestimator.metrics._residuals import mae, nmad, residual_std, rmse
from msaestimator.metrics._values import label_columns, to_floats, unit_of
from msaestimator.schema import LABELS

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
    y_true: ArrayLike,
    y_pred: ArrayLike,
    labels: Sequence[str],
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    units: Mapping[str, str] | None = None,
) -> QTable:
    """Return the scores of each label, one row a label.

    Parameters
    ----------
    y_true, y_pred : array-like or Quantity of shape (n_stars, n_labels)
        Truth and prediction (the median, where there are quantiles); (n_stars,) for one label.
        Rows where either is NaN are ignored, label by label.
    labels : sequence of str of length n_labels
        Names of the columns.
    lower, upper : array-like or Quantity of shape (n_stars, n_labels), optional
        Predicted 0.16 and 0.84 quantiles; they add the columns of the uncertainties.
    units : mapping of str to str, optional
        Units by label name. A label not named is in the unit of ``y_true``, else in the schema's,
        else dimensionless.

    Returns
    -------
    QTable of length n_labels
        Columns ``label``, ``unit``, ``n_stars`` (stars with truth and prediction), then ``rmse``,
        ``sigma``, ``mae`` and ``nmad`` as plain numbers in the row's ``unit``, ``r2`` and
        ``spearman``; with intervals also ``z_mean``, ``z_std`` and ``coverage``.

    Raises
    ------
    ColumnError
        The shapes do not fit ``labels``, or only one of ``lower`` and ``upper`` came.
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
    given = {"y_true": y_true, "y_pred": y_pred, "lower": lower, "upper": upper}
    arrays = {
        name: label_columns(values, len(labels), name)
        for name, values in given.items()
        if values is not None
    }
    own = unit_of(arrays["y_true"])
    rows = []
    for position, label in enumerate(labels):
        unit = _row_unit(label, units or {}, own)
        columns = {n: to_floats(values[:, position], n, unit) for n, values in arrays.items()}
        rows.append({"label": label, "unit": unit.to_string(), **_scores(**columns)})
    return _as_table(rows)


def _row_unit(label: str, units: Mapping[str, str], own: u.UnitBase | None) -> u.UnitBase:
    """Return the unit that the caller gives, else the truth's, else the schema's."""
    if label in units:
        return u.Unit(units[label])
    if own is not None:
        return own
    return u.Unit(LABELS[label].unit if label in LABELS else "")


def _scores(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    lower: np.ndarray | None = None,
    upper: np.ndarray | None = None,
) -> dict[str, Any]:
    """Return one row: the scores of one label."""
    # The scores check the shapes, so they come before the count.
    scores = {name: score(y_true, y_pred) for name, score in SCORES.items()}
    known = ~np.isnan(y_true) & ~np.isnan(y_pred)
    row: dict[str, Any] = {"n_stars": int(known.sum()), **scores}
    if lower is None or upper is None:
        return row
    z = z_scores(y_true, lower, y_pred, upper)
    z = z[~np.isnan(z)]
    row["z_mean"] = float(z.mean()) if z.size else np.nan
    row["z_std"] = float(z.std()) if z.size else np.nan
    row["coverage"] = coverage(y_true, lower, upper)
    return row


def _as_table(rows: list[dict[str, Any]]) -> QTable:
    table = QTable(rows=rows)
    for name in table.colnames:
        if table[name].dtype.kind == "f":
            table[name].info.format = ".4g"
    return table
