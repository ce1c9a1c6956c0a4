from importlib.resources import files

import healpy
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits

from msaestimator.datasets import load_apogee_xp
from msaestimator.dust import add_reddening


@pytest.fixture(scope="module")
def pixels():
    """The packaged map, read without our code."""
    path = files("msaestimator.dust") / "data" / "sfd_ebv_healpix_nside64.fits"
    with fits.open(path) as hdus:
        assert hdus[1].header["ORDERING"].strip() == "RING"
        return np.array(hdus[1].data["I"], dtype=float)


def test_agrees_with_healpy_between_the_pixels(sky, galactic, pixels):
    lon, lat = galactic
    expected = healpy.get_interp_val(pixels, lon, lat, lonlat=True)
    np.testing.assert_allclose(add_reddening(sky, "sfd-lowres")["ebv"].value, expected, rtol=1e-10)


def test_is_the_map_at_the_centre_of_every_pixel(at, pixels):
    lon, lat = healpy.pix2ang(64, np.arange(len(pixels)), lonlat=True)
    icrs = SkyCoord(lon, lat, unit="deg", frame="galactic").icrs
    ebv = add_reddening(at(icrs.ra.deg, icrs.dec.deg), "sfd-lowres")["ebv"].value
    np.testing.assert_allclose(ebv, pixels, rtol=1e-6)


def test_agrees_with_the_full_resolution_of_real_stars():
    """Measured on the 17,000 packaged stars: r 0.963, of logarithms 0.996, median ratio 1.003."""
    stars = load_apogee_xp()
    ratio = add_reddening(stars, "sfd-lowres")["ebv"] / stars["ebv"]
    full, ratio = stars["ebv"].value, ratio.value
    assert np.corrcoef(full, full * ratio)[0, 1] > 0.95
    assert np.corrcoef(np.log(full), np.log(full * ratio))[0, 1] > 0.99
    assert np.median(ratio) == pytest.approx(1.0, abs=0.01)
    assert np.percentile(ratio, 5) > 0.8
    assert np.percentile(ratio, 95) < 1.3
