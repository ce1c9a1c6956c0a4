"""Measurements by the surveys of stars whose truth is known: errors, noise and gaps."""

import numpy as np
from astropy.coordinates import SkyCoord

from msaestimator.datasets._surveys import SURVEYS
from msaestimator.schema import GAIA_DR3

__all__ = [
    "MOTION_FACTORS",
    "observe_astrometry",
    "observe_photometry",
    "observe_reddening",
    "parallax_error",
]

MOTION_FACTORS = {"parallax": 1.0, "pmra": 1.03, "pmdec": 0.89}
"""Standard errors relative to the parallax's, in mas and mas/yr."""


def observe_photometry(
    true: dict[str, np.ndarray], position: SkyCoord, rng: np.random.RandomState
) -> dict[str, np.ndarray]:
    """Return observed magnitudes and their errors, NaN where a survey has no measurement.

    Parameters
    ----------
    true : dict of str to ndarray of shape (n_stars,)
        True apparent magnitudes by the schema's names.
    position : SkyCoord, shape (n_stars,)
        Positions of the stars.
    rng : numpy.random.RandomState
        Random generator of the noise.

    Returns
    -------
    dict of str to ndarray of shape (n_stars,)
        Magnitudes by name, and errors by the schema's error names where it has any.
    """
    observed = {}
    for survey in SURVEYS:
        seen = survey.footprint(position)
        for name, depth in zip(GAIA_DR3.block(survey.block), survey.depths, strict=True):
            error = survey.error(true[name], depth)
            magnitude = true[name] + error * rng.standard_normal(len(error))
            measured = seen & survey.measures(magnitude, depth)
            observed[name] = np.where(measured, magnitude, np.nan)
            if error_name := GAIA_DR3[name].error:
                observed[error_name] = np.where(measured, error, np.nan)
    return observed


def observe_astrometry(
    true: dict[str, np.ndarray], g_magnitude: np.ndarray, rng: np.random.RandomState
) -> dict[str, np.ndarray]:
    """Return observed parallax and proper motions with their errors.

    The errors are those of :func:`parallax_error`, with 10 % scatter from star to star.

    Parameters
    ----------
    true : dict of str to ndarray of shape (n_stars,)
        ``parallax`` in mas, ``pmra`` and ``pmdec`` in mas/yr.
    g_magnitude : ndarray of shape (n_stars,)
        True G in mag.
    rng : numpy.random.RandomState
        Random generator of the noise.
    """
    typical = parallax_error(g_magnitude)
    typical = typical * rng.lognormal(0.0, 0.1, len(typical))
    observed = {}
    for name, factor in MOTION_FACTORS.items():
        error = factor * typical
        observed[name] = true[name] + error * rng.standard_normal(len(error))
        observed[f"{name}_error"] = error
    return observed


def parallax_error(g_magnitude: np.ndarray) -> np.ndarray:
    """Return the typical standard error of a parallax in mas, shape of ``g_magnitude``.

    It is Gaia's published performance for 34 months, that of DR3: a floor to G = 13, photon
    noise beyond.
    """
    photons = 10.0 ** (0.4 * (np.maximum(g_magnitude, 13.0) - 15.0))
    return 1e-3 * np.sqrt(40.0 + 800.0 * photons + 30.0 * photons**2)


def observe_reddening(total_ebv: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """Return E(B-V) as a dust map gives it: to infinity, 15 % scatter, 0.005 mag offset noise."""
    scattered = total_ebv * rng.lognormal(0.0, 0.15, len(total_ebv))
    return np.abs(scattered + 0.005 * rng.standard_normal(len(total_ebv)))
