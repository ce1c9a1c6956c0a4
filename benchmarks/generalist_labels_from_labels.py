"""Labels from labels: what a model knows of giants without any spectrum (section 4.4).

Run from the repository's root, with the folder that ``generalist_train.py`` filled::

    python benchmarks/generalist_labels_from_labels.py MODELS
"""

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
from common.figures import save_figure
from common.generalist import (
    MOCK_TRAINED,
    Known,
    axis_label,
    compare,
    experiment_options,
    load_model,
    mock_test_stars,
    print_scores,
)
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from msaestimator import StellarFoundationModel
from msaestimator.schema import StarTable, absolute_magnitude

LOGG, FE_H = np.linspace(0.5, 3.5, 61), np.linspace(-2.0, 0.5, 51)
SLICE_LOGG, SLICE_WIDTH = 2.5, 0.25


def main() -> None:
    """Ask for the grid and the slice, print, draw three figures."""
    options = experiment_options(__doc__)
    model = load_model(options, "mock")
    stars = mock_test_stars(options, 20000)
    report(model, stars[stars["logg"].value < LOGG[-1]])
    grid = label_grid()
    answer = model.request(grid, ["teff", "pseudo_luminosity", "mass", "age"])
    grid["teff"] = answer["teff"]
    told_teff = model.request(grid, ["mass", "age"])
    figures = {
        "labels_kiel": draw_kiel(answer, grid, stars),
        "labels_mass_age": draw_mass_age({"without": answer, "with": told_teff}),
        "labels_age_metallicity": draw_ages(model, stars),
    }
    for name, figure in figures.items():
        save_figure(figure, options, name, MOCK_TRAINED)


def label_grid() -> StarTable:
    """Return every pair of `LOGG` and `FE_H`."""
    logg, fe_h = np.meshgrid(LOGG, FE_H, indexing="ij")
    return StarTable({"logg": logg.ravel() * u.dex, "fe_h": fe_h.ravel() * u.dex})


def report(model: StellarFoundationModel, giants: StarTable) -> None:
    """Print how well the survey's own giants are told by a few of their labels."""
    known = Known.of(model, giants)
    rows = [
        {"told": ", ".join(told), "asked": name, "NMAD": c.scatter, "within": c.within}
        for told, asked in (
            (["logg", "fe_h"], ["teff", "mass", "age"]),
            (["logg", "fe_h", "teff"], ["teff", "mass", "age"]),
        )
        for name, c in compare(model, known, asked, told).items()
    ]
    print_scores(f"{len(giants)} giants of the survey", rows)


def draw_kiel(answer: StarTable, grid: StarTable, stars: StarTable) -> Figure:
    """Return the grid's temperatures and luminosities, beside the survey's giants."""
    figure, axes = plt.subplots(2, 2, figsize=(10, 8), layout="constrained")
    giants = stars[stars["logg"].value < LOGG[-1]]
    distance_modulus = 5.0 * np.log10(giants["true_distance"].value) + 10.0
    columns = {
        axis_label("teff"): (answer["teff"].value, giants["teff"].value),
        "$M_G$ [mag]": (
            absolute_magnitude(answer["pseudo_luminosity"]),
            giants["phot_g_mean_mag"].value - distance_modulus,
        ),
    }
    for column, (label, (values, true)) in zip(axes.T, columns.items(), strict=True):
        show_map(column[0], values, label, np.percentile(values, [1, 99]))
        column[1].plot(true, giants["logg"].value, ".", color="0.8", ms=2, zorder=0)
        drawn = column[1].scatter(values, grid["logg"].value, c=grid["fe_h"].value, s=3)
        column[1].set(xlabel=label, ylabel=axis_label("logg"), ylim=(3.7, 0.3))
        column[1].set_xlim(np.percentile(np.concatenate([values, true]), [99.5, 0.5]))
        column[1].set_title("grey: giants of the survey", fontsize=10)
        figure.colorbar(drawn, ax=column[1], label=axis_label("fe_h"))
    return figure


def draw_mass_age(answers: dict[str, StarTable]) -> Figure:
    """Return maps of mass and age and of their errors, with and without Teff told."""
    figure, axes = plt.subplots(2, 4, figsize=(15, 6.5), layout="constrained")
    names = ("mass", "mass_err", "age", "age_err")
    for column, name in zip(axes.T, names, strict=True):
        label = axis_label(name.removesuffix("_err"))
        if name.endswith("_err"):
            label = f"error of {label}"
        values = [answer[name].value for answer in answers.values()]
        limits = np.percentile(values, [2, 98])
        for ax, mapped in zip(column, values, strict=True):
            show_map(ax, mapped, label, limits)
    for ax, told in zip(axes[:, 0], answers, strict=True):
        ax.set_title(f"{told} $T_\\mathrm{{eff}}$ among the inputs", fontsize=10)
    rows = [
        {"Teff": told} | {name: float(np.median(answer[name].value)) for name in names}
        for told, answer in answers.items()
    ]
    print_scores("Medians over the grid of log g and [M/H]", rows)
    return figure


def show_map(
    ax: Axes,
    values: np.ndarray,
    label: str,
    limits: tuple[float, float],
) -> None:
    """Draw one value a point of the grid."""
    image = ax.pcolormesh(
        FE_H, LOGG, values.reshape(len(LOGG), -1), vmin=limits[0], vmax=limits[1]
    )
    ax.set(xlabel=axis_label("fe_h"), ylabel=axis_label("logg"), ylim=(LOGG[-1], LOGG[0]))
    ax.figure.colorbar(image, ax=ax, label=label)


def draw_ages(model: StellarFoundationModel, stars: StarTable) -> Figure:
    """Return age against metallicity at one log g, beside the survey's stars near it."""
    told = StarTable({"logg": np.full(len(FE_H), SLICE_LOGG) * u.dex, "fe_h": FE_H * u.dex})
    answer = model.request(told, "age")
    age, error = answer["age"].value, answer["age_err"].value
    near = stars[abs(stars["logg"].value - SLICE_LOGG) < SLICE_WIDTH]
    figure, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
    ax.plot(near["fe_h"], near["age"], ".", color="0.7", ms=3, label="stars of the survey")
    ax.fill_between(FE_H, age - error, age + error, color="C0", alpha=0.25, lw=0)
    ax.plot(FE_H, age, color="C0", lw=2, label="model and its error")
    ax.set(xlabel=axis_label("fe_h"), ylabel=axis_label("age"), xlim=FE_H[[0, -1]], ylim=(0, 15))
    ax.set_title(f"log g = {SLICE_LOGG:g}")
    ax.legend(frameon=False)
    print_scores("Age and metallicity", age_rows(near, age, error))
    return figure


def age_rows(near: StarTable, age: np.ndarray, error: np.ndarray) -> list[dict[str, float]]:
    """Return the curve at a few metallicities, beside the survey's median and half range."""
    rows = []
    for fe_h in (-2.0, -1.5, -1.0, -0.5, 0.0, 0.25):
        at = int(np.argmin(abs(FE_H - fe_h)))
        true = near["age"].value[abs(near["fe_h"].value - fe_h) < 0.15]
        low, middle, high = np.percentile(true if len(true) else np.nan, [16, 50, 84])
        rows.append(
            {
                "[M/H]": fe_h,
                "age": float(age[at]),
                "error": float(error[at]),
                "stars": len(true),
                "true median": float(middle),
                "true half range": float(high - low) / 2,
            }
        )
    return rows


if __name__ == "__main__":
    main()
