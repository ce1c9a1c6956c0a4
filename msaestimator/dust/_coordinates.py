"""Positions of a table's stars: on the sky and, for maps in three dimensions, in distance."""

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import Table

from msaestimator.exceptions import ColumnError, UnitMismatchError, did_you_mean

__all__ = ["read_coordinates"]

_ARCHIVE_MISSING = -9999.0


def read_coordinates(table: Table, with_distance: bool) -> tuple[SkyCoord, np.ndarray]:
    """Return Galactic coordinates of the stars that have them, and a mask of these stars.

    Parameters
    ----------
    table : Table of length n_stars
        Stars with ``ra`` and ``dec``, in deg unless they say otherwise.
    with_distance : bool
        Whether to read ``distance``, or where there is none ``parallax`` (in mas unless it says
        otherwise), and leave out stars without a positive one.

    Returns
    -------
    coords : SkyCoord of length n_known
    known : ndarray of bool, shape (n_stars,)

    Raises
    ------
    ColumnError
        A column is absent, not numeric, infinite or out of range.
    UnitMismatchError
        A unit of another physical type.
    """
    ra, dec = _read(table, "ra", u.deg), _read(table, "dec", u.deg)
    if (np.abs(dec) > 90.0).any():
        raise ColumnError(
            f"Column 'dec' must lie between -90 and 90 deg, got {dec[np.abs(dec) > 90.0][0]:g}. "
            "Check its unit, and that it is not 'ra'."
        )
    known = np.isfinite(ra) & np.isfinite(dec)
    distance = _read_distance(table) if with_distance else None
    if distance is not None:
        known &= np.isfinite(distance)
    sky = SkyCoord(ra[known] * u.deg, dec[known] * u.deg).galactic
    if distance is None:
        return sky, known
    return SkyCoord(sky.l, sky.b, distance=distance[known] * u.kpc, frame="galactic"), known


def _read_distance(table: Table) -> np.ndarray:
    """Return distances in kpc, NaN where there is no positive distance or parallax."""
    if "distance" in table.colnames:
        if table["distance"].unit is None:
            raise ColumnError(
                "Column 'distance' must have a unit of length, got none. "
                "Set it: table['distance'].unit = 'kpc'."
            )
        distance = _read(table, "distance", u.kpc)
        return np.where(distance > 0, distance, np.nan)
    if "parallax" not in table.colnames:
        raise ColumnError(
            "A map in three dimensions needs a column 'distance' (with a unit) or 'parallax', "
            "but the table has neither. Add one, or use dust_map='sfd'."
        )
    # DIFF(zhang2026): a star whose parallax is not positive gets no distance, not 99 kpc.
    parallax = _read(table, "parallax", u.mas)
    return 1.0 / np.where(parallax > 0, parallax, np.nan)


def _read(table: Table, name: str, unit: u.UnitBase) -> np.ndarray:
    """Return a column in ``unit``, which it is in if it has none, NaN where it is missing."""
    if name not in table.colnames:
        raise ColumnError(
            f"The table must have a column {name!r}, but it is absent."
            + did_you_mean(name, table.colnames)
        )
    column = table[name]
    try:
        values = np.array(getattr(column, "unmasked", column), dtype=float)
    except (TypeError, ValueError):
        values = np.empty(0)
    if values.shape != (len(table),):
        raise ColumnError(
            f"Column {name!r} must hold one number a star, got {column.dtype} of shape "
            f"{column.shape}. Convert it, with NaN where a value is missing."
        )
    missing = np.array(getattr(column, "mask", False)) | (values == _ARCHIVE_MISSING)
    if np.isinf(values[~missing]).any():
        raise ColumnError(f"Column {name!r} must be finite or NaN, got infinite values.")
    stated = unit if column.unit is None else column.unit
    if not stated.is_equivalent(unit):
        raise UnitMismatchError(
            f"Column {name!r} must be in {unit} (or convertible to it), got "
            f"{stated.to_string() or 'dimensionless'}. Convert the column or correct its unit."
        )
    return np.where(missing, np.nan, stated.to(unit, values))
