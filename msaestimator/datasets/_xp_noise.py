"""Noise of the XP coefficients in the archive, by order and G."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from msaestimator.datasets._packaged import read_arrays
from msaestimator.schema import GAIA_DR3, CoefficientArray, g_flux

__all__ = ["XPNoise", "load_xp_noise"]


@dataclass(frozen=True)
class XPNoise:
    """Errors and numbers of relevant bases of the typical star.

    Parameters
    ----------
    g_magnitude : ndarray, shape (n_bins,)
        Median G of the stars of each bin, in mag.
    log_errors : dict of str to ndarray of shape (n_bins, n_coefficients)
        Natural logarithm of the errors relative to the G flux, by the name of the array.
    relevant_bases : dict of str to ndarray of shape (n_bins,)
        Numbers of relevant bases, by the name of the array.
    """

    g_magnitude: np.ndarray
    log_errors: dict[str, np.ndarray]
    relevant_bases: dict[str, np.ndarray]

    def errors(self, array: CoefficientArray, g_magnitude: np.ndarray) -> np.ndarray:
        """Return the coefficients' errors in their own units, (n_stars, n_coefficients).

        Parameters
        ----------
        array : CoefficientArray
            Array of a band.
        g_magnitude : ndarray of shape (n_stars,)
            G in mag. Brighter than the first bin the errors relative to the flux are the same.
        """
        relative = np.exp(self._at(g_magnitude, self.log_errors[array.name]))
        return relative * g_flux(g_magnitude)[:, np.newaxis]

    def n_relevant(self, array: CoefficientArray, g_magnitude: np.ndarray) -> np.ndarray:
        """Return the typical number of relevant bases, a float of shape (n_stars,)."""
        return self._at(g_magnitude, self.relevant_bases[array.name][:, np.newaxis])[:, 0]

    def _at(self, g_magnitude: np.ndarray, of_bins: np.ndarray) -> np.ndarray:
        """Interpolate in G: as in the first bin before it, on along the last line behind."""
        knots = self.g_magnitude
        left = np.clip(np.searchsorted(knots, g_magnitude) - 1, 0, len(knots) - 2)
        part = np.maximum(g_magnitude - knots[left], 0.0) / np.diff(knots)[left]
        slope = np.diff(of_bins, axis=0)[left]
        result: np.ndarray = of_bins[left] + part[:, np.newaxis] * slope
        return result


@cache
def load_xp_noise() -> XPNoise:
    """Load the noise of the field stars that ships with the package.

    Relative to the flux, no error falls towards fainter stars: where few bright stars say so by
    chance, the fainter bin goes.
    """
    arrays = read_arrays("xp_noise.npz")
    errors, relevant = {}, {}
    for array in GAIA_DR3.arrays:
        rising = np.log(arrays[f"{array.prefix}_relative_error"].astype(float))
        errors[array.name] = np.minimum.accumulate(rising[::-1])[::-1]
        falling = arrays[f"{array.prefix}_n_relevant"].astype(float)
        relevant[array.name] = np.maximum.accumulate(falling[::-1])[::-1]
    return XPNoise(arrays["g_magnitude"].astype(float), errors, relevant)
