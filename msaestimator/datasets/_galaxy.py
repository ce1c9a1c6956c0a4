"""A simple Galaxy: thin disc, thick disc and halo, their stars, motions and dust."""

from dataclasses import dataclass

import numpy as np

__all__ = ["COMPONENTS", "SUN_RADIUS", "Component", "extinction", "galactocentric"]

SUN_RADIUS = 8.122
SUN_HEIGHT = 0.0208
"""The Sun's distance from the centre and height above the plane, in kpc."""

DUST_DENSITY = 1.0
DUST_SCALE_LENGTH = 3.2
DUST_SCALE_HEIGHT = 0.08
"""The dust disc: A_V in mag per kpc at the Sun's radius in the plane, and its scales in kpc."""

# Cubic spacing puts the nodes of the quadrature where a line of sight leaves the disc.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)
_STEPS = (0.5 * (_NODES + 1.0)) ** 3
_STEP_WEIGHTS = 0.5 * _WEIGHTS * 3.0 * (0.5 * (_NODES + 1.0)) ** 2


@dataclass(frozen=True)
class Component:
    """One population of the Galaxy.

    Parameters
    ----------
    name : str
        Name of the population.
    local_density : float
        Stars in the Sun's surroundings, relative to the thin disc.
    scales : tuple of float or None
        Exponential scale length and height in kpc; None is the halo's flattened power law.
    age_limits : tuple of float
        Ages in Gyr; star formation is constant between them.
    fe_h : tuple of float
        Mean and standard deviation of [Fe/H], in dex.
    rotation : float
        Mean rotation velocity in km/s.
    dispersions : tuple of float
        Velocity dispersions in km/s: radial, in rotation, vertical.
    """

    name: str
    local_density: float
    scales: tuple[float, float] | None
    age_limits: tuple[float, float]
    fe_h: tuple[float, float]
    rotation: float
    dispersions: tuple[float, float, float]

    def density(self, radius: np.ndarray, height: np.ndarray) -> np.ndarray:
        """Return the density relative to the thin disc at the Sun; ``radius``, ``height`` kpc."""
        if self.scales is None:
            flattened = np.sqrt(radius**2 + (height / 0.65) ** 2 + 0.5**2)
            return self.local_density * (flattened / SUN_RADIUS) ** -2.75
        length, scale_height = self.scales
        return self.local_density * np.exp(
            (SUN_RADIUS - radius) / length - np.abs(height) / scale_height
        )


COMPONENTS = (
    Component("thin disc", 1.0, (2.6, 0.3), (0.1, 9.0), (-0.05, 0.2), 222.0, (35.0, 25.0, 18.0)),
    Component("thick disc", 0.1, (2.3, 0.9), (8.0, 12.5), (-0.5, 0.3), 188.0, (60.0, 45.0, 40.0)),
    Component("halo", 0.005, None, (10.5, 13.5), (-1.5, 0.5), 20.0, (140.0, 90.0, 90.0)),
)


def galactocentric(
    longitude: np.ndarray, sin_latitude: np.ndarray, distance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the cylindrical radius and height in kpc of points at Galactic positions.

    Parameters
    ----------
    longitude, sin_latitude, distance : ndarray, broadcastable
        Galactic longitude in radians, sine of the latitude, distance in kpc.
    """
    along = distance * np.sqrt(1.0 - sin_latitude**2)
    squared = SUN_RADIUS**2 + along**2 - 2.0 * SUN_RADIUS * along * np.cos(longitude)
    return np.sqrt(np.maximum(squared, 0.0)), distance * sin_latitude + SUN_HEIGHT


def extinction(
    longitude: np.ndarray, sin_latitude: np.ndarray, distance: np.ndarray
) -> np.ndarray:
    """Return A_V in mag between the Sun and points, through the exponential dust disc.

    Parameters
    ----------
    longitude, sin_latitude, distance : ndarray, broadcastable
        Galactic longitude in radians, sine of the latitude, distance in kpc.
    """
    longitude, sin_latitude, distance = np.broadcast_arrays(longitude, sin_latitude, distance)
    total = np.zeros(distance.shape)
    for step, weight in zip(_STEPS, _STEP_WEIGHTS, strict=True):
        radius, height = galactocentric(longitude, sin_latitude, step * distance)
        total += weight * np.exp(
            (SUN_RADIUS - radius) / DUST_SCALE_LENGTH - np.abs(height) / DUST_SCALE_HEIGHT
        )
    return DUST_DENSITY * distance * total
