"""Continuous interpolation in the isochrones, at fixed evolutionary phase."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.interpolate import RegularGridInterpolator

from msaestimator.datasets._isochrones import SOLAR_BOLOMETRIC_MAGNITUDE, load_isochrones

__all__ = ["IsochroneGrid", "apparent_magnitudes", "load_isochrone_grid"]

N_PHASES = 122
_AXES = ("fe_h", "log_age", "eep")


@dataclass(frozen=True)
class IsochroneGrid:
    """The isochrones on a regular grid of metallicity, log age and evolutionary phase.

    Parameters
    ----------
    fe_h, log_age, eep : ndarray, 1-D
        The grid's axes: dex, log10 of years, equivalent evolutionary phase.
    names : tuple of str
        Names of the tabulated quantities: every other column of :func:`load_isochrones`.
    values : ndarray, shape (n_fe_h, n_log_age, n_eep, n_names)
        The tabulated columns at the nodes.
    """

    fe_h: np.ndarray
    log_age: np.ndarray
    eep: np.ndarray
    names: tuple[str, ...]
    values: np.ndarray

    def __getitem__(self, name: str) -> np.ndarray:
        """Return one tabulated column at the nodes, (n_fe_h, n_log_age, n_eep)."""
        return self.values[..., self.names.index(name)]

    def absolute_magnitude(self, band: str) -> np.ndarray:
        """Return the absolute magnitude in a band at the nodes, without extinction."""
        return SOLAR_BOLOMETRIC_MAGNITUDE - 2.5 * self["log_l"] - self[f"bc_{band}"]

    def at(self, fe_h: np.ndarray, log_age: np.ndarray, eep: np.ndarray) -> dict[str, np.ndarray]:
        """Return every tabulated column at n points inside the grid, each of shape (n,)."""
        interpolator = RegularGridInterpolator((self.fe_h, self.log_age, self.eep), self.values)
        values = interpolator(np.column_stack([fe_h, log_age, eep]))
        return dict(zip(self.names, values.T, strict=True))


@cache
def load_isochrone_grid() -> IsochroneGrid:
    """Resample the packaged isochrones to common phases, so that they can be interpolated.

    An old isochrone starts at a later phase than 202, with the least massive star of the
    grid; before that phase it repeats its first point, which carries no mass interval.
    """
    points = load_isochrones()
    fe_h, log_age = np.unique(points["fe_h"].value), np.unique(points["log_age"])
    shape = (len(fe_h), len(log_age), -1)
    native = np.asarray(points["eep"], dtype=float).reshape(shape)
    names = tuple(name for name in points.colnames if name not in _AXES)
    table = np.stack([np.asarray(points[name], dtype=float) for name in names], axis=-1)
    table = table.reshape((*native.shape, len(names)))
    eep = np.linspace(native.min(), native.max(), N_PHASES)
    values = np.empty((*native.shape[:2], N_PHASES, len(names)))
    for index in np.ndindex(native.shape[:2]):
        phase = np.interp(eep, native[index], np.arange(native.shape[2]))
        lower = np.minimum(phase.astype(int), native.shape[2] - 2)
        fraction = (phase - lower)[:, np.newaxis]
        values[index] = table[index][lower] * (1 - fraction) + table[index][lower + 1] * fraction
    return IsochroneGrid(fe_h.astype(float), log_age.astype(float), eep, names, values)


def apparent_magnitudes(
    intrinsic: dict[str, np.ndarray], distance: np.ndarray, a_v: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the true magnitude in every band of the isochrones, by the schema's names.

    Parameters
    ----------
    intrinsic : dict of str to ndarray of shape (n_stars,)
        Tabulated columns as :meth:`IsochroneGrid.at` returns them.
    distance, a_v : ndarray of shape (n_stars,)
        Distance in kpc and extinction A_V in mag.
    """
    distance_modulus = 5.0 * np.log10(distance) + 10.0
    shifted = SOLAR_BOLOMETRIC_MAGNITUDE - 2.5 * intrinsic["log_l"] + distance_modulus
    bands = [name.removeprefix("bc_") for name in intrinsic if name.startswith("bc_")]
    return {
        band: shifted - intrinsic[f"bc_{band}"] + a_v * intrinsic[f"a_{band}"] for band in bands
    }
