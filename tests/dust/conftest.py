"""Small files in the formats of dustmaps' own, and stars all over the sky."""

import warnings

import astropy.units as u
import h5py
import healpy
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

from msaestimator.schema import StarTable

with warnings.catch_warnings():
    # It warns of a home without its configuration; the package's own import is tested apart.
    warnings.simplefilter("ignore")
    import dustmaps.std_paths  # noqa: F401

SFD_SIZE = 256
BAYESTAR_NSIDE = 16
BAYESTAR_DM = np.array([5.0, 10.0, 15.0])


def smooth_sky(l_deg, b_deg):
    """What the synthetic SFD maps hold, in mag."""
    l, b = np.radians(l_deg), np.radians(b_deg)  # noqa: E741
    return 0.5 + 0.2 * np.cos(b) * np.cos(l) + 0.1 * np.cos(b) * np.sin(l) + 0.05 * np.sin(b)


def write_sfd(folder):
    """Write both hemispheres in SFD98's projection, zenithal equal area, but few pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    for pole, latitude in (("ngp", 90.0), ("sgp", -90.0)):
        wcs = WCS(naxis=2)
        wcs.wcs.ctype = ["GLON-ZEA", "GLAT-ZEA"]
        wcs.wcs.crval = [0.0, latitude]
        wcs.wcs.crpix = [(SFD_SIZE + 1) / 2] * 2
        wcs.wcs.cdelt = [-170.0 / SFD_SIZE, 170.0 / SFD_SIZE]
        wcs.wcs.lonpole = 180.0
        y, x = np.mgrid[:SFD_SIZE, :SFD_SIZE]
        values = np.nan_to_num(smooth_sky(*wcs.wcs_pix2world(x, y, 0))).astype(np.float32)
        fits.writeto(folder / f"SFD_dust_4096_{pole}.fits", values, wcs.to_header())


def write_bayestar(folder):
    """Write the pixels north of declination -30; reddening grows with the distance modulus."""
    folder.mkdir(parents=True, exist_ok=True)
    pixels = np.arange(healpy.nside2npix(BAYESTAR_NSIDE))
    lon, lat = healpy.pix2ang(BAYESTAR_NSIDE, pixels, nest=True, lonlat=True)
    pixels = pixels[SkyCoord(lon, lat, unit="deg", frame="galactic").icrs.dec.deg > -30.0]
    fields = [("nside", "u4"), ("healpix_index", "u8"), ("converged", "u1")]
    fields += [("DM_reliable_min", "f4"), ("DM_reliable_max", "f4")]
    info = np.zeros(len(pixels), dtype=fields)
    info["nside"], info["healpix_index"] = BAYESTAR_NSIDE, pixels
    best = (1e-3 * pixels[:, np.newaxis] * np.arange(1, 4)).astype(np.float32)
    with h5py.File(folder / "bayestar2019.h5", "w") as file:
        file["pixel_info"], file["best_fit"] = info, best
        file["pixel_info"].attrs["DM_bin_edges"] = BAYESTAR_DM
        # Samples that disagree with the best fit, to tell which is used.
        file["samples"] = np.repeat(best[:, np.newaxis] + 7.0, 2, axis=1)


def write_marshall(folder):
    """Write the whole grid: A(Ks) grows by 1 mag in 5 kpc up to 10 kpc; none at l < -50."""
    folder.mkdir(parents=True, exist_ok=True)
    lon, lat = np.meshgrid(np.linspace(-100, 100, 801), np.linspace(-10, 10, 81), indexing="ij")
    steps = np.where(lon[..., np.newaxis] < -50.0, np.nan, [1.0, 2.0, np.nan])
    columns = {"l": lon, "b": lat, "A": steps, "dist": 5.0 * steps}
    columns |= {"sigma_A": 0.1 * steps, "sigma_dist": 0.1 * steps}
    with h5py.File(folder / "marshall.h5", "w") as file:
        for name, values in columns.items():
            file[name] = values.astype(np.float32)


@pytest.fixture(scope="session")
def map_dir(tmp_path_factory):
    """A folder laid out as dustmaps does, with three small maps."""
    root = tmp_path_factory.mktemp("maps")
    write_sfd(root / "sfd")
    write_bayestar(root / "bayestar")
    write_marshall(root / "marshall")
    return root


@pytest.fixture(scope="session")
def sky():
    """2,000 stars over the whole sky, at known distances, half of them near the plane."""
    rng = np.random.default_rng(1)
    lat = np.degrees(np.arcsin(rng.uniform(-1, 1, 2000)))
    lat[::2] = rng.uniform(-12, 12, 1000)
    coords = SkyCoord(rng.uniform(0, 360, 2000), lat, unit="deg", frame="galactic")
    distance = 10.0 ** rng.uniform(-1.5, 1.3, 2000) * u.kpc
    return StarTable({"ra": coords.icrs.ra, "dec": coords.icrs.dec, "distance": distance})


@pytest.fixture(scope="session")
def galactic(sky):
    """Galactic longitude (from -180) and latitude of the stars of `sky`, in deg."""
    coords = SkyCoord(sky["ra"], sky["dec"]).galactic
    return coords.l.wrap_at(180 * u.deg).deg, coords.b.deg


@pytest.fixture
def at():
    """Return a function that makes a table of positions."""

    def make(ra, dec, **columns):
        return StarTable({"ra": ra * u.deg, "dec": dec * u.deg, **columns})

    return make
