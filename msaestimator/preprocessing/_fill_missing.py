"""Put inferred features into a table, beside what was observed."""

from typing import Any

import numpy as np

from msaestimator.preprocessing._features import stars_of
from msaestimator.preprocessing._measurements import Measurements
from msaestimator.preprocessing._table_reader import read_features
from msaestimator.schema import StarTable
from msaestimator.tables import as_table, column_names

__all__ = ["fill_missing"]


def fill_missing(stars: Measurements, inferred: Any) -> StarTable:
    """Return stars with missing features replaced by inferred ones.

    Parameters
    ----------
    stars : Measurements of n_stars stars
        Stars whose observed values are kept, and the columns of their table that are not features.
    inferred : table, or array of shape (n_stars, len(schema))
        Values for the places where the stars have none.
    """
    if column_names(inferred) is not None:
        inferred = read_features(inferred, stars.schema)
    filled = np.where(np.isnan(stars.values), inferred, stars.values)
    features = stars_of(filled, stars.schema)
    unread = set() if stars.used is None else set(stars.schema.names) - set(stars.used)
    unread |= {a.name for a in stars.schema.arrays if unread.issuperset(c.name for c in a.columns)}
    known = {*stars.schema.names, *(array.name for array in stars.schema.arrays)} - unread
    others = [name for name in stars.columns.names if name not in known]
    table = as_table(stars.columns)[others].copy() if others else StarTable()
    for name in features.colnames:
        if name not in table.colnames:
            table[name] = features[name]
    return table
