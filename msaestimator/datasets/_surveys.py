"""The photometric surveys of the schema as data: footprints, depths and errors."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from astropy.coordinates import SkyCoord

__all__ = ["SURVEYS", "Survey"]


def _all_sky(position: SkyCoord) -> np.ndarray:
    """Return True everywhere."""
    return np.ones(position.shape, dtype=bool)


def _sdss_cap(position: SkyCoord) -> np.ndarray:
    """Tell which stars are in the northern Galactic cap, from latitude 20 degrees."""
    return (position.galactic.b.deg > 20.0) & (position.dec.deg > -3.0)


def _skymapper_south(position: SkyCoord) -> np.ndarray:
    """Tell which stars are south of declination +2."""
    return position.dec.deg < 2.0


def _pan_starrs_north(position: SkyCoord) -> np.ndarray:
    """Tell which stars are north of declination -30."""
    return position.dec.deg > -30.0


@dataclass(frozen=True)
class Survey:
    """One survey's view of a star.

    Parameters
    ----------
    block : str
        The schema's block of magnitudes.
    footprint : callable
        Function from sky positions to a mask of the observed ones.
    bright_limit : float
        Magnitude of saturation; brighter stars are missing.
    depths : tuple of float
        Magnitude of a 5 sigma detection in each band of the block; fainter ones are missing.
    floor : float
        Smallest error in mag, that of the calibration.
    """

    block: str
    footprint: Callable[[SkyCoord], np.ndarray]
    bright_limit: float
    depths: tuple[float, ...]
    floor: float

    def error(self, magnitude: np.ndarray, depth: float) -> np.ndarray:
        """Return the standard error in mag: 0.2 at the depth, growing with 1 / flux."""
        return np.hypot(self.floor, 0.2 * 10.0 ** (0.4 * (magnitude - depth)))

    def measures(self, magnitude: np.ndarray, depth: float) -> np.ndarray:
        """Tell which magnitudes lie between saturation and the depth; NaN does not."""
        return (magnitude > self.bright_limit) & (magnitude < depth)


# Rounded from the surveys' papers. The error at the depth is 1 / (5 sigma) = 0.2 mag.
SURVEYS = (
    Survey("wise", _all_sky, 7.0, (17.4, 16.5), 0.015),
    Survey("gaia", _all_sky, 3.0, (23.8, 20.9, 21.2), 0.002),
    Survey("skymapper", _skymapper_south, 9.0, (19.8, 20.0, 21.7, 21.6, 20.6, 20.1), 0.01),
    Survey("sdss", _sdss_cap, 14.0, (22.2, 23.1, 22.7, 22.2, 20.7), 0.01),
    Survey("ps1", _pan_starrs_north, 14.0, (23.3, 23.2, 23.1, 22.3, 21.4), 0.01),
    Survey("tmass", _all_sky, 4.0, (16.6, 15.9, 15.1), 0.02),
)
