"""The pseudo-luminosity: a parallax and a magnitude as one number with a Gaussian error."""

import numpy as np

__all__ = ["absolute_magnitude", "distance", "pseudo_luminosity"]


def pseudo_luminosity(parallax: np.ndarray, magnitude: np.ndarray) -> np.ndarray:
    """Return ``parallax 10 ** (m / 5)``, which is ``10 ** (M / 5 + 2)`` (Leung & Bovy 2024).

    Parameters
    ----------
    parallax : array-like of float
        Parallax in mas; it may be negative, and so then is the result. An error of the parallax in
        its place gives the error of the result.
    magnitude : array-like of float
        Apparent magnitude in mag, with extinction.

    Returns
    -------
    ndarray of float
        Pseudo-luminosity. It is linear in the parallax, so a Gaussian error stays Gaussian, and
        large for faint stars.

    Examples
    --------
    >>> from msaestimator.schema import absolute_magnitude, distance, pseudo_luminosity
    >>> star = pseudo_luminosity(10.0, 5.0)
    >>> float(star), float(absolute_magnitude(star)), float(distance(star, 5.0))
    (100.0, 0.0, 100.0)
    """
    return np.asarray(parallax, dtype=float) * 10.0 ** (np.asarray(magnitude, dtype=float) / 5.0)


def absolute_magnitude(luminosity: np.ndarray) -> np.ndarray:
    """Return the absolute magnitude of a pseudo-luminosity, NaN if that is not positive."""
    luminosity = np.asarray(luminosity, dtype=float)
    return 5.0 * (np.log10(np.where(luminosity > 0, luminosity, np.nan)) - 2.0)


def distance(luminosity: np.ndarray, magnitude: np.ndarray) -> np.ndarray:
    """Return distances in pc of a pseudo-luminosity and an apparent magnitude in mag.

    NaN if the luminosity is not positive. Its fractional error is that of the luminosity.
    """
    luminosity = np.asarray(luminosity, dtype=float)
    luminosity = np.where(luminosity > 0, luminosity, np.nan)
    return 1000.0 * 10.0 ** (np.asarray(magnitude, dtype=float) / 5.0) / luminosity
