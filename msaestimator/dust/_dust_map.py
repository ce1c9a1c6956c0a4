"""An open dust map: a function of coordinates, with its name and description."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from astropy.coordinates import SkyCoord

__all__ = ["DustMap", "Query"]

Query = Callable[[SkyCoord], np.ndarray]
"""Function from coordinates of n stars to their E(B-V) in mag, (n,), NaN off the map."""


@dataclass(frozen=True)
class DustMap:
    """A map that is ready to be asked.

    Parameters
    ----------
    name : str
        Name in the column ``ebv_map``.
    query : callable
        Function from coordinates to E(B-V) in mag, on the scale of SFD98.
    description : str
        The map, its authors and its form, in words.
    three_dimensional : bool
        Whether the coordinates need distances.
    caution : str
        Warning given before the map's answers are used; empty for none.
    """

    name: str
    query: Query
    description: str
    three_dimensional: bool = False
    caution: str = ""
