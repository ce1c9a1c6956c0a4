"""Stars of the isochrones that could be the observed ones, with weights, drawn for each star."""

from typing import NamedTuple

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri

from msaestimator.datasets._distance_prior import (
    Guess,
    guess,
    log_prior_over_guess,
    parallax_misfit,
)
from msaestimator.datasets._isochrone_library import (
    COLUMNS,
    POINTS_PER_VOXEL,
    load_isochrone_library,
)
from msaestimator.datasets._stellar_evidence import StellarEvidence
from msaestimator.datasets._voxel_scores import voxel_scores

__all__ = ["Draws", "draw_from_posterior"]

N_DRAWS = 1536

NEGLIGIBLE = 16.0
"""Score below the best one from which voxels are left out."""

SOLAR_LOGG = 4.438

LEAST_CUT = -30.0
"""Mean over standard deviation of A_V below which all models are equally impossible."""

# Multiples of the plastic number's powers, without their whole parts, fill a square evenly.
_PLASTIC = 1.324717957244746
_EVEN, _SECOND = (np.arange(1, N_DRAWS + 1) * step % 1.0 for step in (1 / _PLASTIC, _PLASTIC**-2))
_NORMAL = ndtri(_SECOND)


class Draws(NamedTuple):
    """Draws from the posterior of n stars.

    Parameters
    ----------
    weight : ndarray of shape (n_stars, n_draws)
        Weights, the largest of each star 1.
    mass, age, radius, distance, a_v : ndarray of shape (n_stars, n_draws)
        Masses in solMass, ages in Gyr, radii in solRad, distances in kpc, A_V in mag; the last
        two are NaN of stars without a magnitude.
    log_likelihood : ndarray of shape (n_stars,)
        Minus half of chi squared of the best draw.
    """

    weight: np.ndarray
    mass: np.ndarray
    age: np.ndarray
    radius: np.ndarray
    distance: np.ndarray
    a_v: np.ndarray
    log_likelihood: np.ndarray


class _Photometry(NamedTuple):
    """A distance modulus and an A_V for each draw, and how well magnitudes agree with it.

    Parameters
    ----------
    log_evidence : ndarray of shape (n_stars, n_draws)
        Logarithm of the likelihood, over all that distance and A_V could be by the guess.
    modulus, a_v : ndarray of shape (n_stars, n_draws)
        Distance modulus and A_V, in mag.
    misfit : ndarray of shape (n_stars, n_draws)
        Chi squared of the magnitudes.
    """

    log_evidence: np.ndarray
    modulus: np.ndarray
    a_v: np.ndarray
    misfit: np.ndarray


def draw_from_posterior(stars: StellarEvidence) -> Draws:
    """Draw models for each star, the same ones each time.

    Voxels are drawn by their scores, evenly (systematic sampling), and points in them in turn;
    weights make up for the difference between the scores and the posterior at the points.
    """
    library, guessed = load_isochrone_library(), guess(stars)
    voxels, scores = _draw_voxels(voxel_scores(stars, guessed))
    places = voxels * POINTS_PER_VOXEL + np.arange(N_DRAWS) % POINTS_PER_VOXEL
    drawn = library.values.reshape(-1, library.values.shape[-1])[places]
    columns = np.ascontiguousarray(np.moveaxis(drawn, -1, 0))
    mass, log_age, parameters = (columns[COLUMNS[n]] for n in ("mass", "log_age", "parameters"))
    misfit = _parameter_misfit(stars, parameters)
    log_weight = library.log_prior.reshape(-1)[places] - scores - 0.5 * misfit
    seen = stars.has_photometry[:, np.newaxis]
    photometry = _match_magnitudes(stars, guessed, columns)
    distance = 10.0 ** (0.2 * photometry.modulus - 2.0)
    from_distance = photometry.log_evidence + log_prior_over_guess(
        stars, guessed, photometry.modulus, photometry.a_v
    )
    log_weight += np.where(seen, from_distance, 0.0)
    misfit += np.where(seen, photometry.misfit + parallax_misfit(stars, distance), 0.0)
    return Draws(
        np.exp(log_weight - log_weight.max(axis=1, keepdims=True)),
        mass,
        10.0 ** (log_age - 9.0),
        np.sqrt(mass * 10.0 ** (SOLAR_LOGG - parameters[1])),
        np.where(seen, distance, np.nan),
        np.where(seen, photometry.a_v, np.nan),
        -0.5 * misfit.min(axis=1),
    )


