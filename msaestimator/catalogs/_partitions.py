"""Answers of files in any order, sorted into the partitions of the sky."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from msaestimator.catalogs._answer_file import write_rows
from msaestimator.catalogs._healpix import Pixel, split_sky
from msaestimator.catalogs._output import note_of, replacing, with_note
from msaestimator.datasets import HATS_INDEX, HATS_ORDER

__all__ = ["write_partitions"]

FINEST = 10
"""Highest order of partitions: pixels of 3.4 arcminutes."""

PARTITION = 128 * 2**20
"""Bytes that a partition has in memory at most, if its stars are not all in a finest pixel."""


class SortedRuns:
    """A file of answers, whose row groups each span a part of the sky.

    Parameters
    ----------
    path : Path
        File that `FileAnswers` wrote.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        footer = pq.read_metadata(path)
        column = footer.schema.to_arrow_schema().get_field_index(HATS_INDEX)
        groups = [footer.row_group(n).column(column) for n in range(footer.num_row_groups)]
        self.first = np.array([group.statistics.min for group in groups])
        self.last = np.array([group.statistics.max for group in groups])

    def counts(self) -> np.ndarray:
        """Return the numbers of stars in the pixels of the order `FINEST`."""
        counts = np.zeros(12 * 4**FINEST, dtype=np.int32)
        with pq.ParquetFile(self.path) as file:
            for batch in file.iter_batches(columns=[HATS_INDEX]):
                pixels = batch[0].to_numpy() >> 2 * (HATS_ORDER - FINEST)
                numbers, found = np.unique(pixels, return_counts=True)
                counts[numbers] += found.astype(np.int32)
        return counts

    def rows(self, pixel: Pixel) -> list[pa.Table]:
        """Return the rows within a pixel, those of each row group by themselves."""
        first, behind = pixel.ends
        groups = np.flatnonzero((self.last >= first) & (self.first < behind))
        if not len(groups):
            return []
        with pq.ParquetFile(self.path) as file:
            return [_within(file.read_row_group(n), first, behind) for n in groups.tolist()]


def write_partitions(
    parts: Sequence[Path], output: Path, schema: pa.Schema, identity: dict[str, Any]
) -> list[Pixel]:
    """Write the partitions of a catalogue, and delete those that it had before.

    Partitions that are there, and made of the same files, are left as they are.

    Parameters
    ----------
    parts : sequence of Path
        Files of answers.
    output : Path
        Folder of the catalogue.
    schema : pyarrow.Schema
        Columns of the answers.
    identity : dict
        Model and question.

    Returns
    -------
    list of Pixel
        The partitions.
    """
    note = identity | {"parts": _digest(parts)}
    found = [SortedRuns(path) for path in parts]
    counts = np.zeros(12 * 4**FINEST, dtype=np.int32)
    for part in found:
        counts += part.counts()
    pixels = [*split_sky(counts, PARTITION // _width(schema))]
    for pixel in pixels:
        target = output / pixel.place
        if note_of(target) != note:
            with replacing(target, output) as path:
                rows = [table for part in found for table in part.rows(pixel)]
                order = [(HATS_INDEX, "ascending"), ("source_id", "ascending")]
                write_rows(
                    [pa.concat_tables(rows).sort_by(order)], path, with_note(schema, note), output
                )
    kept = {output / pixel.place for pixel in pixels}
    for path in (output / "dataset").rglob("*.parquet"):
        if path not in kept:
            path.unlink(missing_ok=True)
    return pixels


def _within(rows: pa.Table, first: int, behind: int) -> pa.Table:
    pixels = rows[HATS_INDEX]
    return rows.filter(pc.and_(pc.greater_equal(pixels, first), pc.less(pixels, behind)))


def _digest(parts: Sequence[Path]) -> str:
    """Return digits that change with what any of the files is made of."""
    notes = sorted(json.dumps(note_of(path), sort_keys=True) for path in parts)
    return hashlib.sha256("\n".join(notes).encode()).hexdigest()


def _width(schema: pa.Schema) -> int:
    """Return the bytes of a row."""
    return sum(_bytes_of(field.type) for field in schema)


def _bytes_of(kind: pa.DataType) -> int:
    if pa.types.is_fixed_size_list(kind):
        return kind.list_size * _bytes_of(kind.value_type)
    return max(1, kind.bit_width // 8)
