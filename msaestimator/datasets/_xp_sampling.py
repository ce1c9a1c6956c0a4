"""The matrix that turns XP coefficients into flux at wavelengths."""

from typing import NamedTuple

import astropy.units as u

from msaestimator.datasets._packaged import read_arrays

__all__ = ["XPSampling", "load_xp_sampling"]


class XPSampling(NamedTuple):
    """A spectrum of Gaia DR3 at each wavelength, as a linear map of its coefficients.

    Parameters
    ----------
    wavelength : Quantity of shape (343,)
        Wavelengths in nm, from 336 to 1020 in steps of 2.
    matrix : Quantity of shape (343, 110)
        Flux in W m-2 nm-1 of a unit of each coefficient: 55 of BP, then 55 of RP.
    """

    wavelength: u.Quantity
    matrix: u.Quantity


def load_xp_sampling() -> XPSampling:
    """Load the matrix that samples Gaia DR3's XP spectra on the archive's wavelengths.

    Returns
    -------
    XPSampling
        ``matrix @ coefficients`` is the flux of a star with the archive's ``bp_coefficients``
        and ``rp_coefficients`` one after the other.

    Notes
    -----
    The matrix was evaluated once with GaiaXPy 2.1.5 (Ruz-Mieres et al.; BSD-3), calibration
    included. It agrees with the archive's own sampled spectra to 2e-6.

    Examples
    --------
    >>> from msaestimator.datasets import load_xp_sampling
    >>> sampling = load_xp_sampling()
    >>> sampling.wavelength[[0, -1]], sampling.matrix.shape
    (<Quantity [ 336., 1020.] nm>, (343, 110))
    """
    arrays = read_arrays("xp_sampling.npz")
    return XPSampling(
        arrays["wavelength"] * u.nm,
        arrays["matrix"].astype(float) * u.Unit("W / (m2 nm)"),
    )
