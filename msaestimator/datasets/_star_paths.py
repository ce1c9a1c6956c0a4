"""The files that are meant by paths of files, folders and HATS catalogues."""

import csv
import os
from collections.abc import Iterable
from pathlib import Path

from msaestimator.exceptions import ColumnError
from msaestimator.tables import expand_home, parquet_paths

__all__ = ["star_paths"]

PROPERTIES = "hats.properties"
"""File that makes a folder a HATS catalogue; older ones have it as ``properties``."""

COLLECTION = "collection.properties"
"""File of a folder that holds a catalogue and its margins."""

DEEPEST = 29
"""Order of the pixels by which the partitions of a catalogue are sorted."""


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
    if (path / COLLECTION).is_file():
        path /= _primary_catalogue(path / COLLECTION)
    if any((path / name).is_file() for name in (PROPERTIES, "properties")):
        return _partitions(path)
    files = parquet_paths(path)
    if not files:
        raise ColumnError(f"The folder {str(path)!r} must have files of stars, got none.")
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


def _partitions(catalogue: Path) -> list[Path]:
    """Return the partitions that a catalogue lists, in the order of the sky."""
    listing = catalogue / "partition_info.csv"
    try:
        with listing.open(newline="", encoding="utf-8") as lines:
            pixels = [(int(row["Norder"]), int(row["Npix"])) for row in csv.DictReader(lines)]
    except (OSError, KeyError, ValueError) as error:
        raise ColumnError(
            f"The HATS catalogue {str(catalogue)!r} must list its partitions in "
            f"{listing.name!r}, with the columns Norder and Npix. Download or write it anew."
        ) from error
    pixels.sort(key=lambda pixel: pixel[1] << 2 * (DEEPEST - pixel[0]))
    return [path for order, pixel in pixels for path in _partition(catalogue, order, pixel)]


def _partition(catalogue: Path, order: int, pixel: int) -> list[Path]:
    """Return the file of a partition, or the files where it is a folder."""
    folder = catalogue / "dataset" / f"Norder={order}" / f"Dir={pixel // 10_000 * 10_000}"
    path = folder / f"Npix={pixel}.parquet"
    if path.is_file():
        return [path]
    files = parquet_paths(folder / f"Npix={pixel}")
    if not files:
        raise FileNotFoundError(
            f"The HATS catalogue {str(catalogue)!r} lists a partition that is not there: "
            f"{str(path.relative_to(catalogue))!r}. Download or write it anew."
        )
    return files
