"""A train/test split that depends on a star's identity alone."""

import zlib

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["split_by_source_id"]


def split_by_source_id(source_id: ArrayLike, test_fraction: float = 0.2) -> np.ndarray:
    """Tell which stars are test stars, from their ``source_id`` alone.

    A star is on the test side when the CRC-32 of its identifier's 8 little-endian bytes,
    divided by 2**32, lies below ``test_fraction``. The side never depends on the other rows,
    on their order or on a seed, so two tables that share a star agree on its side, and the
    test stars of a smaller fraction are among those of a larger one.

    Parameters
    ----------
    source_id : array-like of int, shape (n_stars,)
        Gaia source identifiers, as integers: in floats their last digits are lost.
    test_fraction : float, default=0.2
        Expected fraction of test stars, from 0 to 1.

    Returns
    -------
    ndarray of bool, shape (n_stars,)
        True for test stars.

    Raises
    ------
    TypeError
        If ``source_id`` is not of an integer type.
    ValueError
        If ``test_fraction`` is outside 0 to 1.

    Examples
    --------
    >>> from msaestimator.datasets import split_by_source_id
    >>> split_by_source_id([5937083312263887616, 303744427714432])
    array([False,  True])
    """
    if not 0.0 <= test_fraction <= 1.0:
        raise ValueError(f"`test_fraction` must be between 0 and 1, got {test_fraction}.")
    identifiers = np.asarray(source_id)
    if identifiers.size == 0:
        return np.zeros(0, dtype=bool)
    if not np.issubdtype(identifiers.dtype, np.integer):
        raise TypeError(
            f"`source_id` must hold integers, got {identifiers.dtype}; read the column as int64, "
            "for a float keeps only 16 of the 19 digits."
        )
    rows = identifiers.astype("<i8")
    hashes = np.array([zlib.crc32(row.tobytes()) for row in rows], dtype=np.uint32)
    return hashes < test_fraction * 2.0**32
