"""Tables of stars in any container: their columns by name, with masks and units."""

from msaestimator.tables._arrow_files import PARQUET_ENDINGS, files_below
from msaestimator.tables._arrow_stars import stars_of_arrow
from msaestimator.tables._arrow_tables import arrow_of_table, describe_columns
from msaestimator.tables._as_table import as_table
from msaestimator.tables._bulk_files import bulk_header, no_value
from msaestimator.tables._containers import (
    column_names,
    kind_of,
    named_columns,
    require_columns,
)
from msaestimator.tables._files import read_stars, write_stars
from msaestimator.tables._ids import check_source_ids, is_source_id, source_ids_of
from msaestimator.tables._known_names import understand_names, with_known_names
from msaestimator.tables._named_columns import NamedColumns
from msaestimator.tables._output_path import expand_home, is_table_path, output_path
from msaestimator.tables._raw_column import (
    RawColumn,
    fill_missing_with_nan,
    is_missing,
    raw_column,
)
from msaestimator.tables._reasons import reason_of
from msaestimator.tables._rows import take_rows
from msaestimator.tables._text_arrays import arrays_of_text
from msaestimator.tables._units import convert_unit, read_unit

__all__ = [
    "PARQUET_ENDINGS",
    "NamedColumns",
    "RawColumn",
    "arrays_of_text",
    "arrow_of_table",
    "as_table",
    "bulk_header",
    "check_source_ids",
    "column_names",
    "convert_unit",
    "describe_columns",
    "expand_home",
    "files_below",
    "fill_missing_with_nan",
    "is_missing",
    "is_source_id",
    "is_table_path",
    "kind_of",
    "named_columns",
    "no_value",
    "output_path",
    "raw_column",
    "read_stars",
    "read_unit",
    "reason_of",
    "require_columns",
    "source_ids_of",
    "stars_of_arrow",
    "take_rows",
    "understand_names",
    "with_known_names",
    "write_stars",
]
