"""FITS files by astropy."""

import io
import warnings
from collections.abc import Collection
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


def read_fits(path: Path, hdu: int | str | None, columns: Collection[str] | None = None) -> Table:
    """Read the only table of a FITS file, or the HDU of a number or name.

    With ``columns``, only those of them that the table has come into memory, unless the file is
    compressed.
    """
    with warnings.catch_warnings():
        # Rows that are not there would be zeros, or an error that says nothing.
        warnings.filterwarnings("error", "File may have been truncated")
        content = _uncompressed(path)
        on_disk = columns is not None and content is path
        with fits.open(content, memmap=on_disk, character_as_bytes=True) as hdus:
            table = Table.read(
                hdus[choose_table(_tables(hdus), hdu).number],
                format="fits",
                unit_parse_strict="silent",
                # To look for NaN reads every column.
                mask_invalid=not on_disk,
            )
            if not on_disk:
                return table
            # A copy, since the file closes.
            return table[[name for name in table.colnames if name in (columns or ())]].copy()


def write_fits(table: Table, path: Path) -> None:
    """Write a FITS file, in which masked truth values are numbers."""
    written = Table(table, copy=False)
    written.meta = {name: _ascii(value) for name, value in table.meta.items()}
    for column in [c for c in written.columns.values() if isinstance(c, Column)]:
        if column.dtype.kind == "U" and not all(map(str.isascii, np.ma.filled(column, ""))):
            raise ColumnError(
                f"column {column.name!r} has text beyond ASCII, which FITS has not; choose "
                "another ending, such as .ecsv or .parquet"
            )
        if isinstance(column, MaskedColumn):
            written[column.name] = _with_null(column)
    # Astropy keeps units that FITS has no word for, such as dex, of quantities alone, and it has
    # no quantity of a logarithm that is masked.
    QTable(written, copy=False).write(path, format="fits")


def _with_null(column: MaskedColumn) -> Column:
    """Return a masked column with a sign for no value that none of its values is.

    Astropy would take 999999, or what is left of it in a smaller type, which may be a value.
    """
    values, mask, unit = raw_column(column)
    info = {"unit": unit, "description": column.description, "format": column.format}
    if values.dtype.kind == "f":
        return Column(np.where(mask, values.dtype.type(np.nan), values), **info)
    if not mask.any():
        return Column(values, **info)
    signed = np.result_type(values.dtype, np.int16)
    if values.dtype.kind not in "biu" or signed.kind != "i":
        return column
    null = np.iinfo(signed).min
    while np.any(values[~mask] == null):
        null += 1
    return MaskedColumn(values.astype(signed), mask=mask, fill_value=null, **info)


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
