"""Parquet files of stars, read by row groups."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from msaestimator.datasets._star_file import StarFile, reading
from msaestimator.exceptions import ColumnError

__all__ = ["ParquetStars"]

KIND = "parquet"

N_TAIL = 8
"""Bytes at the end of a parquet file: the length of its footer, and four letters."""


class ParquetStars(StarFile):
    """A parquet file, of which a footer tells columns, rows and row groups.

    Parameters
    ----------
    path : Path
        File of the stars.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        with reading(path, KIND):
            if not path.stat().st_size:
                raise ColumnError(
                    f"The file {str(path)!r} is empty. Download or write it anew, or leave it out."
                )
            with pq.ParquetFile(path) as file:
                footer = file.metadata
                self.schema = file.schema_arrow
                numbers = range(footer.num_row_groups)
                self._group_sizes = tuple(footer.row_group(n).num_rows for n in numbers)

    @property
    def group_sizes(self) -> tuple[int, ...]:
        """Numbers of rows of the row groups."""
        return self._group_sizes

    @property
    def n_groups(self) -> int:
        """Number of row groups."""
        return len(self._group_sizes)

    def pieces(self, group: int, names: Sequence[str], size: int) -> Iterator[pa.Table]:
        """Yield the rows of a row group in order, some columns of ``size`` rows at a time."""
        with reading(self.path, KIND, f"row group {group}"), pq.ParquetFile(self.path) as file:
            rows = file.iter_batches(batch_size=size, row_groups=[group], columns=[*names])
            for batch in rows:
                yield pa.Table.from_batches([batch])

    def fingerprint(self) -> str:
        """Return a checksum of the footer, which has the place and the range of every column."""
        with reading(self.path, KIND), self.path.open("rb") as file:
            file.seek(-N_TAIL, 2)
            length = int.from_bytes(file.read(4), "little")
            end = file.seek(0, 2)
            file.seek(-N_TAIL - length, 2)
            footer = file.read(length)
        return hashlib.sha256(footer + str(end).encode()).hexdigest()
