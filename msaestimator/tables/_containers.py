"""The named columns of whatever container stars come in."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from astropy.io import fits
from astropy.table import Row, Table
from pyarrow import interchange

from msaestimator.exceptions import ColumnError
from msaestimator.tables._named_columns import NamedColumns
from msaestimator.tables._raw_column import is_missing

__all__ = ["column_names", "kind_of", "named_columns", "require_columns"]

ROWS = (Row, np.void, fits.FITS_record)
IMAGES = (fits.PrimaryHDU, fits.ImageHDU, fits.CompImageHDU)


def named_columns(X: Any) -> NamedColumns | None:
    """Return the columns of a container of stars; None of a matrix, which has no names.

    Parameters
    ----------
    X : object
        Astropy table; DataFrame of pandas; table of polars, pyarrow or any library that offers
        its columns by Arrow's or the DataFrames' protocol, or by ``to_table()``, as pyvo's
        results do; structured array, record array or table HDU of a FITS file; mapping of names
        to columns or, for one star, to values; or list of such mappings.

    Returns
    -------
    NamedColumns or None
        The columns. An index of a DataFrame that has a name is a column too.

    Raises
    ------
    ColumnError
        The container is one row by itself, a path, or one that must be computed or chosen from
        first.
    """
    if isinstance(X, NamedColumns):
        return X
    _refuse(X)
    if isinstance(X, Table):
        return NamedColumns(X, X.colnames, len(X), lambda number: X[X.colnames[number]])
    if hasattr(X, "iloc") and hasattr(X, "columns"):
        return _of_pandas(X)
    if isinstance(X, np.ndarray):
        return None if X.dtype.names is None else _of_records(X)
    if isinstance(X, fits.HDUList):
        return _of_records(_only_table(X).data)
    if isinstance(X, fits.BinTableHDU | fits.TableHDU):
        return _of_records(X.data)
    if isinstance(X, Mapping):
        # Not scipy's sparse matrices, which map positions to values.
        return _of_mapping(X) if all(isinstance(name, str) for name, _ in X.items()) else None
    if isinstance(X, list | tuple):
        return _of_mappings(X) if X and all(isinstance(row, Mapping) for row in X) else None
    return _of_arrow(X)


def column_names(X: Any) -> tuple[str, ...] | None:
    """Return the names of a container's columns, as `named_columns`; None of a matrix."""
    columns = named_columns(X)
    return None if columns is None else columns.names


def require_columns(X: Any) -> NamedColumns:
    """Return the columns of a container; one without names is an error."""
    columns = named_columns(X)
    if columns is None:
        raise ColumnError(
            f"Stars must be a table, read by the names of its columns, got {kind_of(X)}."
        )
    return columns


def _of_pandas(frame: Any) -> NamedColumns:
    if getattr(frame.columns, "nlevels", 1) > 1:
        raise ColumnError(
            "A DataFrame of stars must have columns of one name each, got names of "
            f"{frame.columns.nlevels} levels, such as {frame.columns[0]!r}. Choose a level, or "
            "join the names."
        )
    names = [str(name) for name in frame.columns]
    levels = [name for name in frame.index.names if name is not None and str(name) not in names]
    n_columns = len(names)

    def read(number: int) -> Any:
        if number < n_columns:
            return frame.iloc[:, number]
        return frame.index.get_level_values(levels[number - n_columns])

    return NamedColumns(frame, [*names, *map(str, levels)], len(frame), read)


def _of_records(records: np.ndarray) -> NamedColumns:
    """Return the fields of a structured array; FITS gives them units and a number for null."""
    if records.ndim > 1:
        raise ColumnError(
            "A structured array of stars must have one dimension, a record each, got shape "
            f"{records.shape}."
        )
    records = records.reshape(-1) if records.ndim == 0 else records
    names = records.dtype.names or ()
    columns = getattr(records, "columns", None) if isinstance(records, fits.FITS_rec) else None

    def read(number: int) -> Any:
        field = records[names[number]]
        return field if columns is None else _of_fits(field, columns[names[number]])

    return NamedColumns(records, names, len(records), read)


def _of_fits(field: Any, column: fits.Column) -> Table.MaskedColumn:
    field = np.asarray(field)
    null = column.null if field.dtype.kind in "iu" else None
    mask = np.zeros(field.shape, bool) if null is None else field == null
    return Table.MaskedColumn(field, mask=mask, unit=column.unit or None, copy=False)


