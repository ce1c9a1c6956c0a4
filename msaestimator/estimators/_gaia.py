"""Stars for estimators from a Gaia archive, with reddening, and what is known of each."""

import re
import warnings
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import Table

from msaestimator.archive import ArchiveFlag, GaiaArchive
from msaestimator.dust import add_reddening
from msaestimator.exceptions import ArchiveWarning
from msaestimator.preprocessing import open_stars, read_column
from msaestimator.results import observed_blocks
from msaestimator.schema import FeatureSchema, StarTable
from msaestimator.tables import NamedColumns, as_table, named_columns, with_known_names

__all__ = ["fetch_stars", "fetch_training_stars", "with_provenance"]


def fetch_stars(
    stars: Any,
    archive: GaiaArchive | None,
    dust_map: Any,
    schema: FeatureSchema,
    *,
    aliases: bool = True,
) -> Table:
    """Return stars with every feature.

    Parameters
    ----------
    stars : int, str, array-like or table
        Source ids in any form; ADQL that selects ``source_id``; a table with ``source_id`` and
        without features of the schema, whose reddening is kept; or stars with features, such as
        an archive gave, for which nothing is asked.
    archive : GaiaArchive, optional
        Archive to ask; None is ESA's.
    dust_map : str, callable or None
        Map of the reddening, as in `add_reddening`; None adds no reddening. Reddening that a table
        brings is kept.
    schema : FeatureSchema
        Features that tell stars from a list of ids.
    aliases : bool
        Whether a table's columns are known by other names too.

    Warns
    -----
    ArchiveWarning
        A table has both ids and features, and none of the spectra that an archive would give.
    RenamedColumnWarning
        A table's columns were taken by other names than theirs.
    """
    archive = GaiaArchive() if archive is None else archive
    if isinstance(stars, str) and re.search(r"\bselect\b", stars, re.IGNORECASE):
        fetched = archive.query(stars)
    else:
        columns = None if isinstance(stars, str | bytes) else _open(stars, schema, aliases)
        if columns is None or not _features(columns, schema):
            fetched = archive.fetch_features(stars if columns is None else columns)
            if columns is not None and "ebv" in columns:
                fetched["ebv"] = read_column(columns, "ebv", "mag") << u.mag
        else:
            _warn_of_features(columns, schema)
            fetched = as_table(columns)
    if dust_map is None or "ebv" in fetched.colnames:
        return fetched
    return add_reddening(fetched, dust_map)


def _open(stars: Any, schema: FeatureSchema, aliases: bool) -> NamedColumns | None:
    """Return the columns of stars, or of a table of ids, by known names; None of ids alone."""
    columns = open_stars(stars, schema, aliases=aliases)
    if columns is not None:
        return columns
    columns = named_columns(stars)
    if columns is None:
        return None
    return with_known_names(columns, {"source_id", "ebv"}, aliases=aliases)


def _features(columns: NamedColumns, schema: FeatureSchema) -> list[str]:
    """Return the names of features among columns; reddening, which no archive has, is none."""
    known = {*schema.names, *(array.name for array in schema.arrays)} - {"ebv"}
    return [name for name in columns.names if name in known]


def _warn_of_features(columns: NamedColumns, schema: FeatureSchema) -> None:
    """Warn of a list of ids that is taken for stars, since it has features too."""
    found = _features(columns, schema)
    spectra = {
        *(c.name for a in schema.arrays for c in a.columns),
        *(a.name for a in schema.arrays),
    }
    if "source_id" in columns and not spectra.intersection(found):
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        warnings.warn(
            f"The table brings features of its own, {', '.join(found[:3])}{more}, so nothing is "
            "asked of the archive and no spectra are used. Pass stars['source_id'] to fetch all.",
            ArchiveWarning,
            stacklevel=4,
        )


def fetch_training_stars(
    stars: Any,
    archive: GaiaArchive | None,
    dust_map: Any,
    schema: FeatureSchema,
    *,
    aliases: bool = True,
) -> Table:
    """Return stars as `fetch_stars`, without candidates for galaxies and quasars.

    Thesis section 2.2: a star to learn from is no such candidate.
    """
    fetched = fetch_stars(stars, archive, dust_map, schema, aliases=aliases)
    if "archive_flags" not in fetched.colnames:
        return fetched
    candidate = np.asarray(fetched["archive_flags"] & ArchiveFlag.EXTRAGALACTIC_CANDIDATE) != 0
    if candidate.any():
        warnings.warn(
            f"{int(candidate.sum())} of {len(fetched)} sources are left out: the Gaia archive "
            "lists them as candidates for galaxies or quasars.",
            ArchiveWarning,
            stacklevel=3,
        )
    return fetched[~candidate]


def with_provenance(predictions: StarTable, stars: Table, schema: FeatureSchema) -> StarTable:
    """Return predictions with the archive's flags and which surveys and XP bands there were."""
    if "archive_flags" in stars.colnames:
        predictions["archive_flags"] = stars["archive_flags"]
    for name, observed in observed_blocks(stars, schema).items():
        predictions[name] = observed
    return predictions
