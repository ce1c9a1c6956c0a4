"""Parallaxes corrected for their zero point, with a record of what was subtracted."""

from functools import cache
from types import ModuleType
from typing import Literal, get_args

import astropy.units as u
import numpy as np
from astropy.table import Table

from msaestimator.archive._known import read_known
from msaestimator.exceptions import ColumnError, MissingDependencyError, did_you_mean
from msaestimator.schema import StarTable

__all__ = ["ZERO_POINT", "ParallaxCorrection", "correct_parallax"]

ParallaxCorrection = Literal["lindegren2021", "leung2023"]

ZERO_POINT = "parallax_zero_point"
"""Column of the zero point that was subtracted, in mas; NaN where none was."""

INPUTS = {
    "phot_g_mean_mag": "mag",
    "nu_eff_used_in_astrometry": "1 / um",
    "pseudocolour": "1 / um",
    "ecl_lat": "deg",
}
"""Columns that the zero point depends on, and the units that it is tabulated in."""

SOLVED = "astrometric_params_solved"
WITH_PARALLAX = (31, 95)
"""Values of ``astrometric_params_solved`` for five and for six parameters."""


def correct_parallax(table: Table, correction: ParallaxCorrection) -> StarTable:
    """Subtract the parallax zero point from the parallaxes.

    Parameters
    ----------
    table : Table of n_stars rows
        Stars with ``parallax`` (mas, or another unit if it states one) and the columns of the Gaia
        archive that the zero point depends on: ``phot_g_mean_mag``, ``nu_eff_used_in_astrometry``,
        ``pseudocolour``, ``ecl_lat`` and ``astrometric_params_solved``. NaN and masked values are
        unknown.
    correction : {"lindegren2021", "leung2023"}
        The zero point of Lindegren et al. 2021, or the same and what Leung et al. 2023 add.

    Returns
    -------
    StarTable
        A copy with corrected ``parallax`` and the column ``parallax_zero_point`` (mas), so that
        the raw parallax is the sum of both. Where the zero point is NaN, nothing was
        subtracted: the parallax or an input is unknown, or an input lies outside the range of
        the correction, 6 < G < 21, 1.1 < ``nu_eff_used_in_astrometry`` < 1.9 (five parameters)
        and 1.24 < ``pseudocolour`` < 1.72 (six).

    Raises
    ------
    ValueError
        The correction is unknown.
    ColumnError
        A column is absent, or the table is corrected already.
    UnitMismatchError
        A column is in a unit of another physical type.
    MissingDependencyError
        The package ``gaiadr3-zeropoint`` is not installed.

    Notes
    -----
    Outside its range the correction is not known to better than its own size, some 0.03 mas.
    This is well below the error of nearly every such parallax (G > 21) or a small part of the
    parallax itself (G < 6), so that the raw value says much more than NaN would.

    Leung et al. find the zero points of Lindegren et al., which are negative, to correct too
    much towards faint stars, and add 0.005 mas for each magnitude of G from 13 to 17; fainter
    stars get what G = 17 gets, 0.02 mas.

    References
    ----------
    Lindegren et al. 2021, A&A 649, A4. Leung et al. 2023, MNRAS 519, 948.

    Examples
    --------
    >>> from msaestimator import StarTable
    >>> from msaestimator.archive import correct_parallax
    >>> star = StarTable({"parallax": [1.0], "phot_g_mean_mag": [15.9], "ecl_lat": [0.0],
    ...                   "nu_eff_used_in_astrometry": [1.48], "pseudocolour": [np.nan],
    ...                   "astrometric_params_solved": [31]})
    >>> corrected = correct_parallax(star, "lindegren2021")
    >>> corrected["parallax_zero_point"], corrected["parallax"].tolist()
    (<Quantity [-0.04347] mas>, [1.04347])
    """
    _check(table, correction)
    zero_point = _lindegren_zero_point(table)
    if correction == "leung2023":
        magnitude, _ = read_known(table, "phot_g_mean_mag", "mag")
        zero_point += 0.005 * np.clip(magnitude - 13.0, 0.0, 4.0)
    _, measured = read_known(table, "parallax")
    zero_point[~measured] = np.nan
    corrected = StarTable(table)
    corrected[ZERO_POINT] = zero_point * u.mas
    applied = ~np.isnan(zero_point)
    stated = corrected["parallax"].unit is not None
    shift = corrected[ZERO_POINT] if stated else zero_point
    corrected["parallax"][applied] -= shift[applied]
    return corrected


def _check(table: Table, correction: str) -> None:
    known = get_args(ParallaxCorrection)
    if correction not in known:
        raise ValueError(
            f"`correction` must be one of {', '.join(known)}, got {correction!r}."
            + did_you_mean(correction, known)
        )
    absent = [name for name in ("parallax", *INPUTS, SOLVED) if name not in table.colnames]
    if absent:
        raise ColumnError(
            f"The parallax zero point needs columns {', '.join(absent)}, which the table has "
            "not. Ask gaia_source for them; gaia_source_lite does not have all."
        )
    if ZERO_POINT in table.colnames:
        raise ColumnError(
            f"The table must have raw parallaxes, got one with {ZERO_POINT!r}, which are "
            "corrected already. Add that column to the parallax, where it is not NaN, and "
            "remove it to correct in another way."
        )


def _lindegren_zero_point(table: Table) -> np.ndarray:
    """Return zero points in mas, NaN where an input is unknown or out of range."""
    solved, known = read_known(table, SOLVED)
    # The package refuses tables with other solutions, which have no parallax.
    usable = known & np.isin(solved, WITH_PARALLAX)
    inputs = []
    for name, unit in INPUTS.items():
        values, known = read_known(table, name, unit)
        inputs.append(np.where(known, values, np.nan)[usable])
    zero_point = np.full(len(table), np.nan)
    # Without its warnings it gives NaN out of range, where it else extrapolates.
    zero_point[usable] = _zpt().get_zpt(*inputs, solved[usable], _warnings=False)
    return zero_point


@cache
def _zpt() -> ModuleType:
    """Return the zero-point package's module with its tables loaded."""
    try:
        from zero_point import zpt
    except ImportError:
        raise MissingDependencyError(
            "Correcting parallaxes needs the package gaiadr3-zeropoint, which is not installed: "
            "pip install msaestimator[zeropoint]."
        ) from None
    zpt.load_tables()
    return zpt
