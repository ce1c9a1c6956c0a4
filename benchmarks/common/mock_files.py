"""Files of mock stars, as many as a disk holds."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from msaestimator.datasets import StarDataset, make_mock_survey
from msaestimator.tables import arrow_of_table

__all__ = ["write_mock_files"]

PER_FILE, PER_GROUP = 100_000, 5_000
"""Stars of a file and of a row group."""

DISTINCT = 20_000
"""Most distinct stars: repeated ones are read and learned no faster."""

DISTINCT_FILES = 5
"""Most distinct files: further ones are links to them, which take no room."""


def write_mock_files(folder: Path, n_stars: int) -> StarDataset:
    """Return mock stars in parquet files, which are written unless they are there."""
    if folder.exists() and len(StarDataset(folder)) == n_stars:
        return StarDataset(folder)
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    stars = arrow_of_table(make_mock_survey(min(n_stars, DISTINCT), random_state=0))
    stars = pa.table(
        {
            name: column.cast(pa.float32()) if column.type == pa.float64() else column
            for name, column in zip(stars.column_names, stars.columns, strict=True)
        }
    )
    for start in range(0, n_stars, PER_FILE):
        number, n_rows = start // PER_FILE, min(PER_FILE, n_stars - start)
        path = folder / f"{number:05d}.parquet"
        if number >= DISTINCT_FILES and n_rows == PER_FILE:
            path.hardlink_to(folder / f"{number % DISTINCT_FILES:05d}.parquet")
            continue
        rows = rng.integers(len(stars), size=n_rows)
        pq.write_table(stars.take(rows), path, row_group_size=PER_GROUP, compression="zstd")
    return StarDataset(folder)
