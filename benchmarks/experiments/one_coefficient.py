"""One RP coefficient from labels, with infrared colours, and with all but RP (section 5.3).

Beside boosted trees that are trained on the same inputs, anew for each.
"""

import matplotlib.pyplot as plt
import numpy as np
from common.generalist import (
    COLORS,
    REAL,
    Comparison,
    axis_label,
    compare,
    error_bar,
    error_norm,
    one_to_one,
    unit_of,
)
from matplotlib.figure import Figure

from experiments.expert import ask_expert, complete
from experiments.setting import EVOLUTION, Setting
from experiments.told import cell
from msaestimator import StellarFoundationModel

__all__ = ["run"]

ASKED = "relative_rp_1"
LABELS = ("teff", "logg", "fe_h", "alpha_m")
INFRARED = ("j_h", "j_ks")


def run(setting: Setting) -> None:
    """Answer, score, draw."""
    options, model, learned = setting.options, setting.model, setting.learned
    known = [name for name in EVOLUTION if np.isfinite(learned[name]).any()]
    told = inputs(model, [*LABELS, *known])
    test = setting.known
    test = test.rows(complete(test, [*LABELS, *COLORS, "ebv", *model.xp_columns]))
    experts = {
        title: ask_expert(options, learned, [test], ASKED, names)[0]
        for title, names in told.items()
    }
    answers = {title: compare(model, test, [ASKED], told[title])[ASKED] for title in told}
    columns = "told", "generalist: NMAD; within 1 error", "boosting: NMAD"
    table = setting.table("generalist_one_coefficient.inc", *columns)
    for title, answer in answers.items():
        table.add(title, cell(answer), cell(experts[title]))
    caption = f"{REAL}, {len(test.values)}"
    setting.save(draw(experts, answers), "one_coefficient", caption)


def inputs(model: StellarFoundationModel, labels: list[str]) -> dict[str, list[str]]:
    """Return what is told, by title."""
    bp = [name for name in model.xp_columns if "_bp_" in name]
    return {
        "labels": labels,
        "labels, J - H, J - Ks": [*labels, *INFRARED],
        "BP, labels, colours, E(B-V)": [*bp, *labels, *COLORS, "ebv"],
    }


def draw(experts: dict[str, Comparison], answers: dict[str, Comparison]) -> Figure:
    """Draw the experts above, the model below."""
    figure, axes = plt.subplots(2, len(answers), figsize=(9, 5.6), layout="constrained")
    norm = error_norm(list(answers.values()))
    for column, title in zip(axes.T, answers, strict=True):
        for ax, by_title in zip(column, (experts, answers), strict=True):
            drawn = one_to_one(ax, by_title[title], norm)
            ax.tick_params(labelleft=ax in axes[:, 0], labelbottom=ax in axes[1])
        column[0].set_title(title, fontsize=10)
    error_bar(drawn, axes, unit_of(ASKED))
    for ax, method in zip(axes[:, 0], ("boosting", "generalist"), strict=True):
        ax.set_ylabel(f"{method}: {axis_label(ASKED)}")
    axes[1, 1].set_xlabel(f"known {axis_label(ASKED)}")
    return figure
