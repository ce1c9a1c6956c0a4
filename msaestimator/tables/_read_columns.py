"""Columns as files give them, as columns of stars."""

import astropy.units as u
import numpy as np
from astropy.table import Column, MaskedColumn, Table

from msaestimator.schema import StarTable
from msaestimator.tables._raw_column import raw_column

__all__ = ["as_stars"]

EXACT = 2**53
"""Largest of the integers that floats hold exactly."""


def as_stars(table: Table) -> StarTable:
    """Return a table as one of stars: matrices, native numbers, exact integers, units of dex."""
    settled = {c.info.name: _settled(c) if isinstance(c, Column) else c for c in table.itercols()}
    stars = StarTable(settled, meta=table.meta, copy=False)
    for column in stars.itercols():
        # It is for showing a catalogue, and text files would be cut to its decimals.
        column.info.format = None
    return stars


def _settled(column: Column) -> Column:
    if column.dtype.kind == "O":
        return _of_objects(column)
    if column.dtype.kind == "S":
        return _of_texts(column)
    if not column.dtype.isnative:
        column = column.astype(column.dtype.newbyteorder("="))
    if column.dtype.kind in "iu" and np.any(np.abs(np.asarray(column)) > EXACT):
        # A Quantity would round them.
        column.unit = None
    elif isinstance(column.unit, u.UnrecognizedUnit) or str(column.unit) == "dex":
        # FITS and VOTable have no word for "dex", which may be a tenth of an unknown "ex" there.
        column.unit = u.Unit(str(column.unit), parse_strict="silent")
    return column


def _of_objects(column: Column) -> Column:
    """Return a column of text or of arrays as such, one of anything else as it is."""
    values, mask, _ = raw_column(column)
    known = [value for value in values[~mask] if np.size(value)]
    if not known:
        return _like(column, np.full(len(column), np.nan), np.ones(len(column), dtype=bool))
    if all(isinstance(value, str | bytes) for value in known):
        return _of_texts(column)
    return _matrix(column)


def _of_texts(column: Column) -> Column:
    """Return texts, some of which may be bytes, as NumPy's; empty where they are masked."""
    values, mask, _ = raw_column(column)
    known = np.where(mask, "", values.astype(object)).tolist()
    texts = [text.decode(errors="replace") if isinstance(text, bytes) else text for text in known]
    return _like(column, np.array(texts, dtype=str), mask)


def _matrix(column: Column) -> Column:
    """Return a column of arrays of numbers as a matrix if all have one shape, else as it is."""
    values, mask, _ = raw_column(column)
    known = [row for row in np.flatnonzero(~mask) if np.size(values[row])]
    shapes = {np.shape(values[row]) for row in known}
    if len(shapes) != 1 or shapes == {()}:
        return column
    rows = np.ma.stack([np.ma.asarray(values[row]) for row in known])
    if rows.dtype.kind not in "biuf":
        return column
    matrix = np.ma.MaskedArray(np.zeros((len(column), *rows.shape[1:]), rows.dtype), mask=True)
    if rows.dtype.kind == "f":
        matrix.data[:] = np.nan
    matrix[known] = rows
    return _like(column, matrix.data, np.ma.getmaskarray(matrix))


def _like(column: Column, values: np.ndarray, mask: np.ndarray) -> Column:
    """Return a column of other values that is called and described as another."""
    described = {"name": column.name, "unit": column.unit, "description": column.description}
    if mask.any():
        return MaskedColumn(values, mask=mask, **described)
    return Column(values, **described)
