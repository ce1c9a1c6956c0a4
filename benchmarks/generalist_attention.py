"""What requests look at, with and without extinction (section 5.1).

Run from the repository's root::

    python benchmarks/generalist_attention.py MODELS

asks the mock model about giants of the mock survey, once with E(B-V) near zero and once with
1 mag, all else as it is. The column "nothing" is what is left: the decoder's learned entry.
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from common.expert import complete
from common.figures import save_figure
from common.generalist import (
    MOCK,
    SYMBOLS,
    Known,
    experiment_options,
    load_model,
    mock_test_stars,
    print_scores,
)
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from msaestimator import StellarFoundationModel
from msaestimator.schema import LABELS, StarTable

INPUTS = ("teff", "logg", "fe_h", "ebv", "pseudo_luminosity", "mass", "age")
REQUESTS = (*INPUTS, "relative_bp_1", "relative_rp_1")
REDDENINGS = (0.001, 1.0)
"""In mag; a smaller one counts as this in the vocabulary."""

GIANT_LOGG = 3.5


def main() -> None:
    """Look, print, draw."""
    options = experiment_options(__doc__)
    model = load_model(options, "mock")
    stars = Known.of(model, mock_test_stars(options))
    stars = stars.rows(complete(stars, INPUTS) & (stars["logg"] < GIANT_LOGG))
    without, with_dust = (attention(model, stars, reddening) for reddening in REDDENINGS)
    text = f"{MOCK}, {len(stars.values)} giants"
    for reddening, matrix in zip(REDDENINGS, (without, with_dust), strict=True):
        rows = [
            {"request": request} | dict(zip((*INPUTS, "nothing"), row.round(2), strict=True))
            for request, row in zip(REQUESTS, matrix, strict=True)
        ]
        print_scores(f"{text}; attention at E(B-V) = {reddening} mag", rows)
    save_figure(draw(without, with_dust), options, "attention", text)


def attention(model: StellarFoundationModel, stars: Known, reddening: float) -> np.ndarray:
    """Return the stars' mean attention, (n_requests, n_inputs + 1); rows add up to one."""
    told = StarTable({name: stars[name] for name in INPUTS})
    told["ebv"] = reddening
    places = [stars.names.index(name) for name in INPUTS]
    matrix = model.attention(told, REQUESTS)[:, :, places].mean(axis=0)
    return np.column_stack([matrix, 1 - matrix.sum(axis=1)])


def draw(without: np.ndarray, with_dust: np.ndarray) -> Figure:
    """Draw both matrices and their difference."""
    figure, axes = plt.subplots(1, 3, figsize=(13, 4.4), layout="constrained")
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
    ax.set_xticks(range(len(INPUTS) + 1), [*symbols(INPUTS), "nothing"], rotation=45, ha="right")
    ax.set_yticks([])
    ax.set_xlabel("input")
    return drawn


def symbols(names: Sequence[str]) -> list[str]:
    """Return the symbols of quantities."""
    return [LABELS[name].symbol if name in LABELS else SYMBOLS[name] for name in names]


if __name__ == "__main__":
    main()
