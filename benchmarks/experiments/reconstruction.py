"""Test stars' spectra from their labels, beside the observed ones (section 4.2.2).

Told are labels and E(B-V), and then colours too: E(B-V) is that of a map to infinity, and colours
tell the star's own. The RMSE is over the wavelengths, in units of the star's mean flux.
"""

from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from common.generalist import REAL, Known, axis_label, coefficients
from common.trust_stars import numbers
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from experiments.expert import complete
from experiments.setting import Setting
from msaestimator.results import spectra_table
from msaestimator.schema import StarTable

__all__ = ["run"]

LABELS = ("teff", "logg", "fe_h", "alpha_m", "ebv")
LINES = {"labels, E(B-V)": "C3", "labels, E(B-V), colours": "C0"}
"""What is told, and its colour."""

PERCENTILES = (5, 25, 50, 75, 90, 99)
TEMPERATURES = (3500.0, 7000.0)
N_BINS = 12
CLEAR = 20
"""Signal to noise of the stars whose residuals are shown: noise below the line is no residual."""
AXES = {
    "signal_to_noise": "S/N of the spectrum",
    "distance": "distance [kpc]",
    "teff": axis_label("teff"),
    "logg": axis_label("logg"),
    "fe_h": axis_label("fe_h"),
}
LOGARITHMIC = ("signal_to_noise", "distance")


def run(setting: Setting) -> None:
    """Ask for spectra, draw; their errors are in the table of all spectra."""
    colors = [name for name in setting.model.trained_tokens if name.startswith("color_")]
    told = dict(zip(LINES, (LABELS, (*LABELS, *colors)), strict=True))
    found = {name: reconstruct(setting, inputs) for name, inputs in told.items()}
    caption = f"{REAL}, {len(found['labels, E(B-V)'].stars)} of 3,500 to 7,000 K"
    for name, spectra in zip(
        ("reconstruction", "reconstruction_colors"), found.values(), strict=True
    ):
        setting.save(draw_examples(spectra), name, caption)
    setting.save(draw_residuals(found), "reconstruction_residuals", caption)
    setting.save(draw_errors(found), "reconstruction_errors", caption)


@dataclass(frozen=True)
class Spectra:
    """Observed and generated spectra of stars.

    Parameters
    ----------
    stars : StarTable of length n_stars
        With ``signal_to_noise``, the mean flux over the RMS error of the observed spectrum.
    wavelength : ndarray of shape (n_wavelengths,)
        In nm.
    observed, generated : ndarray of shape (n_stars, n_wavelengths)
        Over the star's mean observed flux.
    """

    stars: StarTable
    wavelength: np.ndarray
    observed: np.ndarray
    generated: np.ndarray

    @property
    def rmse(self) -> np.ndarray:
        """Root of the mean squared difference over the wavelengths, (n_stars,)."""
        return np.sqrt(np.mean((self.generated - self.observed) ** 2, axis=1))


def reconstruct(setting: Setting, told: tuple[str, ...]) -> Spectra:
    """Return spectra of the stars with coefficients and every label."""
    known, stars = setting.known, setting.stars
    chosen = complete(known, [*LABELS, *coefficients(0, 55)])
    chosen &= (known["teff"] > TEMPERATURES[0]) & (known["teff"] < TEMPERATURES[1])
    stars, known = stars[chosen], known.rows(chosen)
    observed = observe(known, stars)
    generated = setting.model.spectrum(stars, inputs=told)
    flux = observed["flux"].value
    mean = flux.mean(axis=1, keepdims=True)
    noise = np.sqrt(np.mean(observed["flux_err"].value ** 2, axis=1))
    stars["signal_to_noise"] = mean[:, 0] / noise
    wavelength = observed.meta["wavelength"].value
    return Spectra(stars, wavelength, flux / mean, generated["flux"].value / mean)


def observe(known: Known, stars: StarTable) -> StarTable:
    """Return the spectra of the stars' own coefficients."""
    names = coefficients(0, 55)
    errors = np.column_stack([known.error(name) for name in names])
    return spectra_table(known.matrix(names), errors, stars["phot_g_mean_mag"].value)


