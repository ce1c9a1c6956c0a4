"""The packaged sampling matrix."""

import astropy.units as u
import numpy as np

from msaestimator.datasets import load_apogee_xp, load_xp_sampling
from msaestimator.schema import GAIA_DR3

# Flux of Vega in G, which is of magnitude zero (Riello et al. 2021).
G_ZERO_FLUX = 2.5e-11 * u.Unit("W / (m2 nm)")


def test_wavelengths_are_those_of_the_archive():
    wavelength, matrix = load_xp_sampling()
    np.testing.assert_array_equal(wavelength.to_value(u.nm), np.arange(336.0, 1021.0, 2.0))
    n_coefficients = sum(array.size for array in GAIA_DR3.arrays)
    assert matrix.shape == (len(wavelength), n_coefficients)
    assert matrix.unit.is_equivalent("erg / (s cm2 AA)")
    assert np.isfinite(matrix).all()


def test_blue_comes_from_bp_and_red_from_rp():
    wavelength, matrix = load_xp_sampling()
    strength = np.abs(matrix.value).sum(axis=1)
    from_bp = np.abs(matrix.value[:, : GAIA_DR3.arrays[0].size]).sum(axis=1) / strength
    assert (from_bp[wavelength < 630 * u.nm] == 1.0).all()
    assert (from_bp[wavelength > 645 * u.nm] == 0.0).all()


def test_mean_flux_of_real_stars_is_that_of_their_magnitude():
    stars = load_apogee_xp("test")[:200]
    stars = stars[np.isfinite(stars["bp_coefficients"]).all(axis=1)]
    wavelength, matrix = load_xp_sampling()
    coefficients = np.hstack([stars["bp_coefficients"], stars["rp_coefficients"]])
    flux = coefficients @ matrix.T
    # G is wide: the flux at its pivot wavelength is that of the band to some ten per cent.
    near_pivot = np.abs(wavelength - 622 * u.nm) < 100 * u.nm
    expected = G_ZERO_FLUX * 10.0 ** (-0.4 * stars["phot_g_mean_mag"].value)
    ratio = (flux[:, near_pivot].mean(axis=1) / expected).to_value("")
    assert np.median(ratio) == np.clip(np.median(ratio), 0.85, 1.15)
