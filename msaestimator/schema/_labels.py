"""The stellar parameters, their units and physical ranges."""

import math

from msaestimator.exceptions import ColumnError, did_you_mean
from msaestimator.schema._columns import Label, limits_of

__all__ = ["LABELS", "SPECTROSCOPIC_LABELS", "get_label"]

POSITIVE = (0.0, math.inf)

LABELS: dict[str, Label] = {
    label.name: label
    for label in (
        Label(
            "teff",
            "K",
            (2000.0, 60000.0),
            log=True,
            symbol=r"$T_\mathrm{eff}$",
            bounds=POSITIVE,
            description="effective temperature",
            decimals=2,
        ),
        Label(
            "logg",
            "dex",
            (-1.0, 6.5),
            symbol=r"$\log g$",
            description="logarithm of the surface gravity in cm / s2",
            log_of="cm / s2",
        ),
        Label(
            "fe_h",
            "dex",
            (-6.0, 1.0),
            symbol="[Fe/H]",
            description="iron abundance [Fe/H]",
        ),
        Label(
            "m_h",
            "dex",
            (-6.0, 1.0),
            symbol="[M/H]",
            description="metallicity [M/H]",
        ),
        Label(
            "alpha_m",
            "dex",
            (-1.0, 1.5),
            symbol=r"[$\alpha$/M]",
            description="abundance of alpha elements over metals [alpha/M]",
        ),
        Label(
            "alpha_fe",
            "dex",
            (-1.0, 1.5),
            symbol=r"[$\alpha$/Fe]",
            description="abundance of alpha elements over iron [alpha/Fe]",
        ),
        Label(
            "age",
            "Gyr",
            (0.0, 14.0),
            log=True,
            symbol=r"$\tau$",
            bounds=(0.0, 14.0),
            accepted=(0.0, 30.0),
            description="age",
        ),
        Label(
            "mass",
            "solMass",
            (0.05, 150.0),
            log=True,
            symbol="$M$",
            bounds=POSITIVE,
            description="mass",
        ),
        Label(
            "parallax",
            "mas",
            (0.0, 800.0),
            log=True,
            symbol=r"$\varpi$",
            bounds=POSITIVE,
            description="parallax",
            accepted=limits_of("parallax", "mas"),
            distance_power=-1,
        ),
        Label(
            "distance",
            "kpc",
            (0.001, 1000.0),
            log=True,
            symbol="$d$",
            bounds=POSITIVE,
            description="distance",
            distance_power=1,
        ),
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