def _of_mapping(columns: Mapping[Any, Any]) -> NamedColumns:
    """Return a mapping of names to columns, or to the values of one star."""
    if not columns:
        raise ColumnError("A dict of stars must have a column by name, got an empty one.")
    values = list(columns.values())
    scalar = [_is_scalar(value) for value in values]
    if all(scalar):
        return _of_mappings([columns])
    lengths = {str(name): len(v) for name, v in columns.items() if not _is_scalar(v)}
    if any(scalar) or len(set(lengths.values())) > 1:
        found = {str(name): lengths.get(str(name), "one value") for name in columns}
        raise ColumnError(
            "A dict of stars must have columns of one length, a value a star, got "
            f"{', '.join(f'{name}: {length}' for name, length in found.items())}. Give None where "
            "a value is unknown."
        )
    return NamedColumns(columns, [*map(str, columns)], lengths.popitem()[1], values.__getitem__)


def _is_scalar(value: Any) -> bool:
    return is_missing(value) or isinstance(value, str | bytes) or np.ndim(value) == 0


def _of_mappings(rows: Any) -> NamedColumns:
    """Return a list of mappings, a star each; what a star does not tell is missing."""
    names = [*dict.fromkeys(name for row in rows for name in row)]

    def read(number: int) -> Any:
        values = np.empty(len(rows), dtype=object)
        values[:] = [row.get(names[number]) for row in rows]
        return _with_one_unit(str(names[number]), values)

    return NamedColumns(rows, [*map(str, names)], len(rows), read)


def _with_one_unit(name: str, values: np.ndarray) -> Any:
    """Return values of rows as they are, or with the unit that they state themselves."""
    units = {str(value.unit) for value in values if getattr(value, "unit", None) is not None}
    if not units:
        return values
    if len(units) > 1:
        raise ColumnError(f"{name!r} must be in one unit in all rows, got {sorted(units)}.")
    plain = np.array([getattr(v, "value", np.nan if is_missing(v) else v) for v in values])
    return Table.Column(plain, unit=units.pop())


def _of_arrow(X: Any) -> NamedColumns | None:
    """Return what offers its columns by a protocol; None of what does not."""
    if isinstance(X, pa.Table | pa.RecordBatch):
        return NamedColumns(X, X.column_names, X.num_rows, X.column)
    if hasattr(X, "__arrow_c_stream__"):
        return _of_arrow(pa.table(X)) if hasattr(X, "columns") else None
    if hasattr(X, "to_table"):
        return named_columns(X.to_table())
    if hasattr(X, "__dataframe__"):
        return _of_arrow(interchange.from_dataframe(X))
    return None


def _only_table(hdus: fits.HDUList) -> Any:
    tables = [hdu for hdu in hdus if isinstance(hdu, fits.BinTableHDU | fits.TableHDU)]
    if len(tables) != 1:
        found = ", ".join(f"{hdus.index_of(hdu)} {hdu.name!r}" for hdu in tables) or "none"
        raise ColumnError(
            f"An HDUList of stars must have one table, got {len(tables)}: {found}. Pass one of "
            "them, such as hdus[1]."
        )
    return tables[0]


def _refuse(X: Any) -> None:
    """Refuse what holds stars in a way that is not one table of them."""
    if isinstance(X, ROWS):
        raise ColumnError(
            "Stars must be a table, with a row for each, got one row by itself "
            f"({kind_of(X)}). Pass a slice of the table, such as stars[:1]."
        )
    if isinstance(X, list | tuple) and X and all(isinstance(row, ROWS) for row in X):
        raise ColumnError(
            f"Stars must be a table, got a {kind_of(X)} of rows ({kind_of(X[0])}), as "
            "scikit-learn's splitters make of a plain Table. Pass StarTable(table), which they "
            "can split."
        )
    if isinstance(X, str | bytes | os.PathLike):
        raise ColumnError(
            f"Stars must be a table, got {X!r}. If it is the path of a file, read it first: "
            "stars = msaestimator.tables.read_stars(path)."
        )
    if isinstance(X, IMAGES):
        raise ColumnError(f"Stars must be a table, got an image ({kind_of(X)}). Pass a table HDU.")
    # Of the class, since asking for its columns may begin to compute them.
    for method in ("collect", "compute", "toPandas"):
        if hasattr(type(X), method) and hasattr(type(X), "columns"):
            raise ColumnError(
                f"Stars must be in memory, got {kind_of(X)}, which is not computed yet. Pass "
                f"stars.{method}()."
            )


def kind_of(X: Any) -> str:
    """Return the name of an object's class, with the library it is from, for messages."""
    library = type(X).__module__.split(".")[0]
    name = type(X).__name__
    of_library = f"{library}'" if library.endswith("s") else f"{library}'s"
    return name if library == "builtins" else f"{of_library} {name}"
