"""Files of stars opened by their kind, those of the archive in pairs."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from msaestimator.datasets._bulk_stars import BulkStars, bulk_name
from msaestimator.datasets._hdf5_stars import HDF5_ENDINGS, Hdf5Stars
from msaestimator.datasets._parquet_stars import ParquetStars
from msaestimator.datasets._star_file import StarFile
from msaestimator.exceptions import ColumnError
from msaestimator.tables import PARQUET_ENDINGS

__all__ = ["open_files"]

SOURCES = "GaiaSource"


def open_files(paths: Iterable[Path]) -> dict[Path, StarFile]:
    """Return files of stars by their paths; the archive's sources go with the spectra.

    Raises
    ------
    ColumnError
        A file is of no kind that is read in pieces, or cannot be read, or spectra lack the file
        of their sources.
    """
    paths = [*paths]
    sources = {name[1]: path for path in paths if (name := bulk_name(path)) and name[0] == SOURCES}
    files = {path: _open(path, sources) for path in paths if path not in sources.values()}
    if not files:
        raise ColumnError(
            f"{str(paths[0])!r} has no stars with spectra. Pass the folder of its "
            "XpContinuousMeanSpectrum_*.csv.gz too: StarDataset([spectra, sources])."
        )
    return files


def _open(path: Path, sources: Mapping[str, Path]) -> StarFile:
    name = bulk_name(path)
    if name is not None:
        return BulkStars(path, _sources_of(path, name[1], sources))
    ending = path.suffix.lower()
    if ending in PARQUET_ENDINGS:
        return ParquetStars(path)
    if ending in HDF5_ENDINGS:
        return Hdf5Stars(path)
    raise ColumnError(
        f"Stars that are read in pieces must be in parquet or HDF5 files, or in the archive's "
        f"XpContinuousMeanSpectrum_*.csv.gz, got {path.name!r}. Write it as parquet: "
        "write_stars(read_stars(path), 'stars.parquet')."
    )


def _sources_of(path: Path, pixels: str, sources: Mapping[str, Path]) -> Path:
    """Return the file of the sources of some spectra, given or beside it."""
    beside = [path.with_name(f"{SOURCES}_{pixels}.csv{end}") for end in (".gz", "")]
    for one in (sources.get(pixels), *beside):
        if one is not None and one.is_file():
            return one
    raise FileNotFoundError(
        f"The spectra of {str(path)!r} need their magnitudes, which are in {beside[0].name!r} of "
        "the archive's gaia_source. Download it, and pass its folder too: "
        "StarDataset([spectra, sources])."
    )
