"""Reading the files that ship inside the package."""

from importlib.resources import files

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["column_values", "read_arrays", "read_table"]


def read_table(name: str) -> pa.Table:
    """Return a packaged parquet file as an arrow table."""
    with files("msaestimator.datasets").joinpath("data", name).open("rb") as stream:
        return pq.read_table(stream)


def read_arrays(name: str) -> dict[str, np.ndarray]:
    """Return the arrays of a packaged npz file by name."""
    with (
        files("msaestimator.datasets").joinpath("data", name).open("rb") as stream,
        np.load(stream, allow_pickle=False) as arrays,
    ):
        return dict(arrays)


def column_values(table: pa.Table, name: str) -> np.ndarray:
    """Return a column as an array of its own: (n,), or (n, size) for fixed-size lists."""
    column = table[name].combine_chunks()
    if pa.types.is_fixed_size_list(column.type):
        return column.flatten().to_numpy().reshape(len(column), column.type.list_size).copy()
    return column.to_numpy(zero_copy_only=False).copy()
