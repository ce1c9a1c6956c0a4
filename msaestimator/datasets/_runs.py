"""Sorted runs: the stars of one file in the order of a key, and ranges of keys of many runs.

A run is Arrow's own file, of which only the pages that are asked for are read. So stars of
thousands of files come into one order with the stars of one file in memory, and then those of one
range of keys.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa

from msaestimator.datasets._star_file import reading
from msaestimator.datasets._whole_files import whole_file
from msaestimator.exceptions import ColumnError

__all__ = ["SortedRun", "rows_between"]


@dataclass(frozen=True)
class SortedRun:
    """The stars of one file in the order of a column of integers.

    Parameters
    ----------
    source : Path
        File that the stars are from.
    path : Path
        File of the run.
    key : str
        Name of the column.
    """

    source: Path
    path: Path
    key: str

    def write(self, stars: pa.Table) -> None:
        """Write stars in any order."""
        order = np.argsort(stars[self.key].to_numpy(), kind="stable")
        stars = stars.take(order).combine_chunks()
        with (
            whole_file(self.path) as temporary,
            pa.OSFile(str(temporary), "wb") as file,
            pa.ipc.new_file(file, stars.schema) as writer,
        ):
            writer.write_table(stars)

    def read(self) -> pa.Table:
        """Return the stars, of which nothing is in memory before it is touched."""
        with reading(self.path, "a sorted run"), pa.memory_map(str(self.path)) as file:
            return pa.ipc.open_file(file).read_all()

    def keys(self) -> np.ndarray:
        """Return the keys in order: ndarray of int64 of shape (n_stars,)."""
        return self.read()[self.key].to_numpy().copy()

    @cached_property
    def ends(self) -> tuple[int, int]:
        """First and last key; a range of none for a run without stars."""
        keys = self.read()[self.key].to_numpy()
        return (int(keys[0]), int(keys[-1])) if len(keys) else (0, -1)


def rows_between(runs: Sequence[SortedRun], low: int, high: int) -> pa.Table:
    """Return the stars of all runs whose key is at least ``low`` and below ``high``, in order.

    Parameters
    ----------
    runs : sequence of SortedRun
        Runs of the same columns and key.
    low, high : int
        Range of keys.

    Raises
    ------
    ColumnError
        A star is there twice.
    """
    key = runs[0].key
    parts = [runs[0].read().slice(0, 0)]
    for run in runs:
        first, last = run.ends
        if first < high and last >= low:
            rows = run.read()
            start, stop = np.searchsorted(rows[key].to_numpy(), [low, high])
            parts.append(rows.slice(start, stop - start))
    rows = pa.concat_tables(parts)
    _check_ids(rows["source_id"].to_numpy(), runs)
    return rows.take(np.argsort(rows[key].to_numpy(), kind="stable"))


def _check_ids(ids: np.ndarray, runs: Sequence[SortedRun]) -> None:
    """Refuse stars that are there twice: these have the same key, and so are in one range."""
    ids = np.sort(ids)
    twice = np.unique(ids[1:][ids[1:] == ids[:-1]])
    if len(twice):
        named = [run for run in runs if np.isin(twice[0], run.read()["source_id"].to_numpy())]
        raise ColumnError(
            f"Each star must be in the files once, but {len(twice)} are there twice, such as "
            f"source_id {twice[0]} in {' and '.join(repr(str(run.source)) for run in named)}. "
            "Leave one of them out."
        )
