"""Magnitudes of XP spectra: the passbands as linear functions of the coefficients."""

import numpy as np

__all__ = ["fit_passband", "reproduces"]

_TOLERANCE = 0.05
_RELATIVE_RANK = 1e-6


def fit_passband(coefficients: np.ndarray, magnitude: np.ndarray) -> np.ndarray:
    """Return the weights that take coefficients to a band's flux, 10**(-0.4 magnitude).

    The weights are fitted twice, the second time without the stars that the first fit misses by
    more than 5 %: blends, and spectra that disagree with the photometry.

    Parameters
    ----------
    coefficients : ndarray, shape (n_stars, n_coefficients)
        Coefficients of BP and RP one after the other.
    magnitude : ndarray, shape (n_stars,)
        Magnitudes in the band, without NaN.
    """
    kept = np.ones(len(magnitude), dtype=bool)
    for _ in range(2):
        relative = coefficients[kept] * 10.0 ** (0.4 * magnitude[kept, np.newaxis])
        weights = np.linalg.lstsq(relative, np.ones(kept.sum()), rcond=_RELATIVE_RANK)[0]
        kept = reproduces(coefficients, magnitude, weights)
    return weights


def reproduces(coefficients: np.ndarray, magnitude: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Tell which spectra give back their star's magnitude within 5 % in flux."""
    return np.abs(coefficients @ weights * 10.0 ** (0.4 * magnitude) - 1.0) < _TOLERANCE
