"""What every dust map is once it is open: a function of coordinates and what to say about it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from astropy.coordinates import SkyCoord

__all__ = ["DustMap", "Query"]

Query = Callable[[SkyCoord], np.ndarray]
"""Coordinates of n stars to their E(B-V) in mag, (n,), NaN where the map has none."""


@dataclass(frozen=True)
class DustMap:
    """A map that is ready to be asked.

    Parameters
    ----------
    name : str
        What the column ``ebv_map`` calls it.
    query : callable
        ``query(coords)`` returns E(B-V) in mag, on the scale of SFD98.
    description : str
        Which map, of whom, in what form.
    three_dimensional : bool
        Whether the coordinates need distances.
    caution : str
        What to warn of before its answers are used; empty for nothing.
    """

    name: str
    query: Query
    description: str
    three_dimensional: bool = False
    caution: str = ""
