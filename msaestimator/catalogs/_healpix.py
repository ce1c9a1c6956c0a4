"""HEALPix pixels of stars and of the partitions of a HATS catalogue."""

import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import NamedTuple

import numpy as np

from msaestimator.datasets import HATS_ORDER, hats_index, hats_partition
from msaestimator.exceptions import ColumnError

__all__ = ["Pixel", "pixels_of", "place_of", "split_sky"]

PLACE = re.compile(r"(?:^|/)Norder=(\d+)/Dir=\d+/Npix=(\d+)\.parquet$")
"""End of the path of a partition's file."""


class Pixel(NamedTuple):
    """A pixel of the sky, in nested numbering.

    Parameters
    ----------
    order, number : int
    """

    order: int
    number: int

    @property
    def ends(self) -> tuple[int, int]:
        """First pixel of the finest order in it, and the first one behind it."""
        depth = 2 * (HATS_ORDER - self.order)
        return self.number << depth, (self.number + 1) << depth

    @property
    def place(self) -> str:
        """Path of the partition's file within a catalogue."""
        return hats_partition(self.order, self.number).as_posix()


def place_of(path: PurePath) -> Pixel | None:
    """Return the pixel that the path of a partition's file names; None of any other path."""
    found = PLACE.search(path.as_posix())
    return None if found is None else Pixel(int(found[1]), int(found[2]))


def pixels_of(ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
    """Return the pixels at the finest order of positions.

    Parameters
    ----------
    ra, dec : ndarray of shape (n_stars,)
        Coordinates in degrees.

    Returns
    -------
    ndarray of int64 of shape (n_stars,)

    Raises
    ------
    ColumnError
        A star has no position.
    """
    known = np.isfinite(ra) & (np.abs(dec) <= 90)
    if not known.all():
        row = int(np.argmin(known))
        raise ColumnError(
            "The stars of a catalogue must have a position, finite 'ra' and 'dec' in degrees, got "
            f"{(~known).sum()} of {len(ra)} without, the first with ra={ra[row]} and "
            f"dec={dec[row]}. Add the columns from gaia_source, or leave these stars out."
        )
    return hats_index(ra, dec)


def split_sky(counts: np.ndarray, most: int) -> Iterator[Pixel]:
    """Yield pixels that cover all stars, as large as can be with few enough stars in each.

    Parameters
    ----------
    counts : ndarray of int of shape (12 * 4**order,)
        Numbers of stars in the pixels of an order. No smaller pixels are made.
    most : int
        Number of stars that a pixel may have.
    """
    levels = [counts]
    while len(levels[-1]) > 12:
        levels.append(levels[-1].reshape(-1, 4).sum(axis=1))
    levels.reverse()
    waiting = [Pixel(0, number) for number in reversed(range(12))]
    while waiting:
        pixel = waiting.pop()
        count = levels[pixel.order][pixel.number]
        if count > most and pixel.order + 1 < len(levels):
            children = range(4 * pixel.number, 4 * pixel.number + 4)
            waiting += [Pixel(pixel.order + 1, number) for number in reversed(children)]
        elif count:
            yield pixel
