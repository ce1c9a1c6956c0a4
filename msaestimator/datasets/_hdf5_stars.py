"""HDF5 files of stars, read by ranges of rows: one table, or a dataset for each column."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from astropy.table import MaskedColumn, Table

from msaestimator.datasets._star_file import StarFile, reading
from msaestimator.exceptions import ColumnError, MissingDependencyError
from msaestimator.tables import arrow_of_table, describe_columns

__all__ = ["HDF5_ENDINGS", "Hdf5Stars"]

HDF5_ENDINGS = (".hdf5", ".h5")

KIND = "HDF5"

GROUP = 65_536
"""Number of rows of a group."""

NOTES = ".__table_column_meta__"
"""End of the name under which astropy keeps units and masks, beside a table."""


class Hdf5Stars(StarFile):
    """An HDF5 file of one table, as astropy writes it, or of a dataset for each column.

    In the latter, which mirrors of the archive are, the largest and smallest numbers of a type
    stand for no value.

    Parameters
    ----------
    path : Path
        File of the stars.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        if not find_spec("h5py"):
            raise MissingDependencyError("HDF5 files need h5py. Install it: pip install h5py")
        with reading(path, KIND), _open(path) as file:
            n_rows, read = _reader(file)
            self._group_sizes = tuple(min(GROUP, n_rows - s) for s in range(0, n_rows, GROUP))
            self.schema = arrow_of_table(read(0, 0)).schema

    @property
    def group_sizes(self) -> tuple[int, ...]:
        """Numbers of rows of the groups."""
        return self._group_sizes

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return len(self._group_sizes)

    def pieces(self, group: int, names: Sequence[str], size: int) -> Iterator[pa.Table]:
        """Yield the rows of a group in order, some columns of ``size`` rows at a time."""
        first = group * GROUP
        last = first + self._group_sizes[group]
        with reading(self.path, KIND), _open(self.path) as file:
            _, read = _reader(file)
            for start in range(first, last, size):
                yield arrow_of_table(read(start, min(start + size, last))).select([*names])

    def fingerprint(self) -> str:
        """Return a checksum of the size and the time of the last change: there is no other."""
        with reading(self.path, KIND):
            found = self.path.stat()
        return hashlib.sha256(f"{found.st_size} {found.st_mtime_ns}".encode()).hexdigest()


def _open(path: Path) -> Any:
    # Imported here because h5py is optional.
    import h5py

    return h5py.File(path)


def _reader(file: Any) -> tuple[int, Callable[[int, int], Table]]:
    """Return the number of rows, and a function that reads those from one to another."""
    found: dict[str, Any] = {}
    file.visititems(
        lambda name, item: found.update({name: item} if hasattr(item, "dtype") else {})
    )
    found = {name: item for name, item in found.items() if not name.endswith(NOTES) and item.ndim}
    tables = [name for name, item in found.items() if item.dtype.names]
    if len(tables) == 1:
        return len(found[tables[0]]), _table_reader(file, tables[0])
    if len(tables) > 1:
        raise ColumnError(
            f"A file of stars must have one table, got {', '.join(tables)} in {file.filename!r}. "
            "Write the one that is meant to a file of its own."
        )
    lengths = {len(item) for item in found.values()}
    if len(lengths) != 1:
        raise ColumnError(
            f"A file of stars must have columns of one length, got {sorted(lengths) or 'none'} in "
            f"{file.filename!r}. Write it anew."
        )
    return lengths.pop(), _columns_reader(found)


def _table_reader(file: Any, name: str) -> Callable[[int, int], Table]:
    notes = file.get(name + NOTES)
    description = None if notes is None else "\n".join(line.decode() for line in notes[:])

    def read(start: int, stop: int) -> Table:
        rows = Table(file[name][start:stop], copy=False)
        return rows if description is None else describe_columns(rows, description)

    return read


def _columns_reader(found: dict[str, Any]) -> Callable[[int, int], Table]:
    names = {path: path.rpartition("/")[2] for path in found}

    def read(start: int, stop: int) -> Table:
        return Table({names[path]: _known(item[start:stop]) for path, item in found.items()})

    return read


def _known(values: np.ndarray) -> np.ndarray | MaskedColumn:
    """Return a column without the numbers that stand for no value."""
    if values.dtype.kind == "f":
        return np.where(np.abs(values) == np.finfo(values.dtype).max, np.nan, values)
    if values.dtype.kind in "iu":
        whole = np.iinfo(values.dtype)
        missing = values == (whole.min if values.dtype.kind == "i" else whole.max)
        return MaskedColumn(values, mask=missing) if missing.any() else values
    return values
