"""The thesis's two-half table: an estimator scored with and without the XP coefficients."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from astropy.table import QTable, Table, vstack
from numpy.typing import ArrayLike

from msaestimator.exceptions import ColumnError
from msaestimator.metrics._intervals import interval_positions
from msaestimator.metrics._score_table import score_table
from msaestimator.metrics._values import label_columns
from msaestimator.preprocessing import read_labels
from msaestimator.schema import GAIA_DR3, LABELS, FeatureSchema
from msaestimator.tables import column_names

__all__ = ["hide_xp", "two_half_table"]

LOG_PARALLAX = "log_parallax"
"""Row of the parallax, which the thesis scores as log10(parallax / mas)."""


def hide_xp(stars: Any, schema: FeatureSchema = GAIA_DR3) -> Any:
    """Return a copy of a table with the XP coefficients missing.

    Parameters
    ----------
    stars : StarTable, QTable, Table, DataFrame or structured array of length n_stars
        Stars with coefficients as array columns (``bp_coefficients``) or scalar columns (``bp_1``
        …); never changed. The coefficients' errors and every other column stay as they are.
    schema : FeatureSchema
        Schema that tells which columns are XP coefficients; DR3's names cover DR4's.

    Returns
    -------
    of the type of ``stars``
        Copy with NaN for each coefficient, units and descriptions kept.

    Raises
    ------
    ColumnError
        ``stars`` has no column names.

    Examples
    --------
    >>> from msaestimator import StarTable
    >>> from msaestimator.metrics import hide_xp
    >>> stars = StarTable({"bp_1": [3.0, 4.0], "rp_1": [5.0, 6.0], "ebv": [0.1, 0.2]})
    >>> print(hide_xp(stars))
    bp_1 rp_1 ebv
    ---- ---- ---
     nan  nan 0.1
     nan  nan 0.2
    """
    present = column_names(stars)
    if present is None:
        raise ColumnError(
            "`stars` must be a table with column names, so that the XP coefficients can be told "
            f"from the rest, got {type(stars).__name__}."
        )
    xp = {array.name for array in schema.arrays}
    xp |= {column.name for array in schema.arrays for column in array.columns}
    hidden = stars.copy()
    for name in present:
        if name in xp:
            _hide_column(hidden, name)
    return hidden


def _hide_column(table: Any, name: str) -> None:
    """Set one column of a table we own to NaN."""
    column = table[name]
    if column.dtype == object:  # DataFrames hold array columns as one array a cell
        table[name] = np.fromiter(map(_nan_like, column), dtype=object, count=len(column))
    elif isinstance(table, Table):
        # In place on floats, which keeps the unit, the description and the column's class.
        if column.dtype.kind != "f":
            table[name] = column.astype(float)
        table[name][...] = np.nan
    else:
        table[name] = np.nan


def _nan_like(cell: Any) -> Any:
    return np.full(np.shape(cell), np.nan) if np.ndim(cell) else np.nan


def two_half_table(
    estimator: Any,
    stars: Any,
    labels: Sequence[str] | None = None,
    y_true: ArrayLike | None = None,
) -> QTable:
    """Score an estimator with the full XP spectra, then with them hidden (thesis Table 4.1).

    Parameters
    ----------
    estimator : object with ``predict(stars)``
        Function from stars to predictions, (n_stars, n_labels), or (n_stars,) for one label, in
        the schema's units. With ``predict_quantiles(stars)`` of shape (n_stars, n_labels,
        n_quantiles) and ``quantiles`` the table also scores the uncertainties.
    stars : StarTable, QTable, Table, DataFrame or structured array of length n_stars
        Test stars; never changed.
    labels : sequence of str, optional
        Names of the predicted columns; ``estimator.labels_`` by default.
    y_true : array-like of shape (n_stars, n_labels) or table, optional
        Truth in the schema's units, or a table with a column for each label; ``stars`` by
        default. NaN is missing; in a table so are masked and -9999 values.

    Returns
    -------
    QTable of length 2 × n_labels
        Columns ``half`` (``"full XP"`` or ``"masked XP"``), then the columns of `score_table`.

    Raises
    ------
    ColumnError
        No labels are known, a label column is absent, or a shape does not fit.
    UnitMismatchError
        A label column's unit is of another physical type than the schema's.

    Notes
    -----
    Every label is scored in the schema's linear unit, except ``parallax``: as in the thesis it
    becomes ``log_parallax``, log10 of the parallax in mas, over the stars where truth and
    prediction are both positive. A lower bound that is not positive covers everything below.

    Examples
    --------
    >>> from msaestimator import StarTable
    >>> from msaestimator.metrics import two_half_table
    >>> class Constant:
    ...     labels_ = ("teff",)
    ...
    ...     def predict(self, stars):
    ...         return [[5000.0]] * len(stars)
    >>> stars = StarTable({"bp_1": [0.1, 0.2], "teff": [4900.0, 5200.0]})
    >>> print(two_half_table(Constant(), stars)["half", "label", "unit", "mae"])
       half   label unit mae
    --------- ----- ---- ---
      full XP  teff    K 150
    masked XP  teff    K 150
    """
    names = _label_names(estimator, labels)
    units = {name: LABELS[name].unit if name in LABELS else "" for name in names}
    truth = stars if y_true is None else y_true
    if column_names(truth) is not None:
        truth = read_labels(truth, units)
    halves = []
    for half, table in (("full XP", stars), ("masked XP", hide_xp(stars))):
        scores = _score_half(estimator, table, units, truth)
        scores.add_column([half] * len(scores), name="half", index=0)
        halves.append(scores)
    return vstack(halves)


def _label_names(estimator: Any, labels: Sequence[str] | None) -> tuple[str, ...]:
    names = getattr(estimator, "labels_", None) if labels is None else labels
    if names is None:
        raise ColumnError(
            f"{type(estimator).__name__} has no `labels_`; pass `labels`, the names of the "
            "columns that it predicts."
        )
    return (names,) if isinstance(names, str) else tuple(names)


def _score_half(estimator: Any, stars: Any, units: dict[str, str], truth: ArrayLike) -> QTable:
    """Return the score table of one half; ``units`` maps label to unit."""
    columns = {"y_true": truth, "y_pred": estimator.predict(stars)}
    if hasattr(estimator, "predict_quantiles"):
        low, _, high = interval_positions(estimator.quantiles)
        quantiles = np.asanyarray(estimator.predict_quantiles(stars))
        columns |= {"lower": quantiles[..., low], "upper": quantiles[..., high]}
    columns = {name: label_columns(values, len(units), name) for name, values in columns.items()}
    if "parallax" in units:
        position = list(units).index("parallax")
        columns = {name: _log_column(v, position, name) for name, v in columns.items()}
        units = {LOG_PARALLAX if k == "parallax" else k: v for k, v in units.items()}
        units[LOG_PARALLAX] = "dex"
    return score_table(labels=tuple(units), units=units, **columns)


def _log_column(values: np.ndarray, position: int, name: str) -> np.ndarray:
    """Return ``values`` with one column as log10, NaN where not positive."""
    values = np.array(values, dtype=float)
    linear = values[:, position]
    # A bound at or below zero covers all small parallaxes; a value there is missing.
    floor = -np.inf if name in ("lower", "upper") else np.nan
    positive = linear > 0
    logarithm = np.log10(linear, where=positive, out=np.full(linear.shape, floor))
    values[:, position] = np.where(np.isnan(linear), np.nan, logarithm)
    return values
