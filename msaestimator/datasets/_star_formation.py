"""Numbers of stars born along the isochrones: mass function, ages and metallicities."""

import numpy as np
from scipy.stats import norm

from msaestimator.datasets._galaxy import COMPONENTS, Component
from msaestimator.datasets._isochrone_grid import IsochroneGrid

__all__ = ["births", "formation", "inside_voxel", "voxel_mean"]


def births(grid: IsochroneGrid) -> np.ndarray:
    """Return the stars born in each voxel's interval of initial mass, (fe_h, age, phase)."""
    born = np.abs(np.diff(_kroupa_cumulative(grid["initial_mass"]), axis=-1))
    born = 0.5 * (born[1:] + born[:-1])
    return 0.5 * (born[:, 1:] + born[:, :-1])


def _kroupa_cumulative(mass: np.ndarray) -> np.ndarray:
    """Return the integral of the Kroupa (2001) mass function, slopes -1.3 and -2.3 at 0.5."""
    low = -(np.minimum(mass, 0.5) ** -0.3) / 0.3
    high = 0.5 * (0.5**-1.3 - np.maximum(mass, 0.5) ** -1.3) / 1.3
    return low + high


def formation(component: Component, grid: IsochroneGrid) -> np.ndarray:
    """Return a component's fraction of stars formed in each interval of [Fe/H] and age."""
    iron = np.diff(norm(*component.fe_h).cdf(grid.fe_h))
    age = np.clip(10.0 ** (grid.log_age - 9.0), *component.age_limits)
    return (iron[:, np.newaxis] * np.diff(age) / np.ptp(age))[..., np.newaxis]


def voxel_mean(nodes: np.ndarray) -> np.ndarray:
    """Average the eight corners of every voxel."""
    for axis in range(3):
        lower = np.take(nodes, range(nodes.shape[axis] - 1), axis=axis)
        upper = np.take(nodes, range(1, nodes.shape[axis]), axis=axis)
        nodes = 0.5 * (lower + upper)
    return nodes


def inside_voxel(
    grid: IsochroneGrid, component: np.ndarray, voxel: np.ndarray, rng: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return [Fe/H], log age and phase inside voxels, by each component's distributions."""
    shape = (len(grid.fe_h) - 1, len(grid.log_age) - 1, len(grid.eep) - 1)
    iron, age, phase = np.unravel_index(voxel, shape)
    mean, sigma = np.array([item.fe_h for item in COMPONENTS])[component].T
    youngest, oldest = np.array([item.age_limits for item in COMPONENTS])[component].T
    share = rng.uniform(size=(3, len(voxel)))
    below, above = (norm.cdf(grid.fe_h[edge], mean, sigma) for edge in (iron, iron + 1))
    fe_h = norm.ppf(below + share[0] * (above - below), mean, sigma)
    start, end = (
        np.clip(10.0 ** (grid.log_age[edge] - 9.0), youngest, oldest) for edge in (age, age + 1)
    )
    log_age = np.log10(start + share[1] * (end - start)) + 9.0
    eep = grid.eep[phase] + share[2] * np.diff(grid.eep)[phase]
    return (
        np.clip(fe_h, grid.fe_h[iron], grid.fe_h[iron + 1]),
        np.clip(log_age, grid.log_age[age], grid.log_age[age + 1]),
        eep,
    )
