"""Labels of GALAH DR4."""

import os

import numpy as np

from msaestimator.datasets._label_catalogues import labels_of, read_catalogue
from msaestimator.schema import StarTable
from msaestimator.tables import raw_column

__all__ = ["read_galah_dr4"]

GALAH_DR4 = {
    "source_id": "gaiadr3_source_id",
    "teff": "teff",
    "teff_err": "e_teff",
    "logg": "logg",
    "logg_err": "e_logg",
    "fe_h": "fe_h",
    "fe_h_err": "e_fe_h",
    "age": "age",
}
ALPHA_ELEMENTS = ("mg", "si", "ca", "ti", "o")
ACCEPTED_FLAGS = (0, 1)
"""Values of an abundance's flag: no problem, and an upper limit."""


def read_galah_dr4(path: str | os.PathLike[str]) -> StarTable:
    """Read the labels of GALAH DR4 from its catalogue of stars.

    Parameters
    ----------
    path : str or path-like
        ``galah_dr4_allstar_240705.fits`` as GALAH publishes it, of which the columns needed come
        into memory. Or a table of another format with these columns.

    Returns
    -------
    StarTable
        ``source_id``, ``survey`` ("galah"), ``teff`` (K), ``logg``, ``fe_h`` and ``alpha_fe``
        (dex), each with its ``*_err``, and ``age`` (Gyr); NaN where GALAH gives nothing. Rows are
        those of the thesis, see the notes.

    Raises
    ------
    ColumnError
        The file lacks a column, or cannot be read.
    FileNotFoundError
        There is no such file.

    Notes
    -----
    DR4 has no [alpha/Fe]. As in the author's code of the thesis it is the mean of [Mg/Fe],
    [Si/Fe], [Ca/Fe], [Ti/Fe] and [O/Fe], those whose flag is 0, no problem, or 1, an upper limit
    (McKay 2025, section 2.3). Its error is the mean of their errors, as of errors that all go the
    same way. GALAH itself recommends flag 0 alone, and ``flag_sp`` 0, which the thesis does not
    ask; the thesis's 851,894 stars of 917,588 are those with an XP spectrum.

    Rows of a Gaia id that is there more than once are left out, all of them.

    Column names and flags are as in GALAH's table schema and in a print of the published file.

    References
    ----------
    Buder et al. 2025, PASA 42, e051.
    """
    names = GALAH_DR4.copy()
    for element in ALPHA_ELEMENTS:
        for prefix in ("", "e_", "flag_"):
            names[f"{prefix}{element}_fe"] = f"{prefix}{element}_fe"
    stars = read_catalogue(path, names)
    # DIFF(mckay2025): the author's code takes the square root of an age in Gyr for its error. The
    # catalogue has none, and so have we.
    stars["alpha_fe"], stars["alpha_fe_err"] = _alpha(stars)
    return labels_of(stars, "galah")


def _alpha(stars: StarTable) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean [X/Fe] of the alpha elements that are accepted, and their mean error."""
    sums = np.zeros((2, len(stars)))
    n_accepted = np.zeros(len(stars))
    for element in ALPHA_ELEMENTS:
        flags, is_unknown, _ = raw_column(stars[f"flag_{element}_fe"])
        measured = np.stack([_plain(stars, f"{prefix}{element}_fe") for prefix in ("", "e_")])
        accepted = np.isin(flags, ACCEPTED_FLAGS) & ~is_unknown & np.isfinite(measured).all(axis=0)
        sums += np.where(accepted, measured, 0.0)
        n_accepted += accepted
    n_accepted[n_accepted == 0] = np.nan
    abundance, error = sums / n_accepted
    return abundance, error


def _plain(stars: StarTable, name: str) -> np.ndarray:
    values, mask, _ = raw_column(stars[name])
    return np.where(mask, np.nan, values).astype(np.float64)
