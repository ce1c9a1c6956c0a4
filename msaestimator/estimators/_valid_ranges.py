"""The ranges in which a fitted model holds, by the numbers that its flags go by."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from astropy.table import Table

from msaestimator.preprocessing import StarReader
from msaestimator.results import PredictionFlag
from msaestimator.schema import LABELS
from msaestimator.tables import column_names
from msaestimator.uncertainty import IntervalModel

__all__ = ["valid_ranges"]


class ValidRange(NamedTuple):
    """The range of a quantity, and the flag of a star that lies beyond."""

    quantity: str
    unit: str
    low: float
    high: float
    flag: str


def valid_ranges(model: Any) -> Table:
    """Return the ranges in which a fitted model holds, a row each.

    Columns are those of `ValidRange`. Ranges of XP coefficients, which are many, are left out.
    """
    reader, intervals = getattr(model, "reader_", None), getattr(model, "intervals_", None)
    rows: list[ValidRange] = []
    if isinstance(reader, StarReader):
        rows += _of_inputs(reader)
    if isinstance(intervals, IntervalModel):
        rows += _of_labels(intervals.labels_, intervals.units_)
        rows += _of_coverage(intervals)
    elif hasattr(model, "vocabulary_"):
        units = {name: model.vocabulary_[name].unit for name in model.labels_}
        rows += _of_labels(model.labels_, units)
    return Table(
        rows=rows or None,
        names=ValidRange._fields,
        dtype=tuple(ValidRange.__annotations__.values()),
    )


def _of_inputs(reader: StarReader) -> Iterator[ValidRange]:
    """Yield the least and the largest value of each input in ``fit``, in its unit."""
    if not hasattr(reader.preprocessor_, "inverse_transform"):
        return
    ends = reader.inverse_transform(reader.feature_range_)
    flag = str(PredictionFlag.OUT_OF_RANGE_INPUT.name)
    names = column_names(ends)
    if names is None:
        named = getattr(reader, "feature_names_in_", np.arange(ends.shape[1]))
        for name, (low, high) in zip(named, ends.T, strict=True):
            if np.isfinite([low, high]).all():
                yield ValidRange(str(name), "", float(low), float(high), flag)
        return
    for name in names:
        values = np.asarray(getattr(ends[name], "value", ends[name]))
        if values.ndim == 1 and np.isfinite(values).all():
            unit = str(getattr(ends[name], "unit", None) or "")
            low, high = values.tolist()
            yield ValidRange(name, unit, low, high, flag)


def _of_labels(labels: tuple[str, ...], units: dict[str, str]) -> Iterator[ValidRange]:
    """Yield the physical limits of the labels that have any."""
    flag = str(PredictionFlag.OUTSIDE_LIMITS.name)
    for label in labels:
        if label in LABELS:
            low, high = LABELS[label].limits_in(units[label])
            yield ValidRange(label, units[label], low, high, flag)


def _of_coverage(intervals: IntervalModel) -> Iterator[ValidRange]:
    """Yield the ranges of Teff in which labels were known, where there is an end to them."""
    teff = intervals.label_coverage_.teff
    if teff is None:
        return
    name = intervals.labels_[teff]
    scaled = np.full((2, len(intervals.labels_)), np.nan)
    for label, limits in zip(intervals.labels_, intervals.label_coverage_.limits_.T, strict=True):
        if np.isfinite(limits).any():
            scaled[:, teff] = limits
            known = intervals.label_scaler_.inverse_transform(scaled)[:, teff]
            # A logarithm's scale begins at the least number there is.
            low, high = np.where(np.isfinite(limits), known, limits)
            yield ValidRange(
                f"{name} of stars with {label}",
                intervals.units_[name],
                float(low),
                float(high),
                str(PredictionFlag.UNCONSTRAINED_LABEL.name),
            )
