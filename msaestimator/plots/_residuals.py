"""Residuals against truth, with their running median and spread."""

from typing import Any

import matplotlib.patheffects as effects
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike
from scipy.stats import binned_statistic

from msaestimator.metrics import nmad, rmse
from msaestimator.plots._style import ACCENT, DENSITY_MAP, FEW_STARS, axes_or_new, axis_label, span
from msaestimator.preprocessing import read_column
from msaestimator.schema import LABELS

__all__ = ["plot_residuals"]

SHOWN = 99.0
"""Percentage of the residuals inside the figure; the text says how many are beyond."""

N_BINS = 30
FEWEST_IN_BIN = 10


def plot_residuals(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    label: str,
    unit: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    r"""Draw predicted minus true against true, with NMAD and RMSE.

    Parameters
    ----------
    y_true, y_pred : array-like or Quantity of shape (n_stars,)
        Truth and prediction of one label. Stars where either is NaN are left out.
    label : str
        Name of the label; one the schema knows is shown as its symbol.
    unit : str, optional
        Unit of the plain numbers and of the axes; the schema's by default.
    ax : Axes, optional
        Axes to draw on; those of a new figure by default.

    Returns
    -------
    Axes
        Points up to 2000 stars, a density beyond; the running median and the 16–84 % band where
        a bin has ten stars. The few largest residuals lie outside the figure and are counted in
        the text.

    Raises
    ------
    ColumnError
        The shapes differ, or a value is infinite or not a number.
    UnitMismatchError
        A unit is of another physical type.

    Examples
    --------
    >>> from msaestimator.plots import plot_residuals
    >>> ax = plot_residuals([5000.0, 6000.0], [5100.0, 5900.0], label="teff")
    >>> print(ax.get_xlabel())
    true $T_\mathrm{eff}$ [K]
    """
    if unit is None:
        unit = LABELS[label].unit if label in LABELS else ""
    given = {"y_true": y_true, "y_pred": y_pred}
    true, predicted = (read_column({n: values}, n, unit) for n, values in given.items())
    # The scores check the shapes and ignore the stars with NaN.
    scores = {"NMAD": nmad(true, predicted), "RMSE": rmse(true, predicted)}
    known = ~np.isnan(true) & ~np.isnan(predicted)
    true, residual = true[known], predicted[known] - true[known]
    ax = axes_or_new(ax)
    beyond = _set_limits(ax, residual)
    _draw_stars(ax, true, residual)
    ax.axhline(0, color="black", linewidth=0.8, linestyle="--")
    _draw_running(ax, true, residual)
    _write_scores(ax, scores, unit, len(true), beyond)
    ax.set_xlabel(f"true {axis_label(label, unit)}")
    ax.set_ylabel(f"predicted − true {axis_label(label, unit)}")
    return ax


def _set_limits(ax: Axes, residual: np.ndarray) -> int:
    """Centre the residuals on zero; return how many lie beyond the figure."""
    half = 1.1 * np.percentile(np.abs(residual), SHOWN) if residual.size else 0.0
    if half == 0:
        return 0
    ax.set_ylim(-half, half)
    return int(np.sum(np.abs(residual) > half))


def _draw_stars(ax: Axes, true: np.ndarray, residual: np.ndarray) -> None:
    if len(true) <= FEW_STARS:
        ax.scatter(true, residual, s=8, color="0.35", alpha=0.5, linewidths=0)
        return
    extent = (*span(true), *ax.get_ylim())
    bins = ax.hexbin(true, residual, gridsize=70, extent=extent, bins="log", mincnt=1,
                     cmap=DENSITY_MAP, linewidths=0.1)  # fmt: skip
    ax.figure.colorbar(bins, ax=ax, label="stars")


def _draw_running(ax: Axes, true: np.ndarray, residual: np.ndarray) -> None:
    """Draw the median and the 16 and 84 % quantiles in equal steps of the truth."""
    if len(true) < FEWEST_IN_BIN or np.ptp(true) == 0:
        return
    counts, edges, _ = binned_statistic(true, residual, "count", bins=N_BINS)
    low, middle, high = (
        np.where(
            counts >= FEWEST_IN_BIN,
            binned_statistic(true, residual, lambda r, q=q: np.percentile(r, q), bins=edges)[0],
            np.nan,
        )
        for q in (16, 50, 84)
    )
    centers = (edges[:-1] + edges[1:]) / 2
    outline = [effects.withStroke(linewidth=3.5, foreground="white")]
    ax.plot(centers, middle, color=ACCENT, linewidth=2, path_effects=outline, label="median")
    ax.fill_between(centers, low, high, color=ACCENT, alpha=0.22, linewidth=0, label="16–84 %")
    ax.legend(loc="upper right", frameon=True, framealpha=0.85, fontsize="small")


def _write_scores(ax: Axes, scores: dict[str, Any], unit: str, n_stars: int, beyond: int) -> None:
    # Three digits, without the exponent that "3g" alone gives to a thousand.
    lines = [f"{name} {float(f'{value:.3g}'):g} {unit}".rstrip() for name, value in scores.items()]
    stars = f"{n_stars:,} stars"
    lines.append(f"{stars}, {beyond:,} beyond" if beyond else stars)
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 3}
    ax.text(
        0.03, 0.97, "\n".join(lines), transform=ax.transAxes, va="top", fontsize="small", bbox=box
    )
