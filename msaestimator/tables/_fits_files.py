"""FITS files by astropy."""

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.table import Column, MaskedColumn, QTable, Table
from astropy.utils.data import get_readable_fileobj

from msaestimator.exceptions import ColumnError
from msaestimator.tables._chosen_table import ListedTable, choose_table
from msaestimator.tables._raw_column import raw_column

__all__ = ["read_fits", "write_fits"]

BEGINNING = b"SIMPLE"


def read_fits(path: Path, hdu: int | str | None) -> Table:
    """Read the only table of a FITS file, or the HDU of a number or name."""
    with warnings.catch_warnings():
        # Rows that are not there would be zeros, or an error that says nothing.
        warnings.filterwarnings("error", "File may have been truncated")
        with fits.open(_uncompressed(path), memmap=False, character_as_bytes=True) as hdus:
            chosen = choose_table(_tables(hdus), hdu)
            return Table.read(hdus[chosen.number], format="fits", unit_parse_strict="silent")


def write_fits(table: Table, path: Path) -> None:
    """Write a FITS file, in which masked truth values are numbers."""
    written = Table(table, copy=False)
    written.meta = {name: _ascii(value) for name, value in table.meta.items()}
    for column in table.itercols():
        raw = raw_column(column)
        if raw.values.dtype.kind == "f" and raw.mask.any():
            values = np.where(raw.mask, raw.values.dtype.type(np.nan), raw.values)
            info = {name: getattr(column.info, name) for name in ("unit", "description", "format")}
            written[column.info.name] = Column(values, **info)
        if raw.values.dtype.kind == "U" and not all(map(str.isascii, raw.values[~raw.mask])):
            raise ColumnError(
                f"column {column.info.name!r} has text beyond ASCII, which FITS has not; choose "
                "another ending, such as .ecsv or .parquet"
            )
        if raw.values.dtype.kind == "b" and raw.mask.any():
            written[column.info.name] = MaskedColumn(column.astype(np.int16), fill_value=-1)
    # Astropy keeps units that FITS has no word for, such as dex, of quantities alone, and it has
    # no quantity of a logarithm that is masked.
    QTable(written, copy=False).write(path, format="fits")


def _ascii(value: Any) -> Any:
    """Return a text of ``meta``, or each of a list, in the characters that a header can hold."""
    if isinstance(value, list):
        return [_ascii(item) for item in value]
    return value.encode("ascii", "backslashreplace").decode() if isinstance(value, str) else value


def _uncompressed(path: Path) -> Path | io.BytesIO:
    """Return a file's path, or its content if it is compressed.

    Astropy would take a compressed file that was cut off for one that ends there.
    """
    with path.open("rb") as file:
        if file.read(len(BEGINNING)) == BEGINNING:
            return path
    with get_readable_fileobj(path, encoding="binary") as file:
        return io.BytesIO(file.read())


def _tables(hdus: fits.HDUList) -> list[ListedTable]:
    return [
        ListedTable(number, hdu.name, hdu.header["NAXIS2"], hdu.columns.names)
        for number, hdu in enumerate(hdus)
        if isinstance(hdu, fits.BinTableHDU | fits.TableHDU)
    ]
