"""Which surveys and spectra a star was seen by."""

import numpy as np

from msaestimator.schema import FeatureSchema, StarTable

__all__ = ["observed_blocks"]


def observed_blocks(stars: StarTable, schema: FeatureSchema) -> dict[str, np.ndarray]:
    """Tell for each survey and each XP band whether stars have at least one value of it.

    Parameters
    ----------
    stars : StarTable of n_stars rows
        NaN and masked are missing; so are columns that are not there.
    schema : FeatureSchema

    Returns
    -------
    dict of str to ndarray of bool of shape (n_stars,)
        ``has_bp`` and ``has_rp`` for the spectra, then ``has_gaia``, ``has_tmass`` and so on
        for the blocks of single columns.

    Examples
    --------
    >>> from msaestimator.datasets import load_apogee_xp
    >>> from msaestimator.results import observed_blocks
    >>> from msaestimator.schema import GAIA_DR3
    >>> observed = observed_blocks(load_apogee_xp()[:2], GAIA_DR3)
    >>> [name for name, seen in observed.items() if seen.all()]
    ['has_bp', 'has_rp', 'has_gaia', 'has_tmass', 'has_dust']
    """
    spectra = {array.prefix: (array.name,) for array in schema.arrays}
    of_arrays = {column.block for array in schema.arrays for column in array.columns}
    blocks = {block: schema.block(block) for block in schema.blocks if block not in of_arrays}
    return {
        f"has_{name}": _any_observed(stars, columns)
        for name, columns in (spectra | blocks).items()
    }


def _any_observed(stars: StarTable, columns: tuple[str, ...]) -> np.ndarray:
    observed = np.zeros(len(stars), dtype=bool)
    for name in columns:
        if name in stars.colnames:
            column = stars[name]
            known = np.isfinite(np.asarray(getattr(column, "unmasked", column)))
            known &= ~np.asarray(getattr(column, "mask", False))
            observed |= known.any(axis=tuple(range(1, known.ndim)))
    return observed
