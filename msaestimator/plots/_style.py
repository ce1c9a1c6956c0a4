"""Style of all figures: colours that the colour-blind can tell apart, and axis labels."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap

from msaestimator.schema import LABELS

__all__ = [
    "ACCENT",
    "BACKGROUND",
    "COLORMAP",
    "DENSITY_MAP",
    "FEW_STARS",
    "axes_or_new",
    "axis_label",
]

COLORMAP = "viridis"
DENSITY_MAP = ListedColormap(colormaps["Greys"](np.linspace(0.2, 1, 256)), "dark_greys")
"""Colour map of densities: its first colour, of a bin of one star, is visible on white."""
BACKGROUND = "0.8"
ACCENT = "#D55E00"
"""Colour of lines on greys: Okabe and Ito's vermilion, which everyone can tell from them."""

FEW_STARS = 2000
"""Most stars drawn as points; beyond, points hide each other and a density is drawn."""

UNIT_SYMBOLS = {"solMass": r"M$_\odot$"}


def axes_or_new(ax: Axes | None) -> Axes:
    """Return ``ax``, or the axes of a new figure."""
    if ax is not None:
        return ax
    return plt.subplots(figsize=(5.6, 4.6), layout="constrained")[1]


def axis_label(label: str, unit: str | None = None) -> str:
    """Return a label's symbol with its unit; a name the schema does not know stays as it is."""
    known = LABELS.get(label)
    symbol = known.symbol if known else label
    if unit is None:
        unit = known.unit if known else ""
    return f"{symbol} [{UNIT_SYMBOLS.get(unit, unit)}]" if unit else symbol


def span(values: np.ndarray) -> tuple[float, float]:
    """Return the smallest and the largest value, apart even where all are equal."""
    margin = 0.0 if np.ptp(values) else 0.5
    return values.min() - margin, values.max() + margin
