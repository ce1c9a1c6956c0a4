"""Stars for ``msa`` from a Gaia archive, as the options of a verb name them."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.coordinates import Angle, SkyCoord

from msaestimator.archive import NAME_STATUS, SERVICES, GaiaArchive, resolve_names
from msaestimator.exceptions import ColumnError
from msaestimator.schema import StarTable
from msaestimator.tables import check_source_ids, is_source_id, is_table_path, read_stars

__all__ = ["archive_of", "has_gaia_stars", "read_ids", "stars_of"]


def archive_of(options: argparse.Namespace) -> GaiaArchive:
    """Return the archive that the options name."""
    own_server = options.tap_url is not None
    # ESA's spectra come from a server beside its TAP, which another TAP server has not.
    service = SERVICES[options.service or ("local" if own_server else "esa")]
    if own_server:
        service = replace(service, tap_url=options.tap_url)
    return GaiaArchive(service, cache=True if options.cache is None else options.cache)


def has_gaia_stars(options: argparse.Namespace) -> bool:
    """Tell whether an option names stars of the archive."""
    ways = (options.source_id, options.ids, options.name, options.cone, options.query)
    return any(way is not None for way in ways)


def stars_of(options: argparse.Namespace, archive: GaiaArchive) -> StarTable | np.ndarray | str:
    """Return the stars that the options name, in a form that ``predict_from_gaia`` takes."""
    if options.source_id is not None:
        return check_source_ids(options.source_id, name="--source-id")
    if options.ids is not None:
        return read_ids(options.ids, options.hdu)
    if options.name is not None:
        return _resolve(options.name)
    if options.cone is not None:
        return archive.cone_search(*_cone(*options.cone))
    return options.query


def _cone(ra: str, dec: str, radius: str) -> tuple[SkyCoord, Angle]:
    try:
        return SkyCoord(ra, dec, unit=u.deg), Angle(radius)
    except (ValueError, u.UnitsError) as error:
        raise ColumnError(
            "--cone must be right ascension and declination in degrees and a radius with its "
            f"unit, such as 56.75 24.12 2arcmin, got {ra} {dec} {radius}: {error}"
        ) from error


def read_ids(path: Path, hdu: str | None) -> np.ndarray:
    """Return the Gaia ids of a file: one a line, or the column of a table."""
    if not is_table_path(path):
        return check_source_ids(_words(_text(path)), name=path.name)
    table = read_stars(path, hdu)
    names = table.colnames
    if len(names) == 1 and is_source_id(names[0]):
        # A CSV file of ids alone, without a header.
        return check_source_ids([names[0], *table[names[0]].tolist()], name=path.name)
    return check_source_ids(table, name=repr(path.name))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ColumnError(
            f"The file {str(path)!r} cannot be read as text of ids: {error}. Give a table of "
            "another format its ending."
        ) from error


def _words(text: str) -> list[str]:
    """Return the ids of a text: one a line, or several without Gaia's name before them."""
    lines = text.splitlines()
    return [word for line in lines for word in ([line] if is_source_id(line) else line.split())]


def _resolve(names: Sequence[str]) -> StarTable:
    """Return names with their ids; a name without exactly one is an error that tells all."""
    stars = resolve_names(names)
    unresolved = stars[stars["source_id"].mask]
    if len(unresolved):
        told = [
            f"'{name}': {NAME_STATUS[status]}" + (f" ({candidates})" if candidates else "")
            for name, status, candidates in unresolved["name", "status", "candidates"].iterrows()
        ]
        raise ColumnError(
            f"--name must be names of stars with one Gaia DR3 id, but {len(told)} of {len(stars)} "
            f"are not. {'; '.join(told)}. Leave them out, or give an id by --source-id."
        )
    return stars
