"""Colours from nothing but the XP coefficients (section 5.2)."""

import matplotlib.pyplot as plt
import numpy as np
from common.generalist import (
    COLORS,
    REAL,
    axis_label,
    compare,
    error_bar,
    one_to_one,
    unit_of,
)

from experiments.setting import Setting
from experiments.told import cell

__all__ = ["run"]

DRAWN = ("bp_rp", "j_h")


def run(setting: Setting) -> None:
    """Answer, score, draw."""
    model, test = setting.model, setting.known
    words = (*COLORS, *(name for name in model.trained_tokens if name.startswith("color_")))
    colors = [name for name in words if np.isfinite(test[name]).any()]
    answers = compare(model, test, colors, model.xp_columns)
    table = setting.table("generalist_colors.inc", "colour", "stars", "NMAD, mag; within 1 error")
    for name, comparison in answers.items():
        table.add(f"``{name}``", np.isfinite(comparison.true).sum(), cell(comparison))
    figure, axes = plt.subplots(1, len(DRAWN), figsize=(9, 4), layout="constrained")
    for ax, name in zip(axes, DRAWN, strict=True):
        error_bar(one_to_one(ax, answers[name]), ax, unit_of(name))
        ax.set(xlabel=f"known {axis_label(name)}", ylabel=f"answered {axis_label(name)}")
    setting.save(figure, "colors_from_spectra", f"{REAL}, {len(test.values)}")
