"""The extinction curve that the model has learned of real stars (section 4.5).

Spectra of the same real giants, told by their labels, are asked for with more and less reddening;
and again with a colour told, as red as that makes it, which leaves no doubt about the dust.
As extinction is measured of pairs of stars, their own E(B-V) is that of the two spectra in bands
like B and V, and the zero is set so that A_V is R_V E(B-V). The paper takes E(B-V) as it was told
in its place, and the luminosity that is answered for the zero: here the told one is a map's, to
infinity, and luminosities are of noisy parallaxes.
"""

from collections.abc import Mapping

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
from common.generalist import REAL, Known
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.expert import complete
from experiments.isochrones import R_V
from experiments.setting import Setting
from msaestimator import StellarFoundationModel
from msaestimator.datasets import load_xp_sampling
from msaestimator.schema import StarTable, absolute_magnitude

__all__ = ["run"]

LABELS = ("teff", "logg", "fe_h", "alpha_m")
COLOR, REDDER = "color_ks_m", 2.2
"""The colour that is told, G - Ks, and by how much E(B-V) reddens it, about.

This sets how large a step is, which the spectra say themselves, and not the curve.
"""

TOLD = {"E(B-V)": (), "E(B-V), G - Ks": (COLOR,)}
LITTLE_DUST = 0.1
"""E(B-V) in mag of the giants whose labels are told: of their kind some have hardly any dust."""

LOGG, TEFF = (1.0, 3.0), 5300.0
"""The paper's range of log g, and the most in K."""
REDDENINGS = (0.0, 0.1, 0.2, 0.5)
STEPS = ((0.0, 0.1), (0.0, 0.2), (0.0, 0.5), (0.1, 0.5))
"""The paper's three, and one that needs no giant without dust."""

BANDS = {"B": (436.0, 94.0), "V": (545.0, 88.0)}
"""Effective wavelength and full width at half maximum of bands, in nm."""

LAWS = ("F99", "CCM89")
TRUSTED = (400.0, 1000.0)
"""Range in nm over which the curves are compared."""

COLORS = ("#a6bddb", "#74a9cf", "#0570b0", "#D55E00")
EXAMPLE_LOGG = 2.5


def run(setting: Setting) -> None:
    """Ask for the spectra, compare the curves with published ones, draw."""
    giants = little_reddened(setting.known)
    wavelength = load_xp_sampling().wavelength.value
    laws = {name: law(name, wavelength) for name in LAWS}
    columns = "told, in mag", "E(B-V) of spectra", *(f"from {name}: most, mean" for name in LAWS)
    table = setting.table("generalist_extinction.inc", *columns, "as told: most, mean")
    pairs, as_told, shown = {}, {}, {}
    for told, colors in TOLD.items():
        spectra = {ebv: ask(setting.model, giants, ebv, colors) for ebv in REDDENINGS}
        pairs[told], as_told[told] = {}, {}
        for less, more in STEPS:
            step = f"{less:g} to {more:g}"
            magnitudes = np.nanmedian(dimming(spectra[less][0], spectra[more][0]), axis=0)
            own, curve = of_pairs(magnitudes, wavelength, laws["F99"])
            grey = np.nanmedian(spectra[more][1] - spectra[less][1])
            pairs[told][step], as_told[told][step] = curve, (magnitudes + grey) / (more - less)
            off = [distance(curve, published, wavelength) for published in laws.values()]
            off.append(distance(as_told[told][step], laws["F99"], wavelength))
            table.add(f"{told}: {step}", f"{own:.3f}", *off)
        shown[told] = example(giants, spectra)
    panels = {f"told {told}": by_step for told, by_step in pairs.items()}
    panels["E(B-V) and luminosity as told and answered"] = as_told["E(B-V)"]
    figure = draw(wavelength, shown["E(B-V)"], panels, laws)
    setting.save(figure, "extinction_curve", f"Labels of {len(giants)} giants. {REAL}")


def little_reddened(known: Known) -> StarTable:
    """Return labels, E(B-V) and colour of giants with little dust before them."""
    names = (*LABELS, COLOR, "ebv")
    chosen = complete(known, names) & (known["ebv"] < LITTLE_DUST) & (known["teff"] < TEFF)
    chosen &= (known["logg"] > LOGG[0]) & (known["logg"] < LOGG[1])
    return StarTable({name: known[name][chosen] for name in names})


