"""Numbers of stars at each step of making a training set, as the thesis's Table 2.1 has them."""

from collections import Counter

import numpy as np
from astropy.table import QTable, Table

from msaestimator.datasets._survey_rows import SURVEY_BLOCKS
from msaestimator.schema import GAIA_DR3
from msaestimator.tables import raw_column

__all__ = ["KEPT", "READ", "WITH_XP", "WRITTEN", "count_surveys", "counts_table", "is_known"]

READ, WITH_XP, KEPT, WRITTEN = "read", "xp", "kept", "written"
"""Steps of every training set."""

TITLES = {
    READ: "sources read",
    WITH_XP: "sources with XP coefficients",
    KEPT: "with a parallax, no quasar or galaxy candidate",
    "tmass": "with 2MASS magnitudes",
    "wise": "with CatWISE magnitudes",
    "skymapper": "with SkyMapper magnitudes",
    "ps1": "with Pan-STARRS 1 magnitudes",
    "sdss": "with SDSS magnitudes",
    WRITTEN: "rows in the training set",
}


def count_surveys(stars: Table) -> Counter[str]:
    """Return the numbers of stars that have any magnitude of each survey."""
    counts: Counter[str] = Counter()
    for block in SURVEY_BLOCKS:
        observed = np.zeros(len(stars), dtype=bool)
        for name in GAIA_DR3.block(block):
            if name in stars.colnames:
                observed |= is_known(stars, name)
        counts[block] = int(observed.sum())
    return counts


def is_known(stars: Table, name: str) -> np.ndarray:
    """Tell of each star whether a column, or any number of an array, is there."""
    values, mask, _ = raw_column(stars[name])
    known: np.ndarray = (~mask & np.isfinite(values)).any(axis=tuple(range(1, values.ndim)))
    return known


def counts_table(counts: Counter[str]) -> QTable:
    """Return numbers of stars in the form of the thesis's Table 2.1."""
    return QTable({"stars": [*TITLES.values()], "n": [counts[step] for step in TITLES]})
