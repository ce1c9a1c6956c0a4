"""Measurements of stars farther away, with the noise that the surveys have there."""

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import Table

from msaestimator.datasets._columns import (
    read_coefficients,
    read_matrix,
    read_numbers,
    write_coefficients,
    write_numbers,
)
from msaestimator.datasets._farther import Farther
from msaestimator.datasets._observing import MOTION_FACTORS, parallax_error
from msaestimator.datasets._surveys import SURVEYS, Survey
from msaestimator.datasets._xp_noise import load_xp_noise
from msaestimator.datasets._xp_spectra import XP_FAINT_LIMIT
from msaestimator.schema import G_BAND, GAIA_DR3

__all__ = ["dim_astrometry", "dim_g", "dim_photometry", "dim_spectra", "move_truth"]

# Scatter of the archive's coefficient errors at one G, from star to star, in dex. It is the
# noise table's of G > 16.5; brighter, a few stars with errors ten times too large make its own.
_XP_SCATTER = 0.065


def _louder(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return the standard error to add to one that is ``before`` to make it ``after``."""
    return np.sqrt(np.maximum(after**2 - before**2, 0.0))


def _total(own: np.ndarray | None, typical: np.ndarray, added: np.ndarray) -> np.ndarray:
    """Return standard errors after noise was added; an own one not known is ``typical``."""
    return np.hypot(typical if own is None else np.where(own > 0, own, typical), added)


def _own_errors(table: Table, name: str, unit: str) -> np.ndarray | None:
    """Return a column of errors, NaN unknown; None if there is none."""
    return read_numbers(table, name, unit) if name in table.colnames else None


def dim_g(
    table: Table, own_g: np.ndarray, new_g: np.ndarray, rng: np.random.RandomState
) -> Farther:
    """Set G and its error; return the change of distance, which has the noise that G has not."""
    gaia = next(survey for survey in SURVEYS if survey.block == "gaia")
    depth = gaia.depths[GAIA_DR3.block("gaia").index(G_BAND)]
    typical = gaia.error(own_g, depth)
    added = _louder(typical, gaia.error(new_g, depth))
    error_name = GAIA_DR3[G_BAND].error or ""
    error = _total(_own_errors(table, error_name, "mag"), typical, added)
    write_numbers(table, error_name, error, "mag", G_BAND)
    write_numbers(table, G_BAND, new_g, "mag", G_BAND)
    return Farther(new_g - own_g - added * rng.standard_normal(len(added)))


def dim_photometry(
    table: Table, survey: Survey, farther: Farther, rng: np.random.RandomState
) -> None:
    """Set the other magnitudes of a survey and their errors."""
    seen = _footprint(table, survey)
    for name, depth in zip(GAIA_DR3.block(survey.block), survey.depths, strict=True):
        if name not in table.colnames or name == G_BAND:
            continue
        own = read_numbers(table, name, "mag")
        shifted, typical = farther.magnitude(own), survey.error(own, depth)
        added = _louder(typical, survey.error(shifted, depth))
        noisy = _with_flux_noise(shifted, added * rng.standard_normal(len(added)))
        measured = seen & survey.measures(noisy, depth)
        write_numbers(table, name, np.where(measured, noisy, np.nan), "mag", name)
        if error_name := GAIA_DR3[name].error:
            error = _total(_own_errors(table, error_name, "mag"), typical, added)
            write_numbers(table, error_name, np.where(measured, error, np.nan), "mag", name)


def _with_flux_noise(magnitude: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Add noise in mag to first order, which is normal in the flux; NaN where no flux is left.

    Far below a survey's limit noise that is normal in the magnitude would often make a star
    bright enough for it.
    """
    left = 1.0 - noise * np.log(10.0) / 2.5
    return magnitude - 2.5 * np.log10(np.where(left > 0.0, left, np.nan))


def _footprint(table: Table, survey: Survey) -> np.ndarray:
    """Tell which stars a survey sees; one without a position is seen."""
    seen = np.ones(len(table), dtype=bool)
    if not {"ra", "dec"}.issubset(table.colnames):
        return seen
    ra, dec = read_numbers(table, "ra", "deg"), read_numbers(table, "dec", "deg")
    placed = np.isfinite(ra) & (np.abs(dec) <= 90.0)
    seen[placed] = survey.footprint(SkyCoord(ra[placed], dec[placed], unit="deg"))
    return seen


def dim_astrometry(
    table: Table,
    own_g: np.ndarray,
    new_g: np.ndarray,
    farther: Farther,
    rng: np.random.RandomState,
) -> None:
    """Set parallax and proper motions and their errors."""
    for name, factor in MOTION_FACTORS.items():
        if name not in table.colnames:
            continue
        column = GAIA_DR3[name]
        error_name = column.error or ""
        shrunk = farther.angle(read_numbers(table, name, column.unit))
        typical = farther.angle(factor * parallax_error(own_g))
        added = _louder(typical, factor * parallax_error(new_g))
        own = _own_errors(table, error_name, column.unit)
        error = _total(own if own is None else farther.angle(own), typical, added)
        error = np.where(np.isnan(shrunk), np.nan, error)
        noisy = shrunk + added * rng.standard_normal(len(added))
        write_numbers(table, name, noisy, column.unit, name)
        write_numbers(table, error_name, error, column.unit, name)


def dim_spectra(
    table: Table,
    own_g: np.ndarray,
    new_g: np.ndarray,
    farther: Farther,
    rng: np.random.RandomState,
) -> None:
    """Set coefficients, their errors and the numbers of relevant bases."""
    noise = load_xp_noise()
    published = (new_g <= XP_FAINT_LIMIT)[:, np.newaxis]
    for array in GAIA_DR3.arrays:
        coefficients = read_coefficients(table, array)
        if coefficients is None:
            continue
        own = None
        if array.error in table.colnames:
            own = farther.flux(read_matrix(table, array.error, array.size))
        scaled = farther.flux(coefficients)
        typical = farther.flux(noise.errors(array, own_g))
        scatter = 10.0 ** (_XP_SCATTER * rng.standard_normal((len(table), 1)))
        added = scatter * _louder(typical, noise.errors(array, new_g))
        measured = published & np.isfinite(scaled)
        noisy = scaled + added * rng.standard_normal(added.shape)
        error = np.where(measured, _total(own, typical, added), np.nan)
        write_coefficients(table, array, np.where(measured, noisy, np.nan), error)
        if array.relevant_bases in table.colnames:
            fewer = noise.n_relevant(array, new_g) / noise.n_relevant(array, own_g)
            _cut_bases(table, array.relevant_bases, fewer)


def _cut_bases(table: Table, name: str, fewer: np.ndarray) -> None:
    """Set the numbers of relevant bases, integers of at least 1; what is missing stays so."""
    numbers = read_numbers(table, name, "")
    known = np.isfinite(numbers)
    kept = np.maximum(np.rint(numbers[known] * fewer[known]), 1.0)
    table[name][known] = kept.astype(table[name].dtype)


def move_truth(table: Table, farther: Farther) -> None:
    """Set what a mock survey tells of the true distance, as far as it is there."""
    for name, unit, move in (
        ("true_distance", "kpc", farther.distance),
        ("true_parallax", "mas", farther.angle),
    ):
        if name in table.colnames:
            write_numbers(table, name, move(read_numbers(table, name, unit)), unit, name)
