"""Stars made fainter beside real faint ones: errors and signal-to-noise of XP coefficients.

Run from the repository's root::

    python benchmarks/fainter.py --real field_xp.parquet field_magnitudes.parquet

takes real stars with the archive's coefficients from tables that share ``source_id``, and makes
the packaged stars brighter than G = 13 as faint as these. Without ``--real`` the faintest packaged
stars, whose errors are derived, stand for them.
"""

import argparse
from pathlib import Path

import numpy as np
from astropy.table import join
from common.options import make_parser, read_options
from common.tables import ResultTable

from msaestimator.datasets import load_apogee_xp, make_fainter
from msaestimator.schema import G_BAND, GAIA_DR3, CoefficientArray, StarTable, g_flux
from msaestimator.tables import read_stars

HEADER = (
    "G, band",
    "real stars",
    "error / G flux, 1st, 2nd, 31st (1e-5)",
    "of copies",
    "coefficient / error, 1st, 2nd, 31st",
    "of copies",
)
ORDERS = [0, 1, 30]
BRIGHT = 13.0
HALF_WIDTH = 0.2
FEWEST = 20
SHOWN_G = (14.5, 15.0, 16.0, 16.75, 17.5)


def load_real(paths: list[Path]) -> StarTable:
    """Return the stars that tables share, or the faintest packaged ones if there are none."""
    if not paths:
        stars = load_apogee_xp()
        return stars[stars[G_BAND].value > BRIGHT + 1.0]
    stars, *others = map(read_stars, paths)
    for other in others:
        stars = join(stars, other, keys="source_id")
    return stars


def medians(stars: StarTable, array: CoefficientArray) -> list[str]:
    """Return the median errors relative to the flux, and ratios to the errors, as cells."""
    errors = np.asarray(stars[array.error], dtype=float)
    relative = 1e5 * errors / g_flux(np.asarray(stars[G_BAND], dtype=float))[:, np.newaxis]
    ratio = np.abs(np.asarray(stars[array.name]) / errors)
    return [
        " / ".join(f"{value:.4g}" for value in np.nanmedian(matrix, axis=0)[ORDERS])
        for matrix in (relative, ratio)
    ]


def compare(options: argparse.Namespace) -> None:
    """Write a row for each G and band."""
    table = ResultTable(options.tables / "fainter.inc", HEADER)
    real, bright = load_real(options.real), load_apogee_xp("test")
    bright = bright[bright[G_BAND].value < BRIGHT]
    magnitude = np.asarray(real[G_BAND], dtype=float)
    for g in SHOWN_G:
        there = real[np.abs(magnitude - g) < HALF_WIDTH]
        if len(there) < FEWEST:
            continue
        copies = make_fainter(bright, g, random_state=0)
        for array in GAIA_DR3.arrays:
            (error, ratio), (error_made, ratio_made) = (
                medians(stars, array) for stars in (there, copies)
            )
            cells = len(there), error, error_made, ratio, ratio_made
            table.add(f"{g}, {array.prefix.upper()}", *cells)


def main() -> None:
    """Compare."""
    parser = make_parser(__doc__ or "")
    parser.add_argument("--real", type=Path, nargs="+", default=[], help="tables of real stars")
    compare(read_options(parser))


if __name__ == "__main__":
    main()
