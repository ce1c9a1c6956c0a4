"""Labels of the very metal-poor stars of Li et al. 2022."""

import os
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from msaestimator.datasets._label_catalogues import labels_of
from msaestimator.exceptions import ColumnError
from msaestimator.schema import StarTable
from msaestimator.tables import raw_column, read_stars, understand_names

__all__ = ["read_li2022"]

WANTED = ("teff", "logg", "fe_h")
KNOWN = frozenset({"source_id", *WANTED, *(f"{name}_err" for name in WANTED)})


def read_li2022(path: str | os.PathLike[str], source_ids: ArrayLike | None = None) -> StarTable:
    """Read the labels of the very metal-poor stars of Li et al. 2022.

    Parameters
    ----------
    path : str or path-like
        The table of stellar parameters, in any format of `read_stars`, with columns by our names
        or those that VizieR writes: ``Teff``, ``log(g)``, ``[Fe/H]``, their errors ``e_Teff`` …
        if there are any, and ``source_id`` if ids were matched already.
    source_ids : array-like of int of shape (n_rows,), optional
        Gaia DR3 id of each row, masked where unknown, for a table that has none: the paper names
        its stars after LAMOST. :func:`msaestimator.archive.resolve_names` finds ids by names; the
        thesis matched positions.

    Returns
    -------
    StarTable
        ``source_id``, ``survey`` ("li2022"), ``teff`` (K), ``logg`` and ``fe_h`` (dex), and their
        ``*_err`` if the file has them; NaN where missing.

    Raises
    ------
    ColumnError
        The file lacks a column, there are no ids, or not as many as rows; or it cannot be read.
    FileNotFoundError
        There is no such file.

    Notes
    -----
    Rows of a Gaia id that is there more than once are left out, all of them (McKay 2025, section
    2.3). Of 385 stars the thesis has 291, which have an XP spectrum. How the published table
    names its columns could not be checked.

    References
    ----------
    Li et al. 2022, ApJ 931, 147; Aoki et al. 2022, ApJ 931, 146.
    """
    table = read_stars(path)
    taken, _ = understand_names(tuple(table.colnames), KNOWN)
    for theirs, ours in taken.items():
        table.rename_column(theirs, ours)
    if source_ids is not None:
        table["source_id"] = _checked(source_ids, len(table), path)
    missing = [name for name in ("source_id", *WANTED) if name not in table.colnames]
    if missing:
        raise ColumnError(
            f"The file {os.fspath(path)!r} must have the columns {', '.join(missing)}, got "
            f"{', '.join(table.colnames)}. Rename them; Gaia ids can be given as `source_ids`."
        )
    return labels_of(table[[name for name in table.colnames if name in KNOWN]], "li2022")


def _checked(source_ids: Any, n_rows: int, path: str | os.PathLike[str]) -> np.ma.MaskedArray:
    values, mask, _ = raw_column(source_ids)
    if values.shape != (n_rows,):
        raise ColumnError(
            f"`source_ids` must have an id for each of the {n_rows} rows of {os.fspath(path)!r}, "
            f"got shape {values.shape}."
        )
    return np.ma.MaskedArray(values, mask)
