"""Truth and predictions of labels, in tables or arrays, as arrays with a column a label."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import astropy.units as u
import numpy as np

from msaestimator.exceptions import ColumnError
from msaestimator.metrics._values import label_columns, to_floats, unit_of
from msaestimator.preprocessing import read_labels
from msaestimator.schema import LABELS
from msaestimator.tables import NamedColumns, named_columns, source_ids_of

__all__ = ["bounds_of_labels", "label_names", "label_values", "open_tables", "units_of_labels"]

SHOWN = 5  # names of a table in a message


def open_tables(y_true: Any, y_pred: Any) -> tuple[NamedColumns | None, NamedColumns | None]:
    """Return the columns of truth and predictions, None of arrays; they must be of one list."""
    truth, predictions = named_columns(y_true), named_columns(y_pred)
    if truth is None or predictions is None:
        return truth, predictions
    ids, predicted_ids = _ids(truth), _ids(predictions)
    if ids is not None and predicted_ids is not None and not np.array_equal(ids, predicted_ids):
        raise ColumnError(
            "The tables must have the same stars in the same order, but their 'source_id' differ. "
            "Predict for the stars of `y_true`, or match the rows with astropy.table.join."
        )
    return truth, predictions


def _ids(table: NamedColumns) -> np.ndarray | None:
    """Return the source ids, 0 where missing; None where there are none to be compared."""
    try:
        ids = source_ids_of(table)
    except ColumnError:  # such as floats, by which no star is known
        return None
    return None if ids is None else np.ma.filled(ids, 0)


def label_names(
    truth: NamedColumns | None, predictions: NamedColumns | None, labels: Sequence[str] | None
) -> list[str]:
    """Return the names of the labels: those given, or what two tables have in common.

    A label is what the schema calls one, or what is predicted with bounds.
    """
    if labels is not None:
        return list(labels)
    if truth is None or predictions is None:
        raise ColumnError(
            "`labels` must name the columns of an array. Pass labels=, or two tables."
        )
    common = [
        name
        for name in predictions.names
        if name in truth and (name in LABELS or f"{name}_lower" in predictions)
    ]
    if not common:
        shown = (", ".join(islice(table.names, SHOWN)) for table in (truth, predictions))
        raise ColumnError(
            "The tables must have a label in common, such as 'teff', but `y_true` has {} and "
            "`y_pred` {}. Rename the columns of one of them, or pass labels=.".format(*shown)
        )
    return common


def units_of_labels(
    labels: Sequence[str],
    units: Mapping[str, str],
    y_true: Any,
    truth: NamedColumns | None,
    predictions: NamedColumns | None,
) -> dict[str, u.UnitBase]:
    """Return the unit of each label.

    It is the one given, else that of an array of truth, else the schema's, else a column's.
    """
    own = unit_of(y_true) if truth is None else None
    found = {}
    for label in labels:
        stated = [t.raw(label).unit for t in (truth, predictions) if t is not None and label in t]
        known = (unit for unit in stated if unit is not None)
        default = LABELS[label].unit if label in LABELS else next(known, "")
        found[label] = u.Unit(units[label]) if label in units else u.Unit(own or default)
    return found


def label_values(values: Any, units: Mapping[str, u.UnitBase], name: str) -> np.ndarray:
    """Return labels of a table or array in their units, (n_stars, n_labels), NaN where missing."""
    if isinstance(values, NamedColumns):
        return read_labels(values, {label: unit.to_string() for label, unit in units.items()})
    columns = label_columns(values, len(units), name)
    return np.column_stack(
        [to_floats(columns[:, place], name, unit) for place, unit in enumerate(units.values())]
    )


def bounds_of_labels(
    predictions: NamedColumns, units: Mapping[str, u.UnitBase]
) -> dict[str, np.ndarray]:
    """Return the bounds that a table has of any label, NaN of others; nothing if of none.

    Where it has ``teff_err`` besides, half the width of a 68 % interval, this comes too: the
    bounds may be those of another.
    """
    found = {}
    for name, ending in (("lower", "lower"), ("upper", "upper"), ("error", "err")):
        values = np.full((len(predictions), len(units)), np.nan)
        for place, (label, unit) in enumerate(units.items()):
            if all(f"{label}_{end}" in predictions for end in ("lower", "upper", ending)):
                values[:, place] = _values_of(predictions[f"{label}_{ending}"], label, unit, name)
                found[name] = values
    return found


def _values_of(column: Any, label: str, unit: u.UnitBase, name: str) -> np.ndarray:
    if name == "error":
        # A difference of logarithms has no zero point, so that it is no label.
        return to_floats(column, f"{label}_err", unit)
    # By the label's own name, which says what its unit may be.
    table = named_columns({label: column})
    return label_values(table, {label: unit}, name)[:, 0]
