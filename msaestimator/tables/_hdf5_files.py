"""HDF5 files by astropy, which needs h5py."""

from pathlib import Path

from astropy.table import Table

from msaestimator.tables._chosen_table import ListedTable, choose_table

__all__ = ["read_hdf5", "write_hdf5"]

PATH = "stars"
"""Path, within the file, of the table that we write."""


def read_hdf5(path: Path, hdu: int | str | None) -> Table:
    """Read the only table of an HDF5 file, or that of a number or path within it."""
    # Imported here because h5py is optional.
    import h5py

    listed: list[ListedTable] = []

    def add(name: str, item: h5py.Dataset | h5py.Group) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.names:
            listed.append(ListedTable(len(listed) + 1, name, len(item), item.dtype.names))

    with h5py.File(path) as file:
        file.visititems(add)
    chosen = choose_table(listed, hdu).name
    return Table.read(path, format="hdf5", path=chosen)


def write_hdf5(table: Table, path: Path) -> None:
    """Write an HDF5 file with one table and its units."""
    table.write(path, format="hdf5", path=PATH, serialize_meta=True)
