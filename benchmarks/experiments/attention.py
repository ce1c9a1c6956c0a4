"""What requests look at, with and without extinction (section 5.1).

Of real giants all labels, luminosity and E(B-V) are told, E(B-V) once as hardly any and once as
1 mag, all else as it is. The quantities that the network reads as one token share its attention,
which is shown as a whole. The column "nothing" is what is left: the decoder's learned entry.
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from common.generalist import REAL, SYMBOLS, Known
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.expert import complete
from experiments.setting import Setting, giants_of
from msaestimator import StellarFoundationModel
from msaestimator.schema import LABELS, StarTable

__all__ = ["run"]

ATMOSPHERE = ("teff", "logg", "fe_h", "alpha_m")
TOLD = {
    "labels": ATMOSPHERE,
    "luminosity": ("pseudo_luminosity",),
    "$E(B-V)$": ("ebv",),
}
"""What is told, by the column that shows it."""

REQUESTS = ("relative_bp_1", "relative_rp_1", "bp_rp", "j_ks", "mass", "age")
REDDENINGS = (0.01, 1.0)
"""In mag."""


def run(setting: Setting) -> None:
    """Look, draw."""
    stars = setting.known
    told = [name for names in TOLD.values() for name in names]
    stars = stars.rows(giants_of(stars) & complete(stars, told))
    without, with_dust = (attention(setting.model, stars, ebv) for ebv in REDDENINGS)
    caption = f"{REAL}, {len(stars.values)} giants"
    setting.save(draw(without, with_dust), "attention", caption)


def attention(model: StellarFoundationModel, stars: Known, ebv: float) -> np.ndarray:
    """Return the stars' mean attention, (n_requests, n_columns + 1); rows add up to one."""
    told = StarTable({name: stars[name] for names in TOLD.values() for name in names})
    told["ebv"] = ebv
    looked = model.attention(told, REQUESTS).mean(axis=0)
    columns = [
        looked[:, [stars.names.index(name) for name in names]].sum(axis=1)
        for names in TOLD.values()
    ]
    return np.column_stack([*columns, 1 - np.sum(columns, axis=0)])


def draw(without: np.ndarray, with_dust: np.ndarray) -> Figure:
    """Draw both matrices and their difference."""
    figure, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
    largest = max(without.max(), with_dust.max())
    for ax, matrix, reddening in zip(axes, (without, with_dust), REDDENINGS, strict=False):
        drawn = draw_matrix(ax, matrix, "viridis", (0, largest))
        ax.set_title(f"$E(B-V)$ = {reddening:g} mag", fontsize=10)
    figure.colorbar(drawn, ax=axes[:2], label="attention", pad=0.01)
    largest = np.abs(with_dust - without).max()
    drawn = draw_matrix(axes[2], with_dust - without, "RdBu_r", (-largest, largest))
    axes[2].set_title("difference", fontsize=10)
    figure.colorbar(drawn, ax=axes[2], label="change of attention", pad=0.01)
    axes[0].set_yticks(range(len(REQUESTS)), symbols(REQUESTS))
    axes[0].set_ylabel("request")
    return figure


def draw_matrix(ax: Axes, matrix: np.ndarray, cmap: str, span: tuple[float, float]) -> object:
    """Draw a matrix with its numbers."""
    drawn = ax.imshow(matrix, cmap=cmap, vmin=span[0], vmax=span[1], aspect="auto")
    for (row, column), value in np.ndenumerate(matrix):
        white = drawn.norm(value) < 0.5 if cmap == "viridis" else abs(value) > 0.6 * span[1]
        color = "white" if white else "black"
        text = f"{value:.2f}".replace("-0.00", "0.00")
        ax.text(column, row, text, ha="center", va="center", fontsize=7, color=color)
    ax.set_xticks(range(len(TOLD) + 1), [*TOLD, "nothing"], rotation=45, ha="right")
    ax.set_yticks([])
    ax.set_xlabel("told")
    return drawn


def symbols(names: Sequence[str]) -> list[str]:
    """Return the symbols of quantities."""
    return [LABELS[name].symbol if name in LABELS else SYMBOLS[name] for name in names]
