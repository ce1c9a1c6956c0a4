"""Tables of stars from files and to files, in the format that the file's ending tells."""

import bz2
import gzip
import lzma
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from astropy.table import Table
from astropy.utils.exceptions import AstropyWarning

from msaestimator.exceptions import ColumnError
from msaestimator.schema import StarTable
from msaestimator.tables._file_formats import PARQUET, FileFormat, file_ending, file_format
from msaestimator.tables._foreign_content import BINARY, content_of
from msaestimator.tables._output_path import expand_home, output_path
from msaestimator.tables._read_columns import as_stars
from msaestimator.tables._reasons import reason_of

__all__ = ["read_stars", "write_stars"]

COMPRESSORS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


def read_stars(
    path: str | os.PathLike[str],
    hdu: int | str | None = None,
    columns: Sequence[str] | None = None,
) -> StarTable:
    """Return the table of stars of a file.

    Parameters
    ----------
    path : str or path-like
        File whose ending tells its format: FITS (``.fits``, ``.fit``, ``.fts``), ECSV
        (``.ecsv``), CSV (``.csv``), VOTable (``.vot``, ``.votable``, ``.xml``), each also
        compressed (``.gz``, ``.bz2``, ``.xz``); parquet (``.parquet``, ``.pq``, ``.parq``),
        Feather (``.feather``, ``.arrow``), HDF5 (``.hdf5``, ``.h5``; needs h5py). Or a folder of
        parquet files. ``~`` is the home folder.
    hdu : int or str, optional
        Number or name of the table in a file of several: the HDU of a FITS file, the table of a
        VOTable or HDF5 file, counted from 1. Without it the file must have one table.
    columns : sequence of str, optional
        Names of the columns wanted, as the file has them; None are all. Of a FITS file nothing
        else comes into memory, unless it is compressed.

    Returns
    -------
    StarTable
        Columns as the file has them, with their units. Integers are exact. Null, empty and
        ``null`` values are masked, NaN beneath if they are floats. Arrays are columns of two
        dimensions where all rows have as many numbers, also where a CSV file writes them as text;
        others are columns of arrays. A struct is a column for each of its fields.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ColumnError
        The ending is unknown, or the file cannot be read as what its ending says, or it has
        several tables; the message lists them. Or it lacks a column of ``columns``.
    MissingDependencyError
        The format needs a package that is not installed.
    """
    path = expand_home(path)
    if not path.exists():
        raise FileNotFoundError(f"There is no file {str(path)!r}.")
    form = PARQUET if path.is_dir() else file_format(path)
    if hdu is not None and not form.has_choice:
        raise ColumnError(
            f"`hdu` (--hdu) names a table of a FITS, VOTable or HDF5 file, got {hdu!r} for "
            f"{path.name!r}, which is {form.name} and has one table."
        )
    with warnings.catch_warnings():
        # A unit that astropy does not know, a header card of another dialect: what matters of
        # them is told where the column is used.
        warnings.simplefilter("ignore", AstropyWarning)
        table = _read(form, path, hdu, columns)
        return as_stars(table if columns is None else _select(table, columns, path))


def write_stars(stars: Table, path: str | os.PathLike[str], overwrite: bool = False) -> None:
    """Write a table under a temporary name beside ``path``, then rename it.

    Parameters
    ----------
    stars : Table
        Stars, or predictions.
    path : str or path-like
        File whose ending tells the format, as in `read_stars`. Folders are made. ``~`` is the
        home folder.
    overwrite : bool, default=False
        True replaces a file of that name.

    Raises
    ------
    FileExistsError
        There is a file of that name.
    ColumnError
        The ending is unknown, or the format cannot hold a column.
    MissingDependencyError
        The format needs a package that is not installed.
    """
    if not isinstance(stars, Table):
        raise ColumnError(
            f"`stars` must be an astropy table, got {type(stars).__name__}. Pass StarTable(stars)."
        )
    path = output_path(path, overwrite)
    form = file_format(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, warnings.catch_warnings():
        # FITS and VOTable have no word for "dex", and say so of each column.
        warnings.simplefilter("ignore", AstropyWarning)
        temporary = Path(folder) / f"stars{file_ending(path)[0]}"
        try:
            form.write(stars, temporary)
        except Exception as error:
            raise ColumnError(
                f"The table cannot be written to {str(path)!r} as {form.name}: {reason_of(error)}."
            ) from error
        os.replace(_compressed(temporary, file_ending(path)[1]), path)


def _read(
    form: FileFormat, path: Path, hdu: int | str | None, columns: Sequence[str] | None
) -> Table:
    try:
        if path.is_file():
            _check_content(form, path)
        if form.has_columns:
            return form.read(path, hdu, columns)
        return form.read(path, hdu) if form.has_choice else form.read(path)
    except MemoryError:
        raise
    except Exception as error:
        raise ColumnError(
            f"The {'folder' if path.is_dir() else 'file'} {str(path)!r} cannot be read as "
            f"{form.name}: {reason_of(error)}."
        ) from error


def _select(table: Table, columns: Sequence[str], path: Path) -> Table:
    """Return the columns wanted of a table, in the order wanted."""
    missing = [name for name in columns if name not in table.colnames]
    if missing:
        raise ColumnError(
            f"The file {str(path)!r} must have the columns {', '.join(columns)}, got none called "
            f"{', '.join(missing)}. Names must be spelled as in the file."
        )
    return table[list(columns)]


def _check_content(form: FileFormat, path: Path) -> None:
    if not path.stat().st_size:
        raise ColumnError("it is empty")
    content = content_of(path)
    if content is not None and content != form.name:
        raise ColumnError(f"its content is {content}")
    if content is None and form.name in BINARY:
        raise ColumnError(f"it does not begin as {form.name} files do")


def _compressed(path: Path, compression: str) -> Path:
    """Return the path of a file, compressed if its name is to say so."""
    if not compression:
        return path
    target = path.with_name("compressed")
    with path.open("rb") as plain, COMPRESSORS[compression](target, "wb") as file:
        shutil.copyfileobj(plain, file)
    return target
