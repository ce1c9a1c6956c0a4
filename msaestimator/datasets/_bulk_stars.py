"""The archive's bulk files as stars: spectra joined with their sources, file by file."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
import pyarrow as pa

from msaestimator.archive import RELEASES, ZERO_POINT_ERRORS, ArchiveColumn, magnitude_error
from msaestimator.datasets._bulk_sources import read_sources
from msaestimator.datasets._bulk_spectra import count_spectra, read_spectra
from msaestimator.datasets._star_file import StarFile, reading
from msaestimator.schema import StarTable
from msaestimator.tables import arrow_of_table

__all__ = ["RANDOM_INDEX", "BulkStars", "bulk_name"]

NAME = re.compile(r"(XpContinuousMeanSpectrum|GaiaSource)_(\d+-\d+)\.csv(?:\.gz)?")
"""Name of a bulk file: what it holds, and the range of pixels, the same in both tables."""

RANDOM_INDEX = "random_index"
"""Column of ``gaia_source`` whose order is random over the sky."""

N_TAIL = 8
"""Bytes at the end of a gzip file: a checksum, and the size, of what it holds."""

_RELEASE = RELEASES["dr3"]
_TYPES = {
    "float": pa.float32(),
    "integer": pa.int32(),
    "boolean": pa.bool_(),
    "array": pa.list_(pa.float32()),
}


def _type(column: ArchiveColumn) -> pa.DataType:
    # A degree in single precision is a few arcseconds.
    return pa.float64() if column.unit == "deg" else _TYPES[column.kind]


_SOURCES = {RANDOM_INDEX: pa.int64()} | {c.name: _type(c) for c in _RELEASE.source}
_SPECTRA = {column.name: _type(column) for column in _RELEASE.xp}
_ERRORS = {
    f"phot_{band}_mean_mag_error": (f"phot_{band}_mean_flux_over_error", error)
    for band, error in ZERO_POINT_ERRORS.items()
}
"""Columns that are computed: of which column, and with which error of the zero point."""


def _schema() -> pa.Schema:
    """Return the columns with their units, as astropy keeps these in parquet."""
    units = {column.name: column.unit for column in _RELEASE.source if column.unit}
    units |= dict.fromkeys(_ERRORS, "mag")
    types = {"source_id": pa.int64()} | _SOURCES | dict.fromkeys(_ERRORS, pa.float32()) | _SPECTRA
    empty: dict[str, Any] = {
        name: [] * u.Unit(units[name]) if name in units else [] for name in types
    }
    described = arrow_of_table(StarTable(empty)).schema.metadata
    return pa.schema([*types.items()], metadata=described)


class BulkStars(StarFile):
    """A bulk file of spectra, joined with the file of the sources in the same pixels.

    Parameters
    ----------
    path : Path
        File ``XpContinuousMeanSpectrum_*.csv.gz``.
    sources : Path
        File ``GaiaSource_*.csv.gz`` of the same range.
    """

    schema = _schema()

    def __init__(self, path: Path, sources: Path) -> None:
        super().__init__(path)
        self.sources = sources

    @cached_property
    def group_sizes(self) -> tuple[int, ...]:
        """Number of spectra, for which all of the file must be uncompressed."""
        return (count_spectra(self.path),)

    @property
    def n_groups(self) -> int:
        """One: a compressed file is read from its beginning."""
        return 1

    def pieces(self, group: int, names: Sequence[str], size: int) -> Iterator[pa.Table]:
        """Yield the stars in the order of the file, which is in memory as a whole."""
        spectra = read_spectra(self.path, _of(_SPECTRA, names, "source_id"))
        columns = {name: spectra[name] for name in spectra.column_names}
        needed = [_ERRORS[name][0] for name in names if name in _ERRORS]
        if wanted := _of(_SOURCES, [*names, *needed]):
            sources = read_sources(self.sources, columns["source_id"].to_numpy(), wanted)
            columns |= {name: sources[name] for name in wanted}
        for name in [name for name in names if name in _ERRORS]:
            of, zero_point_error = _ERRORS[name]
            flux_over_error = columns[of].to_numpy().astype(np.float64)
            errors = magnitude_error(flux_over_error, zero_point_error).astype(np.float32)
            columns[name] = pa.array(errors, from_pandas=True)
        stars = pa.table({name: columns[name] for name in names})
        for start in range(0, len(stars), size):
            yield stars.slice(start, size)

    def fingerprint(self) -> str:
        """Return a checksum of the checksums and sizes of both files."""
        digest = hashlib.sha256()
        for path in (self.path, self.sources):
            with reading(path, "a bulk file"), path.open("rb") as file:
                size = file.seek(0, 2)
                file.seek(max(0, size - N_TAIL))
                digest.update(f"{size}".encode() + file.read())
        return digest.hexdigest()


def bulk_name(path: Path) -> tuple[str, str] | None:
    """Return what a bulk file holds, and the range of its pixels; None of another file."""
    found = NAME.fullmatch(path.name)
    return None if found is None else (found[1], found[2])


def _of(
    types: dict[str, pa.DataType], names: Sequence[str], *always: str
) -> dict[str, pa.DataType]:
    return {n: pa.int64() for n in always} | {n: t for n, t in types.items() if n in names}
