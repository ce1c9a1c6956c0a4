"""Relations along the giant branch, beside MIST and stars.

The generalist is told labels of points of isochrones, with the [α/M] that giants of their [M/H]
have, and asked for others: Teff and luminosity along log g, mass by age. Of real giants the
medians of those near each point are shown. Their luminosities follow from the distances of their
labels, less the extinction of a map.
"""

from dataclasses import dataclass

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
from astropy.table import vstack
from common.generalist import REAL, axis_label
from common.trust_stars import numbers
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.isochrones import EBV, R_V, at_logg, isochrone
from experiments.setting import Setting, giants_of
from msaestimator import StellarFoundationModel
from msaestimator.schema import StarTable, absolute_magnitude

__all__ = ["run"]

METALLICITIES = (-1.0, -0.5, 0.0, 0.3)
LOGG = np.arange(1.0, 3.21, 0.2)
AGE = 5.0
"""In Gyr, of the isochrones along which log g falls."""

AGES = np.array([1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0, 12.0])
CLUMP = 2.5
"""The log g at which age varies."""

NEAR = {"logg": 0.1, "fe_h": 0.12}
"""How near a star is to a point, in dex; ages within a fifth, and of any giant."""

FEWEST = 8
"""Stars whose median is shown."""

LITTLE_DUST = 0.3
"""E(B-V) in mag of stars whose luminosity is shown."""

A_G = 0.8 * R_V
"""Extinction in G over E(B-V), of giants."""

SYMBOLS = {
    "teff": "Teff",
    "logg": "log g",
    "fe_h": "[M/H]",
    "alpha_m": "[α/M]",
    "ebv": "E(B-V)",
    "m_g": "M_G",
    "mass": "mass",
    "age": "age",
}


@dataclass(frozen=True)
class Relation:
    """What the generalist, MIST and stars say of one quantity at the same points.

    Parameters
    ----------
    name : str
        Of the quantity, and what was told.
    x, fe_h : ndarray of shape (n_points,)
        What varies.
    answer, mist, stars : ndarray of shape (n_points,)
        NaN where there are too few stars.
    """

    name: str
    x: np.ndarray
    fe_h: np.ndarray
    answer: np.ndarray
    mist: np.ndarray
    stars: np.ndarray

    def cells(self) -> list[str]:
        """Return the differences from MIST and from stars, median and 68 % half range."""
        cells = [self.name]
        for other in (self.mist, self.stars):
            off = (self.answer - other)[np.isfinite(other)]
            cells.append(f"{len(off)}")
            low, middle, high = np.percentile(off, [16, 50, 84]) if len(off) else [np.nan] * 3
            cells.append(f"{middle:+.2g} ± {(high - low) / 2:.2g}" if len(off) else "–")
        return cells


def run(setting: Setting) -> None:
    """Ask, write how far the answers are off, draw."""
    giants = with_luminosity(setting.stars[giants_of(setting.known)])
    relations = ask_relations(setting.model, giants)
    columns = "points", "less MIST", "points with stars", "less stars"
    table = setting.table("generalist_giant_branch.inc", "asked; told", *columns)
    for relation in relations:
        table.add(*relation.cells())
    setting.save(draw(relations[:3]), "giant_branch", f"Points: medians. {REAL}")


def with_luminosity(stars: StarTable) -> StarTable:
    """Return stars as plain numbers, with absolute magnitudes where there is little dust."""
    names = "teff", "logg", "fe_h", "alpha_m", "mass", "age", "ebv", "distance"
    giants = StarTable({name: numbers(stars, name) for name in names})
    g = numbers(stars, "phot_g_mean_mag")
    m_g = g - 5.0 * np.log10(giants["distance"]) - 10.0 - A_G * (giants["ebv"] - EBV)
    giants["m_g"] = np.where(giants["ebv"] < LITTLE_DUST, m_g, np.nan)
    return giants


