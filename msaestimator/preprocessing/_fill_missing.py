"""Put inferred features into a table, beside what was observed."""

from typing import Any

import numpy as np
from astropy.table import QTable, Table

from msaestimator.preprocessing._features import StellarFeatures
from msaestimator.preprocessing._measurements import Measurements
from msaestimator.preprocessing._table_reader import column_names, read_features
from msaestimator.schema import FeatureSchema, StarTable

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
    features: Any = StellarFeatures(stars.schema).fit(stars).inverse_transform(filled)
    table = StarTable(_other_columns(stars.table, stars.schema))
    for name in features.colnames:
        table[name] = features[name]
    return table


def _other_columns(X: Any, schema: FeatureSchema) -> Table:
    """Return the columns that are not features."""
    known = {*schema.names, *(array.name for array in schema.arrays)}
    names = [name for name in column_names(X) or () if name not in known]
    if not names:
        return QTable()
    if isinstance(X, Table):
        return QTable(X[names], copy=True)
    return QTable.from_pandas(X[names]) if hasattr(X, "iloc") else QTable(X[names])
