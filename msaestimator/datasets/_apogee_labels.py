"""Labels of APOGEE DR17."""

import os

from msaestimator.archive import fetch_vizier
from msaestimator.datasets._label_catalogues import labels_of, read_catalogue
from msaestimator.schema import StarTable

__all__ = ["fetch_apogee_dr17", "read_apogee_dr17"]

APOGEE_DR17 = {
    "source_id": "GAIAEDR3_SOURCE_ID",
    "apogee_id": "APOGEE_ID",
    "teff": "TEFF",
    "teff_err": "TEFF_ERR",
    "logg": "LOGG",
    "logg_err": "LOGG_ERR",
    "fe_h": "FE_H",
    "fe_h_err": "FE_H_ERR",
    "alpha_m": "ALPHA_M",
    "alpha_m_err": "ALPHA_M_ERR",
}
VIZIER_TABLE = "III/286/catalog"
VIZIER_COLUMNS = {
    "source_id": ("GaiaEDR3",),
    "apogee_id": ("APOGEE",),
    "teff": ("Teff",),
    "teff_err": ("e_Teff",),
    "logg": ("logg",),
    "logg_err": ("e_logg",),
    "fe_h": ("[Fe/H]",),
    "fe_h_err": ("e_[Fe/H]",),
    "alpha_m": ("[a/M]", "ALPHA_M"),
    "alpha_m_err": ("e_[a/M]", "e_ALPHA_M"),
}


def read_apogee_dr17(path: str | os.PathLike[str]) -> StarTable:
    """Read the labels of APOGEE DR17 from its catalogue of stars.

    Parameters
    ----------
    path : str or path-like
        ``allStar-dr17-synspec_rev1.fits``, or its smaller copy ``allStarLite-…``, as SDSS
        publishes it; of the file's gigabytes ten columns come into memory. Or a table of another
        format with these columns.

    Returns
    -------
    StarTable
        ``source_id`` (that of Gaia EDR3, which is DR3's), ``survey`` ("apogee"), ``apogee_id``,
        ``teff`` (K), ``logg``, ``fe_h`` and ``alpha_m`` (dex), each with its ``*_err``; NaN where
        ASPCAP gives nothing. Rows are those of the thesis, see the notes.

    Raises
    ------
    ColumnError
        The file lacks a column, or cannot be read.
    FileNotFoundError
        There is no such file.

    Notes
    -----
    As in the thesis (McKay 2025, section 2.3) all rows of a Gaia id that is there more than once
    are left out, which are spectra of one star from several fields or telescopes, and no flag is
    asked: ASPCAP gives no calibrated value of what it calls bad. Of 733,901 rows the thesis kept
    591,499 with a Gaia id of their own, of which 493,075 have an XP spectrum.

    Column names are as in SDSS's data model and in a print of the published file.

    References
    ----------
    Abdurro'uf et al. 2022, ApJS 259, 35; Majewski et al. 2017, AJ 154, 94.
    """
    return labels_of(read_catalogue(path, APOGEE_DR17), "apogee")


def fetch_apogee_dr17() -> StarTable:
    """Fetch the labels of APOGEE DR17 from VizieR.

    Returns
    -------
    StarTable
        The columns of `read_apogee_dr17`, from VizieR's table III/286/catalog of 733,901 rows.

    Raises
    ------
    ArchiveError
        VizieR failed, or its answer lacks a column.
    MissingDependencyError
        astroquery is not installed.

    Notes
    -----
    VizieR's names of [alpha/M] could not be checked: both that it may have are asked for.
    """
    return labels_of(fetch_vizier(VIZIER_TABLE, VIZIER_COLUMNS), "apogee")
