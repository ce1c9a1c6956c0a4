"""Arrow's tables, as files of stars give them in pieces, as tables of stars."""

import warnings

import pyarrow as pa
from astropy.utils.exceptions import AstropyWarning

from msaestimator.schema import StarTable
from msaestimator.tables._arrow_tables import table_of_arrow
from msaestimator.tables._read_columns import as_stars

__all__ = ["stars_of_arrow"]


def stars_of_arrow(arrow: pa.Table) -> StarTable:
    """Return the stars of an Arrow table, as `read_stars` returns those of a file.

    Parameters
    ----------
    arrow : pyarrow.Table
        Columns; units where astropy keeps them in the metadata of a parquet file.
    """
    with warnings.catch_warnings():
        # What matters of a unit that astropy does not know is told where the column is used.
        warnings.simplefilter("ignore", AstropyWarning)
        return as_stars(table_of_arrow(arrow))
