"""The extinction curve that a model has learned (section 4.5).

Spectra of the same giants are asked for with more and less reddening, and compared. What comes
out of the mock survey is the law that was put in, Cardelli et al. (1989): a check of the model,
not of the sky. Real stars are told the reddening of Schlegel et al. (1998), which is to infinity
and so at times more than the star's own; and as they come without luminosities, only the shape
of their curve is known: it is set to 3.1 at 550 nm. Run from the repository's root, with the
folder that ``generalist_train.py`` filled::

    python benchmarks/generalist_extinction_curve.py MODELS
"""

from dataclasses import dataclass

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
from astropy.table import Table
from common.figures import save_figure
from common.generalist import experiment_options, load_model, mock_test_stars, real_stars
from matplotlib.figure import Figure

from msaestimator import StellarFoundationModel
from msaestimator.schema import StarTable

LOGG = np.arange(1.0, 3.01, 0.1)
MASS, AGE = 1.2, 5.0
REDDENINGS = (0.0, 0.1, 0.2, 0.5)
# The paper's three, and one that needs no giant without dust: neither sample has any (the least
# is 0.02 mag in the mock survey, 0.005 mag in the real one).
STEPS = ((0.0, 0.1), (0.0, 0.2), (0.0, 0.5), (0.1, 0.5))
R_V, V_BAND = 3.1, 550.0
EXAMPLE_LOGG = 2.5
FLUX = "flux at 10 pc [W m$^{-2}$ nm$^{-1}$]"
COLORS = ("#a6bddb", "#74a9cf", "#0570b0", "#D55E00")
TITLES = {
    "mock": "Mock survey, reddened by CCM89",
    "real": f"Real stars (APOGEE), set to {R_V} at {V_BAND:g} nm",
}
CAPTION = (
    "Models trained on the mock survey (the law that was put in) and on real stars (APOGEE; told "
    "the reddening of a map to infinity)"
)
TRUSTED = (400.0, 1000.0)
SHOWN = np.arange(350.0, 1001.0, 50.0)


def main() -> None:
    """Ask both models for the spectra, print the curves, draw."""
    options = experiment_options(__doc__)
    curves = {}
    for name, stars in (
        ("mock", mock_test_stars(options)),
        ("real", real_stars(options, "train")),
    ):
        model = load_model(options, name)
        curves[name] = ask(model, giant_branch(stars, name), at_10pc=name == "mock")
    report(curves)
    save_figure(draw(curves), options, "extinction_curve", CAPTION)


@dataclass(frozen=True)
class Grid:
    """Spectra of giants along the branch, each behind every amount of dust.

    Parameters
    ----------
    wavelength : ndarray of shape (n_wavelengths,)
        In nm.
    flux : ndarray of shape (n_reddenings, n_giants, n_wavelengths)
        In W m-2 nm-1.
    """

    wavelength: np.ndarray
    flux: np.ndarray

    def extinction(self, less: float, more: float) -> np.ndarray:
        """Return A(wavelength) / E(B-V) between two of `REDDENINGS`, the giants' median."""
        fluxes = (self.flux[REDDENINGS.index(ebv)] for ebv in (more, less))
        with np.errstate(divide="ignore", invalid="ignore"):
            magnitudes = -2.5 * np.log10(np.divide(*fluxes))
        return np.nanmedian(magnitudes, axis=0) / (more - less)


def giant_branch(stars: StarTable, name: str) -> np.ndarray:
    """Return Teff at `LOGG`, a parabola fitted to giants of solar metallicity."""
    giants = stars[(abs(stars["fe_h"].value) < 0.1) & (stars["logg"].value < 3.3)]
    giants = giants[(giants["teff"].value < 5300.0) & (giants["logg"].value > 0.7)]
    relation = np.polynomial.Polynomial.fit(giants["logg"].value, giants["teff"].value, 2)
    constant, slope, curvature = relation.convert().coef
    print(
        f"{name}, {len(giants)} giants: Teff / K = {constant:.0f} {slope:+.0f} log g "
        f"{curvature:+.0f} (log g)^2"
    )
    return relation(LOGG)


