"""The ranges in which a fitted model holds, by the numbers that its flags go by."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from astropy.table import Table

from msaestimator.preprocessing import StarReader, TokenReader
from msaestimator.results import PredictionFlag
from msaestimator.schema import LABELS
from msaestimator.tables import column_names
from msaestimator.uncertainty import IntervalModel, TokenCoverage

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
    coverage = getattr(model, "coverage_", None)
    rows: list[ValidRange] = []
    if isinstance(reader, StarReader):
        rows += _of_inputs(reader)
    if isinstance(reader, TokenReader) and coverage is not None:
        rows += _of_tokens(reader, coverage)
        rows += _of_token_coverage(reader, coverage)
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


def _of_tokens(reader: TokenReader, coverage: TokenCoverage) -> Iterator[ValidRange]:
    """Yield the least and the largest value of each word in ``fit``, in its unit."""
    tokens = reader.vocabulary_.tokens
    ends = reader.unscaled(range(len(tokens)), coverage.range_)
    for token, (low, high) in zip(tokens, ends.T, strict=True):
        if token.recipe != "over_g_flux" and np.isfinite([low, high]).all():
            flag = str(PredictionFlag.OUT_OF_RANGE_INPUT.name)
            yield ValidRange(token.name, token.unit, float(low), float(high), flag)


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

    def in_units(limits: np.ndarray) -> np.ndarray:
        scaled = np.full((2, len(intervals.labels_)), np.nan)
        scaled[:, teff] = limits
        return intervals.label_scaler_.inverse_transform(scaled)[:, teff]

    limits = intervals.label_coverage_.limits_
    yield from _of_teff(name, intervals.units_[name], intervals.labels_, limits, in_units)


def _of_token_coverage(reader: TokenReader, coverage: TokenCoverage) -> Iterator[ValidRange]:
    """Yield the ranges of Teff in which words were known, where there is an end to them."""
    teff = coverage.teff
    if teff is None:
        return

    def in_units(limits: np.ndarray) -> np.ndarray:
        return reader.unscaled([teff], limits[:, None])[:, 0]

    token, names = reader.vocabulary_.tokens[teff], reader.vocabulary_.names
    yield from _of_teff(token.name, token.unit, names, coverage.by_teff_.limits_, in_units)


def _of_teff(
    teff: str,
    unit: str,
    names: Sequence[str],
    limits: np.ndarray,
    in_units: Callable[[np.ndarray], np.ndarray],
) -> Iterator[ValidRange]:
    """Yield the ranges of Teff, (2, n_names) on its scale, that have an end."""
    flag = str(PredictionFlag.UNCONSTRAINED_LABEL.name)
    for name, ends in zip(names, limits.T, strict=True):
        if np.isfinite(ends).any():
            # A logarithm's scale begins at the least number there is.
            low, high = np.where(np.isfinite(ends), in_units(ends), ends)
            yield ValidRange(f"{teff} of stars with {name}", unit, float(low), float(high), flag)
