"""Giant branches of MIST isochrones, in the names and units of the vocabulary."""

import astropy.units as u
import numpy as np

from msaestimator.datasets import load_isochrone_grid
from msaestimator.schema import G_BAND, StarTable

__all__ = ["EBV", "R_V", "at_logg", "isochrone", "track"]

EBV = 0.03
"""Few giants have less dust before them, in mag."""

R_V = 3.1

# Turn-off to tip; the grid interpolates at fixed phase, so these are fine steps on a branch.
PHASES = np.linspace(500.0, 600.0, 401)


def isochrone(age: float, fe_h: float) -> StarTable:
    """Return the giant branch of one age in Gyr."""
    return points(fe_h, np.full(len(PHASES), np.log10(age) + 9.0), PHASES)


def track(mass: float, fe_h: float) -> StarTable:
    """Return the giant branch of one initial mass in solar masses: the age at each phase."""
    grid = load_isochrone_grid()
    log_age = np.asarray(grid.log_age, dtype=float)
    nodes = np.meshgrid(log_age, PHASES, indexing="ij")
    born = grid.at(np.full(nodes[0].size, fe_h), *(node.ravel() for node in nodes))
    masses = born["initial_mass"].reshape(nodes[0].shape)
    # The older the isochrone, the less massive its giants: np.interp wants them rising.
    found = [np.interp(-mass, -masses[:, i], log_age) for i in range(len(PHASES))]
    return points(fe_h, np.array(found), PHASES)


def points(fe_h: float, log_age: np.ndarray, eep: np.ndarray) -> StarTable:
    """Return points of the isochrones with the names and units of the vocabulary."""
    found = load_isochrone_grid().at(np.full(len(eep), fe_h), log_age, eep)
    m_g = 4.74 - 2.5 * found["log_l"] - found[f"bc_{G_BAND}"] + R_V * EBV * found[f"a_{G_BAND}"]
    table = StarTable()
    table["mass"] = found["star_mass"] * u.solMass
    table["age"] = 10.0 ** (log_age - 9.0) * u.Gyr
    table["fe_h"] = np.full(len(eep), fe_h) * u.dex
    table["teff"] = 10.0 ** found["log_teff"] * u.K
    table["logg"] = found["logg"] * u.dex
    table["ebv"] = np.full(len(eep), EBV) * u.mag
    table["phot_g_mean_mag"] = np.full(len(eep), 15.0) * u.mag
    table["m_g"] = m_g * u.mag
    return table


def at_logg(branch: StarTable, logg: float) -> StarTable:
    """Return the point of a branch nearest in log g."""
    nearest = int(np.argmin(abs(branch["logg"].value - logg)))
    return branch[[nearest]]
