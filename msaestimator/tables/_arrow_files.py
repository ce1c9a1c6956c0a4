"""Parquet files, folders of them, and Feather files, by pyarrow."""

import re
from collections.abc import Collection
from pathlib import Path

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
from astropy.table import Table

from msaestimator.exceptions import ColumnError
from msaestimator.tables._arrow_tables import arrow_of_table, table_of_arrow

__all__ = [
    "PARQUET_ENDINGS",
    "files_below",
    "read_feather",
    "read_parquet",
    "write_feather",
    "write_parquet",
]

PARQUET_ENDINGS = (".parquet", ".pq", ".parq")


def read_parquet(path: Path) -> Table:
    """Read a parquet file, or all those in a folder and below it, in the order of their names."""
    if path.is_dir():
        return table_of_arrow(_read_folder(path))
    return table_of_arrow(pq.ParquetFile(path).read())


def write_parquet(table: Table, path: Path) -> None:
    """Write a parquet file that pandas, polars, Spark and astropy read too."""
    pq.write_table(arrow_of_table(table), path)


def read_feather(path: Path) -> Table:
    """Read a Feather file, which is Arrow's own."""
    return table_of_arrow(feather.read_table(path, memory_map=False))


def write_feather(table: Table, path: Path) -> None:
    """Write a Feather file."""
    feather.write_feather(arrow_of_table(table), path)


def files_below(folder: Path, endings: Collection[str] = PARQUET_ENDINGS) -> list[Path]:
    """Return the files in a folder and below it that have an ending, in the order of their names.

    Whatever begins with "." or "_", as Spark's ``_SUCCESS`` and checksums do, is none of them.

    Parameters
    ----------
    folder : Path
        Folder to look in.
    endings : collection of str
        Endings in small letters; those of parquet files if none are given.
    """
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in endings
        and not any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
    ]


def _read_folder(folder: Path) -> pa.Table:
    """Read the files that Spark, dask or pyarrow spread over a folder, in order of their names."""
    files = files_below(folder)
    if not files:
        raise ColumnError(f"it has no file that ends in {', '.join(PARQUET_ENDINGS)}")
    # A column that is null all through one file has no type there.
    return pa.concat_tables(
        [_read_part(path, folder) for path in files], promote_options="permissive"
    )


def _read_part(path: Path, folder: Path) -> pa.Table:
    """Read one file; ``key=value`` in the names of its folders is a column too."""
    try:
        part = pq.ParquetFile(path).read()
    except (OSError, ValueError) as error:
        raise ColumnError(f"{path.relative_to(folder)}: {error}") from error
    for name in path.relative_to(folder).parts[:-1]:
        key, _, value = name.partition("=")
        if value and key not in part.column_names:
            known = int(value) if re.fullmatch(r"-?\d+", value) else value
            part = part.append_column(key, pa.array([known] * len(part)))
    return part
