"""Arrays that a text table writes in one cell, such as ``"(1.0, 2.0)"`` or ``"[1.0 2.0]"``."""

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["arrays_of_text"]

ROWS_AT_ONCE = 4096
"""Rows that are read at once: the texts of a spectrum's correlations are 40 kB a star."""

NO_NUMBER = ("", "null", "none", "nan", "--")


def arrays_of_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of lists of numbers if that is what every text of it is, else the column.

    Parameters
    ----------
    column : pyarrow.ChunkedArray of strings
        Texts in brackets or parentheses, whose numbers stand between commas or white space. A
        number that is ``null`` or ``NaN`` is null; so is an array of no number.
    """
    if not _look_like_arrays(column):
        return column
    starts = range(0, len(column), ROWS_AT_ONCE)
    try:
        return pa.chunked_array([_read(column.slice(start, ROWS_AT_ONCE)) for start in starts])
    except pa.ArrowInvalid:
        # Text in brackets, but not of numbers.
        return column


def _look_like_arrays(column: pa.ChunkedArray) -> bool:
    known = column.slice(0, ROWS_AT_ONCE).drop_null()
    bracketed = pc.match_substring_regex(known, r"(?s)^\s*[\[(].*[\])]\s*$")
    return len(known) > 0 and pc.all(bracketed).as_py()


def _read(column: pa.ChunkedArray) -> pa.Array:
    texts = pa.concat_arrays(column.cast(pa.string()).chunks)
    inside = pc.utf8_trim(texts, "[]() \t\r\n")
    inside = pc.if_else(pc.equal(inside, ""), None, inside)
    parts = pc.split_pattern_regex(inside, r"[,\s]+")
    words = parts.values
    is_number = pc.invert(pc.is_in(pc.utf8_lower(words), pa.array(NO_NUMBER)))
    numbers = pc.if_else(is_number, words, None).cast(pa.float64())
    return pa.ListArray.from_arrays(parts.offsets, numbers, mask=parts.is_null())
