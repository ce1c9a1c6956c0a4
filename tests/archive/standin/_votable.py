"""VOTable documents: answers in BINARY2, errors, and overflow as DALI wants them told."""

import base64
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from astropy.table import Column, Table

__all__ = [
    "VOTABLE_TYPE",
    "Answer",
    "answer_document",
    "error_document",
    "null_bits",
    "null_rows",
    "votable",
]

VOTABLE_TYPE = "application/x-votable+xml;serialization=BINARY2"

_DATATYPES = {
    "b1": "boolean",
    "u1": "unsignedByte",
    "i2": "short",
    "i4": "int",
    "i8": "long",
    "f4": "float",
    "f8": "double",
}


@dataclass
class Answer:
    """The rows of an answer, and whether there would have been more."""

    table: Table
    overflow: bool = False


def votable(inside: str) -> bytes:
    """Return a document around the inside of its one resource."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">\n'
        f'<RESOURCE type="results">\n{inside}</RESOURCE>\n</VOTABLE>\n'
    ).encode()


def error_document(message: str) -> bytes:
    """Return DALI's error document."""
    return votable(f'<INFO name="QUERY_STATUS" value="ERROR">{escape(message)}</INFO>\n')


def answer_document(answer: Answer) -> bytes:
    """Return a table as BINARY2, and at its end whether it was cut off."""
    table = answer.table
    fields = "\n".join(_field(column) for column in table.columns.values())
    stream = base64.encodebytes(_binary2(table)).decode()
    trailer = '<INFO name="QUERY_STATUS" value="OVERFLOW"/>\n' if answer.overflow else ""
    return votable(
        '<INFO name="QUERY_STATUS" value="OK"/>\n'
        f"<TABLE>\n{fields}\n<DATA><BINARY2><STREAM encoding='base64'>\n{stream}"
        f"</STREAM></BINARY2></DATA>\n</TABLE>\n{trailer}"
    )


def _field(column: Column) -> str:
    code = column.dtype.str[1:]
    if code.startswith("S"):
        kind = f'datatype="char" arraysize="{column.dtype.itemsize}"'
    else:
        size = f' arraysize="{column.shape[1]}"' if column.ndim > 1 else ""
        kind = f'datatype="{_DATATYPES[code]}"{size}'
    unit = f' unit="{column.unit.to_string("vounit")}"' if column.unit else ""
    return f"<FIELD name={quoteattr(column.name)} {kind}{unit}/>"


def _binary2(table: Table) -> bytes:
    """Return the rows, each after a bit a column that is set where the value is null."""
    columns = list(table.columns.values())
    null = null_bits([null_rows(column) for column in columns])
    layout: list[tuple] = [("null", "u1", (null.shape[1],))]
    for number, column in enumerate(columns):
        dtype = "S1" if column.dtype.kind == "b" else column.dtype.newbyteorder(">")
        layout.append((f"value {number}", dtype, column.shape[1:]))
    rows = np.zeros(len(table), dtype=layout)
    rows["null"] = null
    for number, column in enumerate(columns):
        values = np.ma.getdata(column)
        is_bool = column.dtype.kind == "b"
        rows[f"value {number}"] = np.where(values, b"T", b"F") if is_bool else values
    return rows.tobytes()


def null_bits(nulls: list[np.ndarray] | list[list[bool]]) -> np.ndarray:
    """Return the bytes before each row, shape (n_rows, n_bytes); one list a column comes in."""
    return np.packbits(np.array(nulls, dtype=bool).T, axis=1)


def null_rows(column: Column) -> np.ndarray:
    """Return which rows are null, shape (n,); an array is null as a whole."""
    mask = np.ma.getmaskarray(column)
    return mask.all(axis=tuple(range(1, mask.ndim)))
