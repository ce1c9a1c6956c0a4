"""Ages of APOGEE's stars by the astroNN package's models."""

import os

import astropy.units as u
import numpy as np
from astropy.table import Table

from msaestimator.datasets._label_catalogues import read_catalogue, text_column
from msaestimator.exceptions import ColumnError
from msaestimator.schema import StarTable
from msaestimator.tables import raw_column

__all__ = ["add_ages", "read_leung2023", "read_mackereth2019"]

MACKERETH2019 = {
    "apogee_id": "APOGEE_ID",
    "age": "age_lowess_correct",
    "age_err": "age_total_error",
}
LEUNG2023 = {
    "apogee_id": "APOGEE_ID",
    "age": "Age",
    "age_err": "Age_Error",
    "starflag": "STARFLAG",
    "aspcapflag": "ASPCAPFLAG",
}
LARGEST_ERROR = 0.4
"""Relative error from which on an age of Leung et al. 2023 is not taken."""


def read_mackereth2019(path: str | os.PathLike[str]) -> StarTable:
    """Read the ages of APOGEE's stars by the model of Mackereth et al. 2019.

    Parameters
    ----------
    path : str or path-like
        ``apogee_astroNN-DR17.fits``, SDSS's value-added catalogue, of which three columns come
        into memory. Or a table of another format with these columns.

    Returns
    -------
    StarTable
        ``apogee_id``, ``age`` and ``age_err`` (Gyr), the first row of each star that has an age,
        and ``age_catalogue`` ("mackereth2019").

    Raises
    ------
    ColumnError
        The file lacks a column, or cannot be read.
    FileNotFoundError
        There is no such file.

    Notes
    -----
    Of the catalogue's three ages this is ``age_lowess_correct``, which takes out the model's trend
    and is the one that others use; which of them the thesis took could not be checked. The names
    are as in the script that wrote the catalogue.

    References
    ----------
    Mackereth et al. 2019, MNRAS 489, 176; Leung & Bovy 2019, MNRAS 483, 3255.
    """
    return _ages(read_catalogue(path, MACKERETH2019), "mackereth2019")


def read_leung2023(path: str | os.PathLike[str]) -> StarTable:
    """Read the ages of APOGEE's red giants of Leung et al. 2023, as their authors recommend.

    Parameters
    ----------
    path : str or path-like
        ``nn_latent_age_dr17.csv``, also compressed as ``.csv.gz``, from the repository
        henrysky/astroNN_ages.

    Returns
    -------
    StarTable
        ``apogee_id``, ``age`` and ``age_err`` (Gyr), the first row of each star that is taken,
        and ``age_catalogue`` ("leung2023").

    Raises
    ------
    ColumnError
        The file lacks a column, or cannot be read.
    FileNotFoundError
        There is no such file.

    Notes
    -----
    As in the thesis (McKay 2025, section 2.3) an age is taken if its error is less than 40 % of
    it and ``STARFLAG`` and ``ASPCAPFLAG`` are 0.

    References
    ----------
    Leung et al. 2023, MNRAS 522, 4577.
    """
    stars = read_catalogue(path, LEUNG2023)
    age, error, *flags = (_plain(stars, n) for n in ("age", "age_err", "starflag", "aspcapflag"))
    taken = (error < LARGEST_ERROR * age) & (flags[0] == 0) & (flags[1] == 0)
    return _ages(stars[taken], "leung2023")


def add_ages(stars: Table, *ages: Table) -> StarTable:
    """Return APOGEE's stars with the ages of catalogues, the first that has one for each star.

    Parameters
    ----------
    stars : Table of n_stars rows
        Stars with ``apogee_id``, such as `read_apogee_dr17` gives.
    *ages : Table
        Ages as `read_leung2023` and `read_mackereth2019` give them. The thesis takes Leung's
        where it has one, and Mackereth's for the others.

    Returns
    -------
    StarTable of length n_stars
        Copy of the stars with ``age`` and ``age_err`` (Gyr), NaN where no catalogue has one, and
        ``age_catalogue``, the catalogue's name, "" where none has one.

    Raises
    ------
    ColumnError
        A table lacks ``apogee_id``.

    Examples
    --------
    >>> import astropy.units as u
    >>> from msaestimator import StarTable
    >>> from msaestimator.datasets import add_ages
    >>> def ages_of(stars, ages, catalogue):
    ...     return StarTable(
    ...         {
    ...             "apogee_id": stars,
    ...             "age": ages * u.Gyr,
    ...             "age_err": [1.0] * len(stars) * u.Gyr,
    ...             "age_catalogue": [catalogue] * len(stars),
    ...         }
    ...     )
    >>> stars = StarTable({"apogee_id": ["2M01", "2M02", "2M03"]})
    >>> stars = add_ages(
    ...     stars,
    ...     ages_of(["2M01"], [5.0], "leung2023"),
    ...     ages_of(["2M01", "2M03"], [6.0, 7.0], "mackereth2019"),
    ... )
    >>> stars["age"].value.tolist(), stars["age_catalogue"].tolist()
    ([5.0, nan, 7.0], ['leung2023', '', 'mackereth2019'])
    """
    for table in (stars, *ages):
        if "apogee_id" not in table.colnames:
            raise ColumnError(
                "Tables to add ages to, and of ages, must have the column 'apogee_id', got "
                f"{', '.join(table.colnames)}."
            )
    found = StarTable(stars)
    values = np.full((2, len(stars)), np.nan)
    catalogues = np.full(len(stars), "", dtype=object)
    wanted = text_column(stars, "apogee_id")
    for catalogue in ages:
        rows = {star: row for row, star in reversed([*enumerate(catalogue["apogee_id"])])}
        here = np.array([rows.get(star, -1) for star in wanted], dtype=int)
        new = (here >= 0) & (catalogues == "")
        for place, name in enumerate(("age", "age_err")):
            values[place, new] = catalogue[name][here[new]].to_value(u.Gyr)
        catalogues[new] = catalogue["age_catalogue"][here[new]]
    found["age"], found["age_err"] = values * u.Gyr
    found["age_catalogue"] = catalogues.astype(str)
    return found


def _ages(stars: Table, catalogue: str) -> StarTable:
    """Return the known ages of stars, each star once."""
    age, error = _plain(stars, "age"), _plain(stars, "age_err")
    known = np.flatnonzero(np.isfinite(age) & np.isfinite(error))
    names = text_column(stars, "apogee_id")
    rows = known[np.sort(np.unique(names[known], return_index=True)[1])]
    return StarTable(
        {
            "apogee_id": names[rows],
            "age": age[rows] * u.Gyr,
            "age_err": error[rows] * u.Gyr,
            "age_catalogue": np.full(len(rows), catalogue),
        }
    )


def _plain(stars: Table, name: str) -> np.ndarray:
    """Return numbers of a column, ages as the files have them in Gyr, NaN where missing."""
    values, mask, _ = raw_column(stars[name])
    return np.where(mask, np.nan, values).astype(np.float64)
