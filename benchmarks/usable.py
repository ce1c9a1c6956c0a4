"""Stars that `usable` keeps of those the released model has not seen, and what that buys.

Run from the repository's root::

    python benchmarks/usable.py

asks the released regressor for the packaged test stars: as they are, with columns hidden, and the
hot ones alone. They have spectra, magnitudes of Gaia and 2MASS and E(B-V), and once parallaxes
too. Of each label it counts which predictions are usable, alone and strictly; and of all stars
that APOGEE knows the label of, of the usable ones and of the others, the NMAD, the share of
outliers (farther off than five times the NMAD of all), and how many 68 % intervals hold the truth.
"""

from collections.abc import Callable

import astropy.units as u
import numpy as np
from common.options import make_parser, read_options
from common.stars import UNITS, load_split, with_parallax
from common.tables import ResultTable

from msaestimator import StellarParameterRegressor
from msaestimator.metrics import coverage, hide_xp, nmad
from msaestimator.results import usable
from msaestimator.schema import StarTable

HEADER = (
    "stars, label",
    "usable",
    "strict",
    "NMAD, all / usable / others",
    "outliers",
    "in the 68 % interval",
)
TMASS = ("j_m", "h_m", "ks_m")
COLORS = ("phot_bp_mean_mag", "phot_rp_mean_mag")
HOT = 7000 * u.K
OUTLIER = 5.0
FEWEST = 10


def without(*columns: str) -> Callable[[StarTable], StarTable]:
    """Return a function that hides columns of stars."""

    def hide(stars: StarTable) -> StarTable:
        stars = stars.copy()
        for name in columns:
            stars[name] = np.full_like(stars[name], np.nan)
        return stars

    return hide


VIEWS: dict[str, Callable[[StarTable], StarTable]] = {
    "as they are": lambda stars: stars,
    "with a parallax": with_parallax,
    "without XP": hide_xp,
    "without 2MASS": without(*TMASS),
    "without E(B-V)": without("ebv"),
    "without BP and RP magnitudes": without(*COLORS),
    "hotter than 7,000 K": lambda stars: stars[stars["teff"] > HOT],
}
"""What the model is told, of which stars."""


def of_each(function: Callable[[np.ndarray], float], masks: list[np.ndarray], form: str) -> str:
    """Return a figure of several selections of stars as one cell; a dash of too few."""
    return " / ".join(
        format(function(mask), form) if mask.sum() >= FEWEST else "–" for mask in masks
    )


def shares(answers: StarTable, label: str | None) -> list[str]:
    """Return which stars are usable for a label, or for all, leniently and strictly."""
    return [f"{usable(answers, label, strict=strict).mean():.1%}" for strict in (False, True)]


def score(stars: StarTable, answers: StarTable, label: str) -> list[str]:
    """Return the cells of a row: shares that are kept, and errors of what is and is not."""
    kept = usable(answers, label)
    truth = stars[label].to_value(UNITS[label])
    median, low, high = (answers[label + end].value for end in ("", "_lower", "_upper"))
    known = np.isfinite(truth)
    masks = [known, known & kept, known & ~kept]
    off = np.abs(median - truth)
    limit = OUTLIER * nmad(truth, median)
    return [
        *shares(answers, label),
        of_each(lambda m: nmad(truth[m], median[m]), masks, ".3g"),
        of_each(lambda m: np.mean(off[m] > limit), masks, ".1%"),
        of_each(lambda m: coverage(truth[m], low[m], high[m]), masks, ".0%"),
    ]


def main() -> None:
    """Ask, score and print."""
    parser = make_parser(__doc__)
    parser.add_argument("--model", default="gaia-xp", help="released, or a folder")
    options = read_options(parser)
    _, test = load_split(toy=options.toy)
    regressor = StellarParameterRegressor.from_pretrained(options.model)
    table = ResultTable(options.tables / "usable.inc", HEADER)
    for view, show in VIEWS.items():
        stars = show(test)
        answers = regressor.predict_table(stars)
        table.add(f"{view}, all labels", *shares(answers, None), "", "", "")
        for label, unit in UNITS.items():
            table.add(f"{view}, {label} [{unit}]", *score(stars, answers, label))
        for label in (name for name in regressor.labels_ if name not in UNITS):
            table.add(f"{view}, {label}", *shares(answers, label), "", "", "")


if __name__ == "__main__":
    main()