def ask(model: StellarFoundationModel, teff: np.ndarray, *, at_10pc: bool) -> Grid:
    """Return the spectra of the grid."""
    spectra = [model.spectrum(giants(teff, ebv, model), at_10pc=at_10pc) for ebv in REDDENINGS]
    wavelength = spectra[0].meta["wavelength"].value
    return Grid(wavelength, np.stack([spectrum["flux"].value for spectrum in spectra]))


def giants(teff: np.ndarray, ebv: float, model: StellarFoundationModel) -> StarTable:
    """Return what is told of the grid; an E(B-V) of 0 counts as the least the token takes."""
    told = {
        "teff": teff * u.K,
        "logg": LOGG * u.dex,
        "fe_h": np.zeros(len(LOGG)) * u.dex,
        "mass": np.full(len(LOGG), MASS) * u.solMass,
        "age": np.full(len(LOGG), AGE) * u.Gyr,
        "ebv": np.full(len(LOGG), ebv) * u.mag,
    }
    table = StarTable({name: told[name] for name in told if name in model.trained_tokens})
    table["phot_g_mean_mag"] = np.full(len(LOGG), 15.0) * u.mag
    return table


def law(name: str, wavelength: np.ndarray) -> np.ndarray:
    """Return A(wavelength) / E(B-V) of a published mean extinction law."""
    from dust_extinction import parameter_averages

    return R_V * getattr(parameter_averages, name)(Rv=R_V)(wavelength * u.nm)


def curves_of(name: str, grid: Grid) -> dict[str, np.ndarray]:
    """Return a model's curves; those of which only the shape is known are `R_V` at `V_BAND`."""
    curves = {f"{less:g} to {more:g}": grid.extinction(less, more) for less, more in STEPS}
    if name == "mock":
        return curves
    return {
        step: curve + R_V - np.interp(V_BAND, grid.wavelength, curve)
        for step, curve in curves.items()
    }


def report(curves: dict[str, Grid]) -> None:
    """Print the curves and their distance from the laws at a few wavelengths."""
    rows = Table({"wavelength": SHOWN})
    for name in ("F99", "CCM89"):
        rows[name] = law(name, SHOWN)
    for name, grid in curves.items():
        for step, curve in curves_of(name, grid).items():
            rows[f"{name} {step}"] = np.interp(SHOWN, grid.wavelength, curve)
    for name in rows.colnames[1:]:
        rows[name].info.format = ".2f"
    rows.pprint(max_lines=-1, max_width=-1)
    shown = (rows["wavelength"] >= TRUSTED[0]) & (rows["wavelength"] <= TRUSTED[1])
    for published in ("F99", "CCM89"):
        for name in rows.colnames[3:]:
            distance = np.abs(rows[name] - rows[published])[shown].mean()
            print(f"{name}: mean distance from {published} {distance:.2f}")


def draw(curves: dict[str, Grid]) -> Figure:
    """Return spectra of one giant, and the curves of both models beside the published laws."""
    figure, axes = plt.subplots(1, 3, figsize=(15, 4.5), layout="constrained")
    mock = curves["mock"]
    example = int(np.argmin(abs(LOGG - EXAMPLE_LOGG)))
    for ebv, flux in zip(REDDENINGS, mock.flux[:, example], strict=True):
        axes[0].plot(mock.wavelength, flux, label=f"E(B-V) = {ebv:g}", lw=1.2)
    axes[0].set(title=f"Mock survey: a giant of log g = {LOGG[example]:g}", ylabel=FLUX)
    for ax, (name, grid) in zip(axes[1:], curves.items(), strict=True):
        for published, style in (("F99", "k--"), ("CCM89", "k:")):
            ax.plot(grid.wavelength, law(published, grid.wavelength), style, label=published)
        for color, (step, curve) in zip(COLORS, curves_of(name, grid).items(), strict=True):
            ax.plot(grid.wavelength, curve, color, label=f"E(B-V) from {step}", lw=1.5)
        ax.set(title=TITLES[name], ylabel=r"$A_\lambda / E(B-V)$", ylim=(0, 7))
    for ax in axes:
        ax.set(xlabel="wavelength [nm]", xlim=(336, 1020))
        ax.legend(frameon=False)
    return figure


if __name__ == "__main__":
    main()
