"""VOTables by astropy."""

from pathlib import Path

import numpy as np
from astropy.io import votable
from astropy.table import MaskedColumn, Table

from msaestimator.exceptions import ColumnError
from msaestimator.tables._chosen_table import ListedTable, choose_table
from msaestimator.tables._votable_notes import add_notes, read_notes

__all__ = ["read_votable", "write_votable"]

WIDER = {
    np.dtype(kind): np.dtype(wider)
    for kind, wider in {"i1": "i2", "u2": "i4", "u4": "i8", "f2": "f4"}.items()
}
"""Types that VOTable has not, and the next that hold all their numbers."""


def read_votable(path: Path, hdu: int | str | None) -> Table:
    """Read the only table of a VOTable, or that of a number, name or ID.

    Columns are called by their names, as services show them, and not by their IDs.
    """
    document = votable.parse(path, verify="ignore")
    _check_status(document)
    tables = [table for table in document.iter_tables() if table.fields]
    listed = [_listed(number, table) for number, table in enumerate(tables, 1)]
    chosen = tables[choose_table(listed, hdu).number - 1]
    table = chosen.to_table(use_names_over_ids=True)
    table.meta |= read_notes(chosen)
    for name in [name for name in table.colnames if table[name].dtype.kind in "UO"]:
        # A VOTable has no other sign of a text that is not there.
        is_empty = [isinstance(value, str) and not value for value in table[name]]
        if any(is_empty):
            table[name] = MaskedColumn(table[name], mask=is_empty)
    return table


def write_votable(table: Table, path: Path) -> None:
    """Write a VOTable, with what ``meta`` says."""
    # Of a plain table, since astropy takes one of stars for the matrix that NumPy may take it for.
    written = Table(table, copy=False)
    for column in written.columns.values():
        if column.dtype in WIDER:
            written[column.name] = column.astype(WIDER[column.dtype])
    document = votable.from_table(written)
    add_notes(document.get_first_table(), table.meta)
    document.to_xml(str(path))


def _check_status(document: votable.tree.VOTableFile) -> None:
    """Refuse an answer in which a service tells its error in place of rows."""
    for resource in document.resources:
        for info in resource.infos:
            if info.name == "QUERY_STATUS" and info.value.upper() == "ERROR":
                raise ColumnError(f"it is a service's message: {info.content or 'ERROR'}")


def _listed(number: int, table: votable.tree.TableElement) -> ListedTable:
    names = [field.name for field in table.fields]
    return ListedTable(number, table.name or table.ID or "", len(table.array), names)
