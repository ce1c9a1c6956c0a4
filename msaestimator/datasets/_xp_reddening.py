"""Reddening spectra that exist only as basis-function coefficients."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from msaestimator.datasets._extinction_law import relative_extinction
from msaestimator.datasets._xp_sampling import load_xp_sampling
from msaestimator.datasets._xp_templates import load_xp_templates

__all__ = ["XPReddening", "load_xp_reddening"]

# Sampled flux is trusted to this fraction of the mean flux; less would fit rounding, more blur.
_TOLERANCE = 3e-3


@dataclass(frozen=True)
class XPReddening:
    """A linear map between coefficients and sampled flux, and dust between the two.

    Parameters
    ----------
    wavelength : ndarray, shape (n_wavelengths,)
        Wavelengths of the sampled flux in nm.
    matrix : ndarray, shape (n_wavelengths, n_coefficients)
        Matrix from BP and RP coefficients, one after the other, to the sampled flux.
    projection : ndarray, shape (n_coefficients, n_wavelengths)
        Regularised inverse of ``sampling``.
    """

    wavelength: np.ndarray
    matrix: np.ndarray
    projection: np.ndarray

    def redden(self, coefficients: np.ndarray, a_v: np.ndarray) -> np.ndarray:
        """Return coefficients behind ``a_v`` more magnitudes of dust (negative: less).

        Parameters
        ----------
        coefficients : ndarray, shape (n_stars, n_coefficients)
            Coefficients of BP and RP one after the other.
        a_v : ndarray, shape (n_stars,)
            Extinction to add, in mag. Zero returns the coefficients unchanged: only the change of
            the sampled flux is projected back, so directions that the spectrum does not fix keep
            their values.
        """
        flux = coefficients @ self.matrix.T
        transmission = 10.0 ** (-0.4 * a_v[:, np.newaxis] * relative_extinction(self.wavelength))
        # Dimming alone needs no projection; taking it out keeps the projected change small.
        dimming = (transmission * flux).sum(axis=1) / flux.sum(axis=1)
        change = (transmission / dimming[:, np.newaxis] - 1.0) * flux
        return dimming[:, np.newaxis] * (coefficients + change @ self.projection.T)


@cache
def load_xp_reddening() -> XPReddening:
    """Invert the packaged sampling matrix with the templates' covariance as a prior."""
    wavelength, matrix = (part.value for part in load_xp_sampling())
    templates = load_xp_templates()
    relative = templates.coefficients / 10.0 ** (-0.4 * templates.g_magnitude[:, np.newaxis])
    prior = np.cov(relative, rowvar=False)
    noise = (_TOLERANCE * (relative @ matrix.T).mean()) ** 2 * np.eye(len(matrix))
    projection = np.linalg.solve(matrix @ prior @ matrix.T + noise, matrix @ prior).T
    return XPReddening(wavelength, matrix, projection)