def ask(
    model: StellarFoundationModel, giants: StarTable, ebv: float, colors: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Return spectra over the G flux, (n_giants, n_wavelengths), and absolute magnitudes.

    An E(B-V) of 0 counts as the least that the word takes.
    """
    told = giants[[*LABELS, *colors]]
    for color in colors:
        told[color] += REDDER * (ebv - giants["ebv"])
    told["ebv"] = ebv * u.mag
    told["phot_g_mean_mag"] = 15.0 * u.mag
    inputs = [*LABELS, *colors, "ebv"]
    flux = model.spectrum(told, inputs=inputs)["flux"].value
    answers = model.request(told, "pseudo_luminosity", inputs=inputs)
    return flux, absolute_magnitude(answers["pseudo_luminosity"])


def dimming(clear: np.ndarray, dusty: np.ndarray) -> np.ndarray:
    """Return in magnitudes by how much less there is of one spectrum than of the other."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return -2.5 * np.log10(dusty / clear)


def of_pairs(
    magnitudes: np.ndarray, wavelength: np.ndarray, published: np.ndarray
) -> tuple[float, np.ndarray]:
    """Return E(B-V) of two spectra, and the curve with it.

    Bands have widths, so that they see a little less than is meant by E(B-V): as much less as of
    the published law.
    """
    in_band = {name: transmission(wavelength, *band) for name, band in BANDS.items()}
    seen, expected = (
        {name: curve @ weights for name, weights in in_band.items()}
        for curve in (magnitudes, published)
    )
    ebv = (seen["B"] - seen["V"]) / (expected["B"] - expected["V"])
    return ebv, (magnitudes - seen["V"]) / ebv + expected["V"]


def transmission(wavelength: np.ndarray, middle: float, width: float) -> np.ndarray:
    """Return the weights of a band, a Gaussian, which add up to one."""
    weights = np.exp(-4.0 * np.log(2.0) * ((wavelength - middle) / width) ** 2)
    return weights / weights.sum()


def law(name: str, wavelength: np.ndarray) -> np.ndarray:
    """Return A(wavelength) / E(B-V) of a published mean extinction law."""
    from dust_extinction import parameter_averages

    return R_V * getattr(parameter_averages, name)(Rv=R_V)(wavelength * u.nm)


def distance(curve: np.ndarray, published: np.ndarray, wavelength: np.ndarray) -> str:
    """Return the largest and the mean distance of two curves."""
    off = np.abs(curve - published)[(wavelength >= TRUSTED[0]) & (wavelength <= TRUSTED[1])]
    return f"{off.max():.2f}, {off.mean():.2f}"


def example(
    giants: StarTable, spectra: Mapping[float, tuple[np.ndarray, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Return the spectra of one giant by its reddening."""
    star = int(np.argmin(np.abs(giants["logg"] - EXAMPLE_LOGG)))
    return {f"E(B-V) = {ebv:g}": flux[star] for ebv, (flux, _) in spectra.items()}


def draw(
    wavelength: np.ndarray,
    spectra: Mapping[str, np.ndarray],
    panels: Mapping[str, Mapping[str, np.ndarray]],
    laws: Mapping[str, np.ndarray],
) -> Figure:
    """Return spectra of one giant, and curves beside the published laws."""
    figure, axes = plt.subplots(1, 1 + len(panels), figsize=(18, 4.4), layout="constrained")
    for name, flux in spectra.items():
        axes[0].plot(wavelength, flux / spectra["E(B-V) = 0"].mean(), label=name, lw=1.2)
    axes[0].set(title=f"a giant of log g = {EXAMPLE_LOGG:g} at one G", ylabel="flux")
    for ax, (title, by_step) in zip(axes[1:], panels.items(), strict=True):
        draw_curves(ax, wavelength, by_step, laws)
        ax.set_title(title, fontsize=10)
    for ax in axes:
        ax.set(xlabel="wavelength [nm]", xlim=(336, 1020))
        ax.legend(frameon=False, fontsize=8)
    return figure


def draw_curves(
    ax: Axes,
    wavelength: np.ndarray,
    by_step: Mapping[str, np.ndarray],
    laws: Mapping[str, np.ndarray],
) -> None:
    """Draw a curve a step, and the published ones."""
    for (name, published), style in zip(laws.items(), ("k--", "k:"), strict=True):
        ax.plot(wavelength, published, style, label=name)
    for color, (step, curve) in zip(COLORS, by_step.items(), strict=True):
        ax.plot(wavelength, curve, color, label=f"E(B-V) from {step}", lw=1.5)
    ax.set(ylabel=r"$A_\lambda / E(B-V)$", ylim=(0, 7))