def median_near(giants: StarTable, asked: str, **point: float) -> float:
    """Return the median of giants near a point, NaN if these are few."""
    near = np.isfinite(giants[asked])
    for name, value in point.items():
        width = 0.2 * value if name == "age" else NEAR[name]
        near &= np.abs(giants[name] - value) < width
    return float(np.median(giants[asked][near])) if near.sum() >= FEWEST else np.nan


def ask_relations(model: StellarFoundationModel, giants: StarTable) -> list[Relation]:
    """Return what the generalist says of every question, beside MIST and giants."""
    branch, clump = (
        vstack([at_logg(isochrone(age, fe_h), logg) for fe_h in METALLICITIES for age, logg in at])
        for at in ([(AGE, logg) for logg in LOGG], [(age, CLUMP) for age in AGES])
    )
    for points in (branch, clump):
        alphas = [median_near(giants, "alpha_m", fe_h=fe_h) for fe_h in points["fe_h"].value]
        points["alpha_m"] = alphas * u.dex
    metals = ("logg", "fe_h", "alpha_m")
    return [
        ask(model, giants, branch, "logg", "teff", metals),
        ask(model, giants, branch, "logg", "m_g", (*metals, "ebv")),
        ask(model, giants, clump, "age", "mass", (*metals, "teff", "age")),
        ask(model, giants, branch, "logg", "teff", (*metals, "mass", "age")),
        ask(model, giants, branch, "logg", "m_g", (*metals, "teff", "ebv")),
    ]


def ask(
    model: StellarFoundationModel,
    giants: StarTable,
    points: StarTable,
    along: str,
    asked: str,
    told: tuple[str, ...],
) -> Relation:
    """Return one relation at points of isochrones; giants near them are of any age."""
    word = "pseudo_luminosity" if asked == "m_g" else asked
    answers = model.request(points, word, inputs=told)[word]
    answer = absolute_magnitude(answers) if asked == "m_g" else answers.value
    x, fe_h = points[along].value, points["fe_h"].value
    stars = [
        median_near(giants, asked, **{along: at, "fe_h": metals})
        for at, metals in zip(x, fe_h, strict=True)
    ]
    name = f"{SYMBOLS[asked]}; {', '.join(SYMBOLS[label] for label in told)}"
    return Relation(name, x, fe_h, answer, points[asked].value, np.array(stars))


def draw(relations: list[Relation]) -> Figure:
    """Draw what the generalist answers, MIST's isochrones and the stars' medians."""
    figure, axes = plt.subplots(1, 3, figsize=(15, 4.6), layout="constrained")
    axis_labels = (
        (axis_label("logg"), axis_label("teff")),
        (axis_label("logg"), "$M_G$ [mag]"),
        (axis_label("age"), axis_label("mass")),
    )
    for ax, relation, (x_label, y_label) in zip(axes, relations, axis_labels, strict=True):
        for number, fe_h in enumerate(METALLICITIES):
            here, color = relation.fe_h == fe_h, f"C{number}"
            x = relation.x[here]
            ax.plot(x, relation.answer[here], color=color, label=f"[M/H] = {fe_h:g}")
            ax.plot(x, relation.mist[here], "--", color=color, lw=1)
            ax.plot(x, relation.stars[here], "o", color=color, ms=4)
        ax.set(xlabel=x_label, ylabel=y_label)
    for ax in axes[:2]:
        ax.set_title(f"MIST: {AGE:g} Gyr", fontsize=10)
    axes[1].yaxis.set_inverted(True)
    axes[2].set_title(f"log g = {CLUMP:g}", fontsize=10)
    for ax in axes[:2]:
        ax.xaxis.set_inverted(True)
    add_legend(axes[0])
    return figure


def add_legend(ax: Axes) -> None:
    """Say what colours and lines are."""
    for style, label in (("k-", "generalist"), ("k--", "MIST"), ("ko", "stars")):
        ax.plot([], [], style, ms=4, lw=1, label=label)
    ax.legend(frameon=False, fontsize=8)
