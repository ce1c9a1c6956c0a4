"""Stars for estimators from a Gaia archive, with reddening, and what is known of each."""

import warnings
from typing import Any

import numpy as np
from astropy.table import Table

from msaestimator.archive import ArchiveFlag, GaiaArchive
from msaestimator.dust import add_reddening
from msaestimator.exceptions import ArchiveWarning
from msaestimator.results import observed_blocks
from msaestimator.schema import FeatureSchema, StarTable

__all__ = ["fetch_stars", "fetch_training_stars", "with_provenance"]


def fetch_stars(stars: Any, archive: GaiaArchive | None, dust_map: Any) -> Table:
    """Return stars with every feature.

    Parameters
    ----------
    stars : array-like of int, str, or Table
        Source ids; ADQL that selects ``source_id``; or stars that an archive gave.
    archive : GaiaArchive, optional
        Archive to ask; None is ESA's.
    dust_map : str, callable or None
        Map of the reddening, as in `add_reddening`; None adds no reddening. Reddening that a table
        brings is kept.
    """
    archive = GaiaArchive() if archive is None else archive
    if isinstance(stars, str):
        stars = archive.query(stars)
    elif not isinstance(stars, Table):
        stars = archive.fetch_features(stars)
    if dust_map is None or "ebv" in stars.colnames:
        return stars
    return add_reddening(stars, dust_map)


def fetch_training_stars(stars: Any, archive: GaiaArchive | None, dust_map: Any) -> Table:
    """Return stars as `fetch_stars`, without candidates for galaxies and quasars.

    Thesis section 2.2: a star to learn from is no such candidate.
    """
    fetched = fetch_stars(stars, archive, dust_map)
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
