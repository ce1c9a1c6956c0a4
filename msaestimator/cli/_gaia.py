"""Stars for ``msa`` from a Gaia archive, as the options of a verb name them."""

import argparse
import re
from dataclasses import replace
from pathlib import Path

import astropy.units as u
from astropy.coordinates import Angle, SkyCoord
from astropy.table import Column

from msaestimator.archive import SERVICES, GaiaArchive
from msaestimator.cli._files import FORMATS, read_stars
from msaestimator.exceptions import ColumnError
from msaestimator.schema import StarTable

__all__ = ["add_gaia_options", "archive_of", "has_gaia_stars", "stars_of"]


def add_gaia_options(verb: argparse.ArgumentParser) -> None:
    """Add the ways to name stars of the archive, of which one may be used, and the archive."""
    ways = verb.add_mutually_exclusive_group()
    ways.add_argument(
        "--source-id", nargs="+", metavar="ID", help="Gaia source ids, fetched from the archive"
    )
    ways.add_argument(
        "--ids",
        type=Path,
        metavar="FILE",
        help="file with Gaia source ids: one a line, or a table with the column source_id",
    )
    ways.add_argument(
        "--cone",
        nargs=3,
        metavar=("RA", "DEC", "RADIUS"),
        help="stars around a position in degrees; the radius with a unit, such as 2arcmin",
    )
    ways.add_argument("--query", metavar="ADQL", help="stars that a query selects by source_id")
    verb.add_argument(
        "--service",
        choices=sorted(SERVICES),
        help="Gaia archive (default: esa, or local with --tap-url)",
    )
    verb.add_argument("--tap-url", metavar="URL", help="TAP server to ask in place of its own")
    verb.add_argument(
        "--cache",
        type=Path,
        metavar="FOLDER",
        help="folder to keep answers in (default: astropy's cache folder)",
    )


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
        return _read_ids(options.ids)
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


def _read_ids(path: Path) -> Column | list[int]:
    if path.suffix.lower() in FORMATS:
        table = read_stars(path)
        if "source_id" not in table.colnames:
            raise ColumnError(
                f"The table {path.name!r} must have the column 'source_id', got "
                f"{', '.join(table.colnames)}."
            )
        return table["source_id"]
    return [_source_id(word, path.name) for word in path.read_text(encoding="utf-8").split()]


def _source_id(word: str, where: str) -> int:
    if not re.fullmatch(r"[0-9]+", word):
        raise ColumnError(
            f"{where} must have Gaia source ids, which are whole numbers, got {word!r}."
        )
    return int(word)
