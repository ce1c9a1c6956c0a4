"""Tables of stars in any container: their columns by name, with masks and units."""

from msaestimator.tables._containers import column_names, named_columns, require_columns
from msaestimator.tables._named_columns import NamedColumns
from msaestimator.tables._raw_column import (
    RawColumn,
    fill_missing_with_nan,
    is_missing,
    raw_column,
)

__all__ = [
    "NamedColumns",
    "RawColumn",
    "column_names",
    "fill_missing_with_nan",
    "is_missing",
    "named_columns",
    "raw_column",
    "require_columns",
]