def _draw_voxels(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return voxels, (n_stars, N_DRAWS), drawn by their scores, and the scores of these."""
    wanted = (np.arange(N_DRAWS) + 0.5) / N_DRAWS
    voxels = np.empty((len(scores), N_DRAWS), dtype=np.intp)
    of_draws = np.empty((len(scores), N_DRAWS))
    for row, score in enumerate(scores):
        possible = np.flatnonzero(score > score.max() - NEGLIGIBLE)
        relative = score[possible] - score.max()
        cumulative = np.cumsum(np.exp(relative), dtype=np.float64)
        drawn = np.searchsorted(cumulative, wanted * cumulative[-1])
        voxels[row], of_draws[row] = possible[drawn], relative[drawn]
    return voxels, of_draws


def _parameter_misfit(stars: StellarEvidence, parameters: np.ndarray) -> np.ndarray:
    """Return chi squared of the stars' parameters, (n_stars, n_draws)."""
    total = np.zeros(parameters.shape[1:])
    for place, model in enumerate(parameters):
        known = np.isfinite(stars.parameters[:, place])
        error = np.where(known, stars.parameter_errors[:, place], np.inf)[:, np.newaxis]
        total += ((np.nan_to_num(stars.parameters[:, place])[:, np.newaxis] - model) / error) ** 2
    return total


def _match_magnitudes(stars: StellarEvidence, guessed: Guess, columns: np.ndarray) -> _Photometry:
    """Draw a distance modulus and an A_V for each model, by what the magnitudes leave open.

    Magnitudes are linear in both, so that their distribution is a normal one, cut at A_V = 0.
    """
    modulus, modulus_weight, a_v_weight = (part[:, np.newaxis] for part in guessed)
    weight = np.nan_to_num(stars.magnitude_errors**-2)
    total = weight.sum(axis=1, keepdims=True)
    magnitudes, extinctions = columns[COLUMNS["magnitudes"]], columns[COLUMNS["extinctions"]]
    # Weighted sums over bands: of what is left to explain (r), of extinctions (k), of products.
    r, rr, rk, k, kk = np.zeros((5, *columns.shape[1:]))
    for band in np.flatnonzero(weight.any(axis=0)):
        of_band, extinction = weight[:, band, np.newaxis], extinctions[band]
        magnitude = np.nan_to_num(stars.magnitudes[:, band, np.newaxis])
        rest = magnitude - modulus - magnitudes[band]
        weighted = of_band * rest
        r += weighted
        rr += weighted * rest
        rk += weighted * extinction
        weighted = of_band * extinction
        k += weighted
        kk += weighted * extinction
    by_modulus = total + modulus_weight
    precision = kk + a_v_weight - k**2 / by_modulus
    mean = (rk - k * r / by_modulus) / precision
    chi_square = rr - r**2 / by_modulus - precision * mean**2
    root = np.sqrt(precision)
    cut = np.maximum(mean * root, LEAST_CUT)
    log_evidence = log_ndtr(cut) - 0.5 * (chi_square + np.log(precision))
    a_v = np.maximum(mean - ndtri(_EVEN * ndtr(cut)) / root, 0.0)
    offset = (r - k * a_v) / by_modulus + _NORMAL / np.sqrt(by_modulus)
    misfit = rr + a_v * (a_v * kk - 2.0 * rk) + offset * (offset * total + 2.0 * (a_v * k - r))
    return _Photometry(log_evidence, modulus + offset, a_v, misfit)
