"""What the model is told in the experiments of section 4.1, and their figure."""

from collections.abc import Iterator, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

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
from msaestimator import StellarFoundationModel

__all__ = ["STANDARD", "answer_all", "draw_all", "score_rows"]

STANDARD = [*coefficients(0, 30), *COLORS]
"""What the baseline is told too: 30 + 30 coefficients and the colours."""

N_RANDOM = 64


def told(known: Known, labels: Sequence[str]) -> Iterator[tuple[str, list[str], np.ndarray]]:
    """Yield a title, names and values, (n_stars, n_names), of each experiment."""
    anything = [*coefficients(0, 55), *COLORS]
    choices = {
        "30 + 30 and colours": STANDARD,
        "5 + 5 and colours": [*coefficients(0, 5), *COLORS],
        f"{N_RANDOM} random of all": anything,
        "orders 25 to 54": coefficients(25, 55),
        "the truth too": [*STANDARD, *labels],
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
    """Return the model's answers, by experiment and label."""
    return {
        title: compare(model, known, labels, names, values)
        for title, names, values in told(known, labels)
    }


def score_rows(answers: dict[str, dict[str, Comparison]]) -> list[dict[str, object]]:
    """Return the scores, a row an experiment."""
    return [
        {"told": title}
        | {f"NMAD {name}": c.scatter for name, c in by_label.items()}
        | {f"within {name}": c.within for name, c in by_label.items()}
        for title, by_label in answers.items()
    ]


def draw_all(
    answers: dict[str, dict[str, Comparison]], limits: dict[str, tuple[float, float]]
) -> Figure:
    """Draw a row a label and a column an experiment; the errors of a row share their scale."""
    figure, axes = plt.subplots(
        len(limits),
        len(answers),
        figsize=(2.1 * len(answers), 2.05 * len(limits) + 0.5),
        layout="constrained",
        squeeze=False,
    )
    for row, (name, span) in zip(axes, limits.items(), strict=True):
        norm = error_norm([by_label[name] for by_label in answers.values()])
        for ax, by_label in zip(row, answers.values(), strict=True):
            drawn = one_to_one(ax, by_label[name], norm, span)
            ax.tick_params(labelleft=ax is row[0])
            ax.locator_params(nbins=4)
        row[0].set_ylabel(f"answered {axis_label(name)}")
        row[len(row) // 2].set_xlabel(f"known {axis_label(name)}")
        error_bar(drawn, row, unit_of(name))
    for ax, title in zip(axes[0], answers, strict=True):
        ax.set_title(title, fontsize=9)
    return figure
