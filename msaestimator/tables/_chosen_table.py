"""The table that is meant, of the several that one file may hold."""

from collections.abc import Sequence
from typing import NamedTuple

from msaestimator.exceptions import ColumnError

__all__ = ["ListedTable", "choose_table"]

N_SHOWN = 4


class ListedTable(NamedTuple):
    """A table of a file, as an error lists it.

    Parameters
    ----------
    number : int
        Number by which it is asked for, 1 for the first.
    name : str
        Name by which it is asked for; empty if it has none.
    n_rows : int or None
        Number of its rows; None if the file does not tell.
    columns : sequence of str
        Names of its columns.
    """

    number: int
    name: str
    n_rows: int | None
    columns: Sequence[str]

    def __str__(self) -> str:
        """Return number, name, rows and the first columns."""
        rows = "" if self.n_rows is None else f"{self.n_rows} rows: "
        shown = ", ".join(self.columns[:N_SHOWN]) + ", ..." * (len(self.columns) > N_SHOWN)
        return f"{self.number} {self.name!r} ({rows}{shown})"


def choose_table(tables: Sequence[ListedTable], hdu: int | str | None) -> ListedTable:
    """Return the table of that number or name; without either, the only one.

    Raises
    ------
    ColumnError
        There is no table, none of that name, or there are several and none is named.
    """
    if not tables:
        raise ColumnError("it has no table")
    listed = "; ".join(map(str, tables))
    if hdu is None:
        if len(tables) > 1:
            raise ColumnError(
                f"it has {len(tables)} tables, of which `hdu` (--hdu) must name one by its number "
                f"or name: {listed}"
            )
        return tables[0]
    wanted = str(hdu).casefold()
    for table in tables:
        if table.number == hdu or wanted in (str(table.number), table.name.casefold()):
            return table
    raise ColumnError(f"it has no table {hdu!r}, which `hdu` (--hdu) names; it has {listed}")
