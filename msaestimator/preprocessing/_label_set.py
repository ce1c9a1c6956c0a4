"""Find the labels of a fit: their names, units and values."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import astropy.units as u
import numpy as np
from sklearn.utils.validation import check_array

from msaestimator.exceptions import ColumnError, UnitMismatchError, did_you_mean
from msaestimator.preprocessing._forms import check_any_star
from msaestimator.preprocessing._table_reader import (
    ARCHIVE_MISSING,
    outside,
    read_labels,
    warn_of_invalid,
)
from msaestimator.schema import LABELS, SPECTROSCOPIC_LABELS
from msaestimator.tables import (
    NamedColumns,
    fill_missing_with_nan,
    named_columns,
    raw_column,
    with_known_names,
)

__all__ = [
    "LabelSet",
    "check_known",
    "collect_label_errors",
    "collect_labels",
    "labels_at_hand",
    "weights_of_labels",
]


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


def collect_labels(
    X: Any,
    y: Any,
    wanted: Sequence[str] | Mapping[str, str] | None,
    *,
    invalid: str = "raise",
    aliases: bool = True,
) -> LabelSet:
    """Return the labels that ``fit(X, y)`` is to learn.

    Parameters
    ----------
    X : container of n_stars stars or array
        Stars, with the label columns if ``y`` is None.
    y : container of columns, array of shape (n_stars,) or (n_stars, n_labels), or None
        Labels, NaN, masked or None where unknown.
    wanted : sequence of names, mapping of name to unit, or None
        Names of the labels. None takes every column of a table ``y`` but errors of others
        (``teff_err``), or the stellar parameters that the table ``X`` has.
    invalid : {"raise", "mask"}
        Treatment of values that no star has: an error, or taken as missing with a warning.
    aliases : bool
        Whether names of another case, or of other catalogues, are understood.

    Raises
    ------
    ColumnError
        A label is absent, not a number, or outside the limits of `LABELS`.
    UnitMismatchError
        A label's unit is of another physical type.
    """
    source = _open_labels(X if y is None else y, wanted, aliases=aliases)
    if source is None:
        if y is None:
            raise ValueError(
                "The estimator requires y to be passed, but the target y is None: only a table "
                "of stars can hold its own labels."
            )
        return _valid(_from_array(y, wanted), invalid)
    if wanted is None:
        wanted = _without_errors(source.names)
        if y is None:
            wanted = [name for name in SPECTROSCOPIC_LABELS if name in wanted]
        if not wanted:
            raise ColumnError(
                "The table must have a label to learn, such as 'teff' or 'logg', but it has none. "
                "Name the columns with `labels=`, or pass them as y."
            )
    units = _units(wanted, source)
    values = read_labels(source, units)
    return _valid(LabelSet(tuple(units), units, values, one_dimensional=False), invalid)


def labels_at_hand(
    X: Any, y: Any, units: Mapping[str, str], *, invalid: str = "raise", aliases: bool = True
) -> np.ndarray:
    """Return labels that stars may have, (n_stars, n_labels), NaN also of an absent column.

    Parameters are those of `collect_labels`, with the labels' names and ``units``. A table must
    have one of them.
    """
    source = _open_labels(X if y is None else y, units, aliases=aliases)
    there = {} if source is None else {n: unit for n, unit in units.items() if n in source}
    found = collect_labels(X, y, there or units, invalid=invalid, aliases=aliases)
    values = np.full((len(found.values), len(units)), np.nan)
    values[:, [name in found.names for name in units]] = found.values
    return values


def _open_labels(
    source: Any, wanted: Sequence[str] | Mapping[str, str] | None, *, aliases: bool
) -> NamedColumns | None:
    """Return the columns that hold labels, by known names; None of an array."""
    columns = named_columns(source)
    if columns is None:
        return None
    known = {name for label in LABELS.values() for name in (label.name, label.error)}
    return with_known_names(columns, known.union(wanted or ()), aliases=aliases)


def _valid(labels: LabelSet, invalid: str) -> LabelSet:
    """Return labels without values that no star has, which are an error unless masked."""
    values, found = labels.values.copy(), []
    for position, (name, column) in enumerate(zip(labels.names, labels.values.T, strict=True)):
        unit = labels.units[name]
        # A label without its unit is another number, such as one that a pipeline scaled.
        if name not in LABELS or (LABELS[name].unit and not unit):
            continue
        low, high = LABELS[name].accepted_in(unit)
        wrong = (column < low) | (column > high)
        if wrong.any():
            found.append(outside(name, column, (low, high), unit))
            values[wrong, position] = np.nan
    if found and invalid == "raise":
        raise ColumnError(
            f"Labels must be values that a star can have, got {'; '.join(found)}. Set them to "
            "NaN, or have them taken as missing with invalid='mask'."
        )
    if found:
        warn_of_invalid(found)
    return labels._replace(values=values)


def collect_label_errors(
    X: Any, y: Any, labels: LabelSet, wanted: Sequence[str], *, aliases: bool = True
) -> np.ndarray:
    """Return the errors of some labels from where `collect_labels` has these.

    Parameters
    ----------
    X, y, aliases
        The same as in `collect_labels`.
    labels : LabelSet of n_stars stars
    wanted : sequence of str
        Labels whose errors are read, from columns such as ``mass_err``.

    Returns
    -------
    ndarray of shape (n_stars, n_labels)
        Standard errors in the labels' units, zero where unknown, and of labels not wanted.

    Raises
    ------
    ColumnError
        A name is no label, or its column of errors is absent.
    """
    errors = np.zeros(labels.values.shape)
    source = _open_labels(X if y is None else y, labels.names, aliases=aliases)
    for name in wanted:
        if name not in labels.names:
            raise ColumnError(
                f"`resample_labels` must name labels of the fit, got {name!r}."
                + did_you_mean(name, labels.names)
            )
        column = f"{name}_err"
        if source is None or column not in source:
            raise ColumnError(
                f"`resample_labels` needs the errors of {name!r} in the column {column!r}, which "
                "is absent. Pass the labels in a table that has it, or leave the label out."
            )
        read = read_labels(source, {column: labels.units[name]})[:, 0]
        errors[:, labels.names.index(name)] = np.where(read > 0, read, 0.0)
    return errors


def check_known(labels: LabelSet) -> None:
    """Refuse to learn a label that no star has, and of no stars at all."""
    check_any_star(labels.values)
    known = np.isfinite(labels.values).any(axis=0)
    unknown = [name for name, any_known in zip(labels.names, known, strict=True) if not any_known]
    if unknown:
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
    unit = getattr(y, "unit", None)
    if unit is not None:
        return _from_column(y, wanted)
    if hasattr(y, "to_arrow") or type(y).__module__.startswith("pyarrow"):
        values, mask, _ = raw_column(y)
        y = np.ma.MaskedArray(values, mask)
    y = fill_missing_with_nan(y)
    if any(isinstance(value, str | bytes) for value in np.ravel(np.asarray(y, dtype=object))):
        raise ColumnError("Labels must be numbers, got text. Convert them, with NaN if unknown.")
    values = check_array(
        y, ensure_2d=False, dtype=np.float64, ensure_all_finite="allow-nan", input_name="y"
    )
    values = np.where(values == ARCHIVE_MISSING, np.nan, values)
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


def _from_column(y: Any, wanted: Sequence[str] | Mapping[str, str] | None) -> LabelSet:
    """Return the label of a column or Quantity, which has one unit and so must be one label."""
    name = getattr(getattr(y, "info", None), "name", None)
    if wanted is None and name is not None:
        wanted = [name]
    if wanted is None or len(wanted) != 1 or np.ndim(y) > 2 or np.shape(y)[1:] not in ((), (1,)):
        raise UnitMismatchError(
            "Labels with a unit must be one label with a name, or come in a table; got "
            f"{type(y).__name__} in {y.unit} of shape {np.shape(y)} for "
            f"{'no name' if wanted is None else ', '.join(wanted)}. Pass "
            "StarTable({'teff': y}), or set `labels`."
        )
    units = _units(wanted, None)
    (name,) = units
    if name not in LABELS and not isinstance(wanted, Mapping):
        units = {name: str(y.unit)}
    values = read_labels({name: y[:, 0] if np.ndim(y) == 2 else y}, units)
    return LabelSet((name,), units, values, one_dimensional=np.ndim(y) == 1)


def _without_errors(names: Sequence[str]) -> list[str]:
    errors = {f"{name}{ending}" for name in names for ending in ("_err", "_error")}
    return [name for name in names if name not in errors]


def _units(
    wanted: Sequence[str] | Mapping[str, str], table: NamedColumns | None
) -> dict[str, str]:
    """Return the unit of each label: the one asked for, else the schema's, else the column's."""
    if isinstance(wanted, Mapping):
        return {name: u.Unit(unit).to_string() for name, unit in wanted.items()}
    if isinstance(wanted, str):
        raise ValueError(f"`labels` must be a sequence of names, got the string {wanted!r}.")
    units = {}
    for name in wanted:
        own = None
        if name not in LABELS and table is not None and name in table:
            own = table.raw(name).unit
        units[name] = LABELS[name].unit if name in LABELS else "" if own is None else str(own)
    return units
