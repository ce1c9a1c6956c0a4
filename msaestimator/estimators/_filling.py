"""Put inferred features into a table, beside what was observed."""

from typing import Any

import numpy as np
from astropy.table import QTable, Table

from msaestimator.preprocessing import StellarFeatures, column_names, read_features
from msaestimator.schema import FeatureSchema, StarTable

__all__ = ["fill_missing"]


def fill_missing(X: Any, inferred: Any, schema: FeatureSchema) -> StarTable:
    """Return the stars ``X`` with missing features replaced by inferred ones.

    Parameters
    ----------
    X : table of n_stars stars
        Its observed values and its columns that are not features are kept.
    inferred : table, or array of shape (n_stars, len(schema))
        What to put where ``X`` has nothing.
    schema : FeatureSchema
    """
    observed = read_features(X, schema)
    if column_names(inferred) is not None:
        inferred = read_features(inferred, schema)
    filled = np.where(np.isnan(observed), inferred, observed)
    features = StellarFeatures(schema).fit(X).inverse_transform(filled)
    stars = StarTable(_other_columns(X, schema))
    for name in features.colnames:
        stars[name] = features[name]
    return stars


def _other_columns(X: Any, schema: FeatureSchema) -> Table:
    """Return the columns that are not features."""
    known = {*schema.names, *(array.name for array in schema.arrays)}
    names = [name for name in column_names(X) if name not in known]
    if not names:
        return QTable()
    if isinstance(X, Table):
        return QTable(X[names], copy=True)
    return QTable.from_pandas(X[names]) if hasattr(X, "iloc") else QTable(X[names])
