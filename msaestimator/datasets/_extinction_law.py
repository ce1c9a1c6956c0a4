"""Extinction against wavelength: the mean Galactic law at R_V = 3.1."""

import numpy as np

__all__ = ["R_V", "relative_extinction"]

R_V = 3.1
"""A_V over E(B-V), the mean of the diffuse interstellar medium."""

# Cardelli, Clayton & Mathis 1989, equations 3a and 3b: powers of (x - 1.82), highest first.
_A_OPTICAL = (0.32999, -0.77530, 0.01979, 0.72085, -0.02427, -0.50447, 0.17699, 1.0)
_B_OPTICAL = (-2.09002, 5.30260, -0.62251, -5.38434, 1.07233, 2.28305, 1.41338, 0.0)


def relative_extinction(wavelength: np.ndarray) -> np.ndarray:
    """Return A(wavelength) / A_V by Cardelli, Clayton & Mathis (1989), as MIST does.

    Parameters
    ----------
    wavelength : ndarray
        Wavelengths in nm, between 303 and 3300 (the optical and infrared branches).

    Returns
    -------
    ndarray, the shape of ``wavelength``
        Extinction relative to that in V, dimensionless.
    """
    x = 1000.0 / np.asarray(wavelength, dtype=float)
    infrared = (0.574 - 0.527 / R_V) * x**1.61
    optical = np.polyval(_A_OPTICAL, x - 1.82) + np.polyval(_B_OPTICAL, x - 1.82) / R_V
    return np.where(x < 1.1, infrared, optical)
