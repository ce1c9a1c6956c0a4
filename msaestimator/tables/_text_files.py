"""CSV files by pyarrow and ECSV files by astropy, with the archive's ``null`` for no value."""

import codecs
import io
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
from astropy.table import Column, Table
from astropy.utils.data import get_readable_fileobj

from msaestimator.tables._arrow_tables import table_of_arrow
from msaestimator.tables._bulk_files import is_bulk, no_value, read_bulk
from msaestimator.tables._raw_column import is_missing, raw_column

__all__ = ["read_csv", "read_ecsv", "write_csv", "write_ecsv"]

DELIMITERS = ",;\t|"

LARGEST_BLOCK = 2**31 - 1
"""Number of bytes that pyarrow can look at when it finds out the types of columns."""


def read_csv(path: Path) -> Table:
    """Read a CSV file with a header; comment lines are skipped, and ``null`` is no value.

    Comments that are the header of an ECSV file, as in the archive's bulk files, give types,
    units and descriptions.
    """
    with get_readable_fileobj(path, encoding="binary") as file:
        return read_bulk(file) if is_bulk(file) else table_of_arrow(_parse(_text(file.read())))


def read_ecsv(path: Path) -> Table:
    """Read an ECSV file, in which ``null`` is no value although the standard has it not."""
    try:
        return _read_ecsv(path, "pyarrow")
    except (ValueError, TypeError):
        # Slower, but of every type, and of texts of several lines.
        with suppress(ValueError, TypeError):
            return _read_ecsv(path, "io.ascii")
        with get_readable_fileobj(path, encoding="binary") as file:
            table = read_bulk(file) if is_bulk(file) else None
        if table is None or len(table):
            raise
        # Astropy reads no matrix without rows.
        return table


def write_csv(table: Table, path: Path) -> None:
    """Write a CSV file, which has no units; the arrays of a matrix are texts in brackets."""
    plain = _rounded(table)
    for column in plain.columns.values():
        if not isinstance(column, Column):
            continue
        if column.ndim > 1 or column.dtype.kind == "O":
            plain[column.name] = [_cell(row) for row in column]
        elif column.dtype in (np.float16, np.float32):
            # Astropy would write all digits of the float64 that it is.
            plain[column.name] = column.astype(str).astype(float)
    plain.write(path, format="ascii.csv")


def write_ecsv(table: Table, path: Path) -> None:
    """Write an ECSV file."""
    _rounded(table).write(path, format="ascii.ecsv")


def _rounded(table: Table) -> Table:
    """Return a table in which floats have the decimals that their columns are shown with.

    The digits that float64 has beyond them are noise; a column without a format keeps all.
    """
    # A table that is no QTable has quantities as plain columns with a unit.
    plain = Table(table)
    for column in plain.columns.values():
        if isinstance(column, Column) and column.format and column.dtype.kind == "f":
            is_known = ~raw_column(column).mask
            known = column[is_known]
            # A format may be of other things than a number's decimals.
            with suppress(ValueError):
                column[is_known] = [float(text) for text in known.info.iter_str_vals()]
    return plain


def _text(content: bytes) -> bytes:
    """Return a text as UTF-8, without the mark and the comments that it may begin with."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        content = content.decode("utf-16").encode()
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        content.decode()
    except UnicodeDecodeError:
        # Old programs write one byte a letter.
        content = content.decode("latin-1").encode()
    comments = re.match(rb"(\s*(#.*(\n|$)))*", content)
    content = content[comments.end() if comments else 0 :]
    if not content.strip():
        raise ValueError("it has no line with the names of columns")
    # The last line, or the only one, may lack its end.
    return content if content.endswith(b"\n") else content + b"\n"


def _parse(content: bytes) -> pa.Table:
    """Return the columns of CSV text, their types found out from all rows."""
    first_line = content.lstrip().split(b"\n", 1)[0].decode(errors="replace")
    arrow = pacsv.read_csv(
        io.BytesIO(content),
        # A row may be of any length, and the last one tell that a column is no integer.
        pacsv.ReadOptions(block_size=min(len(content), LARGEST_BLOCK)),
        pacsv.ParseOptions(
            delimiter=max(DELIMITERS, key=first_line.count),
            newlines_in_values=True,
            invalid_row_handler=_skip_comment,
        ),
        pacsv.ConvertOptions(null_values=no_value(), strings_can_be_null=True),
    )
    if len(arrow.column_names) > 1 and not arrow.column_names[0].strip():
        # Pandas' row labels, which have no name.
        arrow = arrow.remove_column(0)
    return arrow.rename_columns([name.strip() for name in arrow.column_names])


def _skip_comment(row: pacsv.InvalidRow) -> str:
    """Skip a comment among the rows, or after them, as some servers add one."""
    return "skip" if row.text.startswith("#") else "error"


def _read_ecsv(path: Path, engine: str) -> Table:
    return Table.read(path, format="ecsv", engine=engine, null_values=["", "null"])


def _cell(row: Any) -> str:
    """Return an array as text, and any other object as it shows itself; None is empty."""
    if np.ndim(row) == 0:
        return "" if is_missing(row) else str(row)
    values, mask, _ = raw_column(row)
    words = np.where(mask, "null", values.astype(str))
    return f"[{', '.join(words)}]"
