"""Spectra from labels along MIST's giant branches (section 4.2.1).

Mass, age and metallicity are varied one at a time, and the other labels follow the isochrones.
The luminosity is not told: the flux at 10 pc is with the model's own.
"""

import matplotlib.pyplot as plt
import numpy as np
from astropy.table import vstack
from common.generalist import axis_label
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from experiments.isochrones import EBV, at_logg, isochrone, track
from experiments.setting import Setting
from msaestimator import StellarFoundationModel
from msaestimator.schema import StarTable

__all__ = ["run"]

TOLD = ("teff", "logg", "fe_h", "mass", "age", "ebv")
N_LINES = 6
AGE, MASS, LOGG = 8.0, 1.1, 2.5
RANGE_OF_LOGG = (3.3, 2.4)
METALLICITIES = np.linspace(-1.5, 0.4, N_LINES)


def run(setting: Setting) -> None:
    """Ask for the spectra, draw."""
    panels = {
        "mass": (between(isochrone(AGE, 0.0), "mass"), f"age {AGE:g} Gyr, [M/H] = 0"),
        "age": (between(track(MASS, 0.0), "age"), f"initial mass {MASS:g} M☉, [M/H] = 0"),
        "fe_h": (
            vstack([at_logg(isochrone(AGE, fe_h), LOGG) for fe_h in METALLICITIES]),
            f"age {AGE:g} Gyr, log g = {LOGG:g}",
        ),
    }
    caption = f"Labels of MIST isochrones, told with E(B-V) = {EBV:g} mag"
    setting.save(draw(setting.model, panels), "spectra_from_labels", caption)


def between(branch: StarTable, name: str) -> StarTable:
    """Return points of a branch at equal steps of a column over the range of log g."""
    ends = [int(np.argmin(abs(branch["logg"].value - logg))) for logg in RANGE_OF_LOGG]
    branch = branch[ends[0] : ends[1] + 1]
    values = branch[name].value
    wanted = np.linspace(values[0], values[-1], N_LINES)
    return branch[[int(np.argmin(abs(values - value))) for value in wanted]]


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
