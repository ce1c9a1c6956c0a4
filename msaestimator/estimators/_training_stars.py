"""Stars as trainings take them: a table in memory, or a dataset on disk of which a sample is."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from msaestimator.datasets import StarDataset
from msaestimator.estimators._dataset_pieces import (
    DatasetPieces,
    columns_of_features,
    known_ids,
)
from msaestimator.estimators._fainter_stars import FainterStars, fainter_stars
from msaestimator.preprocessing import Features, StarReader
from msaestimator.tables import NamedColumns
from msaestimator.training import Draw, StarsInMemory, StarsOnDisk

__all__ = ["held_in_memory", "in_parts", "stars_in_memory", "stars_to_reconstruct"]

SAMPLE, SAMPLE_SEED = 20_000, 20260805
"""Stars of a dataset on disk that scales, ranges and errors are learned from, the same ones each
time."""

PART = 10_000
"""Stars of a dataset on disk that a score is computed of at a time."""


def held_in_memory(X: Any) -> Any:
    """Return stars as they are, or of a dataset on disk a sample."""
    return X.sample(SAMPLE, SAMPLE_SEED) if isinstance(X, StarDataset) else X


def in_parts(X: Any) -> Iterator[Any]:
    """Yield stars whole, or those of a dataset on disk some at a time."""
    if isinstance(X, StarDataset):
        yield from X.batches(PART)
    else:
        yield X


def stars_in_memory(
    X: Any,
    rows: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    *,
    sample_weight: np.ndarray | None = None,
    draw: Draw | None = None,
) -> StarsInMemory:
    """Return what a training takes of stars in memory.

    Parameters
    ----------
    X : table of n_stars stars, or array
        Stars as ``fit`` has them.
    rows : ndarray of int or bool
        Rows of these that are trained on.
    x, y : ndarray of as many rows
        Features and targets of the rows.
    sample_weight : ndarray of shape (n_stars,), optional
        Weights of all stars in the loss, of any scale.
    draw : callable, optional
        The same as in `StarsInMemory`.
    """
    arrays = [x, y]
    if sample_weight is not None:
        weights = sample_weight[rows]
        arrays.append((weights / weights.mean()).astype(np.float32))
    ids = known_ids(X)
    return StarsInMemory(arrays, draw, None if ids is None else ids[rows])


def stars_to_reconstruct(
    X: Any,
    features: Features,
    reader: StarReader,
    *,
    faintest: float | None,
    seed: int,
    aliases: bool,
    sample_weight: np.ndarray | None = None,
) -> StarsInMemory | StarsOnDisk:
    """Return what a pre-training takes of stars, wherever these are.

    Parameters
    ----------
    X : table of n_stars stars, array, or StarDataset
    features : Features
        Features of the stars, or of the sample of a dataset.
    reader : StarReader
        Fitted reader.
    faintest, seed
        The same as in `fainter_stars`.
    aliases : bool
        Whether columns are known by other names too.
    sample_weight : ndarray of shape (n_stars,), optional
        Weights of the stars in the loss, of any scale.
    """
    if isinstance(X, StarDataset):
        return StarsOnDisk(PiecesToReconstruct(X, reader, faintest, seed, aliases), seed)
    faint = fainter_stars(faintest, _table_of(features), reader, seed)
    rows = features.is_observed
    x = features.values[rows]
    draw = None if faint is None else partial(_draw, faint, features, rows)
    return stars_in_memory(X, rows, x, x, sample_weight=sample_weight, draw=draw)


class PiecesToReconstruct(DatasetPieces):
    """Pieces of a dataset on disk as features.

    A star without any feature is among them: it changes nothing, since none of it is in the loss.

    Parameters
    ----------
    stars : StarDataset
    reader : StarReader
        Fitted reader.
    faintest : float or None
        Faintest G in mag of stars that are made fainter.
    seed : int
        Seed of the draws of these.
    aliases : bool
        Whether columns are known by other names too.
    """

    def __init__(
        self,
        stars: StarDataset,
        reader: StarReader,
        faintest: float | None,
        seed: int,
        aliases: bool,
    ) -> None:
        super().__init__(
            stars, columns_of_features(stars, reader, with_errors=faintest is not None)
        )
        self.reader = reader
        self.faintest = faintest
        self.seed = seed
        self.aliases = aliases

    def read(self, piece: int, epoch: int) -> list[np.ndarray]:
        """Return the features of a piece in an epoch, and targets if they are others."""
        with self.table(piece) as table:
            features = self.reader.transform(self.reader.open(table, aliases=self.aliases))
            faint = fainter_stars(self.faintest, _table_of(features), self.reader, self.seed)
            if faint is None or epoch == 0:
                return [features.values]
            return [*_draw(faint, features, np.arange(len(features)), epoch, piece)]


def _draw(
    faint: FainterStars, features: Features, rows: np.ndarray, *numbers: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the stars of an epoch, and the same with the coefficients that they have nearby."""
    _, drawn, _ = faint.draw(*numbers)
    x = drawn.values[rows]
    # Divided by the flux, coefficients are those of the star at any distance, but for noise.
    kept = features.columns.is_xp & np.isfinite(features.values[rows])
    return x, np.where(kept, features.values[rows], x)


def _table_of(features: Features) -> NamedColumns | None:
    """Return the table that features were read from, None if they came as a matrix."""
    return None if features.measured is None else features.measured.columns
