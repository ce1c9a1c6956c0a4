"""A catalogue's stars as labels: our names and units, one row a Gaia id."""

import os
from collections.abc import Mapping
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.table import Table

from msaestimator.schema import LABELS, StarTable, get_label
from msaestimator.tables import convert_unit, raw_column, read_stars, source_ids_of

__all__ = ["CATALOGUE_LABELS", "labels_of", "once_each", "read_catalogue", "text_column"]

CATALOGUE_LABELS = tuple(name for name in LABELS if name != "parallax")
"""Labels that catalogues of spectra have, in the order of tables."""

MISSING = -9999.0
"""Number that catalogues write where they have no value."""


def read_catalogue(path: str | os.PathLike[str], names: Mapping[str, str]) -> StarTable:
    """Return columns of a catalogue's file by our names.

    Parameters
    ----------
    path : str or path-like
        File of any format of `read_stars`; of a FITS file the first table.
    names : mapping of str to str
        The file's name of each column wanted, by ours.

    Raises
    ------
    ColumnError
        The file lacks a column, or cannot be read.
    FileNotFoundError
        There is no such file.
    """
    is_fits = any(ending.lower() in (".fits", ".fit", ".fts") for ending in Path(path).suffixes)
    table = read_stars(path, 1 if is_fits else None, [*names.values()])
    return StarTable({ours: table[theirs] for ours, theirs in names.items()})


def labels_of(stars: Table, survey: str) -> StarTable:
    """Return the labels of a catalogue's stars as the thesis keeps them (its section 2.3).

    Parameters
    ----------
    stars : Table of n_rows rows
        Rows of the catalogue: ``source_id``, labels and their errors by our names, and maybe
        ``apogee_id``. Units of temperatures and ages may be stated; abundances are in dex.
    survey : str
        Name of the catalogue.

    Returns
    -------
    StarTable of length n_stars
        ``source_id`` (int64), ``survey``, ``apogee_id`` if it was there, then the labels and
        their errors as floats, NaN where missing. A row without a Gaia id or without any label is
        left out, and so is every row of an id that the catalogue has more than once.

    Raises
    ------
    ColumnError
        An id is not an integer.
    UnitMismatchError
        A temperature or an age is in a unit of another physical type.
    """
    # Catalogues write 0 or -1 for no match.
    ids: np.ndarray = np.ma.filled(np.ma.asarray(source_ids_of(stars)), 0)
    keep = (ids > 0) & once_each(ids)
    labels = StarTable({"source_id": ids, "survey": np.full(len(ids), survey)})
    if "apogee_id" in stars.colnames:
        labels["apogee_id"] = text_column(stars, "apogee_id")
    known = np.zeros(len(ids), dtype=bool)
    for name in CATALOGUE_LABELS:
        if name in stars.colnames:
            labels[name] = _values(stars, name, name)
            known |= np.isfinite(labels[name].value)
        error = get_label(name).error
        if error in stars.colnames:
            labels[error] = _values(stars, error, name)
    return labels[keep & known]


def once_each(ids: np.ndarray) -> np.ndarray:
    """Tell of each id whether it is there only once."""
    _, places, counts = np.unique(ids, return_inverse=True, return_counts=True)
    return counts[places] == 1


def text_column(table: Table, name: str) -> np.ndarray:
    """Return a column of text without the blanks that fixed lengths pad it with, "" if missing."""
    values, mask, _ = raw_column(table[name])
    return np.strings.strip(np.where(mask, "", values.astype(str)))


def _values(stars: Table, name: str, label: str) -> u.Quantity:
    """Return a label, or its error, as a quantity in the label's unit, NaN where missing."""
    unit = get_label(label).unit
    values, mask, stated = raw_column(stars[name])
    numbers = np.where(mask, np.nan, values).astype(np.float64)
    numbers[numbers == MISSING] = np.nan
    if unit != "dex":
        # What catalogues state of log g is now a logarithm's unit, now that of a gravity.
        numbers = convert_unit(name, numbers, stated, unit)
    return u.Quantity(numbers, unit)
