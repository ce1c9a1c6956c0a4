"""The surveys and spectra that a star has."""

import numpy as np

from msaestimator.preprocessing import read_features
from msaestimator.schema import FeatureSchema, StarTable

__all__ = ["observed_blocks"]


def observed_blocks(stars: StarTable, schema: FeatureSchema) -> dict[str, np.ndarray]:
    """Tell for each survey and each XP band whether stars have at least one value of it.

    Parameters
    ----------
    stars : StarTable of n_stars rows
        NaN, masked and -9999 are missing, as everywhere; so are columns that are not there.
    schema : FeatureSchema

    Returns
    -------
    dict of str to ndarray of bool of shape (n_stars,)
        Columns ``has_bp`` and ``has_rp`` for the spectra, then ``has_gaia``, ``has_tmass`` and so
        on for the blocks of single columns.

    Raises
    ------
    ColumnError, UnitMismatchError
        The same as from :func:`~msaestimator.preprocessing.read_features`.

    Examples
    --------
    >>> from msaestimator.datasets import load_apogee_xp
    >>> from msaestimator.results import observed_blocks
    >>> from msaestimator.schema import GAIA_DR3
    >>> observed = observed_blocks(load_apogee_xp()[:2], GAIA_DR3)
    >>> [name for name, seen in observed.items() if not seen.any()]
    ['has_wise', 'has_astrometry']
    """
    observed = np.isfinite(read_features(stars, schema))
    spectra = {array.prefix: {c.name for c in array.columns} for array in schema.arrays}
    in_spectra = set().union(*spectra.values())
    blocks = {block: set(schema.block(block)) for block in schema.blocks}
    surveys = {block: names for block, names in blocks.items() if not names <= in_spectra}
    return {
        f"has_{name}": observed[:, np.isin(schema.names, list(names))].any(axis=1)
        for name, names in (spectra | surveys).items()
    }
