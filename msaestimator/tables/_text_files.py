"""CSV files by pyarrow and ECSV files by astropy, with the archive's ``null`` for no value."""

import codecs
import io
import itertools
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
from astropy.table import Column, Table, meta
from astropy.utils.data import get_readable_fileobj

from msaestimator.tables._arrow_tables import describe_columns, table_of_arrow
from msaestimator.tables._raw_column import is_missing, raw_column

__all__ = ["read_csv", "read_ecsv", "write_csv", "write_ecsv"]

NO_VALUE = ["", "null", "NULL", "nan", "NaN", "NA", "N/A", "<NA>", "None", "--"]
"""Texts for no value, as archives, pandas and astropy write them."""

DELIMITERS = ",;\t|"

ARROW_TYPES = (
    "bool",
    "string",
    *(f"{sign}int{size}" for sign in ("", "u") for size in (8, 16, 32, 64)),
    "float32",
    "float64",
)
"""Types that ECSV and Arrow call by the same name."""

LARGEST_BLOCK = 2**31 - 1
"""Number of bytes that pyarrow can look at when it finds out the types of columns."""


def read_csv(path: Path) -> Table:
    """Read a CSV file with a header; comment lines are skipped, and ``null`` is no value.

    Comments that are the header of an ECSV file, as in the archive's bulk files, give types,
    units and descriptions.
    """
    content = _content(path)
    return _read(content, _ecsv_header(content))


def read_ecsv(path: Path) -> Table:
    """Read an ECSV file, in which ``null`` is no value although the standard has it not."""
    try:
        return _read_ecsv(path, "pyarrow")
    except (ValueError, TypeError):
        # Slower, but of every type, and of texts of several lines.
        with suppress(ValueError, TypeError):
            return _read_ecsv(path, "io.ascii")
        content = _content(path)
        header = _ecsv_header(content)
        table = _read(content, header) if header else None
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
            plain[column.name] = [_text(row) for row in column]
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


def _content(path: Path) -> bytes:
    """Return a text as UTF-8, uncompressed, without the mark that some begin it with."""
    with get_readable_fileobj(path, encoding="binary") as file:
        content = file.read()
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16").encode()
    return content.removeprefix(codecs.BOM_UTF8)


def _read(content: bytes, header: str) -> Table:
    """Return the table of CSV text; an ECSV header may tell its types, units and descriptions."""
    # Comments may follow too, such as the last line that some servers add.
    content = re.sub(rb"^#.*(\r?\n|$)", b"", content, flags=re.MULTILINE)
    if not content.strip():
        raise ValueError("it has no line with the names of columns")
    table = table_of_arrow(_parse(content, header))
    if not header:
        return table
    for name, (kind, shape) in _array_types(header).items():
        if not len(table):
            table[name] = np.zeros((0, *shape), kind)
        elif table[name].dtype.kind == "f":
            table[name] = table[name].astype(kind)
    return describe_columns(table, header)


def _parse(content: bytes, header: str) -> pa.Table:
    """Return the columns of CSV text; those that an ECSV header names are of its types."""
    first_line = content.lstrip().split(b"\n", 1)[0].decode(errors="replace")
    delimiter = max(DELIMITERS, key=first_line.count)
    if header:
        delimiter = meta.get_header_from_yaml(header.split("\n")).get("delimiter", " ")
    arrow = pacsv.read_csv(
        # The last line, or the only one, may lack its end.
        io.BytesIO(content + b"\n"),
        # The types of columns are known when all rows are, and a row may be of any length.
        read_options=pacsv.ReadOptions(block_size=min(len(content) + 1, LARGEST_BLOCK)),
        parse_options=pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=pacsv.ConvertOptions(
            column_types=_types(header),
            null_values=[space + word for space in ("", " ") for word in NO_VALUE],
            strings_can_be_null=True,
        ),
    )
    if len(arrow.column_names) > 1 and not arrow.column_names[0].strip():
        # Pandas' row labels, which have no name.
        arrow = arrow.remove_column(0)
    return arrow.rename_columns([name.strip() for name in arrow.column_names])


def _ecsv_header(content: bytes) -> str:
    """Return the YAML in the comments of an ECSV file, and an empty text of any other."""
    if not content.startswith(b"# %ECSV"):
        return ""
    comments = itertools.takewhile(lambda line: line.startswith(b"#"), io.BytesIO(content))
    return "".join(line[2:].decode() for line in comments if not line.startswith(b"##"))


def _types(header: str) -> dict[str, pa.DataType]:
    """Return Arrow's types of the columns of an ECSV header, where Arrow has them."""
    known = {kind: pa.type_for_alias(kind) for kind in ARROW_TYPES}
    return {c["name"]: known[c["datatype"]] for c in _columns(header) if c["datatype"] in known}


def _array_types(header: str) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return the type of number and the shape of the arrays of floats of an ECSV header."""
    subtypes = {column["name"]: column.get("subtype", "") for column in _columns(header)}
    arrays = {name: kind.partition("[") for name, kind in subtypes.items() if "float" in kind}
    return {
        name: (kind, tuple(int(size) for size in re.findall(r"\d+", shape)))
        for name, (kind, _, shape) in arrays.items()
    }


def _columns(header: str) -> list[dict[str, Any]]:
    return meta.get_header_from_yaml(header.split("\n"))["datatype"] if header else []


def _read_ecsv(path: Path, engine: str) -> Table:
    return Table.read(path, format="ecsv", engine=engine, null_values=["", "null"])


def _text(row: Any) -> str:
    """Return an array as text, and any other object as it shows itself; None is empty."""
    if np.ndim(row) == 0:
        return "" if is_missing(row) else str(row)
    values, mask, _ = raw_column(row)
    words = np.where(mask, "null", values.astype(str))
    return f"[{', '.join(words)}]"
