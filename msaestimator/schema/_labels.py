"""The stellar parameters, their units and physical ranges."""

import math

from msaestimator.exceptions import ColumnError, did_you_mean
from msaestimator.schema._columns import Label

__all__ = ["LABELS", "SPECTROSCOPIC_LABELS", "get_label"]

POSITIVE = (0.0, math.inf)

LABELS: dict[str, Label] = {
    label.name: label
    for label in (
        Label("teff", "K", (2000.0, 60000.0), True, r"$T_\mathrm{eff}$", bounds=POSITIVE),
        Label("logg", "dex", (-1.0, 6.5), symbol=r"$\log g$"),
        Label("fe_h", "dex", (-6.0, 1.0), symbol="[Fe/H]"),
        Label("m_h", "dex", (-6.0, 1.0), symbol="[M/H]"),
        Label("alpha_m", "dex", (-1.0, 1.5), symbol=r"[$\alpha$/M]"),
        Label("alpha_fe", "dex", (-1.0, 1.5), symbol=r"[$\alpha$/Fe]"),
        Label("age", "Gyr", (0.0, 14.0), True, r"$\tau$", bounds=(0.0, 14.0)),
        Label("mass", "solMass", (0.05, 150.0), True, "$M$", bounds=POSITIVE),
        Label("parallax", "mas", (0.0, 800.0), True, r"$\varpi$", bounds=POSITIVE),
    )
}

SPECTROSCOPIC_LABELS = ("teff", "logg", "fe_h", "alpha_m", "alpha_fe", "age", "mass")
"""Labels that ``labels=None`` looks for in a table: those that are not also input columns."""


def get_label(name: str) -> Label:
    """Return the label of that name; an unknown one is an error with the nearest name."""
    try:
        return LABELS[name]
    except KeyError:
        raise ColumnError(
            f"Unknown label {name!r}; known are {', '.join(LABELS)}." + did_you_mean(name, LABELS)
        ) from None
