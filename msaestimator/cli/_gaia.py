"""Stars for ``msa`` from a Gaia archive, as the options of a verb name them."""

import argparse
import re
from dataclasses import replace
from pathlib import Path

import astropy.units as u
from astropy.coordinates import Angle, SkyCoord
from astropy.table import Column

from msaestimator.archive import SERVICES, GaiaArchive
from msaestimator.exceptions import ColumnError
from msaestimator.schema import StarTable
from msaestimator.tables import is_table_path, read_stars

__all__ = ["archive_of", "has_gaia_stars", "stars_of"]


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
    ways = (options.source_id, options.ids, options.cone, options.query)
    return any(way is not None for way in ways)


def stars_of(
    options: argparse.Namespace, archive: GaiaArchive
) -> StarTable | Column | list[int] | str:
    """Return the stars that the options name, in a form that ``predict_from_gaia`` takes."""
    if options.source_id is not None:
        return [_source_id(word, "--source-id") for word in options.source_id]
    if options.ids is not None:
        return _read_ids(options.ids, options.hdu)
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


def _read_ids(path: Path, hdu: str | None) -> Column | list[int]:
    if not is_table_path(path):
        return [_source_id(word, path.name) for word in path.read_text(encoding="utf-8").split()]
    table = read_stars(path, hdu)
    names = table.colnames
    if len(names) == 1 and names[0].isdecimal():
        # A CSV file of ids alone, without a header.
        return [int(names[0]), *map(int, table[names[0]])]
    if "source_id" not in names:
        raise ColumnError(
            f"The table {path.name!r} must have the column 'source_id', got {', '.join(names)}."
        )
    return table["source_id"]


def _source_id(word: str, where: str) -> int:
    if not re.fullmatch(r"[0-9]+", word):
        raise ColumnError(
            f"{where} must have Gaia source ids, which are whole numbers, got {word!r}."
        )
    return int(word)
