"""Figures of errors, offsets and coverage by G, by kind of star and by what is told."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from common.trust_scores import Score, Scores
from common.trust_stars import INPUTS
from msaestimator.schema import get_label

__all__ = ["AXES", "draw_by", "draw_field"]

LABELS = ("teff", "logg", "fe_h", "alpha_m")
COLORS = dict(zip(INPUTS, ("C0", "C2", "C1", "C3", "0.3"), strict=True))
AXES = {
    "inputs": ("G [mag]", "linear"),
    "by teff": (r"$T_\mathrm{eff}$ [K]", "log"),
    "by fe_h": ("[Fe/H]", "linear"),
    "by ebv": ("E(B-V) [mag]", "log"),
}
"""Title and scale of what stars are grouped by, by goal."""

CLOSE = (0.64, 0.72)
"""Shares within four points of what the interval claims."""

PANELS = ("NMAD", "offset / NMAD", "in the 68 % interval")


def draw_by(goal: str, scores: Scores, beside: Scores | None, bright: float) -> Figure:
    """Draw errors, offsets and coverage of each label, a line for each of what is told.

    Parameters
    ----------
    goal : str
        One of `AXES`.
    scores : Scores
        Scores of the model.
    beside : Scores, optional
        Scores of another, drawn thin and dashed.
    bright : float
        Where stars stand that are as bright as they are, in mag.
    """
    labels = [n for n in LABELS if any(s.label == n for s in scores.of_goal(goal))]
    size = 2.5 * len(labels) + 0.5, 6.0
    figure, axes = plt.subplots(
        3, len(labels), figsize=size, sharex=True, layout="constrained", squeeze=False
    )
    for column, label in zip(axes.T, labels, strict=True):
        for group, color in COLORS.items():
            thick = {"color": color, "marker": ".", "label": group}
            draw_lines(column, chosen(scores, goal, group, label), bright, **thick)
            if beside is not None:
                thin = {"color": color, "linestyle": "--", "linewidth": 0.8}
                draw_lines(column, chosen(beside, goal, group, label), bright, **thin)
        finish(column, goal, label)
    for ax, title in zip(axes[:, 0], PANELS, strict=True):
        ax.set_ylabel(title)
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=len(names), fontsize=8)
    return figure


def chosen(scores: Scores, goal: str, group: str, label: str) -> list[Score]:
    """Return the scores of a line in each panel, by what stars are grouped by."""
    found = [s for s in scores.of_goal(goal) if (s.group, s.label) == (group, label)]
    return sorted(found, key=lambda score: score.at)


def draw_lines(column: Sequence[Axes], scores: list[Score], bright: float, **style: Any) -> None:
    """Draw a line in each of a label's panels."""
    values: dict[str, list[float]] = {}
    for score in scores:
        values.setdefault(score.score, []).append(score.value)
    if not values:
        return
    x = [s.at or bright for s in scores if s.score == "nmad"]
    error = np.array(values["nmad"])
    lines = error, np.array(values["bias"]) / error, values["coverage"]
    for ax, y in zip(column, lines, strict=True):
        ax.plot(x, y, **style)


def finish(column: Sequence[Axes], goal: str, label: str) -> None:
    """Set titles, scales and limits of a label's panels."""
    error, offset, held = column
    unit = get_label(label).unit
    error.set(yscale="log", title=f"{get_label(label).symbol} [{unit}]")
    number_plainly(error.yaxis, (1.0, 2.0, 5.0))
    offset.axhline(0.0, color="0.5", linewidth=0.8)
    offset.set(ylim=(-1.6, 1.6))
    held.axhspan(*CLOSE, color="0.9")
    title, scale = AXES[goal]
    held.set(ylim=(0.2, 1.0), xlabel=title, xscale=scale)
    if scale == "log":
        number_plainly(held.xaxis, (1.0, 3.0))


def number_plainly(axis: Axis, digits: Sequence[float]) -> None:
    """Set the ticks of a logarithmic axis to digits times powers of ten."""
    axis.set_major_locator(LogLocator(subs=digits))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())


def draw_field(scores: Scores, beside: Scores | None) -> Figure:
    """Draw how many stars of the field are called giants, and flagged, by G."""
    rows = scores.of_goal("field")
    shares = list(dict.fromkeys(score.score for score in rows))
    figure, axes = plt.subplots(1, len(shares), figsize=(9, 3), sharey=True, layout="constrained")
    for ax, share in zip(axes, shares, strict=True):
        for model, style in ((scores, "-"), (beside, "--")):
            for told, color in (("told", "C0"), ("not told", "C1")):
                here = [
                    s
                    for s in (model.of_goal("field") if model else [])
                    if s.score == share and s.group.endswith(f"E(B-V) {told}")
                ]
                name = f"{model.model}, E(B-V) {told}" if model else None
                ax.plot([s.at for s in here], [s.value for s in here], style, c=color, label=name)
        ax.axhline(next(s.high for s in rows if s.score == share), color="0.5", linewidth=0.8)
        ax.set(title=share, xlabel="G [mag]", ylim=(-0.02, 1.02))
    axes[0].set_ylabel("share of stars")
    axes[0].legend(fontsize=7)
    return figure
