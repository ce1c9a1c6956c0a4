"""The archive's ``XpContinuousMeanSpectrum_*.csv.gz``: coefficients of the spectra of stars."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc

from msaestimator.datasets._bulk_text import numbers_of, open_bulk, place_of
from msaestimator.exceptions import ColumnError
from msaestimator.tables import arrays_of_text

__all__ = ["count_spectra", "read_spectra"]

BLOCK = 1024
"""Number of rows whose text is in memory, 5 kB each without the correlations."""

ARRAYS = ("coefficients", "coefficient_errors", "coefficient_correlations")
"""Columns of arrays, which are in quotes, after the name of the band."""

COUNTED = 2**22
"""Number of bytes of which lines are counted at once."""


def read_spectra(path: Path, types: Mapping[str, pa.DataType]) -> pa.Table:
    """Return columns of the spectra of a bulk file, in its order.

    Rows are split at their quotes, which is twice as fast as any reader of CSV, since nine tenths
    of them are correlations that nobody asked for. A row without an array, which has other
    quotes, is read by its commas.

    Parameters
    ----------
    path : Path
        File of the archive.
    types : mapping of str to pyarrow.DataType
        Types of the columns wanted, by name.

    Raises
    ------
    FileNotFoundError
        The file is not there.
    ColumnError
        The file cannot be read, or lacks a column, or a row has an array of another length.
    """
    with open_bulk(path) as (lines, names):
        layout = _Layout(path, names, types)
        blocks = [layout.read(block) for block in _blocks(lines)]
    if not blocks:
        return pa.schema([pa.field(name, kind) for name, kind in types.items()]).empty_table()
    rows = pa.concat_tables(blocks)
    for name, kind in types.items():
        if pa.types.is_nested(kind):
            _check_lengths(rows, name, path)
    return rows


def count_spectra(path: Path) -> int:
    """Return the number of rows of a bulk file, for which all of it must be uncompressed."""
    with open_bulk(path) as (lines, _):
        last, n_lines = b"\n", 0
        while chunk := lines.read(COUNTED):
            n_lines += chunk.count(b"\n")
            last = chunk
    return n_lines + (not last.endswith(b"\n"))


class _Layout:
    """The places of columns in the rows of a file, and how to read a block of rows."""

    def __init__(self, path: Path, names: Sequence[str], types: Mapping[str, pa.DataType]) -> None:
        for name in types:
            place_of(name, names, path)
        self._path, self._names, self._types = path, names, types
        quoted = {f"{band}_{what}" for band in ("bp", "rp") for what in ARRAYS}
        self._quoted = [name for name in names if name in quoted]
        # The parts of a row between quotes: text, array, text, array, ..., text.
        self._places = {n: 2 * self._quoted.index(n) + 1 for n in types if n in quoted}
        self._scalars = {n: kind for n, kind in types.items() if n not in self._places}

    def read(self, lines: Sequence[bytes]) -> pa.Table:
        """Return the columns wanted of some rows."""
        n_parts = 2 * len(self._quoted) + 1
        rows: list[bytes] = []
        texts: dict[str, list[bytes]] = {name: [] for name in self._places}
        for line in lines:
            parts = line.split(b'"')
            if len(parts) != n_parts:
                parts = self._parts_of(line)
            rows.append(b"".join(parts[::2]))
            for name, place in self._places.items():
                texts[name].append(parts[place])
        columns = {name: _arrays(name, text) for name, text in texts.items()}
        scalars = numbers_of(rows, self._names, self._scalars)
        columns |= {name: scalars[name] for name in self._scalars}
        return pa.table({name: columns[name] for name in self._types})

    def _parts_of(self, line: bytes) -> list[bytes]:
        """Return a row, some arrays of which may be absent, as if all had been in quotes."""
        (cells,) = csv.reader([line.decode()])
        if len(cells) != len(self._names):
            raise ColumnError(
                f"Every row of {str(self._path)!r} must have {len(self._names)} values, got "
                f"{len(cells)} in that of {cells[0] if cells else 'nothing'}. Download it anew."
            )
        parts, between = [], ""
        for name, cell in zip(self._names, cells, strict=True):
            if name in self._quoted:
                array = "" if cell in ("", "null") else cell
                parts += [between.encode(), array.encode()]
                between = ","
            else:
                between += f"{cell},"
        return [*parts, between.removesuffix(",").encode() + b"\n"]


def _blocks(lines: IO[bytes]) -> Iterator[list[bytes]]:
    while block := [*islice(lines, BLOCK)]:
        if not block[-1].endswith(b"\n"):
            block[-1] += b"\n"
        yield block


def _arrays(name: str, texts: list[bytes]) -> pa.Array:
    """Return the arrays of numbers that texts in brackets are; null of an empty one."""
    inside = [text[1:-1].replace(b" ", b"") or None for text in texts]
    parts = pc.split_pattern(pa.array(inside, pa.string()), ",")
    with suppress(pa.ArrowInvalid):
        numbers = parts.values.cast(pa.float32())
        return pa.ListArray.from_arrays(parts.offsets, numbers, mask=parts.is_null())
    # A number is null, or written in another way.
    given = [text.decode() or None for text in texts]
    arrays = arrays_of_text(pa.chunked_array([pa.array(given, pa.string())]))
    if pa.types.is_string(arrays.type):
        raise ColumnError(f"column {name!r} must have arrays of numbers, got {arrays[0]}")
    return arrays.cast(pa.list_(pa.float32())).combine_chunks()


def _check_lengths(rows: pa.Table, name: str, path: Path) -> None:
    lengths = pc.list_value_length(rows[name])
    usual = pc.mode(lengths.drop_null())
    odd = pc.fill_null(pc.not_equal(lengths, usual[0]["mode"]), False) if len(usual) else None
    if odd is not None and pc.any(odd).as_py():
        row = pc.index(odd, True).as_py()
        raise ColumnError(
            f"Column {name!r} of {str(path)!r} must have arrays of one length, "
            f"{usual[0]['mode']}, got {lengths[row]} for source_id {rows['source_id'][row]}. "
            "Download it anew."
        )
