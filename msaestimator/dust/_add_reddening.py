"""The column `ebv`: reddening of each star by dust."""

import warnings
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import Table

from msaestimator.dust._choice import open_maps
from msaestimator.dust._coordinates import read_coordinates
from msaestimator.dust._dust_map import DustMap, Query
from msaestimator.exceptions import ColumnError
from msaestimator.schema import StarTable

__all__ = ["add_reddening"]


def add_reddening(
    table: Table, dust_map: str | Query = "sfd", *, map_dir: str | Path | None = None
) -> StarTable:
    """Return a copy of a table with the reddening E(B-V) of each star as its column ``ebv``.

    Parameters
    ----------
    table : Table of length n_stars
        Stars with ``ra`` and ``dec``, converted to deg if in another unit of angle and taken to be
        in deg if in none. Maps in three dimensions also need ``distance``, in any unit of length,
        or else ``parallax``, in mas unless it says otherwise.
    dust_map : str or callable, default="sfd"
        - ``"sfd"``: Schlegel, Finkbeiner & Davis (1998), to infinity, whole sky. Where dustmaps
          or its files are absent, ``"sfd-lowres"`` stands in, with a warning.
        - ``"sfd-lowres"``: the same in pixels of 0.9 deg; ships with the package.
        - ``"bayestar"``: Green et al. (2019), to the star, north of declination -30 deg.
        - ``"marshall"``: Marshall et al. (2006), to the star, within 100 deg of the Galactic
          centre in longitude and 10 deg in latitude.
        - ``"combined"``: Marshall, where it has no answer Bayestar, and SFD for the rest. The
          column ``ebv_map`` names the map that answered for each star.
        - any ``query(coords)`` that takes a SkyCoord of n stars to n values of E(B-V) in mag,
          such as a query object of dustmaps. The coordinates have distances if the table has a
          column ``distance``.
    map_dir : str or Path, optional
        The folder with the files of the named maps, in the subfolders dustmaps puts them in or
        all in one. None is the data folder dustmaps is configured with.

    Returns
    -------
    StarTable of length n_stars
        Copy of the table with ``ebv`` in mag, on the scale of SFD98, in place of any such column
        before. It is NaN where a star has no position (masked, NaN or -9999), where a map in three
        dimensions is asked and the star has no positive distance or parallax, and outside the
        map's footprint. The description of the column and ``meta["ebv"]`` say which map gave it.

    Raises
    ------
    ColumnError
        ``ra``, ``dec`` or a needed distance is absent, not numeric or out of range, or a
        callable does not return one number a star.
    UnitMismatchError
        A column's unit is of another physical type.
    DustMapError
        A map's files are absent or broken; the message has the command that fetches them.
    MissingDependencyError
        dustmaps is not installed and the map is in three dimensions.
    ValueError
        ``dust_map`` is no known name.

    Warns
    -----
    UserWarning
        The packaged map stands in for SFD.

    Notes
    -----
    One unit of Bayestar19 is 1 mag of SFD98's E(B-V), since both have E(g - r) = 0.901 mag in
    Pan-STARRS bands. Marshall's A(Ks) is divided by 0.310 (Schlafly & Finkbeiner 2011, 2MASS Ks,
    R_V = 3.1). Multiply by 0.86 for the E(B-V) of Schlafly & Finkbeiner's recalibration.

    References
    ----------
    Green 2018, JOSS 3, 695 (dustmaps); Green et al. 2019, ApJ 887, 93; Marshall et al. 2006,
    A&A 453, 635; Schlafly & Finkbeiner 2011, ApJ 737, 103; Schlegel, Finkbeiner & Davis 1998,
    ApJ 500, 525.

    Examples
    --------
    >>> import astropy.units as u
    >>> from msaestimator.dust import add_reddening
    >>> from msaestimator.schema import StarTable
    >>> stars = StarTable({"ra": [192.9, 266.4] * u.deg, "dec": [27.1, -9.0] * u.deg})
    >>> stars = add_reddening(stars, "sfd-lowres")
    >>> print(stars["ebv"].round(2))
    [0.01 0.99] mag
    """
    if not isinstance(table, Table):
        raise TypeError(
            f"`table` must be an astropy Table, got {type(table).__name__}. "
            "StarTable.from_pandas makes one of a DataFrame."
        )
    maps = open_maps(dust_map, map_dir, has_distance="distance" in table.colnames)
    for caution in filter(None, (dust.caution for dust in maps)):
        warnings.warn(caution, UserWarning, stacklevel=2)
    coords, known = read_coordinates(table, any(dust.three_dimensional for dust in maps))
    ebv = np.full(len(table), np.nan)
    names = np.full(len(table), "", dtype=f"U{max(len(dust.name) for dust in maps)}")
    ebv[known], names[known] = _ask_in_turn(maps, coords)
    return _with_reddening(table, ebv, names, maps)


def _ask_in_turn(maps: tuple[DustMap, ...], coords: SkyCoord) -> tuple[np.ndarray, np.ndarray]:
    """Return the first finite answer for each star, and the name of the map that gave it."""
    ebv, names = np.full(len(coords), np.nan), np.full(len(coords), "", dtype=object)
    for dust in maps:
        rows = np.flatnonzero(np.isnan(ebv))
        if rows.size == 0:
            break
        ebv[rows] = _ask(dust, coords[rows])
        names[rows[np.isfinite(ebv[rows])]] = dust.name
    return ebv, names


def _ask(dust: DustMap, coords: SkyCoord) -> np.ndarray:
    """Return a map's answer as plain numbers, NaN where it has none."""
    answer = dust.query(coords)
    values: np.ndarray = np.ma.filled(
        np.ma.asarray(getattr(answer, "value", answer), dtype=float), np.nan
    )
    if values.shape != coords.shape:
        raise ColumnError(
            f"The dust map {dust.name!r} must return one E(B-V) a star, {coords.shape}, got "
            f"shape {values.shape}. A map in three dimensions needs a column 'distance'."
        )
    return np.where(np.isfinite(values), values, np.nan)


def _with_reddening(
    table: Table, ebv: np.ndarray, names: np.ndarray, maps: tuple[DustMap, ...]
) -> StarTable:
    """Return a copy of the table with the new columns and the name of the map that gave them."""
    stars = StarTable(table)
    # An earlier call's map names would contradict the new values.
    stars.remove_columns([name for name in ("ebv_map",) if name in stars.colnames])
    stars["ebv"] = u.Quantity(ebv, u.mag)
    description = "; else ".join(dust.description for dust in maps)
    stars["ebv"].info.description = description
    stars.meta["ebv"] = description
    if len(maps) > 1:
        stars["ebv_map"] = names
        stars["ebv_map"].info.description = "Which map gave ebv; empty where none did"
    return stars
