"""The files that are meant by paths of files, folders and HATS catalogues."""

import os
from collections.abc import Iterable
from pathlib import Path

from msaestimator.datasets._bulk_stars import bulk_name
from msaestimator.datasets._hats import find_catalogue, read_partitions
from msaestimator.datasets._hdf5_stars import HDF5_ENDINGS
from msaestimator.exceptions import ColumnError
from msaestimator.tables import PARQUET_ENDINGS, expand_home, files_below

__all__ = ["star_paths"]


def star_paths(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[Path]:
    """Return the files of stars in a fixed order.

    Parameters
    ----------
    paths : path, or iterable of paths
        Files, which keep their order; folders, whose files come in the order of their names; and
        HATS catalogues, whose partitions come in the order of the sky.

    Raises
    ------
    FileNotFoundError
        There is no such file, or a partition that a catalogue lists is not there.
    ColumnError
        There is no file, or one is meant twice.
    """
    given = [paths] if isinstance(paths, str | os.PathLike) else [*paths]
    if not given:
        raise ColumnError("`paths` must name at least one file or folder, got none.")
    found = [path for one in given for path in _files_of(expand_home(one))]
    places: dict[Path, Path] = {}
    for path in found:
        if (place := path.resolve()) in places:
            raise ColumnError(
                f"`paths` must name each file once, got {str(path)!r} twice"
                + (f", also as {str(places[place])!r}" if places[place] != path else "")
                + ". Its stars would count double: leave one out."
            )
        places[place] = path
    return found


def _files_of(path: Path) -> list[Path]:
    if not path.exists():
        raise FileNotFoundError(f"There is no file or folder {str(path)!r}.")
    if path.is_file():
        return [path]
    catalogue = find_catalogue(path)
    files = _files_in(path) if catalogue is None else read_partitions(catalogue)
    if not files:
        raise ColumnError(
            f"The folder {str(path)!r} must have files of stars, got none: parquet or HDF5 files, "
            "or the archive's XpContinuousMeanSpectrum_*.csv.gz and GaiaSource_*.csv.gz."
        )
    return files


def _files_in(folder: Path) -> list[Path]:
    """Return the files of stars in a folder and below it; other text files are none."""
    files = files_below(folder, (*PARQUET_ENDINGS, *HDF5_ENDINGS, ".gz", ".csv"))
    return [f for f in files if f.suffix.lower() not in (".gz", ".csv") or bulk_name(f)]
