"""Points between the isochrones, each with the number of stars that a prior expects there."""

from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import numpy as np
from scipy.stats import norm

from msaestimator.datasets._galaxy import COMPONENTS
from msaestimator.datasets._isochrone_grid import IsochroneGrid, load_isochrone_grid

__all__ = ["BANDS", "COLUMNS", "POINTS_PER_VOXEL", "IsochroneLibrary", "load_isochrone_library"]

BANDS = ("phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag", "j_m", "h_m", "ks_m")
"""Bands whose magnitudes are matched."""

COLUMNS: dict[str, Any] = {
    "mass": 0,
    "log_age": 1,
    "parameters": slice(2, 5),
    "magnitudes": slice(5, 5 + len(BANDS)),
    "extinctions": slice(5 + len(BANDS), 5 + 2 * len(BANDS)),
}
"""Places of a point's columns; its parameters are log10 Teff, log g and [M/H]."""

POINTS_PER_VOXEL = 32

OLDEST = 13.8
"""Age of the Universe in Gyr: no star is older."""

SHARES = {"thin disc": 0.85, "thick disc": 0.13, "halo": 0.02}
"""Shares of the Galaxy's components in the prior of the metallicity."""

# Multiples of these, without their whole parts, fill a cube evenly, however many are taken.
_STEPS = 1.2207440846057596 ** -np.arange(1.0, 4.0)


@dataclass(frozen=True)
class IsochroneLibrary:
    """Points in the voxels (metallicity, age, phase) of the isochrones where stars are.

    Parameters
    ----------
    log_prior : ndarray of shape (n_voxels, POINTS_PER_VOXEL)
        Logarithm of the stars expected in the voxel, up to one factor, if they are as frequent
        all over it as at each of its points; -inf of none.
    values : ndarray of shape (n_voxels, POINTS_PER_VOXEL, n_columns)
        Columns of each point, `COLUMNS`: present mass in solMass, log10 of the age in years,
        log10 of Teff in K, log g in dex, [M/H] in dex, absolute magnitudes in `BANDS`, and
        extinctions there for one magnitude of A_V.
    """

    log_prior: np.ndarray
    values: np.ndarray

    def __getitem__(self, name: str) -> np.ndarray:
        """Return one column, or the three of `PARAMETERS`, or all of `BANDS`, of each point."""
        return self.values[..., COLUMNS[name]]


@cache
def load_isochrone_library() -> IsochroneLibrary:
    """Spread points over the isochrones' voxels, evenly and the same ones each time.

    The prior is Kroupa's mass function, a star formation that is constant from the youngest
    isochrone to the age of the Universe, and the metallicities of the Sun's surroundings.
    """
    grid = load_isochrone_grid()
    shape = (len(grid.fe_h) - 1, len(grid.log_age) - 1, len(grid.eep) - 1)
    voxels = np.indices(shape).reshape(3, -1, 1)
    first = np.random.RandomState(0).uniform(size=voxels.shape)
    nodes = [
        *(grid[name] for name in ("initial_mass", "star_mass", "log_teff", "logg")),
        *(grid.absolute_magnitude(band) for band in BANDS),
        *(grid[f"a_{band}"] for band in BANDS),
    ]
    corners = np.stack(nodes, axis=-1).astype(np.float32)
    # One metallicity after the other, for all at once would take several times the memory.
    slabs = (np.array_split(part, shape[0], axis=1) for part in (voxels, first))
    filled = [_fill(grid, corners, *slab) for slab in zip(*slabs, strict=True)]
    priors, values = zip(*filled, strict=True)
    return IsochroneLibrary(np.concatenate(priors), np.concatenate(values))


def _fill(
    grid: IsochroneGrid, corners: np.ndarray, voxels: np.ndarray, first: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the prior and the columns of points in those of some voxels that have stars.

    Parameters
    ----------
    grid : IsochroneGrid
    corners : ndarray
        Initial mass and the columns of the library, without age and metallicity, at the nodes.
    voxels : ndarray of int of shape (3, n_voxels, 1)
        Places of the voxels in the grid.
    first : ndarray of shape (3, n_voxels, 1)
        First point in each voxel, from 0 to 1 along each of its sides.
    """
    steps = np.arange(POINTS_PER_VOXEL) * _STEPS[:, np.newaxis, np.newaxis]
    share = (first + steps) % 1.0
    m_h, log_age = (
        axis[index] + fraction * np.diff(axis)[index]
        for axis, index, fraction in zip((grid.fe_h, grid.log_age), voxels, share, strict=False)
    )
    inside = _inside(corners, voxels, share)
    initial_mass, mass, log_teff, logg, *in_bands = np.moveaxis(inside, -1, 0)
    steps_of_mass = np.diff(grid["initial_mass"], axis=2, append=np.nan)[..., np.newaxis]
    born = _kroupa(initial_mass) * _inside(steps_of_mass, voxels, share, of_edges=True)[..., 0]
    prior = born * _formation(grid, voxels, log_age) * _abundance(grid, voxels, m_h)
    there = prior.sum(axis=1) > 0
    values = np.stack([mass, log_age, log_teff, logg, m_h, *in_bands], axis=-1, dtype=np.float32)
    with np.errstate(divide="ignore"):
        log_prior = np.log(prior[there])
    return log_prior.astype(np.float32), values[there]


def _inside(
    corners: np.ndarray, voxels: np.ndarray, share: np.ndarray, *, of_edges: bool = False
) -> np.ndarray:
    """Return columns of the grid inside its voxels, (n_voxels, n_points, n_columns).

    Columns ``of_edges`` are differences along the phase, one for each voxel's edge.
    """
    total = np.zeros((*share.shape[1:], corners.shape[-1]), dtype=corners.dtype)
    for corner in product((0, 1), (0, 1), (0,) if of_edges else (0, 1)):
        weight = np.ones(share.shape[1:])
        for upper, fraction in zip(corner, share[: 2 if of_edges else 3], strict=False):
            weight *= fraction if upper else 1.0 - fraction
        iron, age, phase = (index + upper for index, upper in zip(voxels, corner, strict=True))
        total += weight[..., np.newaxis].astype(corners.dtype) * corners[iron, age, phase]
    return total


def _kroupa(mass: np.ndarray) -> np.ndarray:
    """Return the mass function of Kroupa (2001), slopes -1.3 and -2.3 at 0.5 solar masses."""
    return np.where(mass < 0.5, mass**-1.3, 0.5 * mass**-2.3)


def _formation(grid: IsochroneGrid, voxels: np.ndarray, log_age: np.ndarray) -> np.ndarray:
    """Return the time that a voxel spans at each point, none after the age of the Universe."""
    age = 10.0 ** (log_age - 9.0)
    return np.where(age < OLDEST, age * np.diff(grid.log_age)[voxels[1]], 0.0)


def _abundance(grid: IsochroneGrid, voxels: np.ndarray, m_h: np.ndarray) -> np.ndarray:
    """Return the share of stars with a voxel's metallicities, as each point tells."""
    density = sum(
        (SHARES[component.name] * norm.pdf(m_h, *component.fe_h) for component in COMPONENTS),
        start=np.zeros_like(m_h),
    )
    return density * np.diff(grid.fe_h)[voxels[0]]
