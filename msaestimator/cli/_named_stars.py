"""The released model's answers for a few stars, beside what APOGEE has published of them."""

import math
from collections.abc import Sequence

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import Table

from msaestimator.datasets import load_apogee_xp
from msaestimator.results import flag_names, usable
from msaestimator.schema import StarTable, get_label

__all__ = ["NAMED_STARS", "answer_table", "apogee_id", "flag_lines", "load_named_stars"]

# Packaged stars of the test side, which no model has seen, picked for what they are and not for
# their answers: of each place the brightest, and the M dwarf that is nearest by its parallax in
# Gaia DR2. Positions tell the places, with [Fe/H] in globular clusters, all within 7' of the
# centre, with log g in the LMC and the parallax in the Pleiades; the star of NGC 752 is among the
# members of Almeida et al. (Gaia EDR3), and the giant in Kepler's field has a seismic mass.
NAMED_STARS = {
    3220200525301526656: "B star in Orion",
    343131568707550848: "F star in NGC 752",
    66481837433947392: "K dwarf in the Pleiades",
    1376860377865794944: "M dwarf 41 pc away",
    2106049346881144064: "giant in Kepler's field",
    4689638678425891712: "giant in 47 Tucanae",
    6083708204298056704: "giant in Omega Centauri",
    1360405503457218048: "giant in Messier 92",
    4661877491594670208: "supergiant in the LMC",
}
"""Gaia DR3 source ids of the stars, and what each is."""

PUBLISHED = ("teff", "logg", "fe_h", "alpha_m")
"""Labels that APOGEE has published of the packaged stars."""

DECIMALS = {"K": 0, "mas": 3}
"""Decimals shown in a unit; two in others."""


def load_named_stars() -> StarTable:
    """Return the packaged rows of the named stars, in order."""
    stars = load_apogee_xp("test")
    rows = {source_id: row for row, source_id in enumerate(stars["source_id"].tolist())}
    return stars[[rows[source_id] for source_id in NAMED_STARS]]


def apogee_id(stars: StarTable) -> list[str]:
    """Return APOGEE's names of packaged stars: ``2M`` and the position in 2MASS.

    The packaged positions are those that the names are made of, to the last digit.
    """
    positions = SkyCoord(stars["ra"], stars["dec"])
    ra = positions.ra.to_string(u.hourangle, sep="", precision=2, pad=True)
    dec = positions.dec.to_string(u.deg, sep="", precision=1, pad=True, alwayssign=True)
    return [f"2M{first}{second}".replace(".", "") for first, second in zip(ra, dec, strict=True)]


def answer_table(stars: StarTable, predictions: StarTable, labels: Sequence[str]) -> Table:
    """Return one row a star: its name, what it is, and "median ± error (APOGEE's)" of each label.

    Parameters
    ----------
    stars, predictions : StarTable of n_stars stars
        Named stars with APOGEE's labels, NaN where it has none, and their table of
        ``predict_table``. An answer that is not `usable` is marked ``*``.
    labels : sequence of str
        Labels to show.
    """
    table = Table({"star": apogee_id(stars)})
    table["what it is"] = [NAMED_STARS[source_id] for source_id in stars["source_id"].tolist()]
    for label in labels:
        unit = get_label(label).unit
        published = stars[label] if label in PUBLISHED else np.full(len(stars), np.nan) * u.one
        columns = (predictions[label], predictions[f"{label}_err"], published)
        numbers = [np.asarray(column.value, dtype=float) for column in columns]
        table[f"{label} [{unit}]"] = [
            _in_words(median, error, known, good, DECIMALS.get(unit, 2))
            for median, error, known, good in zip(
                *numbers, usable(predictions, labels=label), strict=True
            )
        ]
    return table


def _in_words(median: float, error: float, published: float, good: bool, decimals: int) -> str:
    """Return an answer as "median ± error (published)"."""
    answer = f"{median:.{decimals}f} ± {error:.{decimals}f}{'' if good else '*'}"
    return answer if math.isnan(published) else f"{answer} ({published:.{decimals}f})"


def flag_lines(stars: StarTable, predictions: StarTable) -> list[str]:
    """Return the flags of each named star that has any, in words."""
    named = zip(apogee_id(stars), flag_names(predictions), strict=True)
    return [f"{name}: {words}" for name, words in named if words]
