"""CSV under the header of an ECSV file, as in the archive's bulk files, read in pieces."""

import csv
import re
from collections.abc import Iterable, Iterator
from typing import IO, Any

import pyarrow as pa
import pyarrow.csv as pacsv
from astropy.table import Table, meta

from msaestimator.exceptions import ColumnError
from msaestimator.tables._arrow_tables import describe_columns, table_of_arrow
from msaestimator.tables._text_arrays import arrays_of_text

__all__ = ["bulk_header", "is_bulk", "no_value", "read_bulk"]

BEGINNING = b"# %ECSV"

PIECE = 2**26
"""Number of bytes that are read at once: 1500 stars with the correlations of their spectra."""

TYPES = {"bool", "float32", "float64", "string"} | {
    f"{sign}int{size}" for sign in ("", "u") for size in (8, 16, 32, 64)
}
"""Types that ECSV and Arrow call by the same name."""

WORDS = ("", "null", "NULL", "nan", "NaN", "NA", "N/A", "<NA>", "None", "--")


def is_bulk(file: IO[bytes]) -> bool:
    """Tell whether a file begins with the header of an ECSV file, and go back to its beginning."""
    beginning = file.read(len(BEGINNING))
    file.seek(0)
    return beginning == BEGINNING


def no_value() -> list[str]:
    """Return the texts for no value, as archives, pandas and astropy write them."""
    return [space + word for space in ("", " ") for word in WORDS]


def read_bulk(file: IO[bytes]) -> Table:
    """Read a table whose comments tell types, units and descriptions, as ECSV has them.

    The whole would be of many gigabytes as text, and is a tenth of that as numbers.

    Parameters
    ----------
    file : binary file
        Uncompressed content, from its beginning.
    """
    description, names_line = bulk_header(file)
    header = meta.get_header_from_yaml(description.split("\n"))
    delimiter = header.get("delimiter", " ")
    (names,) = csv.reader([names_line], delimiter=delimiter)
    kinds = {column["name"]: column for column in header["datatype"]}
    types = {n: _type(kinds[n]) for n in names if n in kinds and kinds[n]["datatype"] in TYPES}
    pieces = list(_pieces(file, names, delimiter, types))
    if not pieces:
        pieces = [pa.table({name: pa.array([], types.get(name, pa.float64())) for name in names})]
    return describe_columns(table_of_arrow(pa.concat_tables(pieces)), description)


def bulk_header(file: Iterable[bytes]) -> tuple[str, str]:
    """Return the YAML of the comments, and the line with the names of columns.

    Parameters
    ----------
    file : iterable of bytes
        Lines of the uncompressed content, from the first; those of the rows are left in it.
    """
    comments: list[str] = []
    for line in file:
        text = line.decode()
        if not text.startswith("#"):
            return "".join(comments), text
        if not text.startswith("##"):
            comments.append(text[2:])
    raise ValueError("it has no line with the names of columns")


def _type(column: dict[str, Any]) -> pa.DataType:
    """Return the type of a column of an ECSV header; arrays are text there, of a subtype."""
    kind, _, shape = column.get("subtype", "").partition("[")
    if kind not in ("float32", "float64"):
        return pa.type_for_alias(column["datatype"])
    found = pa.type_for_alias(kind)
    for size in reversed(re.findall(r"\d+|null", shape)):
        found = pa.list_(found) if size == "null" else pa.list_(found, int(size))
    return found


def _pieces(
    file: IO[bytes], names: list[str], delimiter: str, types: dict[str, pa.DataType]
) -> Iterator[pa.Table]:
    plain = {name: pa.string() if pa.types.is_nested(t) else t for name, t in types.items()}
    try:
        pieces = pacsv.open_csv(
            file,
            pacsv.ReadOptions(block_size=PIECE, column_names=names),
            pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            pacsv.ConvertOptions(
                column_types=plain, null_values=no_value(), strings_can_be_null=True
            ),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV file" in str(error):
            return
        raise
    for piece in pieces:
        yield _with_arrays(pa.table(piece), types)


def _with_arrays(piece: pa.Table, types: dict[str, pa.DataType]) -> pa.Table:
    """Return a piece with arrays for their texts; those of several dimensions stay text."""
    for number, name in enumerate(piece.column_names):
        kind = types.get(name)
        if kind is None or not pa.types.is_nested(kind) or pa.types.is_nested(kind.value_type):
            continue
        column = arrays_of_text(piece.column(number))
        if column.null_count == len(column):
            column = pa.chunked_array([pa.nulls(len(column), pa.list_(kind.value_type))])
        if pa.types.is_string(column.type):
            raise ColumnError(f"column {name!r} must have arrays of numbers, got {column[0]}")
        piece = piece.set_column(number, name, column.cast(pa.list_(kind.value_type)))
    return piece