def draw_examples(spectra: Spectra) -> Figure:
    """Return observed and generated spectra of six stars, from good to bad."""
    figure, axes = plt.subplots(2, 3, figsize=(13, 6.5), sharex=True, layout="constrained")
    order = np.argsort(spectra.rmse)
    for ax, percentile in zip(axes.flat, PERCENTILES, strict=True):
        star = order[round(percentile / 100 * (len(order) - 1))]
        ax.plot(spectra.wavelength, spectra.observed[star], "C0", label="observed")
        ax.plot(spectra.wavelength, spectra.generated[star], "C3", lw=1, label="from labels")
        # The noise of faint stars in the blue would leave no room for the rest.
        ax.set_ylim(-0.3, 1.3 * np.percentile(spectra.observed[star], 95))
        row = spectra.stars[star]
        ax.set_title(
            f"{percentile}th percentile, RMSE {spectra.rmse[star]:.3f}\n"
            f"{row['teff'].value:.0f} K, log g {row['logg'].value:.2f}, [Fe/H] "
            f"{row['fe_h'].value:.2f}, G {row['phot_g_mean_mag'].value:.1f}",
            fontsize=10,
        )
    for ax in axes[1]:
        ax.set(xlabel="wavelength [nm]", xlim=(336, 1020))
    for ax in axes[:, 0]:
        ax.set_ylabel("flux over its mean")
    axes[0, 0].legend(frameon=False)
    return figure


def draw_residuals(found: dict[str, Spectra]) -> Figure:
    """Return the median fractional residual and its scatter against the wavelength."""
    figure, axes = plt.subplots(1, 2, figsize=(12, 4), sharey=True, layout="constrained")
    for ax, (name, spectra) in zip(axes, found.items(), strict=True):
        clear = spectra.stars["signal_to_noise"] > CLEAR
        residual = spectra.generated[clear] / spectra.observed[clear] - 1.0
        low, middle, high = np.percentile(residual, [16, 50, 84], axis=0)
        ax.fill_between(spectra.wavelength, low, high, color=LINES[name], alpha=0.25, lw=0)
        ax.plot(spectra.wavelength, middle, LINES[name], lw=1.2)
        ax.axhline(0, color="k", lw=0.8, ls=":")
        ax.set(xlabel="wavelength [nm]", xlim=(336, 1020), ylim=(-0.3, 0.3))
        ax.set_title(f"told {name}; S/N > {CLEAR}: {clear.sum()} stars", fontsize=10)
    axes[0].set_ylabel("(generated - observed) / observed")
    return figure


def draw_errors(found: dict[str, Spectra]) -> Figure:
    """Return the RMSE against signal to noise, distance and labels, as running quantiles."""
    figure, axes = plt.subplots(1, 5, figsize=(17, 3.8), sharey=True, layout="constrained")
    for ax, (column, label) in zip(axes, AXES.items(), strict=True):
        for name, spectra in found.items():
            values = numbers(spectra.stars, column)
            known = np.isfinite(values)
            if known.sum() >= N_BINS:
                draw_running(ax, values[known], spectra.rmse[known], LINES[name], name)
        ax.set(xlabel=label, yscale="log", xscale="log" if column in LOGARITHMIC else "linear")
        if column in LOGARITHMIC:
            ax.xaxis.set_minor_formatter(NullFormatter())
        else:
            ax.locator_params(axis="x", nbins=4)
    limits = np.array(axes[0].get_xlim())
    axes[0].plot(limits, 1 / limits, "k:", label="noise alone")
    axes[0].set_xlim(*limits)
    axes[0].set_ylabel("RMSE over the mean flux")
    axes[0].legend(frameon=False)
    return figure


def draw_running(ax: Axes, x: np.ndarray, y: np.ndarray, color: str, label: str) -> None:
    """Draw median and 16 to 84 % of ``y`` in bins of ``x`` with equally many stars."""
    bins = np.array_split(np.argsort(x), N_BINS)
    centers = [np.median(x[rows]) for rows in bins]
    low, middle, high = np.transpose([np.percentile(y[rows], [16, 50, 84]) for rows in bins])
    ax.fill_between(centers, low, high, color=color, alpha=0.2, lw=0)
    ax.plot(centers, middle, color=color, label=label)
