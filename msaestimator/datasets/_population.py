"""Drawing stars from the Galaxy down to a magnitude limit."""

from dataclasses import dataclass, fields

import numpy as np

from msaestimator.datasets._galaxy import COMPONENTS, extinction, galactocentric
from msaestimator.datasets._isochrone_grid import apparent_magnitudes, load_isochrone_grid
from msaestimator.datasets._star_formation import births, formation, inside_voxel, voxel_mean
from msaestimator.schema import G_BAND

__all__ = ["Population", "draw_population"]

N_LONGITUDES, N_LATITUDES, N_DISTANCES = 48, 36, 64
DISTANCE_MODULI = (0.0, 19.5)
_G_EXTINCTION = 0.85


@dataclass(frozen=True)
class Population:
    """Places and properties of the drawn stars; every field is an array of shape (n_stars,).

    Parameters
    ----------
    component : ndarray of int
        Position in :data:`COMPONENTS`.
    fe_h, log_age, eep : ndarray
        Metallicity in dex, log10 of the age in years, evolutionary phase.
    longitude, sin_latitude, distance : ndarray
        Galactic longitude in radians, sine of the latitude, distance in kpc.
    """

    component: np.ndarray
    fe_h: np.ndarray
    log_age: np.ndarray
    eep: np.ndarray
    longitude: np.ndarray
    sin_latitude: np.ndarray
    distance: np.ndarray


@dataclass(frozen=True)
class _Cells:
    """A division of space: lower and upper edges of each cell, and its centre's extinction."""

    longitude: np.ndarray
    sin_latitude: np.ndarray
    distance: np.ndarray
    radius: np.ndarray
    height: np.ndarray
    apparent_minus_absolute: np.ndarray

    @property
    def volume(self) -> np.ndarray:
        """Volume of each cell, up to one constant factor."""
        return self.distance[1] ** 3 - self.distance[0] ** 3


def draw_population(n_stars: int, limit: float, rng: np.random.RandomState) -> Population:
    """Draw stars brighter than ``limit`` in G, with realistic frequencies.

    Parameters
    ----------
    n_stars : int
        Number of stars.
    limit : float
        True G in mag.
    rng : numpy.random.RandomState
        Random generator of the draws.
    """
    # Nine stars of ten drawn are bright enough, so twice as many and a few are always plenty.
    stars = _draw_near_limit(2 * n_stars + 64, limit, rng)
    intrinsic = load_isochrone_grid().at(stars.fe_h, stars.log_age, stars.eep)
    a_v = extinction(stars.longitude, stars.sin_latitude, stars.distance)
    bright = apparent_magnitudes(intrinsic, stars.distance, a_v)[G_BAND] < limit
    kept = np.flatnonzero(bright)[:n_stars]
    return Population(*(getattr(stars, field.name)[kept] for field in fields(Population)))


def _draw_near_limit(n_stars: int, limit: float, rng: np.random.RandomState) -> Population:
    """Draw stars about as bright as ``limit`` or brighter.

    Space is divided into cells and the isochrones into voxels (metallicity, age, phase). A
    cell is drawn with its volume, density and the fraction of the component's stars that can
    be seen in it; a voxel among those bright enough there, with the mass function over its
    interval of initial mass. Inside both the star is placed continuously.
    """
    grid, cells = load_isochrone_grid(), _space()
    magnitude = voxel_mean(grid.absolute_magnitude(G_BAND)).ravel()
    order = np.argsort(magnitude, kind="stable")
    faintest = np.searchsorted(magnitude[order], limit - cells.apparent_minus_absolute)
    # One cumulative luminosity function a component, over voxels from bright to faint.
    born = [(births(grid) * formation(component, grid)).ravel() for component in COMPONENTS]
    cumulative = [np.concatenate([[0.0], np.cumsum(stars[order])]) for stars in born]
    visible = np.array(
        [
            component.density(cells.radius, cells.height) * cells.volume * stars[faintest]
            for component, stars in zip(COMPONENTS, cumulative, strict=True)
        ]
    )
    drawn = _draw(np.cumsum(visible), rng.uniform(size=n_stars))
    component, cell = np.unravel_index(drawn, visible.shape)
    voxel = np.empty(n_stars, dtype=int)
    share = rng.uniform(size=n_stars)
    for index, stars in enumerate(cumulative):
        here = component == index
        reached = share[here] * stars[faintest[cell[here]]]
        voxel[here] = order[np.searchsorted(stars, reached, side="right") - 1]
    return Population(
        component, *inside_voxel(grid, component, voxel, rng), *_inside_cell(cells, cell, rng)
    )


def _draw(cumulative: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Return positions drawn with the weights whose cumulative sum is given."""
    return np.searchsorted(cumulative, uniform * cumulative[-1], side="right")


def _space() -> _Cells:
    """Divide the Galaxy into cells of equal solid angle and equal steps in distance modulus."""
    longitude = np.linspace(0.0, 2.0 * np.pi, N_LONGITUDES + 1)
    sin_latitude = np.linspace(-1.0, 1.0, N_LATITUDES + 1)
    modulus = np.linspace(*DISTANCE_MODULI, N_DISTANCES + 1)
    edges = (longitude, sin_latitude, 10.0 ** (0.2 * modulus - 2.0))
    lower = np.meshgrid(*(edge[:-1] for edge in edges), indexing="ij")
    upper = np.meshgrid(*(edge[1:] for edge in edges), indexing="ij")
    bounds = [np.array([low.ravel(), up.ravel()]) for low, up in zip(lower, upper, strict=True)]
    centre = [bound.mean(axis=0) for bound in bounds]
    modulus = 5.0 * np.log10(centre[-1]) + 10.0
    radius, height = galactocentric(*centre)
    return _Cells(
        longitude=bounds[0],
        sin_latitude=bounds[1],
        distance=bounds[2],
        radius=radius,
        height=height,
        apparent_minus_absolute=modulus + _G_EXTINCTION * extinction(*centre),
    )


def _inside_cell(
    cells: _Cells, cell: np.ndarray, rng: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return longitude, sine of latitude and distance of stars spread evenly in their cells."""
    share = rng.uniform(size=(3, len(cell)))
    longitude, sin_latitude, volume = (
        edges[0, cell] + fraction * (edges[1, cell] - edges[0, cell])
        for edges, fraction in zip(
            (cells.longitude, cells.sin_latitude, cells.distance**3), share, strict=True
        )
    )
    return longitude, sin_latitude, np.cbrt(volume)
