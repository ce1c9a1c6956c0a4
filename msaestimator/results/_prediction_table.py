"""Predicted quantiles as a table with units, intervals and flags."""

from collections.abc import Mapping, Sequence

import astropy.units as u
import numpy as np
from numpy.typing import ArrayLike

from msaestimator.exceptions import ColumnError
from msaestimator.metrics import interval_positions
from msaestimator.results._flags import describe_flags
from msaestimator.schema import LABELS, StarTable

__all__ = ["integers", "prediction_table"]


def prediction_table(
    labels: Sequence[str],
    quantiles_pred: ArrayLike,
    quantiles: Sequence[float],
    *,
    units: Mapping[str, str],
    identifiers: ArrayLike | None = None,
    flags: ArrayLike | None = None,
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
        Bits of `PredictionFlag`.
    epistemic_share : array-like of shape (n_stars, n_labels), optional
        Part of the variance, from 0 to 1, that is the members' disagreement.

    Returns
    -------
    StarTable of length n_stars
        Columns ``source_id`` (int64); then for each label ``teff`` (the median), ``teff_lower``
        and ``teff_upper`` (the 0.16 and 0.84 quantiles, or the outermost two), ``teff_q05`` and so
        on for the other quantiles (the decimals of the level, at least two), then
        ``teff_aleatoric`` and ``teff_epistemic``, which add in quadrature to half of what lies
        between lower and upper: noise that more training stars would not lessen, and what the
        members do not agree on; all Quantities; then ``flags`` (int32), explained in
        ``meta["flags"]``. Columns of what was not given are left out.

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
         source_id       teff  teff_lower teff_upper flags
                          K        K          K
    ------------------- ------ ---------- ---------- -----
    5937083312263887616 5772.0     5700.0     5850.0     2
    >>> table.meta["flags"][1]
    '2 NO_XP: no XP coefficient was observed'
    """
    predicted = np.asarray(quantiles_pred, dtype=float)
    named = _quantile_columns(quantiles)
    _check_shape("quantiles_pred", predicted, (len(predicted), len(labels), len(quantiles)))
    table = StarTable()
    if identifiers is not None:
        table["source_id"] = integers(identifiers, "identifiers", len(predicted), np.int64)
    for position, label in enumerate(labels):
        unit = u.Unit(units.get(label, LABELS[label].unit if label in LABELS else ""))
        for suffix, (index, level) in named.items():
            table[label + suffix] = predicted[:, position, index] * unit
            table[label + suffix].info.description = f"{level:g} quantile of {label}"
        if epistemic_share is not None:
            share = np.asarray(epistemic_share, dtype=float)
            _check_shape("epistemic_share", share, predicted.shape[:2])
            half = (table[f"{label}_upper"] - table[f"{label}_lower"]) / 2
            for part, fraction in (("aleatoric", 1 - share), ("epistemic", share)):
                table[f"{label}_{part}"] = half * np.sqrt(fraction[:, position])
                table[f"{label}_{part}"].info.description = f"{part} half-width of {label}"
    if flags is not None:
        table["flags"] = integers(flags, "flags", len(predicted), np.int32)
        table.meta["flags"] = describe_flags()
    return table


def _quantile_columns(quantiles: Sequence[float]) -> dict[str, tuple[int, float]]:
    """Return (position, level) by column suffix: median, lower, upper, then the others."""
    low, middle, high = interval_positions(quantiles)
    named = {"": middle, "_lower": low, "_upper": high}
    others = set(range(len(quantiles))) - set(named.values())
    named |= {_level_suffix(quantiles[position]): position for position in sorted(others)}
    return {suffix: (position, quantiles[position]) for suffix, position in named.items()}


def _level_suffix(level: float) -> str:
    """Return ``"_q05"`` for 0.05 and ``"_q025"`` for 0.025."""
    decimals = f"{level:.6f}".removeprefix("0.").rstrip("0")
    return f"_q{decimals:0<2}"


def integers(values: ArrayLike, name: str, n_stars: int, dtype: type) -> np.ndarray:
    """Return integers, masked as they are; floats are refused, since they round identifiers."""
    whole: np.ndarray = np.ma.asarray(values) if np.ma.is_masked(values) else np.asarray(values)
    if whole.size and not np.issubdtype(whole.dtype, np.integer):
        raise ColumnError(
            f"`{name}` must be integers, got {whole.dtype}. Floats cannot hold a Gaia source_id."
        )
    _check_shape(name, whole, (n_stars,))
    return whole.astype(dtype)


def _check_shape(name: str, values: np.ndarray, shape: tuple[int, ...]) -> None:
    if values.shape != shape:
        raise ColumnError(f"`{name}` must have shape {shape}, got {values.shape}.")
