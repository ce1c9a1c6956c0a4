"""XP coefficients for mock stars, from real spectra of the nearest kind."""

import numpy as np

from msaestimator.datasets._xp_reddening import load_xp_reddening
from msaestimator.datasets._xp_templates import load_xp_templates
from msaestimator.schema import GAIA_DR3, g_flux

__all__ = ["XP_FAINT_LIMIT", "coefficient_noise", "mock_spectra"]

XP_FAINT_LIMIT = 17.65
"""Magnitude G to which Gaia DR3 publishes XP spectra."""

# Error of a coefficient, in its own units: a constant from the background, and a fraction of
# the G flux from calibration. They follow the published errors of field stars from G = 9 to 18
# within a factor of two.
_BACKGROUND, _CALIBRATION = 0.43, 6.5e-6


def coefficient_noise(g_magnitude: np.ndarray) -> np.ndarray:
    """Return the typical standard error of a coefficient at a G magnitude, shape unchanged."""
    return np.hypot(_BACKGROUND, _CALIBRATION * g_flux(g_magnitude))


def mock_spectra(
    labels: tuple[np.ndarray, np.ndarray, np.ndarray],
    a_v: np.ndarray,
    true_g: np.ndarray,
    observed_g: np.ndarray,
    rng: np.random.RandomState,
) -> dict[str, np.ndarray]:
    """Return noisy coefficients and their errors by the schema's array names.

    The nearest template is reddened by the difference of the two extinctions and scaled to the
    star's G flux. Its errors are scaled by the ratio of :func:`coefficient_noise` at the two
    magnitudes, and noise of that size is added to each coefficient independently.

    Parameters
    ----------
    labels : tuple of three ndarray of shape (n_stars,)
        Labels of the stars: log10 of Teff in K, log g, [Fe/H].
    a_v, true_g, observed_g : ndarray of shape (n_stars,)
        Extinction and G, in mag. Stars with ``observed_g`` beyond :data:`XP_FAINT_LIMIT`, or
        NaN, get NaN.
    rng : numpy.random.RandomState
        Random generator of the noise.
    """
    templates, dust = load_xp_templates(), load_xp_reddening()
    nearest = templates.nearest(*labels)
    added = a_v - templates.a_v[nearest]
    original, template_g = templates.coefficients[nearest], templates.g_magnitude[nearest]
    reddened = dust.redden(original, added)
    # Relative to the template's own synthetic G, so that no change gives its spectrum exactly.
    dimming = (reddened @ templates.g_passband) / (original @ templates.g_passband)
    brightness = 10.0 ** (0.4 * (template_g - true_g)) / dimming
    coefficients = reddened * brightness[:, np.newaxis]
    louder = coefficient_noise(true_g) / coefficient_noise(template_g)
    errors = templates.errors[nearest] * louder[:, np.newaxis]
    noisy = coefficients + errors * rng.standard_normal(errors.shape)
    published = (observed_g <= XP_FAINT_LIMIT)[:, np.newaxis]
    edges = np.cumsum([array.size for array in GAIA_DR3.arrays])[:-1]
    bands = {}
    for array, values, sigma in zip(
        GAIA_DR3.arrays,
        np.split(np.where(published, noisy, np.nan), edges, axis=1),
        np.split(np.where(published, errors, np.nan), edges, axis=1),
        strict=True,
    ):
        bands[array.name], bands[array.error] = values, sigma
    return bands
