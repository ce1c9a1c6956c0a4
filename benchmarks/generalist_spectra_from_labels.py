"""Spectra from labels along MIST's giant branches (section 4.2.1).

Mass, age and metallicity are varied one at a time, and the other labels follow the isochrones.
The luminosity is not told: the flux at 10 pc is with the model's own. Run from the repository's
root, with the folder that ``generalist_train.py`` filled::

    python benchmarks/generalist_spectra_from_labels.py MODELS
"""

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
from astropy.table import vstack
from common.figures import save_figure
from common.generalist import MOCK_TRAINED, axis_label, experiment_options, load_model
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from msaestimator import StellarFoundationModel
from msaestimator.datasets import load_isochrone_grid
from msaestimator.schema import G_BAND, StarTable, absolute_magnitude

TOLD = ("teff", "logg", "fe_h", "mass", "age", "ebv")
N_LINES = 6
EBV = 0.03
"""Giants of the mock survey seldom have less dust before them, in mag."""
AGE, MASS, LOGG = 8.0, 1.1, 2.5
RANGE_OF_LOGG = (3.3, 2.4)
METALLICITIES = np.linspace(-1.5, 0.4, N_LINES)
# Turn-off to tip; the grid interpolates at fixed phase, so these are fine steps on a branch.
PHASES = np.linspace(500.0, 600.0, 401)


def main() -> None:
    """Ask for the spectra, print the labels behind them, draw."""
    options = experiment_options(__doc__)
    model = load_model(options, "mock")
    masses, ages = isochrone(AGE, 0.0), track(MASS, 0.0)
    panels = {
        "mass": (between(masses, "mass"), f"age {AGE:g} Gyr, [M/H] = 0"),
        "age": (between(ages, "age"), f"initial mass {MASS:g} M☉, [M/H] = 0"),
        "fe_h": (
            vstack([at_logg(isochrone(AGE, fe_h), LOGG) for fe_h in METALLICITIES]),
            f"age {AGE:g} Gyr, log g = {LOGG:g}",
        ),
    }
    for name, (stars, fixed) in panels.items():
        answer = model.request(stars, "pseudo_luminosity", inputs=TOLD)
        stars["predicted_m_g"] = absolute_magnitude(answer["pseudo_luminosity"]) * u.mag
        stars["predicted_m_g"].info.format = ".4g"
        print(f"\n{name} varied at {fixed}")
        stars.pprint(max_lines=-1, max_width=-1)
    save_figure(draw(model, panels), options, "spectra_from_labels", MOCK_TRAINED)


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
    m_g = 4.74 - 2.5 * found["log_l"] - found[f"bc_{G_BAND}"] + 3.1 * EBV * found[f"a_{G_BAND}"]
    table = StarTable()
    table["mass"] = found["star_mass"] * u.solMass
    table["age"] = 10.0 ** (log_age - 9.0) * u.Gyr
    table["fe_h"] = np.full(len(eep), fe_h) * u.dex
    table["teff"] = 10.0 ** found["log_teff"] * u.K
    table["logg"] = found["logg"] * u.dex
    table["ebv"] = np.full(len(eep), EBV) * u.mag
    table["phot_g_mean_mag"] = np.full(len(eep), 15.0) * u.mag
    table["isochrone_m_g"] = m_g * u.mag
    for name in table.colnames:
        table[name].info.format = ".4g"
    return table


def between(branch: StarTable, name: str) -> StarTable:
    """Return points of a branch at equal steps of a column over the range of log g."""
    ends = [int(np.argmin(abs(branch["logg"].value - logg))) for logg in RANGE_OF_LOGG]
    branch = branch[ends[0] : ends[1] + 1]
    values = branch[name].value
    wanted = np.linspace(values[0], values[-1], N_LINES)
    return branch[[int(np.argmin(abs(values - value))) for value in wanted]]


def at_logg(branch: StarTable, logg: float) -> StarTable:
    """Return the point of a branch nearest in log g."""
    nearest = int(np.argmin(abs(branch["logg"].value - logg)))
    return branch[[nearest]]


def draw(model: StellarFoundationModel, panels: dict[str, tuple[StarTable, str]]) -> Figure:
    """Return a panel of spectra, coloured by what varies, for each experiment."""
    figure, axes = plt.subplots(1, len(panels), figsize=(13, 4), layout="constrained")
    for ax, (name, (stars, fixed)) in zip(axes, panels.items(), strict=True):
        at_10pc = name != "fe_h"
        spectra = model.spectrum(stars, inputs=TOLD, at_10pc=at_10pc)
        wavelength, flux = spectra.meta["wavelength"].value, spectra["flux"].value
        color = ScalarMappable(Normalize(*np.sort(stars[name].value)[[0, -1]]), "viridis")
        for value, line in zip(stars[name].value, flux, strict=True):
            ax.plot(wavelength, line, color=color.to_rgba(value), lw=1.2)
        where = "at 10 pc" if at_10pc else "at G = 15"
        ax.set_ylabel(f"flux {where}, W m$^{{-2}}$ nm$^{{-1}}$")
        ax.set(xlabel="wavelength, nm", xlim=(336, 1020), title=fixed)
        figure.colorbar(color, ax=ax, label=axis_label(name))
    return figure


if __name__ == "__main__":
    main()
