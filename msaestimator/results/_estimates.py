"""The columns of one estimated quantity: one vocabulary for all tables of answers."""

from collections.abc import Mapping

import astropy.units as u
import numpy as np
from scipy.stats import norm

from msaestimator.results._flags import describe_flags
from msaestimator.schema import GAIA_DR3, LABELS, RELATIVE, StarTable

__all__ = ["ONE_SIGMA", "add_estimate", "add_flags", "describe_quantity", "one_sigma_error"]

ONE_SIGMA = (0.16, 0.84)
"""Levels of the bounds that are one standard error from the median."""

PLAIN_FORMAT = ".6g"
"""Format of a quantity whose decimals nobody has chosen: what float32 tells."""

OF_STAR = "what concerns the star: bits explained in the table's meta"
OF_LABEL = "what concerns this quantity alone: bits explained in the table's meta"


def add_estimate(
    table: StarTable, name: str, unit: str, parts: Mapping[str, tuple[np.ndarray, str]]
) -> None:
    """Add the columns of a quantity to a table, with units, words and decimals.

    Parameters
    ----------
    table : StarTable of n_stars rows
    name : str
        Name of the quantity, such as ``"teff"``.
    unit : str
        Unit of all its columns.
    parts : mapping of str to (ndarray of shape (n_stars,), str)
        Values and their meaning, by the suffix of the column's name: "" is the quantity itself.
    """
    subject, decimals, of_all = describe_quantity(name), _format(name, unit), u.Unit(unit)
    for suffix, (values, meaning) in parts.items():
        column = u.Quantity(values, of_all, copy=False)
        column.info.description = f"{subject}: {meaning}"
        column.info.format = decimals
        table[name + suffix] = column


def add_flags(table: StarTable, flags: Mapping[str, np.ndarray]) -> None:
    """Add columns of flags, int32, by name, and their explanation in ``table.meta["flags"]``."""
    for name, bits in flags.items():
        table[name] = bits.astype(np.int32)
        table[name].info.description = OF_STAR if name == "flags" else OF_LABEL
    table.meta["flags"] = describe_flags()


def describe_quantity(name: str) -> str:
    """Return the meaning of a quantity, or its name where nobody has described it."""
    if name in LABELS:
        return LABELS[name].description
    column = name.removeprefix(RELATIVE)
    described = GAIA_DR3[column].description if column in GAIA_DR3 else ""
    if not described:
        return name
    return described if column == name else f"{described}, over the G flux"


def one_sigma_error(
    lower: np.ndarray, upper: np.ndarray, levels: tuple[float, float]
) -> np.ndarray:
    """Return half the width of the central 68 % interval that another interval would have.

    Parameters
    ----------
    lower, upper : ndarray
        Quantiles at ``levels``, taken as those of a normal distribution.
    levels : pair of float
    """
    share = np.ptp(norm.ppf(ONE_SIGMA)) / np.ptp(norm.ppf(levels))
    return (upper - lower) / 2 * share


def _format(name: str, unit: str) -> str:
    known = LABELS.get(name)
    return f".{known.decimals}f" if known and known.unit == unit else PLAIN_FORMAT
