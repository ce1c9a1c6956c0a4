"""The age-metallicity relation of giants poor and rich in alpha elements (section 4.4.3).

Of labels alone at one log g, as in the paper but with [α/M]; and of real giants' spectra and
photometry, beside the ages that were published of them.
"""

from dataclasses import dataclass

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
from common.generalist import REAL, axis_label
from common.trust_stars import BASIC, numbers, tell
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.setting import Setting, giants_of
from msaestimator import StellarFoundationModel
from msaestimator.schema import StarTable

__all__ = ["run"]

LOGG = 2.5
FE_H = np.arange(-1.2, 0.41, 0.05)
ALPHAS = {"low": 0.03, "high": 0.22}
WIDTH = 0.1
"""How far from these, in dex, a giant counts as alike."""

BINS = np.array([-0.8, -0.6, -0.4, -0.2, 0.0, 0.2, 0.4])
NEAR = 0.12
"""How near in [M/H] a giant is to the middle of a bin."""

FEWEST = 8
"""Giants whose median is shown."""


@dataclass(frozen=True)
class Sequence:
    """Ages of giants of one [α/M].

    Parameters
    ----------
    title : str
        Of its panel.
    giants : StarTable
        ``fe_h``, ``age`` and ``answered_age``, plain numbers.
    by_labels : ndarray of shape (3, n_points)
        Interval and median at `FE_H`, as `known` and `by_spectra` are of giants at `BINS`.
    """

    title: str
    giants: StarTable
    by_labels: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """Published ages."""
        return ages_near(self.giants["age"], self.giants["fe_h"])

    @property
    def by_spectra(self) -> np.ndarray:
        """Answered ages."""
        return ages_near(self.giants["answered_age"], self.giants["fe_h"])


def run(setting: Setting) -> None:
    """Ask, write, draw."""
    giants = giants_with_ages(setting)
    sequences = []
    for name, alpha in ALPHAS.items():
        alike = giants[np.abs(giants["alpha_m"] - alpha) < WIDTH]
        by_labels = ages_along(setting.model, alpha)
        sequences.append(Sequence(f"{name} [α/M]: {alpha:g}", alike, by_labels))
    write(setting, sequences)
    setting.save(draw(sequences), "labels_age_metallicity", f"Giants. {REAL}")


def giants_with_ages(setting: Setting) -> StarTable:
    """Return giants that have an age, and what is answered from their spectra."""
    stars = setting.stars[giants_of(setting.known)]
    giants = StarTable({name: numbers(stars, name) for name in ("fe_h", "alpha_m", "age")})
    giants["answered_age"] = setting.model.request(tell(stars, BASIC), "age")["age"].value
    return giants[np.isfinite(giants["age"])]


def write(setting: Setting, sequences: list[Sequence]) -> None:
    """Write the ages of each bin."""
    columns = "[M/H]; giants", "giants", "published age, Gyr", "by their spectra", "by labels"
    table = setting.table("generalist_age_metallicity.inc", *columns)
    for sequence in sequences:
        known, by_spectra = sequence.known, sequence.by_spectra
        for at, fe_h in enumerate(BINS):
            near = np.abs(sequence.giants["fe_h"] - fe_h) < NEAR
            of_labels = sequence.by_labels[:, np.abs(FE_H - fe_h).argmin()]
            cells = (interval(ages) for ages in (known[:, at], by_spectra[:, at], of_labels))
            table.add(f"{fe_h:+.1f}; {sequence.title}", np.sum(near), *cells)


def draw(sequences: list[Sequence]) -> Figure:
    """Draw a panel for each sequence."""
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.2), sharey=True, layout="constrained")
    for ax, sequence in zip(axes, sequences, strict=True):
        giants, (low, middle, high) = sequence.giants, sequence.by_labels
        ax.plot(giants["fe_h"], giants["age"], ".", color="0.7", ms=3, label="giants")
        ax.fill_between(FE_H, low, high, color="C0", alpha=0.25, lw=0)
        ax.plot(FE_H, middle, color="C0", label=f"by labels, log g {LOGG:g}")
        draw_median(ax, BINS - 0.01, sequence.known, "0.2", "giants, median")
        draw_median(ax, BINS + 0.01, sequence.by_spectra, "C3", "by spectra")
        ax.set(xlabel=axis_label("fe_h"), xlim=(FE_H[0], BINS[-1] + 0.05), ylim=(0, 16))
        ax.set_title(sequence.title, fontsize=10)
    axes[0].set_ylabel(axis_label("age"))
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def draw_median(ax: Axes, x: np.ndarray, ages: np.ndarray, color: str, label: str) -> None:
    """Draw medians with their 68 % ranges."""
    low, middle, high = ages
    style = {"fmt": "o", "ms": 4, "color": color, "label": label}
    ax.errorbar(x, middle, [middle - low, high - middle], **style)


def ages_along(model: StellarFoundationModel, alpha: float) -> np.ndarray:
    """Return the interval and median of ages along [M/H], (3, n_points), by labels alone.

    Teff is what is answered of the others.
    """
    told = StarTable({"logg": np.full(len(FE_H), LOGG) * u.dex, "fe_h": FE_H * u.dex})
    told["alpha_m"] = np.full(len(FE_H), alpha) * u.dex
    told["teff"] = model.request(told, "teff")["teff"]
    answers = model.request(told, "age")
    return np.array([answers[f"age{end}"].value for end in ("_lower", "", "_upper")])


def ages_near(ages: np.ndarray, fe_h: np.ndarray) -> np.ndarray:
    """Return 16th, 50th and 84th percentiles of ages at `BINS`, (3, n_bins), NaN of few stars."""
    found = np.full((3, len(BINS)), np.nan)
    for at, middle in enumerate(BINS):
        near = np.asarray(ages)[np.abs(fe_h - middle) < NEAR]
        if len(near) >= FEWEST:
            found[:, at] = np.percentile(near, [16, 50, 84])
    return found


def interval(ages: np.ndarray) -> str:
    """Return a median and its interval as a cell of a table."""
    low, middle, high = ages
    return f"{middle:.1f} ({low:.1f} to {high:.1f})" if np.isfinite(middle) else "–"
