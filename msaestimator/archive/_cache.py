"""A cache of received rows, in parquet files that are named by their own checksum.

A file holds some rows of one product. Its name is the SHA-256 of its bytes, so one that was
truncated or altered does not bear its own name; it is deleted and its rows are fetched again.
"""

import hashlib
import os
import tempfile
import time
import warnings
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from msaestimator.exceptions import ArchiveWarning

__all__ = ["Cache"]

ABANDONED = 3600.0
"""Age in seconds of a half-written file at which whoever wrote it is surely gone."""


class Cache:
    """Rows of one product of one service and release.

    Parameters
    ----------
    folder : Path
        Folder of the product alone; made when the first rows are stored.
    schema : pyarrow.Schema
        Columns of the rows. A file with others counts as altered.

    Attributes
    ----------
    received : set of date
        Days, in UTC, on which the rows that were loaded came from the service.
    """

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self.folder = folder
        self.schema = schema
        self.received: set[date] = set()

    def load(self, ids: np.ndarray) -> pa.Table:
        """Return the rows that are here of the wanted ids, in no particular order."""
        tables = [self.schema.empty_table()]
        if self.folder.is_dir():
            self._clear_up()
            wanted = pa.array(ids)
            for path in sorted(self.folder.glob("*.parquet")):
                rows = self._read(path)
                if rows is not None:
                    tables.append(rows.filter(pc.is_in(rows["source_id"], value_set=wanted)))
                    if len(tables[-1]):
                        self.received.add(_day_of(path))
        return pa.concat_tables(tables)

    def store(self, rows: pa.Table) -> None:
        """Keep rows, if there are any; the file is there whole or not at all."""
        if not len(rows):
            return
        buffer = pa.BufferOutputStream()
        pq.write_table(rows, buffer, compression="zstd")
        content = buffer.getvalue().to_pybytes()
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=self.folder, prefix=".", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self.folder / f"{_checksum(content)}.parquet")
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def _clear_up(self) -> None:
        """Delete files left half-written by processes that were killed."""
        for path in self.folder.glob(".*.part"):
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > ABANDONED:
                    path.unlink()

    def _read(self, path: Path) -> pa.Table | None:
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            # Another process has found it altered.
            return None
        if _checksum(content) == path.stem:
            with suppress(pa.ArrowInvalid):
                rows = pq.read_table(pa.BufferReader(content))
                if rows.schema.equals(self.schema):
                    return rows
        path.unlink(missing_ok=True)
        warnings.warn(
            f"The cache file {str(path)!r} is truncated, altered or of another form. It is "
            "deleted, and what it held is fetched again.",
            ArchiveWarning,
            stacklevel=2,
        )
        return None


def _day_of(path: Path) -> date:
    """Return the day on which a file was written, in UTC."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).date()


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
