"""The columns of any container as an astropy table."""

import pyarrow as pa
from astropy.table import Column, MaskedColumn, Table

from msaestimator.schema import StarTable
from msaestimator.tables._containers import require_columns
from msaestimator.tables._named_columns import NamedColumns

__all__ = ["as_table"]


def as_table(columns: NamedColumns) -> StarTable:
    """Return columns of any container as a table, by the names that they go by.

    Parameters
    ----------
    columns : NamedColumns
        Columns; where the container is an astropy table, the result shares its data.
    """
    container = columns.container
    if isinstance(container, Table | pa.Table) or hasattr(container, "iloc"):
        table = StarTable(container, copy=False)
        for theirs, ours in zip(require_columns(container).names, columns.names, strict=True):
            if theirs != ours:
                table.rename_column(theirs, ours)
        return table
    return StarTable({name: _column(columns, name) for name in columns.names}, copy=False)


def _column(columns: NamedColumns, name: str) -> Column:
    values, mask, unit = columns.raw(name)
    return MaskedColumn(values, mask=mask, unit=unit) if mask.any() else Column(values, unit=unit)
