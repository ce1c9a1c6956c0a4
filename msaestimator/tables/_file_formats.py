"""The formats of files of stars, by the endings of their names."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from astropy.table import Table

from msaestimator.exceptions import ColumnError, MissingDependencyError, did_you_mean
from msaestimator.tables._arrow_files import (
    PARQUET_ENDINGS,
    read_feather,
    read_parquet,
    write_feather,
    write_parquet,
)
from msaestimator.tables._fits_files import read_fits, write_fits
from msaestimator.tables._hdf5_files import read_hdf5, write_hdf5
from msaestimator.tables._text_files import read_csv, read_ecsv, write_csv, write_ecsv
from msaestimator.tables._votable_files import read_votable, write_votable

__all__ = ["COMPRESSED", "FORMATS", "PARQUET", "FileFormat", "file_ending", "file_format"]

COMPRESSED = (".gz", ".bz2", ".xz")
"""Endings of compressed files, after that of a format that may be compressed."""


class FileFormat(NamedTuple):
    """Reader and writer of the files of one format.

    Parameters
    ----------
    name : str
        Name of the format in messages.
    read : callable
        Function from a path to a table; with `has_choice`, also from a table's number or name;
        with `has_columns`, also from names of columns, None for all.
    write : callable
        Function that writes a table to a path.
    has_choice : bool
        True if a file may hold several tables.
    may_be_compressed : bool
        True if its readers read a compressed file too.
    package : str
        Package that the format needs and that may not be installed; empty if there is none.
    has_columns : bool
        True if some columns can be read without the others.
    """

    name: str
    read: Callable[..., Table]
    write: Callable[[Table, Path], None]
    has_choice: bool = False
    may_be_compressed: bool = True
    package: str = ""
    has_columns: bool = False


PARQUET = FileFormat("parquet", read_parquet, write_parquet, may_be_compressed=False)
_FITS = FileFormat("FITS", read_fits, write_fits, has_choice=True, has_columns=True)
_VOTABLE = FileFormat("VOTable", read_votable, write_votable, has_choice=True)
_HDF5 = FileFormat("HDF5", read_hdf5, write_hdf5, True, False, package="h5py")
_FEATHER = FileFormat("Feather", read_feather, write_feather, may_be_compressed=False)

FORMATS = {
    ".fits": _FITS,
    ".fit": _FITS,
    ".fts": _FITS,
    ".ecsv": FileFormat("ECSV", read_ecsv, write_ecsv),
    ".csv": FileFormat("CSV", read_csv, write_csv),
    **dict.fromkeys(PARQUET_ENDINGS, PARQUET),
    ".vot": _VOTABLE,
    ".votable": _VOTABLE,
    ".xml": _VOTABLE,
    ".feather": _FEATHER,
    ".arrow": _FEATHER,
    ".hdf5": _HDF5,
    ".h5": _HDF5,
}
"""Formats by file ending in small letters."""


def file_ending(path: Path) -> tuple[str, str]:
    """Return the ending of a file's name in small letters, and that of its compression, if any."""
    compression = path.suffix.lower()
    if compression in COMPRESSED:
        return path.with_suffix("").suffix.lower(), compression
    return compression, ""


def file_format(path: Path) -> FileFormat:
    """Return the format that a file's ending tells.

    Raises
    ------
    ColumnError
        The ending is unknown; the message lists those there are.
    MissingDependencyError
        The format needs a package that is not installed.
    """
    ending, compression = file_ending(path)
    found = FORMATS.get(ending)
    if found is None or (compression and not found.may_be_compressed):
        compressible = [known for known, form in FORMATS.items() if form.may_be_compressed]
        raise ColumnError(
            f"The file's ending must be one of {', '.join(FORMATS)}; or of "
            f"{', '.join(compressible)} with {', '.join(COMPRESSED)}; got {path.name!r}."
            f"{did_you_mean(ending, FORMATS)}"
        )
    if found.package and not find_spec(found.package):
        raise MissingDependencyError(
            f"{found.name} files need {found.package}. Install it: pip install {found.package}"
        )
    return found
