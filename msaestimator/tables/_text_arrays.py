"""Arrays that a text table writes in one cell, such as ``"(1.0, 2.0)"`` or ``"[1.0 2.0]"``."""

from contextlib import suppress

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["arrays_of_text"]

ROWS_AT_ONCE = 4096
"""Rows that are read at once: the texts of a spectrum's correlations are 40 kB a star."""

FIRST_ROWS = 8
"""Rows that tell quickly of which type the numbers are not."""

NO_NUMBER = ("", "null", "none", "nan", "--")


def arrays_of_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of lists of numbers if that is what every text of it is, else the column.

    Numbers are int64 if all are integers, else float64; or all are truth values.

    Parameters
    ----------
    column : pyarrow.ChunkedArray of strings
        Texts in brackets or parentheses, whose numbers stand between commas or white space. A
        number that is ``null`` or ``NaN`` is null; so is an array of no number.
    """
    known = column.slice(0, ROWS_AT_ONCE).drop_null()
    if not _look_like_arrays(known):
        return column
    pieces = [column.slice(start, ROWS_AT_ONCE) for start in range(0, len(column), ROWS_AT_ONCE)]
    # Integers may be ids, which floats would round.
    for kind in (pa.int64(), pa.float64(), pa.bool_()):
        with suppress(pa.ArrowInvalid):
            _read(known.slice(0, FIRST_ROWS), kind)
            return pa.chunked_array([_read(piece, kind) for piece in pieces])
    return column


def _look_like_arrays(texts: pa.ChunkedArray) -> bool:
    bracketed = pc.match_substring_regex(texts, r"(?s)^\s*[\[(].*[\])]\s*$")
    return len(texts) > 0 and pc.all(bracketed).as_py()


def _read(column: pa.ChunkedArray, kind: pa.DataType) -> pa.Array:
    texts = pa.concat_arrays(column.cast(pa.string()).chunks)
    inside = pc.utf8_trim(texts, "[]() \t\r\n")
    inside = pc.if_else(pc.equal(inside, ""), None, inside)
    parts = pc.split_pattern_regex(inside, r"[,\s]+")
    words = parts.values
    is_number = pc.invert(pc.is_in(pc.utf8_lower(words), pa.array(NO_NUMBER)))
    numbers = pc.if_else(is_number, words, None).cast(kind)
    return pa.ListArray.from_arrays(parts.offsets, numbers, mask=parts.is_null())
