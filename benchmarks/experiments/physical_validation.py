"""Kiel diagram, reddening and distance from spectra and colours (section 4.1.3).

Told are coefficients and colours, and for distances G. The known reddening is to infinity, the
known distances are those of labels with isochrones, and the mock survey's true ones.
"""

import matplotlib.pyplot as plt
import numpy as np
from common.generalist import (
    COLORS,
    MOCK,
    REAL,
    Comparison,
    ask,
    axis_label,
    compare,
    error_bar,
    one_to_one,
    unit_of,
    write_text,
)
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm

from experiments.expert import complete
from experiments.setting import Setting
from msaestimator.metrics import nmad
from msaestimator.plots import plot_kiel
from msaestimator.schema import G_BAND

__all__ = ["run"]

KIEL = ("teff", "logg", "fe_h")
REDDENING = (0.005, 12.0)
"""Range of the panel of E(B-V), in mag."""

DISTANCE = (0.03, 30.0)
"""Range of the panels of distances, in kpc."""


def run(setting: Setting) -> None:
    """Answer, draw; the scores of reddening and distances are with all others."""
    model, test = setting.model, setting.known
    told = [*model.xp_columns, *COLORS]
    answers = ask(model, told, test.matrix(told), KIEL)
    reddening = compare(model, test, ["ebv"], told)["ebv"]
    figure, axes = plt.subplots(1, 4, figsize=(19, 4.4), layout="constrained")
    plot_kiel(answers, color="fe_h", ax=axes[0])
    axes[0].set_title("answered", fontsize=10)
    draw_reddening(axes[1], reddening)
    for ax, stars, title in (
        (axes[2], test, "real stars"),
        (axes[3], setting.mock_known, "mock stars"),
    ):
        known = stars.rows(complete(stars, ["distance", *model.xp_columns]))
        if len(known.values):
            draw_distances(ax, compare(model, known, ["distance"], [*told, G_BAND])["distance"])
        ax.set_title(title, fontsize=10)
    setting.save(figure, "physical_validation", f"{REAL}, {len(test.values)}. Right: {MOCK}")


def draw_reddening(ax: Axes, reddening: Comparison) -> None:
    """Draw the reddening on logarithmic axes."""
    error_bar(one_to_one(ax, reddening, limits=REDDENING), ax, unit_of("ebv"))
    ax.set(xscale="log", yscale="log", xlim=REDDENING, ylim=REDDENING)
    ax.set(xlabel="known $E(B-V)$ to infinity [mag]", ylabel=f"answered {axis_label('ebv')}")


def draw_distances(ax: Axes, distances: Comparison) -> None:
    """Draw distances on logarithmic axes."""
    fraction = distances.error / distances.answer
    norm = LogNorm(*np.percentile(fraction, [2, 98]))
    points = distances.true, distances.answer
    style = {"s": 1, "linewidths": 0, "norm": norm, "antialiased": False}
    error_bar(ax.scatter(*points, c=fraction, **style), ax, "fraction")
    ax.plot(DISTANCE, DISTANCE, color="#D55E00", linewidth=1)
    ax.set(xscale="log", yscale="log", xlim=DISTANCE, ylim=DISTANCE)
    ax.set(xlabel="known distance [kpc]", ylabel="answered distance [kpc]")
    scatter = nmad(np.zeros_like(distances.true), distances.answer / distances.true - 1)
    text = f"NMAD {scatter:.0%}\n{distances.within:.0%} within 1$\\sigma$"
    write_text(ax, text)
