"""Stellar parameters of a Gaia archive's stars in one call, by a released model."""

from pathlib import Path
from typing import Any

from msaestimator.archive import GaiaArchive
from msaestimator.estimators._regressor import StellarParameterRegressor
from msaestimator.schema import StarTable

__all__ = ["DEFAULT_MODEL", "predict_from_gaia"]

DEFAULT_MODEL = "gaia-xp"
"""The released model that predicts when none is named."""


def predict_from_gaia(
    source_ids: Any,
    archive: GaiaArchive | None = None,
    *,
    model: str | Path = DEFAULT_MODEL,
    dust_map: Any = "sfd",
) -> StarTable:
    """Return the parameters of stars of a Gaia archive, by a released model.

    Parameters
    ----------
    source_ids : int, str, array-like of shape (n_stars,), or table
        Gaia source ids, as integers or text; a table with the column ``source_id``; ADQL that
        selects it; or stars with features, such as an archive gave, taken as they are.
    archive : GaiaArchive, optional
        Archive to ask; None is ESA's.
    model : str or Path
        Name or folder of the model, as in :meth:`StellarParameterRegressor.from_pretrained`, which
        keeps the model for further stars.
    dust_map : str or callable
        Map of the reddening, as in :func:`msaestimator.dust.add_reddening`, for stars without a
        column ``ebv``.

    Returns
    -------
    StarTable of length n_stars
        Table of :meth:`StellarParameterRegressor.predict_from_gaia`: one row an id, in order, of
        each label the median and an interval, with units; flags, and the surveys that observed the
        star.

    Raises
    ------
    CheckpointError
        The model is unknown.
    ColumnError
        An id is a float, missing or otherwise no id; nothing was sent.
    ArchiveError
        The archive failed. What was received is in its cache.
    """
    regressor = StellarParameterRegressor.from_pretrained(model)
    return regressor.predict_from_gaia(source_ids, archive, dust_map=dust_map)
