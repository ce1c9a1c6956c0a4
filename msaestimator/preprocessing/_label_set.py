"""Find the labels of a fit: their names, units and values."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import astropy.units as u
import numpy as np
from sklearn.utils.validation import check_array

from msaestimator.exceptions import ColumnError, UnitMismatchError, did_you_mean
from msaestimator.preprocessing._table_reader import column_names, read_labels
from msaestimator.schema import LABELS, SPECTROSCOPIC_LABELS

__all__ = ["LabelSet", "check_known", "collect_labels", "weights_of_labels"]


class LabelSet(NamedTuple):
    """The labels of a fit, with names and units.

    Parameters
    ----------
    names : tuple of str of length n_labels
        Names of the labels.
    units : dict of str to str
        Units of the labels.
    values : ndarray of shape (n_stars, n_labels)
        The labels in these units, NaN where unknown.
    one_dimensional : bool
        Whether they came as an array of shape (n_stars,).
    """

    names: tuple[str, ...]
    units: dict[str, str]
    values: np.ndarray
    one_dimensional: bool


def collect_labels(X: Any, y: Any, wanted: Sequence[str] | Mapping[str, str] | None) -> LabelSet:
    """Return the labels that ``fit(X, y)`` is to learn.

    Parameters
    ----------
    X : table of n_stars stars or array
        Has the label columns if ``y`` is None.
    y : table, array of shape (n_stars,) or (n_stars, n_labels), or None
    wanted : sequence of names, mapping of name to unit, or None
        None takes every column of a table ``y`` but errors of others (``teff_err``), or the
        stellar parameters that the table ``X`` has.
    """
    source = X if y is None else y
    names = column_names(source)
    if names is None:
        if y is None:
            raise ValueError(
                "The estimator requires y to be passed, but the target y is None: only a table "
                "of stars can hold its own labels."
            )
        return _from_array(y, wanted)
    if wanted is None:
        wanted = _without_errors(names)
        if y is None:
            wanted = [name for name in SPECTROSCOPIC_LABELS if name in wanted]
        if not wanted:
            raise ColumnError(
                "The table must have a label to learn, such as 'teff' or 'logg', but it has none. "
                "Name the columns with `labels=`, or pass them as y."
            )
    units = _units(wanted, source)
    values = read_labels(source, units)
    return LabelSet(tuple(units), units, values, one_dimensional=False)


def check_known(labels: LabelSet) -> None:
    """Refuse to learn a label that no star has; of no stars at all the features will tell."""
    known = np.isfinite(labels.values).any(axis=0)
    unknown = [name for name, any_known in zip(labels.names, known, strict=True) if not any_known]
    if unknown and len(labels.values):
        raise ColumnError(
            f"Each label must be known for at least one star, but {', '.join(unknown)} "
            f"{'has' if len(unknown) == 1 else 'have'} no value. Leave out of `labels` what is "
            "unknown."
        )


def weights_of_labels(
    given: Mapping[str, float] | None, labels: Sequence[str]
) -> list[float] | None:
    """Return how much each label counts in the loss, 1 for those without a weight."""
    if given is None:
        return None
    for name, weight in given.items():
        if name not in labels:
            raise ValueError(
                f"`label_weights` must name labels of the fit, got {name!r}."
                + did_you_mean(name, labels)
            )
        if not 0 < weight < np.inf:
            raise ValueError(
                f"`label_weights` must be positive, got {weight} for {name!r}. Leave a label "
                "out of `labels` if it shall not count."
            )
    return [float(given.get(name, 1.0)) for name in labels]


def _from_array(y: Any, wanted: Sequence[str] | Mapping[str, str] | None) -> LabelSet:
    if isinstance(y, u.Quantity):
        raise UnitMismatchError(
            "Labels with units must come in a table, so that each has a name; got a Quantity. "
            "Pass StarTable({'teff': y}) or y.value."
        )
    values = check_array(
        y, ensure_2d=False, dtype=np.float64, ensure_all_finite="allow-nan", input_name="y"
    )
    one_dimensional = values.ndim == 1
    values = values.reshape(len(values), -1)
    if wanted is None:
        wanted = [f"y{index}" for index in range(values.shape[1])]
    if len(wanted) != values.shape[1]:
        raise ColumnError(
            f"`labels` must name each of the {values.shape[1]} columns of y, got {list(wanted)}."
        )
    units = _units(wanted, None)
    return LabelSet(tuple(units), units, values, one_dimensional)


def _without_errors(names: Sequence[str]) -> list[str]:
    errors = {f"{name}{ending}" for name in names for ending in ("_err", "_error")}
    return [name for name in names if name not in errors]


def _units(wanted: Sequence[str] | Mapping[str, str], table: Any) -> dict[str, str]:
    """Return the unit of each label: the one asked for, else the schema's, else the column's."""
    if isinstance(wanted, Mapping):
        return {name: u.Unit(unit).to_string() for name, unit in wanted.items()}
    if isinstance(wanted, str):
        raise ValueError(f"`labels` must be a sequence of names, got the string {wanted!r}.")
    units = {}
    for name in wanted:
        own = None
        if name not in LABELS and name in (column_names(table) or ()):
            own = getattr(table[name], "unit", None)
        units[name] = LABELS[name].unit if name in LABELS else "" if own is None else str(own)
    return units
