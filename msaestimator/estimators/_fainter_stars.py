"""Stars of a training as each epoch sees them: some of them farther away."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.table import vstack

from msaestimator.datasets import SkyMix, draw_fainter
from msaestimator.exceptions import MissingColumnWarning, MissingValueWarning
from msaestimator.preprocessing import StarReader, TokenReader
from msaestimator.schema import StarTable
from msaestimator.tables import NamedColumns

__all__ = ["ONCE", "FainterStars", "fainter_stars"]

MIX_DRAWS = 4
"""Draws that tell how many copies of a kind of star there are at a brightness."""

ONCE = 2**31
"""First number of draws that are no epoch's, for what is learned once."""


@dataclass(frozen=True)
class FainterStars:
    """Stars that are drawn anew in every epoch, by `draw_fainter`.

    Parameters
    ----------
    stars : NamedColumns of n_stars stars
        Stars as they were measured.
    reader : StarReader or TokenReader
        Fitted reader.
    faintest : float
        Faintest G of a draw, in mag.
    seed : int
        Seed of all draws.
    """

    stars: NamedColumns
    reader: StarReader | TokenReader
    faintest: float
    seed: int

    def draw(self, epoch: int, *part: int) -> tuple[StarTable, Any, np.ndarray]:
        """Return the stars of an epoch, what the reader makes of them, and how much farther.

        The last is the growth of the stars' distance moduli in mag.

        Epoch 0 is for what is learned once: ranges, calibration, outliers. Numbers of a ``part``
        tell it from others of a dataset.
        """
        rng = np.random.RandomState([self.seed, epoch, *part])
        table, modulus = draw_fainter(self.stars, self.faintest, rng)
        with warnings.catch_warnings():
            # The columns and values are those of the stars, which the reader has told of.
            warnings.simplefilter("ignore", MissingColumnWarning)
            warnings.simplefilter("ignore", MissingValueWarning)
            return table, self.reader.transform(table), modulus

    def sky_mix(self, with_labels: Callable[[StarTable], StarTable]) -> SkyMix:
        """Return the weights that make the mix of kinds the sky's.

        Parameters
        ----------
        with_labels : callable
            Function that returns a draw of the stars with their labels as columns.
        """
        tables = [self.draw(ONCE + number)[0] for number in range(MIX_DRAWS)]
        return SkyMix().fit(vstack([with_labels(table) for table in tables]))


def fainter_stars(
    faintest: float | None,
    stars: NamedColumns | None,
    reader: StarReader | TokenReader,
    seed: int,
) -> FainterStars | None:
    """Return the stars to draw from, None without a faintest G.

    Parameters
    ----------
    faintest : float or None
        Faintest G of a draw, in mag; the estimators' ``make_fainter``.
    stars : NamedColumns of n_stars stars or None
        Stars as they were measured; None of a matrix.
    reader, seed
        The same as in `FainterStars`.

    Raises
    ------
    ValueError
        The stars came as a matrix, which cannot be made fainter.
    """
    if faintest is None:
        return None
    if stars is None:
        raise ValueError(
            "`make_fainter` needs a table of stars, got a matrix of prepared features. Pass the "
            "table, or set make_fainter=None."
        )
    return FainterStars(stars, reader, faintest, seed % 2**32)
