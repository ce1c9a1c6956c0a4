"""Parquet files, folders of them, and Feather files, by pyarrow."""

from pathlib import Path

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
from astropy.table import Table

from msaestimator.exceptions import ColumnError
from msaestimator.tables._arrow_tables import arrow_of_table, table_of_arrow

__all__ = ["PARQUET_ENDINGS", "read_feather", "read_parquet", "write_feather", "write_parquet"]

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


def _read_folder(folder: Path) -> pa.Table:
    """Read the files that Spark, dask or pyarrow spread over a folder; ``key=value`` is a column.

    Whatever begins with "." or "_", as Spark's ``_SUCCESS`` and checksums do, is none of them.
    """
    # Imported here because it loads pandas, where that is installed.
    import pyarrow.dataset as ds

    files = [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in PARQUET_ENDINGS
        and not any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
    ]
    if not files:
        raise ColumnError(f"it has no file that ends in {', '.join(PARQUET_ENDINGS)}")
    dataset = ds.dataset(
        [str(path) for path in files],
        format="parquet",
        partitioning=ds.partitioning(flavor="hive"),
        partition_base_dir=str(folder),
    )
    # A column that is null all through one file has no type there.
    schemas = [dataset.schema, *(pq.read_schema(path) for path in files)]
    schema = pa.unify_schemas(schemas, promote_options="permissive")
    return dataset.replace_schema(schema).to_table()
