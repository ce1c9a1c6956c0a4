"""One file of stars in, one file of answers out."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from msaestimator.catalogs._batch_predictor import BatchPredictor
from msaestimator.catalogs._healpix import Pixel, pixels_of
from msaestimator.catalogs._inputs import Input
from msaestimator.catalogs._output import note_of, replacing, with_note, writing
from msaestimator.datasets import HATS_INDEX
from msaestimator.exceptions import ColumnError
from msaestimator.schema import StarTable

__all__ = ["FileAnswers", "write_rows"]

RUN = 64 * 2**20
"""Bytes of answers that are held, and sorted, before they are written."""

PATH = "path"
"""Entry of a file's note that tells where the stars were."""

ROW_GROUP = 16_384
"""Rows that are read at once by who reads a file of answers."""


@dataclass(frozen=True)
class FileAnswers:
    """The way from a file of stars to a file of answers.

    Parameters
    ----------
    predictor : BatchPredictor
        Predictor that answers about the stars.
    schema : pyarrow.Schema
        Columns of the answers, with their pixels before them.
    output : Path
        Folder of the catalogue.
    identity : dict
        Model and question.
    batch_size : int
        Stars in memory at a time.
    """

    predictor: BatchPredictor
    schema: pa.Schema
    output: Path
    identity: dict[str, Any]
    batch_size: int

    def is_finished(self, file: Input) -> bool:
        """Tell whether a file's answers are there, and of its content as it is now."""
        found = note_of(self.output / file.place)
        return not file.n_stars or _without_path(found) == _without_path(self._note(file))

    def write(self, file: Input, advance: Callable[[int], object]) -> None:
        """Write the answers about a file's stars; ``advance`` is told the number after each batch.

        Raises
        ------
        CatalogError
            The output cannot be written to, which concerns all files.
        Exception
            The file cannot be read or answered.
        """
        self._check_replaces_its_own(file)
        schema = with_note(self.schema, self._note(file))
        rows = _runs(self._batches(file, advance), is_sorted=file.pixel is not None)
        with replacing(self.output / file.place, self.output) as path:
            n_written = write_rows(rows, path, schema, self.output)
            self._check_unchanged(file, n_written)

    def _note(self, file: Input) -> dict[str, Any]:
        path = str(file.path.absolute())
        return self.identity | {"input": file.fingerprint, PATH: path}

    def _check_replaces_its_own(self, file: Input) -> None:
        """Refuse to replace the answers about another file, which has its name elsewhere."""
        path = (note_of(self.output / file.place) or {}).get(PATH)
        if path not in (None, self._note(file)[PATH]):
            raise ColumnError(
                f"its answers would replace those about {path!r}. Give one of the files another "
                f"name, or delete {str(self.output / file.place)!r} if that is outdated."
            )

    def _batches(self, file: Input, advance: Callable[[int], object]) -> Iterator[pa.Table]:
        for stars in file.dataset.file_batches(file.path, self.batch_size, file.columns):
            answers = pa.Table.from_batches([self.predictor(stars)])
            pixels = _pixels(stars, answers, file.pixel)
            yield answers.add_column(0, HATS_INDEX, pa.array(pixels)).cast(self.schema)
            advance(len(stars))

    def _check_unchanged(self, file: Input, n_written: int) -> None:
        if n_written != file.n_stars or file.dataset.fingerprint_of(file.path) != file.fingerprint:
            raise ColumnError(
                "the file has changed while it was read. Wait until it is whole, and start again."
            )


def _without_path(note: dict[str, Any] | None) -> dict[str, Any]:
    """Return what answers are made of, wherever the file was."""
    return {name: value for name, value in (note or {}).items() if name != PATH}


def write_rows(rows: Iterable[pa.Table], path: Path, schema: pa.Schema, output: Path) -> int:
    """Write rows to a parquet file as HATS has them, and return their number."""
    floats = [field.name for field in schema if pa.types.is_floating(field.type)]
    with writing(output):
        writer = pq.ParquetWriter(
            path,
            schema,
            compression="zstd",
            use_dictionary=False,
            use_byte_stream_split=floats,
            column_encoding={HATS_INDEX: "DELTA_BINARY_PACKED"},
        )
    n_written = 0
    try:
        for table in rows:
            with writing(output):
                writer.write_table(table.cast(schema), row_group_size=ROW_GROUP)
            n_written += len(table)
    finally:
        with writing(output):
            writer.close()
    return n_written


def _runs(batches: Iterable[pa.Table], *, is_sorted: bool) -> Iterator[pa.Table]:
    """Yield rows in runs of bounded size, each of them sorted by pixel."""
    waiting: list[pa.Table] = []
    for batch in batches:
        waiting.append(batch)
        if sum(table.nbytes for table in waiting) >= RUN:
            yield _run(waiting, is_sorted)
            waiting = []
    if waiting:
        yield _run(waiting, is_sorted)


def _run(batches: list[pa.Table], is_sorted: bool) -> pa.Table:
    rows = pa.concat_tables(batches)
    return rows if is_sorted else rows.sort_by(HATS_INDEX)


def _pixels(stars: StarTable, answers: pa.Table, partition: Pixel | None) -> np.ndarray:
    """Return the stars' pixels, as a partition has them or by their positions."""
    if HATS_INDEX in stars.colnames:
        pixels = np.asarray(stars[HATS_INDEX]).astype(np.int64)
    else:
        ra, dec = (answers[name].to_numpy() for name in ("ra", "dec"))
        pixels = pixels_of(ra, dec)
    if partition is not None:
        first, behind = partition.ends
        beyond = (pixels < first) | (pixels >= behind)
        if beyond.any():
            raise ColumnError(
                f"the stars of a partition must lie in its pixel, but {beyond.sum()} do not. "
                "Download or write the file anew."
            )
    return pixels
