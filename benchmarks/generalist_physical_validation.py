"""Kiel diagram, reddening and distance from spectra and colours (section 4.1.3).

Run from the repository's root::

    python benchmarks/generalist_physical_validation.py MODELS

Kiel diagram and reddening are of real stars, told their coefficients and colours; their known
reddening is to infinity. Distances are of the mock survey, told E(B-V) too: the answered
pseudo-luminosity and the G magnitude make them.
"""

import matplotlib.pyplot as plt
import numpy as np
from common.figures import save_figure
from common.generalist import (
    COLORS,
    MOCK,
    REAL,
    Comparison,
    Known,
    ask,
    axis_label,
    compare,
    error_bar,
    experiment_options,
    load_model,
    mock_test_stars,
    one_to_one,
    print_scores,
    real_stars,
    unit_of,
)
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm

from msaestimator import StellarFoundationModel
from msaestimator.metrics import nmad
from msaestimator.plots import plot_kiel
from msaestimator.schema import StarTable, distance

KIEL = ("teff", "logg", "fe_h")
REDDENING = (0.005, 12.0)
"""Range of the panel of E(B-V), in mag."""

DISTANCE = (0.03, 30.0)
"""Range of the panel of distances, in kpc."""


def main() -> None:
    """Answer, score, draw."""
    options = experiment_options(__doc__)
    real, mock = load_model(options, "real"), load_model(options, "mock")
    test = Known.of(real, real_stars(options, "test"))
    told = [*real.xp_columns, *COLORS]
    kiel = ask(real, told, test.matrix(told), KIEL)
    reddening = compare(real, test, ["ebv"], told)["ebv"]
    distances = ask_distances(mock, mock_test_stars(options))
    rows = [
        {"asked": "E(B-V) [mag]", "NMAD": reddening.scatter, "within": reddening.within},
        {
            "asked": "distance [fraction]",
            "NMAD": fractional_scatter(distances),
            "within": distances.within,
        },
    ]
    print_scores(f"E(B-V): {REAL}; distance: {MOCK}", rows)
    figure, axes = plt.subplots(1, 3, figsize=(15, 4.6), layout="constrained")
    plot_kiel(kiel, color="fe_h", ax=axes[0])
    axes[0].set_title("answered")
    draw_reddening(axes[1], reddening)
    draw_distances(axes[2], distances)
    text = f"Left, middle: {REAL}, {len(kiel)} stars. Right: {MOCK}, {len(distances.true)} stars."
    save_figure(figure, options, "physical_validation", text)


def ask_distances(model: StellarFoundationModel, stars: StarTable) -> Comparison:
    """Return distances in kpc of stars that are told coefficients, colours and E(B-V)."""
    stars = stars[np.isfinite(stars["bp_coefficients"]).all(axis=1)]
    known = Known.of(model, stars)
    told = [*model.xp_columns, *COLORS, "ebv"]
    answers = ask(model, told, known.matrix(told), ["pseudo_luminosity"])
    luminosity = answers["pseudo_luminosity"].value
    answer = distance(luminosity, stars["phot_g_mean_mag"].to_value("mag")) / 1000
    true = stars["true_distance"].to_value("kpc")
    error = answer * answers["pseudo_luminosity_err"].value / luminosity
    return Comparison("distance", true, answer, np.zeros_like(true), error)


def fractional_scatter(distances: Comparison) -> float:
    """Return the NMAD of the distances' fractional residuals."""
    return float(nmad(np.zeros_like(distances.true), distances.answer / distances.true - 1))


def draw_reddening(ax: Axes, reddening: Comparison) -> None:
    """Draw the reddening on logarithmic axes."""
    error_bar(one_to_one(ax, reddening, limits=REDDENING), ax, unit_of("ebv"))
    ax.set(xscale="log", yscale="log", xlim=REDDENING, ylim=REDDENING)
    ax.set(xlabel="known $E(B-V)$ to infinity [mag]", ylabel=f"answered {axis_label('ebv')}")


def draw_distances(ax: Axes, distances: Comparison) -> None:
    """Draw the distances on logarithmic axes."""
    fraction = distances.error / distances.answer
    norm = LogNorm(*np.percentile(fraction, [2, 98]))
    points = distances.true, distances.answer
    drawn = ax.scatter(*points, c=fraction, s=2.5, linewidths=0, norm=norm)
    error_bar(drawn, ax, "fraction")
    ax.plot(DISTANCE, DISTANCE, color="#D55E00", linewidth=1)
    ax.set(xscale="log", yscale="log", xlim=DISTANCE, ylim=DISTANCE)
    ax.set(xlabel="true distance [kpc]", ylabel="spectrophotometric distance [kpc]")
    text = f"NMAD {fractional_scatter(distances):.1%}\n{distances.within:.0%} within 1$\\sigma$"
    ax.text(0.97, 0.03, text, transform=ax.transAxes, ha="right", fontsize=9)


if __name__ == "__main__":
    main()
