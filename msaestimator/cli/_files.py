"""Tables of stars from files and to files, by the file's ending."""

import os
import tempfile
import warnings
from pathlib import Path

import astropy.units as u
from astropy.io.votable.exceptions import VOWarning
from astropy.utils.exceptions import AstropyUserWarning

from msaestimator.exceptions import ColumnError
from msaestimator.schema import StarTable

__all__ = ["FORMATS", "read_stars", "write_stars"]

FORMATS = {
    ".fits": "fits",
    ".fit": "fits",
    ".ecsv": "ascii.ecsv",
    ".parquet": "parquet",
    ".vot": "votable",
    ".xml": "votable",
}
"""Astropy's names of formats, by file ending."""


def read_stars(path: Path) -> StarTable:
    """Read a table of stars; an unknown ending is an error that lists the known ones."""
    if not path.exists():
        raise FileNotFoundError(f"There is no file {str(path)!r}.")
    with warnings.catch_warnings():
        _ignore_unit_dex()
        stars = StarTable.read(path, format=_format(path))
    for name in stars.colnames:
        unit = stars[name].info.unit
        # VOTable has no word for "dex", and reads it as a tenth of an unknown "ex".
        if str(unit) == "dex" and unit != u.dex:
            stars[name] = stars[name].value << u.dex
    return stars


def write_stars(stars: StarTable, path: Path) -> None:
    """Write a table under a temporary name beside ``path``, then rename it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file_format = _format(path)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, warnings.catch_warnings():
        _ignore_unit_dex()
        temporary = Path(folder) / path.name
        stars.write(temporary, format=file_format)
        os.replace(temporary, path)


def _format(path: Path) -> str:
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        raise ColumnError(
            f"The file's ending must be one of {', '.join(FORMATS)}, got {path.name!r}."
        ) from None


def _ignore_unit_dex() -> None:
    """Say nothing of "dex", which FITS and VOTable have no word for."""
    warnings.filterwarnings("ignore", ".*'?dex'?.*", AstropyUserWarning)
    warnings.filterwarnings("ignore", ".*dex.*", VOWarning)
    warnings.filterwarnings("ignore", "No table::len", AstropyUserWarning)
