"""Tables that tell which of their features are inferred, and how well."""

from collections.abc import Collection
from typing import Any

import astropy.units as u
import numpy as np

from msaestimator.preprocessing._measurements import Measurements
from msaestimator.preprocessing._star_reader import StarReader
from msaestimator.preprocessing._table_reader import read_column
from msaestimator.schema import G_BAND, CoefficientArray, Column, StarTable
from msaestimator.tables import NamedColumns

__all__ = ["errors_in_units", "tell_inferred"]

ERROR, INFERRED = "_err", "_inferred"
"""Ends of the names of the columns that tell of a feature's error, and whether it is inferred."""


def errors_in_units(reader: StarReader, scaled: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Return errors of features in the schema's units, (n_stars, len(schema)).

    Parameters
    ----------
    reader : StarReader
        Fitted reader of the features.
    scaled : ndarray of shape (n_stars, n_features)
        Features, NaN missing.
    errors : ndarray of shape (n_stars, n_features)
        Standard errors on the same scale: NaN unknown, and zero of what does not matter.

    Returns
    -------
    ndarray of shape (n_stars, len(schema))
        NaN where not known. An error of G is one of all coefficients, which its flux multiplies.
    """
    is_g = np.array(reader.columns.base_names) == G_BAND
    squares = np.zeros((len(scaled), len(reader.schema_)))
    for apart in (is_g, ~is_g):
        step = np.where(apart, np.nan_to_num(errors), 0.0)
        if step.any():
            higher, lower = (_in_units(reader, scaled + sign * step) for sign in (1, -1))
            squares += ((higher - lower) / 2) ** 2
    known = np.zeros(squares.shape, dtype=bool)
    for name, of_feature in zip(reader.columns.base_names, errors.T, strict=True):
        if name in reader.schema_:
            known[:, reader.schema_.names.index(name)] = np.isfinite(of_feature)
    return np.where(known, np.sqrt(squares), np.nan)


def _in_units(reader: StarReader, scaled: np.ndarray) -> np.ndarray:
    """Return features in the schema's units, (n_stars, len(schema)) float64."""
    features = reader.inverse_transform(scaled)
    if isinstance(features, np.ndarray):
        return features.astype(np.float64)
    columns = [_plain(features[member.name]) for member in reader.schema_.members]
    return np.column_stack(columns).astype(np.float64)


def tell_inferred(
    table: StarTable, stars: Measurements, errors: np.ndarray, inferable: Collection[str]
) -> StarTable:
    """Return a table of stars with columns of errors, and of what is inferred.

    Parameters
    ----------
    table : StarTable of n_stars stars
        Stars with missing features filled in, as `fill_missing` returns them.
    stars : Measurements of n_stars stars
        The same stars as they came.
    errors : ndarray of shape (n_stars, len(schema))
        Errors of inferred values in the schema's units, NaN where not known.
    inferable : collection of str
        Columns of the schema that are inferred where they are missing.

    Returns
    -------
    StarTable of length n_stars
        ``table`` without columns that the stars neither came with nor could be given; of each
        inferable one ``<name>_err``, the error of the measurement or of the inference, NaN where
        not known, and ``<name>_inferred``, bool. What the stars came with by these names, from an
        earlier reconstruction, holds for what is not inferred now.
    """
    given = stars.columns
    told = StarTable(table)
    for member in stars.schema.members:
        parts = _parts(member)
        if not set(parts).isdisjoint(inferable):
            places = np.isin(stars.schema.names, parts)
            known = np.isfinite(stars.values[:, places])
            error = np.where(known, stars.errors[:, places], errors[:, places])
            _add_companions(told, member, given, known, error)
        elif not any(name in given for name in (member.name, *parts)):
            told.remove_column(member.name)
    return told


def _add_companions(
    told: StarTable,
    member: Column | CoefficientArray,
    given: NamedColumns,
    known: np.ndarray,
    error: np.ndarray,
) -> None:
    """Add a feature's errors, and what of it is inferred, behind it."""
    name, unit = member.name, getattr(member, "unit", "")
    shape = told[name].shape
    inferred = ~known & np.isfinite(_plain(told[name])).reshape(known.shape)
    inferred_before = np.zeros(known.shape, dtype=bool)
    if name + INFERRED in given:
        inferred_before = known & given.raw(name + INFERRED).values.astype(bool).reshape(
            known.shape
        )
    if name + ERROR in given:
        before = read_column(given, name + ERROR, unit).reshape(known.shape)
        error = np.where(inferred_before | (known & np.isnan(error)), before, error)
    inferred |= inferred_before
    error = u.Quantity(error.reshape(shape), unit) if unit else error.reshape(shape)
    for end, values in ((INFERRED, inferred.reshape(shape)), (ERROR, error)):
        if name + end in told.colnames:
            told.remove_column(name + end)
        told.add_column(values, name=name + end, index=told.index_column(name) + 1)
    told[name + ERROR].info.description = f"standard error of {name}, measured or inferred"
    told[name + INFERRED].info.description = f"true where {name} is inferred, not measured"


def _parts(member: Column | CoefficientArray) -> list[str]:
    """Return the names of a column's scalars, its own unless it is an array."""
    if isinstance(member, CoefficientArray):
        return [column.name for column in member.columns]
    return [member.name]


def _plain(column: Any) -> np.ndarray:
    return np.asarray(getattr(column, "value", column))
