"""HATS catalogues: parquet files, a pixel of the sky each, and the files that list them."""

import csv
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from astropy import units as u
from astropy_healpix import HEALPix
from numpy.typing import ArrayLike

from msaestimator.exceptions import ColumnError
from msaestimator.tables import files_below

__all__ = [
    "HATS_INDEX",
    "HATS_ORDER",
    "find_catalogue",
    "hats_index",
    "hats_partition",
    "read_partitions",
    "write_hats_metadata",
]

HATS_INDEX = "_healpix_29"
"""Column by which a catalogue is sorted: the pixel of the finest order that a star lies in."""

HATS_ORDER = 29
"""The finest order of pixels."""

PROPERTIES = "hats.properties"
"""File that makes a folder a catalogue; older ones have it as ``properties``."""

COLLECTION = "collection.properties"
"""File of a folder that holds a catalogue and its margins."""

LISTING = "partition_info.csv"


def hats_index(ra: ArrayLike, dec: ArrayLike) -> np.ndarray:
    """Return the number of the finest pixel of each position.

    Parameters
    ----------
    ra, dec : array-like of shape (n_stars,)
        Positions in degrees, ICRS.

    Returns
    -------
    ndarray of int64 of shape (n_stars,)
        Values of the column ``_healpix_29``. The pixel of a lower order ``k`` that they lie in
        is ``values >> 2 * (29 - k)``.

    Examples
    --------
    >>> from msaestimator.datasets import hats_index
    >>> hats_index([56.75], [24.12]) >> 2 * (29 - 4)
    array([28])
    """
    grid = HEALPix(nside=2**HATS_ORDER, order="nested")
    return grid.lonlat_to_healpix(u.Quantity(ra, u.deg), u.Quantity(dec, u.deg)).astype(np.int64)


def hats_partition(order: int, pixel: int) -> Path:
    """Return the path within a catalogue of the file of a pixel.

    Parameters
    ----------
    order, pixel : int
        Order and nested number of the pixel.

    Examples
    --------
    >>> from msaestimator.datasets import hats_partition
    >>> print(hats_partition(6, 31415))
    dataset/Norder=6/Dir=30000/Npix=31415.parquet
    """
    folder = Path("dataset") / f"Norder={order}" / f"Dir={pixel // 10_000 * 10_000}"
    return folder / f"Npix={pixel}.parquet"


def write_hats_metadata(
    catalogue: Path,
    schema: pa.Schema,
    n_rows: int,
    pixels: Iterable[tuple[int, int]],
    properties: Mapping[str, str] | None = None,
) -> None:
    """Write the files that make a folder of partitions a HATS catalogue.

    Parameters
    ----------
    catalogue : Path
        Folder in which each partition is at `hats_partition`, sorted by ``_healpix_29``.
    schema : pyarrow.Schema
        Columns of every partition, ``_healpix_29``, ``ra`` and ``dec`` among them.
    n_rows : int
        Number of rows of all partitions.
    pixels : iterable of (int, int)
        Order and number of each pixel that has a file; none may lie in another.
    properties : mapping of str to str, optional
        Further properties, or others in place of those that are written anyway, such as
        ``obs_collection``, the name.

    Notes
    -----
    Each file is written under a temporary name and renamed, ``hats.properties`` last, so that a
    folder which is a catalogue is a whole one.
    """
    (catalogue / "dataset").mkdir(parents=True, exist_ok=True)
    common = catalogue / "dataset" / "_common_metadata"
    pq.write_metadata(schema, _new(common))
    os.replace(_new(common), common)
    ordered = sorted(pixels, key=_place)
    rows = "".join(f"{order},{pixel}\n" for order, pixel in ordered)
    _write(catalogue / LISTING, f"Norder,Npix\n{rows}")
    told = {
        "obs_collection": catalogue.name,
        "dataproduct_type": "object",
        "hats_nrows": str(n_rows),
        "hats_col_ra": "ra",
        "hats_col_dec": "dec",
        "hats_col_healpix": HATS_INDEX,
        "hats_col_healpix_order": str(HATS_ORDER),
        "hats_npix_suffix": ".parquet",
        "hats_order": str(max((order for order, _ in ordered), default=0)),
        "hats_version": "v1.0",
    } | dict(properties or {})
    lines = [f"{name}={value}\n" for name, value in told.items()]
    _write(catalogue / PROPERTIES, "".join(lines))


def find_catalogue(folder: Path) -> Path | None:
    """Return the catalogue that a folder is, or holds beside its margins; None if there is none.

    Raises
    ------
    ColumnError
        The folder is a collection that does not name its catalogue.
    """
    if (folder / COLLECTION).is_file():
        folder /= _primary_catalogue(folder / COLLECTION)
    is_catalogue = any((folder / name).is_file() for name in (PROPERTIES, "properties"))
    return folder if is_catalogue else None


def read_partitions(catalogue: Path) -> list[Path]:
    """Return the files of the partitions that a catalogue lists, in the order of the sky.

    Raises
    ------
    FileNotFoundError
        A partition that is listed is not there.
    ColumnError
        The listing cannot be read.
    """
    listing = catalogue / LISTING
    try:
        with listing.open(newline="", encoding="utf-8") as lines:
            pixels = [(int(row["Norder"]), int(row["Npix"])) for row in csv.DictReader(lines)]
    except (OSError, KeyError, ValueError) as error:
        raise ColumnError(
            f"The HATS catalogue {str(catalogue)!r} must list its partitions in {LISTING!r}, "
            "with the columns Norder and Npix. Download or write it anew."
        ) from error
    pixels.sort(key=_place)
    return [path for order, pixel in pixels for path in _files_of(catalogue, order, pixel)]


def _place(pixel: tuple[int, int]) -> int:
    """Return the first of the finest pixels that lie in one."""
    order, number = pixel
    return number << 2 * (HATS_ORDER - order)


def _files_of(catalogue: Path, order: int, pixel: int) -> list[Path]:
    """Return the file of a partition, or the files where it is a folder."""
    path = catalogue / hats_partition(order, pixel)
    if path.is_file():
        return [path]
    files = files_below(path.with_suffix(""))
    if not files:
        raise FileNotFoundError(
            f"The HATS catalogue {str(catalogue)!r} lists a partition that is not there: "
            f"{str(path.relative_to(catalogue))!r}. Download or write it anew."
        )
    return files


def _primary_catalogue(properties: Path) -> str:
    """Return the folder of a collection's catalogue, beside which are its margins."""
    for line in properties.read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition("=")
        if name.strip() == "hats_primary_table_url":
            return value.strip()
    raise ColumnError(
        f"The file {str(properties)!r} must name the catalogue as hats_primary_table_url. Pass "
        "the catalogue's own folder."
    )


def _write(path: Path, text: str) -> None:
    _new(path).write_text(text, encoding="utf-8")
    os.replace(_new(path), path)


def _new(path: Path) -> Path:
    """Return the temporary name of a file that is not whole yet, which no other process has."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")
