"""Stars of a generalist's training, in memory or read from disk piece by piece."""

from functools import partial
from typing import Any

import numpy as np
import torch

from msaestimator.datasets import StarDataset
from msaestimator.estimators._dataset_pieces import DatasetPieces
from msaestimator.estimators._generalist_draws import FainterWords
from msaestimator.estimators._held_stars import HeldStars
from msaestimator.estimators._training_stars import stars_in_memory
from msaestimator.schema import GENERALIST, Vocabulary
from msaestimator.tables import column_names
from msaestimator.training import StarsInMemory, StarsOnDisk

__all__ = ["PiecesToAsk", "label_words", "stars_to_ask"]


def label_words(vocabulary: Vocabulary | None) -> list[str]:
    """Return the words of a vocabulary that are labels; None is the default one."""
    tokens = (GENERALIST if vocabulary is None else vocabulary).tokens
    return [token.name for token in tokens if token.block == "label"]


def stars_to_ask(
    model: Any,
    X: Any,
    held: HeldStars,
    words: np.ndarray,
    draws: FainterWords | None,
    split: tuple[np.ndarray, np.ndarray],
    *,
    sample_weight: np.ndarray | None = None,
) -> StarsInMemory | StarsOnDisk:
    """Return what the training of a generalist takes of stars, wherever these are.

    Parameters
    ----------
    model : StellarFoundationModel
        Model with its fitted reader.
    X : table of n_stars stars, array, or StarDataset
        Stars of ``fit``.
    held : HeldStars
        The same, by our names of their columns, or those of a dataset that are held in memory.
    words : ndarray of shape (n_held, 2, n_words)
        Scaled values and errors of the held stars.
    draws : FainterWords or None
        Draws of the held stars farther away.
    split : pair of ndarray of int
        Rows of the held stars to train on, and those that are held back.
    sample_weight : ndarray of shape (n_stars,), optional
        Weights of the stars in the loss, of any scale.
    """
    rows, held_back = split
    if isinstance(X, StarDataset):
        pieces = PiecesToAsk(model, X, column_names(held.stars), draws)
        seed = torch.initial_seed() % 2**32
        return StarsOnDisk(pieces, seed, held.left_out(X, held_back))
    stars = words[rows]
    draw = None if draws is None else partial(draws, rows)
    return stars_in_memory(held.stars, rows, stars, stars, sample_weight=sample_weight, draw=draw)


class PiecesToAsk(DatasetPieces):
    """Pieces of a dataset on disk as quantities and their errors.

    A star of which nothing is known is among them: it changes nothing, since nothing is asked.

    Parameters
    ----------
    model : StellarFoundationModel
        Model with its fitted reader.
    stars : StarDataset
    names : sequence of str
        Names that the columns of the stars go by.
    draws : FainterWords or None
        Draws of the stars that are held in memory.
    """

    def __init__(
        self, model: Any, stars: StarDataset, names: Any, draws: FainterWords | None
    ) -> None:
        used = model.reader_.input_columns.intersection(names)
        some = draws is None and used <= {*stars.columns}
        super().__init__(stars, [n for n in stars.columns if n in used] if some else None)
        self.model = model
        self.draws = draws

    def read(self, piece: int, epoch: int) -> list[np.ndarray]:
        """Return quantities, and weights with them if the mix of stars is the sky's."""
        reader = self.model.reader_
        with self.table(piece) as table:
            stars = reader.open(table, aliases=self.model.aliases)
            words, _ = reader.read(stars, invalid_labels=reader.invalid)
            if self.draws is None or epoch == 0:
                return [words]
            drawn, weights = self.draws.of(stars, words).draw(epoch, piece)
        if self.draws.mix is None:
            return [drawn]
        return [drawn, drawn, weights.astype(np.float32)]
