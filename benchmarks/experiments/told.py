"""What the model is told in the experiments of section 4.1, and their figure."""

from collections.abc import Iterator, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from common.generalist import (
    COLORS,
    Comparison,
    Known,
    axis_label,
    coefficients,
    compare,
    error_bar,
    error_norm,
    one_to_one,
    unit_of,
)
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from msaestimator import StellarFoundationModel

__all__ = ["EXPERT", "STANDARD", "Panels", "answer_all", "cell", "draw_all"]

STANDARD = [*coefficients(0, 30), *COLORS]
"""What the expert is told too: 30 + 30 coefficients and the colours."""

EXPERT = "boosting: 30 + 30, colours"

N_RANDOM = 64

Panels = Mapping[str, Comparison | None]
"""Answers by what was told; None where there are none."""


def told(known: Known) -> Iterator[tuple[str, list[str], np.ndarray]]:
    """Yield a title, names and values, (n_stars, n_names), of each experiment."""
    anything = [*coefficients(0, 55), *COLORS]
    choices = {
        "30 + 30, colours": STANDARD,
        "5 + 5, colours": [*coefficients(0, 5), *COLORS],
        f"{N_RANDOM} random of all": anything,
        "orders 26 to 55": coefficients(25, 55),
        "colours, E(B-V)": [*COLORS, "ebv"],
    }
    for title, names in choices.items():
        values = known.matrix(names)
        if names is anything:
            order = np.random.default_rng(0).random(values.shape).argsort(axis=1)
            values = np.where(order < N_RANDOM, values, np.nan)
        yield title, names, values


def answer_all(
    model: StellarFoundationModel, known: Known, labels: Sequence[str]
) -> dict[str, dict[str, Comparison]]:
    """Return the model's answers, by label and experiment."""
    answers = {
        title: compare(model, known, labels, names, values) for title, names, values in told(known)
    }
    return {
        label: {title: by_label[label] for title, by_label in answers.items()} for label in labels
    }


def cell(comparison: Comparison | None) -> str:
    """Return the scores of one panel as a cell of a table."""
    if comparison is None or not np.isfinite(comparison.true).any():
        return "–"
    if comparison.error is None:
        return f"{comparison.scatter:.3g}"
    return f"{comparison.scatter:.3g}; {comparison.within:.0%}"


def draw_all(rows: Mapping[str, Panels], limits: Mapping[str, tuple[float, float]]) -> Figure:
    """Draw a row a label and a column an experiment; the errors of a row share their scale.

    ``limits`` of the axes are by the label, which is the first word of a row's name.
    """
    titles = list(next(iter(rows.values())))
    figure, axes = plt.subplots(
        len(rows),
        len(titles),
        figsize=(2.0 * len(titles), 2.05 * len(rows) + 0.5),
        layout="constrained",
        squeeze=False,
    )
    for row, (name, panels) in zip(axes, rows.items(), strict=True):
        label, *of = name.split(" ", 1)
        draw_row(row, label, panels, limits[label])
        row[0].set_ylabel("\n".join([*of, f"answered {axis_label(label)}"]))
    for ax, title in zip(axes[0], titles, strict=True):
        ax.set_title(title, fontsize=9)
    return figure


def draw_row(row: Sequence[Axes], label: str, panels: Panels, limits: tuple[float, float]) -> None:
    """Draw one label's answers."""
    drawn = None
    norm = error_norm([panel for panel in panels.values() if panel is not None])
    for ax, panel in zip(row, panels.values(), strict=True):
        ax.tick_params(labelleft=ax is row[0])
        ax.set(xlim=limits, ylim=limits)
        if panel is not None:
            drawn = one_to_one(ax, panel, norm, limits)
        ax.locator_params(nbins=4)
    row[len(row) // 2].set_xlabel(f"known {axis_label(label)}")
    error_bar(drawn, row, unit_of(label))
