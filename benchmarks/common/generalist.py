"""Questions to the generalist model: what stars say, scores, panels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import LogNorm, Normalize
from matplotlib.ticker import LogLocator, NullLocator

from msaestimator import StellarFoundationModel
from msaestimator.metrics import nmad
from msaestimator.preprocessing import read_tokens
from msaestimator.schema import GENERALIST, LABELS, StarTable

__all__ = [
    "COLORS",
    "MOCK",
    "REAL",
    "SYMBOLS",
    "Comparison",
    "Known",
    "ask",
    "axis_label",
    "coefficients",
    "compare",
    "error_bar",
    "error_norm",
    "one_to_one",
    "unit_of",
    "write_scores",
    "write_text",
]

REAL = "Real stars (APOGEE) that the model has not learned"
MOCK = "Mock survey (MIST isochrones)"
"""Which stars a figure shows."""

COLORS = ("bp_rp", "j_h", "j_ks")

SYMBOLS = {
    "bp_rp": "$BP - RP$",
    "ebv": "$E(B-V)$",
    "j_h": "$J - H$",
    "j_ks": "$J - K_s$",
    "pseudo_luminosity": "pseudo-luminosity",
    "relative_bp_1": "BP[0] / G flux",
    "relative_rp_1": "RP[0] / G flux",
}
UNIT_SYMBOLS = {"solMass": r"M$_\odot$"}


def coefficients(start: int, stop: int) -> list[str]:
    """Return the names of BP and RP coefficients of these orders, counted from zero."""
    return [f"relative_{band}_{i + 1}" for band in ("bp", "rp") for i in range(start, stop)]


@dataclass(frozen=True)
class Known:
    """What stars say of a model's quantities, (n_stars, n_tokens), NaN where unknown."""

    names: tuple[str, ...]
    values: np.ndarray
    errors: np.ndarray

    @classmethod
    def of(cls, model: StellarFoundationModel, stars: StarTable) -> "Known":
        """Read the quantities of a model's vocabulary from a table."""
        return cls(model.vocabulary_.names, *read_tokens(stars, model.vocabulary_))

    def __getitem__(self, name: str) -> np.ndarray:
        """Return the values of one quantity."""
        return self.values[:, self.names.index(name)]

    def matrix(self, names: Sequence[str]) -> np.ndarray:
        """Return the values of some quantities, (n_stars, n_names)."""
        return self.values[:, [self.names.index(name) for name in names]]

    def error(self, name: str) -> np.ndarray:
        """Return the errors of one quantity, zero where unknown."""
        return self.errors[:, self.names.index(name)]

    def rows(self, chosen: np.ndarray) -> "Known":
        """Return some of the stars."""
        return Known(self.names, self.values[chosen], self.errors[chosen])


@dataclass(frozen=True)
class Comparison:
    """Answers about stars beside what is known; a method without errors has none."""

    name: str
    true: np.ndarray
    answer: np.ndarray
    true_error: np.ndarray
    error: np.ndarray | None = None

    @property
    def scatter(self) -> float:
        """Normalised median absolute deviation of the residuals."""
        return float(nmad(self.true, self.answer))

    @property
    def within(self) -> float:
        """Fraction of stars whose residual is below the error; NaN without errors."""
        if self.error is None:
            return np.nan
        z = (self.answer - self.true) / np.hypot(self.error, self.true_error)
        return float(np.mean(np.abs(z[np.isfinite(z)]) < 1))


def ask(
    model: StellarFoundationModel,
    names: Sequence[str],
    values: np.ndarray,
    requests: Sequence[str],
) -> StarTable:
    """Return answers from ``values`` of the quantities ``names``, (n_stars, n_names)."""
    return model.request(StarTable(dict(zip(names, values.T, strict=True))), requests)


def compare(
    model: StellarFoundationModel,
    known: Known,
    requests: Sequence[str],
    names: Sequence[str],
    values: np.ndarray | None = None,
) -> dict[str, Comparison]:
    """Return answers beside what is known, by request; ``values`` are those of the stars."""
    told = known.matrix(names) if values is None else values
    answers = ask(model, names, told, requests)
    return {
        name: Comparison(
            name,
            known[name],
            answers[name].value,
            known.error(name),
            answers[f"{name}_err"].value,
        )
        for name in requests
    }


def unit_of(name: str) -> str:
    """Return a quantity's unit as a figure writes it."""
    unit = LABELS[name].unit if name in LABELS else GENERALIST[name].unit
    return UNIT_SYMBOLS.get(unit, unit)


def axis_label(name: str) -> str:
    """Return a quantity's symbol and unit."""
    symbol = LABELS[name].symbol if name in LABELS else SYMBOLS.get(name, name)
    unit = unit_of(name)
    return f"{symbol} [{unit}]" if unit else symbol


def error_norm(comparisons: Sequence[Comparison]) -> LogNorm:
    """Return a scale for the predicted errors of several panels."""
    errors = np.concatenate([c.error for c in comparisons if c.error is not None])
    return LogNorm(*np.nanpercentile(errors, [2, 98]))


def one_to_one(
    ax: Axes,
    comparison: Comparison,
    norm: Normalize | None = None,
    limits: tuple[float, float] | None = None,
) -> PathCollection:
    """Draw answers against what is known, coloured by the predicted error, and the scores."""
    low, high = limits or np.nanpercentile(comparison.true, [0.5, 99.5])
    style: dict[str, object] = {"color": "0.35", "s": 2}
    if comparison.error is not None:
        norm = norm or error_norm([comparison])
        # Without the blend at their rims, coloured points take two thirds of the bytes.
        style = {"c": comparison.error, "cmap": "viridis", "norm": norm, "s": 1}
        style["antialiased"] = False
    drawn = ax.scatter(comparison.true, comparison.answer, linewidths=0, **style)
    ax.plot([low, high], [low, high], color="#D55E00", linewidth=1)
    ax.set(xlim=(low, high), ylim=(low, high))
    write_scores(ax, comparison)
    return drawn


def write_scores(ax: Axes, comparison: Comparison) -> None:
    """Write scatter and honesty of the errors into a panel's corner."""
    text = f"NMAD {comparison.scatter:.3g} {unit_of(comparison.name)}"
    if comparison.error is not None:
        text += f"\n{comparison.within:.0%} within 1$\\sigma$"
    write_text(ax, text)


def write_text(ax: Axes, text: str) -> None:
    """Write into a panel's lower right corner, readable over points."""
    box = {"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 1}
    ax.text(0.97, 0.03, text, transform=ax.transAxes, ha="right", fontsize=8, bbox=box)


def error_bar(drawn: PathCollection, axes: Axes | np.ndarray, unit: str) -> None:
    """Draw the colour bar of predicted errors."""
    label = f"predicted error [{unit}]" if unit else "predicted error"
    bar = drawn.figure.colorbar(
        drawn, ax=axes, label=label, pad=0.01, ticks=LogLocator(subs=(1, 2, 5)), format="%g"
    )
    bar.ax.yaxis.set_minor_locator(NullLocator())
