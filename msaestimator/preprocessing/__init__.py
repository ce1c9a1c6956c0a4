"""Table to matrix and back: reading, XP normalisation, feature and label scaling."""

from msaestimator.preprocessing._features import StellarFeatures
from msaestimator.preprocessing._label_scaler import LabelScaler
from msaestimator.preprocessing._table_reader import (
    NORMALIZED,
    column_names,
    is_table,
    read_column,
    read_errors,
    read_features,
    read_labels,
)
from msaestimator.preprocessing._token_reader import has_tokens, read_tokens, token_columns
from msaestimator.preprocessing._xp_scaler import XPCoefficientScaler

__all__ = [
    "NORMALIZED",
    "LabelScaler",
    "StellarFeatures",
    "XPCoefficientScaler",
    "column_names",
    "has_tokens",
    "is_table",
    "read_column",
    "read_errors",
    "read_features",
    "read_labels",
    "read_tokens",
    "token_columns",
]
