"""The text of the archive's bulk files: compressed CSV after the header of an ECSV file."""

import csv
import gzip
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.csv as pacsv

from msaestimator.datasets._star_file import reading
from msaestimator.exceptions import ColumnError, did_you_mean
from msaestimator.tables import bulk_header, no_value

__all__ = ["numbers_of", "open_bulk", "place_of"]

KIND = "a bulk file of the Gaia archive"

BUFFER = 2**20
"""Number of bytes that are uncompressed at once, some thirty spectra."""


@contextmanager
def open_bulk(path: Path) -> Iterator[tuple[IO[bytes], list[str]]]:
    """Open a bulk file at its first row.

    Parameters
    ----------
    path : Path
        File ``.csv.gz``, or ``.csv``.

    Yields
    ------
    lines : binary file
        Rows of the file.
    names : list of str
        Names of its columns.

    Raises
    ------
    FileNotFoundError
        The file is not there.
    ColumnError
        The file is empty, was cut off or cannot be read, there or while its rows are read.
    """
    with reading(path, KIND):
        if not path.stat().st_size:
            raise ValueError("it is empty")
        with _uncompressed(path) as file, io.BufferedReader(file, BUFFER) as lines:
            (names,) = csv.reader([bulk_header(lines)[1]])
            yield lines, names


def place_of(name: str, names: Sequence[str], path: Path) -> int:
    """Return the place of a column; one that is absent is an error that tells the file."""
    if name not in names:
        raise ColumnError(
            f"The file {str(path)!r} must have the column {name!r}, got {', '.join(names)}."
            f"{did_you_mean(name, names)} Download it anew, or leave the column out by "
            "columns=[...]."
        )
    return names.index(name)


def numbers_of(
    rows: Iterable[bytes], names: Sequence[str], types: Mapping[str, pa.DataType]
) -> pa.Table:
    """Return columns of rows without arrays, null where they have no value.

    Parameters
    ----------
    rows : iterable of bytes
        Lines of CSV.
    names : sequence of str
        Names of all columns.
    types : mapping of str to pyarrow.DataType
        Types of those wanted, by name.
    """
    return pacsv.read_csv(
        io.BytesIO(b"".join(rows)),
        pacsv.ReadOptions(column_names=names, use_threads=False),
        convert_options=pacsv.ConvertOptions(
            column_types=types, include_columns=[*types], null_values=no_value()
        ),
    )


def _uncompressed(path: Path) -> Any:
    if path.suffix != ".gz":
        return path.open("rb", buffering=0)
    if find_spec("isal"):
        # Imported here because isal is optional; it takes a third of gzip's time.
        from isal import igzip

        return igzip.open(path, "rb")
    return gzip.open(path, "rb")
