"""Labels from labels: what the model knows of giants without any spectrum (section 4.4)."""

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
from common.generalist import REAL, Known, axis_label, compare
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.setting import Setting, giants_of
from experiments.told import cell
from msaestimator.schema import StarTable, absolute_magnitude

__all__ = ["run"]

LOGG, FE_H = np.linspace(0.5, 3.5, 61), np.linspace(-2.0, 0.5, 51)
PRECISE = 5.0
"""Least ratio of a luminosity that is drawn to its error."""

QUESTIONS = {
    "log g, [Fe/H]": (["logg", "fe_h"], ["teff", "mass", "age"]),
    "log g, [Fe/H], Teff": (["logg", "fe_h", "teff"], ["mass", "age"]),
    "log g, [Fe/H], Teff, [α/M]": (["logg", "fe_h", "teff", "alpha_m"], ["mass", "age"]),
}


def run(setting: Setting) -> None:
    """Score what is known of giants, and draw what is answered over a grid."""
    report(setting)
    grid = label_grid()
    answer = setting.model.request(grid, ["teff", "pseudo_luminosity", "mass", "age"])
    grid["teff"] = answer["teff"]
    told_teff = setting.model.request(grid, ["mass", "age"])
    known = setting.known
    caption = f"A grid of log g and [Fe/H]. Grey: giants. {REAL}"
    setting.save(draw_kiel(answer, grid, known.rows(giants_of(known))), "labels_kiel", caption)
    figure = draw_mass_age({"without": answer, "with": told_teff})
    setting.save(figure, "labels_mass_age", "A grid of log g and [Fe/H]")


def label_grid() -> StarTable:
    """Return every pair of `LOGG` and `FE_H`."""
    logg, fe_h = np.meshgrid(LOGG, FE_H, indexing="ij")
    return StarTable({"logg": logg.ravel() * u.dex, "fe_h": fe_h.ravel() * u.dex})


def report(setting: Setting) -> None:
    """Write how well giants are told by a few of their labels."""
    columns = "giants; told", "Teff, K", "mass, M☉", "age, Gyr"
    table = setting.table("generalist_labels_from_labels.inc", *columns)
    for sample, known in (("real", setting.known), ("mock", setting.mock_known)):
        giants = known.rows(giants_of(known))
        for told, (names, asked) in QUESTIONS.items():
            if np.isfinite(giants.matrix(names)).any(axis=0).all():
                answers = compare(setting.model, giants, asked, names)
                cells = (cell(answers.get(name)) for name in ("teff", "mass", "age"))
                table.add(f"{sample}; {told}", *cells)


def draw_kiel(answer: StarTable, grid: StarTable, giants: Known) -> Figure:
    """Return the grid's temperatures and luminosities, beside giants."""
    figure, axes = plt.subplots(2, 2, figsize=(10, 8), layout="constrained")
    luminosity = giants["pseudo_luminosity"]
    precise = luminosity > PRECISE * giants.error("pseudo_luminosity")
    magnitude = absolute_magnitude(np.where(precise, luminosity, np.nan))
    columns = {
        axis_label("teff"): (answer["teff"].value, giants["teff"]),
        "$M_G$ [mag]": (absolute_magnitude(answer["pseudo_luminosity"]), magnitude),
    }
    for column, (label, (values, true)) in zip(axes.T, columns.items(), strict=True):
        show_map(column[0], values, label, np.nanpercentile(values, [1, 99]))
        column[1].plot(true, giants["logg"], ".", color="0.8", ms=2, zorder=0)
        drawn = column[1].scatter(values, grid["logg"].value, c=grid["fe_h"].value, s=3)
        column[1].set(xlabel=label, ylabel=axis_label("logg"), ylim=(3.7, 0.3))
        column[1].set_xlim(np.nanpercentile(np.concatenate([values, true]), [99.5, 0.5]))
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
