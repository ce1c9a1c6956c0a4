"""The Kiel diagram: surface gravity against effective temperature."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.ticker import FixedLocator, NullLocator, ScalarFormatter
from numpy.typing import ArrayLike

from msaestimator.exceptions import ColumnError
from msaestimator.plots._style import (
    BACKGROUND,
    COLORMAP,
    FEW_STARS,
    axes_or_new,
    axis_label,
    span,
)
from msaestimator.preprocessing import read_column, read_labels
from msaestimator.schema import GAIA_DR3, LABELS
from msaestimator.tables import column_names

__all__ = ["plot_kiel"]

TICKS = (2000, 3000, 4000, 5000, 7000, 10000, 15000, 20000, 30000, 50000)
"""Round temperatures in K, the ticks of a logarithmic axis."""


def plot_kiel(
    stars_or_teff: Any,
    logg: ArrayLike | None = None,
    color: ArrayLike | str | None = None,
    *,
    ax: Axes | None = None,
    label: str | None = None,
) -> Axes:
    r"""Draw surface gravity against effective temperature, hot stars left and giants up.

    Parameters
    ----------
    stars_or_teff : table, or array-like or Quantity of shape (n_stars,)
        Stars with the columns ``teff`` and ``logg``, or effective temperatures in K.
    logg : array-like or Quantity of shape (n_stars,), optional
        Surface gravities in dex; not with a table.
    color : array-like or Quantity of shape (n_stars,), or str, optional
        Values to colour by, or the name of a column of the table. Beyond 2000 stars the diagram is
        a map of the median colour; without ``color``, of the number of stars.
    ax : Axes, optional
        Axes to draw on; those of a new figure by default.
    label : str, optional
        Text of the colour bar; the symbol and unit of the column named in ``color`` by default.

    Returns
    -------
    Axes
        Stars without a colour are light grey; without a temperature or gravity, left out.

    Raises
    ------
    ColumnError
        ``logg`` is absent, the lengths differ, or a column is absent.
    UnitMismatchError
        A unit is of another physical type.

    Examples
    --------
    >>> from msaestimator.plots import plot_kiel
    >>> ax = plot_kiel([5772.0, 4300.0], [4.44, 1.7], [0.0, -0.5], label="[Fe/H] [dex]")
    >>> print(ax.get_ylabel())
    $\log g$ [dex]
    """
    if column_names(stars_or_teff) is None:
        columns = _read_arrays(stars_or_teff, logg, color)
    else:
        columns, named = _read_table(stars_or_teff, logg, color)
        label = named if label is None else label
    placed = (columns[0] > 0) & ~np.isnan(columns[1])
    columns = [values[placed] for values in columns]
    ax = axes_or_new(ax)
    ax.set_xscale("log")
    drawn = _draw_stars(ax, *columns) if color is None else _draw_colors(ax, *columns)
    if drawn is not None:
        ax.figure.colorbar(drawn, ax=ax, label=label or ("stars" if color is None else ""))
    _dress(ax)
    return ax


def _read_arrays(teff: ArrayLike, logg: ArrayLike | None, color: Any) -> list[np.ndarray]:
    """Return temperatures in K, gravities in dex and, if there are any, the colours."""
    if logg is None or isinstance(color, str):
        what = "`logg`" if logg is None else "`color`"
        raise ColumnError(f"{what} must be an array beside temperatures; only a table has names.")
    given = {"teff": teff, "logg": logg} | ({} if color is None else {"color": color})
    units = {name: label.unit for name, label in LABELS.items()}
    columns = [
        read_column(
            {name: values}, name, units.get(name, str(getattr(values, "unit", None) or ""))
        )
        for name, values in given.items()
    ]
    if len({len(values) for values in columns}) > 1:
        found = ", ".join(f"{name} {len(given[name])}" for name in given)
        raise ColumnError(f"The arrays must have one length, got {found}.")
    return columns


def _read_table(
    stars: Any, logg: ArrayLike | None, color: ArrayLike | str | None
) -> tuple[list[np.ndarray], str]:
    """Return the columns as `_read_arrays` does, and the text of the colour bar."""
    if logg is not None:
        raise ColumnError("`logg` is read from the table; give the colour as `color=`.")
    axes = {name: LABELS[name].unit for name in ("teff", "logg")}
    teff, gravity = read_labels(stars, axes).T
    if not isinstance(color, str):
        return _read_arrays(teff, gravity, color), ""
    unit = _unit_of_column(stars, color)
    return [teff, gravity, read_labels(stars, {color: unit})[:, 0]], axis_label(color, unit)


def _unit_of_column(stars: Any, name: str) -> str:
    """Return the schema's unit of a column, or else the column's own."""
    if name in LABELS:
        return LABELS[name].unit
    if name in GAIA_DR3:
        return GAIA_DR3[name].unit
    own = getattr(stars[name], "unit", None) if name in (column_names(stars) or ()) else None
    return str(own or "")


def _draw_stars(ax: Axes, teff: np.ndarray, logg: np.ndarray) -> ScalarMappable | None:
    """Draw black points, or a map of the number of stars, which is returned."""
    if len(teff) > FEW_STARS:
        return ax.hexbin(teff, logg, bins="log", cmap=COLORMAP, **_bins(teff, logg))
    ax.scatter(teff, logg, s=12, color="black", alpha=0.6, linewidths=0)
    return None


def _draw_colors(
    ax: Axes, teff: np.ndarray, logg: np.ndarray, color: np.ndarray
) -> ScalarMappable:
    """Draw coloured points or a map of the median colour over the grey of stars without one."""
    known = ~np.isnan(color)
    ax.scatter(teff[~known], logg[~known], s=3, color=BACKGROUND, linewidths=0)
    bins = _bins(teff, logg)
    teff, logg, color = teff[known], logg[known], color[known]
    # Without the extremes: one odd star would leave all others in one colour.
    low, high = np.percentile(color, [1, 99]) if color.size else (None, None)
    style: dict[str, Any] = {"cmap": COLORMAP, "vmin": low, "vmax": high}
    if len(teff) > FEW_STARS:
        return ax.hexbin(teff, logg, C=color, reduce_C_function=np.median, **style, **bins)
    return ax.scatter(teff, logg, c=color, s=12, linewidths=0, **style)


def _bins(teff: np.ndarray, logg: np.ndarray) -> dict[str, Any]:
    """Return hexagons, of one shape whatever part of the stars has a colour."""
    if not teff.size:
        return {}
    extent = (*span(np.log10(teff)), *span(logg))
    return {"gridsize": 70, "xscale": "log", "extent": extent, "mincnt": 1, "linewidths": 0.1}


def _dress(ax: Axes) -> None:
    """Label the axes and turn them the astronomers' way."""
    ax.xaxis.set_major_locator(FixedLocator(TICKS))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(ScalarFormatter())
    ax.xaxis.set_inverted(True)
    ax.yaxis.set_inverted(True)
    ax.set_xlabel(axis_label("teff"))
    ax.set_ylabel(axis_label("logg"))
