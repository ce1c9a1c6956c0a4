"""Figures of a whole result: labels beside predictions, written to PNG."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from msaestimator.plots._kiel import plot_kiel
from msaestimator.plots._residuals import plot_residuals
from msaestimator.schema import StarTable
from msaestimator.tables import expand_home

__all__ = ["save_kiel_pair", "save_residuals"]


def save_kiel_pair(stars: StarTable, predictions: StarTable, path: str | Path) -> None:
    """Draw the Kiel diagrams of known and of predicted parameters side by side.

    Parameters
    ----------
    stars, predictions : table of n_stars stars
        Known and predicted stars with ``teff``, ``logg`` and ``fe_h``.
    path : str or Path
        PNG file to write.
    """
    figure = Figure(figsize=(12, 5), layout="constrained")
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    plot_kiel(stars, color="fe_h", ax=left)
    plot_kiel(predictions, color="fe_h", ax=right)
    left.set_title("Spectroscopic labels")
    right.set_title("Predicted")
    figure.savefig(expand_home(path), dpi=120)


def save_residuals(
    stars: StarTable, predictions: StarTable, labels: Sequence[str], path: str | Path
) -> None:
    """Draw predicted minus known against known, one panel a label.

    Parameters
    ----------
    stars, predictions : table of n_stars stars
        Known and predicted stars with a column for each of ``labels``.
    labels : sequence of str
    path : str or Path
        PNG file to write.
    """
    n_rows = -(-len(labels) // 2)
    figure = Figure(figsize=(12, 4 * n_rows), layout="constrained")
    panels = figure.subplots(n_rows, 2, squeeze=False).ravel()
    for label, ax in zip(labels, panels, strict=False):
        plot_residuals(stars[label], predictions[label], label=label, ax=ax)
    for ax in panels[len(labels) :]:
        ax.set_visible(False)
    figure.savefig(expand_home(path), dpi=120)
