"""One half of the spectrum from the other, split at 640 nm (section 4.3).

The coefficients of one photometer are told, the other's asked, and the result is sampled. Beyond
640 nm a spectrum is RP's, below it BP's, but for a few tens of nm where they overlap. The scores
are with those of all spectra.
"""

from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from common.generalist import REAL, Known, ask
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.expert import complete
from experiments.setting import Setting
from msaestimator import StellarFoundationModel
from msaestimator.datasets import load_xp_sampling

__all__ = ["run"]

SPLIT = 640.0
"""In nm."""

EXAMPLES = (5, 50, 95)
"""Percentiles of the RMSE of the stars that are drawn."""

TRUTH, ANSWER = "0.25", "#D55E00"


class Inpainted(NamedTuple):
    """Spectra one half of which was asked for, over their mean flux, (n_stars, n_wavelengths)."""

    told: str
    true: np.ndarray
    answer: np.ndarray
    asked: np.ndarray

    @property
    def residual(self) -> np.ndarray:
        """Fractional residuals at the wavelengths that were asked for."""
        return (self.answer[:, self.asked] - self.true[:, self.asked]) / self.true[:, self.asked]

    @property
    def rmse(self) -> np.ndarray:
        """Of each star over these wavelengths, in units of the mean flux."""
        difference = self.answer[:, self.asked] - self.true[:, self.asked]
        return np.sqrt((difference**2).mean(axis=1))


def run(setting: Setting) -> None:
    """Answer, draw."""
    model, known = setting.model, setting.known
    known = known.rows(complete(known, model.xp_columns))
    wavelength = load_xp_sampling().wavelength.value
    both = [
        inpaint(model, known, "BP", wavelength > SPLIT),
        inpaint(model, known, "RP", wavelength < SPLIT),
    ]
    setting.save(draw(wavelength, both), "inpainting", f"{REAL}, {len(known.values)}")


def inpaint(
    model: StellarFoundationModel, known: Known, told: str, asked: np.ndarray
) -> Inpainted:
    """Tell one photometer's coefficients and ask for the other's."""
    names = list(model.xp_columns)
    given = [name for name in names if f"_{told.lower()}_" in name]
    wanted = [name for name in names if name not in given]
    answers = ask(model, given, known.matrix(given), wanted)
    true, filled = known.matrix(names), known.matrix(names)
    filled[:, [names.index(name) for name in wanted]] = np.column_stack(
        [answers[name].value for name in wanted]
    )
    matrix = load_xp_sampling().matrix.value
    flux, answer = true @ matrix.T, filled @ matrix.T
    mean = flux.mean(axis=1, keepdims=True)
    return Inpainted(told, flux / mean, answer / mean, asked)


def percentiles(half: Inpainted) -> np.ndarray:
    """Return the RMSE at the percentiles of the examples."""
    return np.percentile(half.rmse, EXAMPLES)


def draw(wavelength: np.ndarray, both: list[Inpainted]) -> Figure:
    """Draw examples and the residuals of all stars, a row for each photometer told."""
    figure, axes = plt.subplots(
        2, len(EXAMPLES) + 1, figsize=(13, 5.2), layout="constrained", sharex=True
    )
    for row, half in zip(axes, both, strict=True):
        for ax, percentile, rmse in zip(row, EXAMPLES, percentiles(half), strict=False):
            star = np.abs(half.rmse - rmse).argmin()
            ax.plot(wavelength, half.true[star], color=TRUTH, label="observed")
            asked = wavelength[half.asked], half.answer[star][half.asked]
            ax.plot(*asked, color=ANSWER, label="answered")
            ax.axvline(SPLIT, color="0.7", linewidth=0.8, zorder=0)
            ax.set_title(f"{percentile}th percentile: RMSE {rmse:.2g}", fontsize=10)
        row[0].set_ylabel(f"told {half.told}\nflux / mean flux")
        draw_residual(row[-1], wavelength[half.asked], half.residual)
    axes[0, 0].legend(fontsize=8)
    axes[0, -1].set_title("all stars: median, 16-84 %", fontsize=10)
    for ax in axes[1]:
        ax.set_xlabel("wavelength [nm]")
    return figure


def draw_residual(ax: Axes, wavelength: np.ndarray, residual: np.ndarray) -> None:
    """Draw the median fractional residual with its 16th and 84th percentiles."""
    low, middle, high = np.percentile(residual, [16, 50, 84], axis=0)
    ax.fill_between(wavelength, low, high, color=ANSWER, alpha=0.3, linewidth=0)
    ax.plot(wavelength, middle, color=ANSWER)
    ax.axhline(0, color="0.5", linewidth=0.8)
    ax.set_ylim(*np.clip([low.min() * 1.1, high.max() * 1.1], -1, 1))
    ax.set_ylabel("fractional residual")
