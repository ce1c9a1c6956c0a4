"""Stars and dust along a line of sight, and what a parallax adds, as normal approximations."""

from typing import NamedTuple

import numpy as np

from msaestimator.datasets._stellar_evidence import StellarEvidence

__all__ = ["Guess", "guess", "log_prior_over_guess"]

SCALE = 2.0
"""Distance in kpc over which the density of stars falls by e; closer by, it is constant."""

DUST_NEARBY, DUST_PER_KPC = 0.05, 1.0
"""Scale of a half-normal A_V in mag: at the Sun, and what a kpc adds."""

LEAST_SIGNIFICANT = 3.0
"""Parallax over its error from which the distance modulus is about normal."""

_MODULUS, _MODULUS_ERROR = 5.0 * np.log10(3.0 * SCALE) + 10.0, 2.5
_FAR_DUST = 5.0


class Guess(NamedTuple):
    """Normal distributions to draw distance moduli and extinctions from, of n stars each.

    Parameters
    ----------
    modulus, modulus_weight : ndarray of shape (n_stars,)
        Mean in mag and inverse variance of the distance modulus.
    a_v_weight : ndarray of shape (n_stars,)
        Inverse variance of A_V, whose mean is 0.
    """

    modulus: np.ndarray
    modulus_weight: np.ndarray
    a_v_weight: np.ndarray


def guess(stars: StellarEvidence) -> Guess:
    """Return what parallax and prior tell about stars' distances and extinctions."""
    with np.errstate(invalid="ignore"):
        significance = stars.parallax / stars.parallax_error
        tells = significance > LEAST_SIGNIFICANT
    parallax = np.where(tells, stars.parallax, 1.0)
    error = np.where(tells, 5.0 / np.log(10.0) / np.where(tells, significance, 1.0), np.inf)
    prior_weight = _MODULUS_ERROR**-2
    weight = error**-2 + prior_weight
    modulus = ((10.0 - 5.0 * np.log10(parallax)) * error**-2 + _MODULUS * prior_weight) / weight
    a_v = np.where(tells, DUST_NEARBY + DUST_PER_KPC * (1.0 + error) / parallax, _FAR_DUST)
    return Guess(modulus, weight, a_v**-2)


def log_prior_over_guess(
    stars: StellarEvidence, guessed: Guess, modulus: np.ndarray, a_v: np.ndarray
) -> np.ndarray:
    """Return the logarithm of prior times the parallax's likelihood, over what was guessed.

    Parameters
    ----------
    stars : StellarEvidence of n_stars
    guessed : Guess of n_stars
    modulus, a_v : ndarray of shape (n_stars, n_points)
        Distance moduli and extinctions, in mag.
    """
    distance = 10.0 ** (0.2 * modulus - 2.0)
    dust = DUST_NEARBY + DUST_PER_KPC * distance
    centre, weight, a_v_weight = (part[:, np.newaxis] for part in guessed)
    exact = 3.0 * np.log(distance) - distance / SCALE - 0.5 * (a_v / dust) ** 2 - np.log(dust)
    exact -= 0.5 * parallax_misfit(stars, distance)
    return exact + 0.5 * (weight * (modulus - centre) ** 2 + a_v_weight * a_v**2)


def parallax_misfit(stars: StellarEvidence, distance: np.ndarray) -> np.ndarray:
    """Return chi squared of the parallax at distances in kpc, (n_stars, n_points); 0 of none."""
    known = np.isfinite(stars.parallax)
    error = np.where(known, stars.parallax_error, np.inf)[:, np.newaxis]
    return ((np.nan_to_num(stars.parallax)[:, np.newaxis] - 1.0 / distance) / error) ** 2
