"""Predicted quantiles as a table with units, intervals and flags."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from msaestimator.exceptions import ColumnError
from msaestimator.metrics import interval_positions
from msaestimator.results._estimates import add_estimate, add_flags, one_sigma_error
from msaestimator.schema import LABELS, StarTable

__all__ = ["integers", "prediction_table", "whole", "with_interval"]

Parts = dict[str, tuple[np.ndarray, str]]


def prediction_table(
    labels: Sequence[str],
    quantiles_pred: ArrayLike,
    quantiles: Sequence[float],
    *,
    units: Mapping[str, str],
    identifiers: ArrayLike | None = None,
    flags: ArrayLike | None = None,
    label_flags: ArrayLike | None = None,
    epistemic_share: ArrayLike | None = None,
) -> StarTable:
    """Return predictions as a table: median and interval of each label, one row a star.

    Parameters
    ----------
    labels : sequence of str of length n_labels
        Names of the predicted labels.
    quantiles_pred : array-like of shape (n_stars, n_labels, n_quantiles)
        Predicted quantiles in ``units``; NaN where there is no prediction.
    quantiles : sequence of float of length n_quantiles
        Levels of the quantiles, rising, with 0.5 and at least one on either side of it.
    units : mapping of str to str
        Units by label name. A label not named has the schema's unit, or none.
    identifiers : array-like of int of shape (n_stars,), optional
        Gaia source identifiers, kept exactly; masked where a star has none.
    flags : array-like of int of shape (n_stars,), optional
        Bits of `PredictionFlag` that concern the star.
    label_flags : array-like of int of shape (n_stars, n_labels), optional
        Bits of `PredictionFlag` that concern one label.
    epistemic_share : array-like of shape (n_stars, n_labels), optional
        Part of the variance, from 0 to 1, that is the members' disagreement.

    Returns
    -------
    StarTable of length n_stars
        Columns ``source_id`` (int64); then for each label

        - ``teff``, the median;
        - ``teff_err``, half the width of the central 68 % interval (0.16 to 0.84; of other
          quantiles as of a normal distribution);
        - ``teff_lower`` and ``teff_upper``, the 0.16 and 0.84 quantiles, or the outermost two;
        - ``teff_q05`` and so on, the other quantiles (the decimals of the level, at least two);
        - ``teff_aleatoric`` and ``teff_epistemic``, which add in quadrature to ``teff_err``: noise
          that more training stars would not lessen, and what the members do not agree on;
        - ``teff_flags`` (int32), what concerns this label alone;

        then ``flags`` (int32), what concerns the star. All but flags are Quantities, with a
        description and the decimals that text has; ``meta["flags"]`` explains the bits. Columns
        of what was not given are left out.

    Raises
    ------
    ColumnError
        The shapes do not fit, the quantiles lack a median or a bound, or the identifiers are not
        integers.

    Examples
    --------
    >>> from msaestimator.results import prediction_table
    >>> table = prediction_table(
    ...     ["teff"],
    ...     [[[5700.0, 5772.0, 5850.0]]],
    ...     (0.16, 0.5, 0.84),
    ...     units={"teff": "K"},
    ...     identifiers=[5937083312263887616],
    ...     flags=[2],
    ... )
    >>> print(table)
         source_id        teff  teff_err teff_lower teff_upper flags
                           K       K         K          K
    ------------------- ------- -------- ---------- ---------- -----
    5937083312263887616 5772.00    75.00    5700.00    5850.00     2
    >>> table["teff_lower"].info.description
    'effective temperature: lower end of the central 68 % interval'
    >>> table.meta["flags"][1]
    '2 NO_XP: no XP coefficient was observed'
    """
    predicted = np.asarray(quantiles_pred, dtype=float)
    _check_shape("quantiles_pred", predicted, (len(predicted), len(labels), len(quantiles)))
    interval_positions(quantiles)
    per_label = predicted.shape[:2]
    share = None if epistemic_share is None else np.asarray(epistemic_share, dtype=float)
    if share is not None:
        _check_shape("epistemic_share", share, per_label)
    bits = None if label_flags is None else whole(label_flags, "label_flags", per_label)
    table = StarTable()
    if identifiers is not None:
        table["source_id"] = integers(identifiers, "identifiers", len(predicted), np.int64)
    for position, label in enumerate(labels):
        parts = _quantile_parts(predicted[:, position], quantiles)
        if share is not None:
            parts |= _parts_of_error(parts["_err"][0], share[:, position])
        unit = units.get(label, LABELS[label].unit if label in LABELS else "")
        add_estimate(table, label, unit, parts)
        if bits is not None:
            add_flags(table, {f"{label}_flags": bits[:, position]})
    if flags is not None:
        add_flags(table, {"flags": integers(flags, "flags", len(predicted), np.int32)})
    return table


def with_interval(
    table: StarTable, labels: Sequence[str], level: float, bounds: ArrayLike
) -> StarTable:
    """Return predictions with other intervals: ``teff_lower`` and ``teff_upper`` are replaced.

    Parameters
    ----------
    table : StarTable of n_stars rows
        Predictions as `prediction_table` returns them; it is changed.
    labels : sequence of str of length n_labels
        Names of the labels.
    level : float
        Probability of the central intervals.
    bounds : array-like of shape (n_stars, n_labels, 2)
        Lower and upper ends, in the table's units.

    Returns
    -------
    StarTable
        ``table`` itself.

    Raises
    ------
    ColumnError
        The bounds do not fit.
    """
    ends = np.asarray(bounds, dtype=float)
    _check_shape("bounds", ends, (len(table), len(labels), 2))
    for position, label in enumerate(labels):
        lower, upper = ends[:, position].T
        parts = _bounds(lower, upper, (1 - level) / 2, (1 + level) / 2)
        add_estimate(table, label, str(table[label].unit), parts)
    return table


def _quantile_parts(predicted: np.ndarray, quantiles: Sequence[float]) -> Parts:
    """Return what quantiles, (n_stars, n_quantiles), tell of a label: by suffix, in order."""
    low, middle, high = interval_positions(quantiles)
    levels = quantiles[low], quantiles[high]
    lower, upper = predicted[:, low], predicted[:, high]
    others = [n for n in range(len(quantiles)) if n not in (low, middle, high)]
    return {
        "": (predicted[:, middle], "median"),
        "_err": (
            one_sigma_error(lower, upper, levels),
            "half the width of the central 68 % interval",
        ),
        **_bounds(lower, upper, *levels),
        **{
            _level_suffix(quantiles[n]): (predicted[:, n], f"{quantiles[n]:g} quantile")
            for n in others
        },
    }


def _bounds(lower: np.ndarray, upper: np.ndarray, low: float, high: float) -> Parts:
    """Return the columns of an interval between two levels."""
    between = f"interval from the {low:g} to the {high:g} quantile"
    if np.isclose(low, 1 - high):
        between = f"central {100 * (high - low):.4g} % interval"
    return {
        "_lower": (lower, f"lower end of the {between}"),
        "_upper": (upper, f"upper end of the {between}"),
    }


def _parts_of_error(error: np.ndarray, share: np.ndarray) -> Parts:
    return {
        "_aleatoric": (
            error * np.sqrt(1 - share),
            "part of the error that is noise, which more training stars would not lessen",
        ),
        "_epistemic": (
            error * np.sqrt(share),
            "part of the error that the members of the ensemble do not agree on",
        ),
    }


def _level_suffix(level: float) -> str:
    """Return ``"_q05"`` for 0.05 and ``"_q025"`` for 0.025."""
    decimals = f"{level:.6f}".removeprefix("0.").rstrip("0")
    return f"_q{decimals:0<2}"


def integers(values: ArrayLike, name: str, n_stars: int, dtype: type) -> np.ndarray:
    """Return integers, masked as they are; floats are refused, since they round identifiers."""
    return whole(values, name, (n_stars,)).astype(dtype)


def whole(values: ArrayLike, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return integers of a shape, of whatever type; floats are refused."""
    numbers: np.ndarray = np.ma.asarray(values) if np.ma.is_masked(values) else np.asarray(values)
    if numbers.size and not np.issubdtype(numbers.dtype, np.integer):
        raise ColumnError(
            f"`{name}` must be integers, got {numbers.dtype}. Floats cannot hold a Gaia source_id."
        )
    _check_shape(name, numbers, shape)
    return numbers


def _check_shape(name: str, values: np.ndarray, shape: tuple[int, ...]) -> None:
    if values.shape != shape:
        raise ColumnError(f"`{name}` must have shape {shape}, got {values.shape}.")
