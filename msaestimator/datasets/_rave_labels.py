"""Labels of RAVE DR6."""

import os
from collections.abc import Mapping

from astropy.table import join

from msaestimator.datasets._label_catalogues import labels_of, read_catalogue, text_column
from msaestimator.schema import StarTable

__all__ = ["read_rave_dr6"]

OBSERVATION = "rave_obs_id"
GAIA = {"source_id": "source_id"}
BDASP = {
    "teff": "teff_bdasp",
    "teff_err": "teff_error_bdasp",
    "logg": "logg_bdasp",
    "logg_err": "logg_error_bdasp",
    "m_h": "m_h_bdasp",
    "m_h_err": "m_h_error_bdasp",
    "age": "age_bdasp",
    "age_err": "age_error_bdasp",
}
CNN = {"alpha_m": "alpha_m_cnn", "alpha_m_err": "alpha_m_error_cnn"}


def read_rave_dr6(
    bdasp: str | os.PathLike[str], cnn: str | os.PathLike[str], gaia: str | os.PathLike[str]
) -> StarTable:
    """Read the labels of RAVE DR6 from three of its tables.

    Parameters
    ----------
    bdasp, cnn, gaia : str or path-like
        The tables ``dr6_bdasp``, ``dr6_cnn`` and ``dr6_x_gaiaedr3`` as rave-survey.org serves
        them, in any format of `read_stars`. They are joined by their ``rave_obs_id``.

    Returns
    -------
    StarTable
        ``source_id``, ``survey`` ("rave"), ``teff`` (K), ``logg``, ``m_h``, ``alpha_m`` (dex) and
        ``age`` (Gyr), each with its ``*_err``; NaN where RAVE gives nothing. Teff, log g, [M/H]
        and age are the Bayesian pipeline's, [alpha/M] is the neural network's.

    Raises
    ------
    ColumnError
        A file lacks a column, or cannot be read.
    FileNotFoundError
        There is no such file.

    Notes
    -----
    As in the thesis (McKay 2025, section 5.2.2) rows of a Gaia id that is there more than once
    are left out, all of them, and nothing else: the survey has 518,387 observations of 451,783
    stars, of which the thesis has 396,442.

    The names of ``dr6_bdasp``, its keys and those of the other tables are as in the Gaia
    archive's copy and in queries that others have published; those of [alpha/M] in ``dr6_cnn``
    follow RAVE's pattern and could not be checked. An age without a unit is taken to be in Gyr,
    which could not be checked either.

    References
    ----------
    Steinmetz et al. 2020, AJ 160, 83; McMillan et al. 2018, MNRAS 477, 5279 (BDASP); Guiglion et
    al. 2020, A&A 644, A168 (CNN).
    """
    matched = join(_keyed(gaia, GAIA), _keyed(bdasp, BDASP), OBSERVATION)
    return labels_of(join(matched, _keyed(cnn, CNN), OBSERVATION, join_type="left"), "rave")


def _keyed(path: str | os.PathLike[str], names: Mapping[str, str]) -> StarTable:
    """Return columns of a table of observations, and the observation as text."""
    table = read_catalogue(path, {OBSERVATION: OBSERVATION, **names})
    table[OBSERVATION] = text_column(table, OBSERVATION)
    return table
