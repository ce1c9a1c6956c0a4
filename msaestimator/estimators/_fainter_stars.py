"""Stars of a training as each epoch sees them: some of them farther away."""

import warnings
from dataclasses import dataclass

import numpy as np

from msaestimator.datasets import draw_fainter
from msaestimator.exceptions import MissingColumnWarning
from msaestimator.preprocessing import Features, StarReader
from msaestimator.schema import StarTable
from msaestimator.tables import NamedColumns

__all__ = ["FainterStars", "fainter_stars"]


@dataclass(frozen=True)
class FainterStars:
    """Stars that are drawn anew in every epoch, by `draw_fainter`.

    Parameters
    ----------
    stars : NamedColumns of n_stars stars
        Stars as they were measured.
    reader : StarReader
        Fitted reader.
    faintest : float
        Faintest G of a draw, in mag.
    seed : int
        Seed of all draws.
    """

    stars: NamedColumns
    reader: StarReader
    faintest: float
    seed: int

    def draw(self, epoch: int) -> tuple[StarTable, Features, np.ndarray]:
        """Return the stars of an epoch, their features, and the growth of their distance moduli.

        Epoch 0 is for what is learned once: ranges, calibration, outliers.
        """
        rng = np.random.RandomState([self.seed, epoch])
        table, modulus = draw_fainter(self.stars, self.faintest, rng)
        with warnings.catch_warnings():
            # The columns are those of the stars, which the reader has told of.
            warnings.simplefilter("ignore", MissingColumnWarning)
            return table, self.reader.transform(table), modulus


def fainter_stars(
    faintest: float | None, features: Features, reader: StarReader, seed: int
) -> FainterStars | None:
    """Return the stars to draw from, None without a faintest G.

    Parameters
    ----------
    faintest : float or None
        Faintest G of a draw, in mag; the estimators' ``make_fainter``.
    features : Features of n_stars stars
        The stars as they were measured.
    reader, seed
        The same as in `FainterStars`.

    Raises
    ------
    ValueError
        The stars came as a matrix, which cannot be made fainter.
    """
    if faintest is None:
        return None
    if features.measured is None:
        raise ValueError(
            "`make_fainter` needs a table of stars, got a matrix of prepared features. Pass the "
            "table, or set make_fainter=None."
        )
    return FainterStars(features.measured.columns, reader, faintest, seed % 2**32)
