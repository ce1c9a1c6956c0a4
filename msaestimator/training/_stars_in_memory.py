"""Stars of a training that are arrays in memory, the same in every epoch or drawn anew."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Self

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from torch.utils.data import TensorDataset

__all__ = ["Draw", "StarsInMemory"]

Draw = Callable[[int], Sequence[np.ndarray]]
"""Type of what draws stars: the number of an epoch, from one, to the arrays of `StarsInMemory`."""


class StarsInMemory(TensorDataset):
    """Stars that are arrays in memory.

    Parameters
    ----------
    arrays : sequence of ndarray of n_stars rows
        Features, targets, and weights of the stars in the loss, of mean one, if they have any.
    draw : callable, optional
        Function that returns these arrays as they are in an epoch. It must give the same for the
        same number, so that a resumed training sees what an uninterrupted one does. None has the
        same stars in every epoch.
    ids : ndarray of shape (n_stars,), optional
        Source ids of the stars, to tell which of them a batch was of; None tells their rows.
    """

    def __init__(
        self,
        arrays: Sequence[np.ndarray],
        draw: Draw | None = None,
        ids: np.ndarray | None = None,
    ) -> None:
        super().__init__(*map(torch.from_numpy, arrays))
        self.arrays = arrays
        self.draw = draw
        self.ids = np.arange(len(arrays[0])) if ids is None else ids

    def split(self, fraction: float | None, seed: int) -> tuple[Self, TensorDataset | None]:
        """Return the stars to train on, and those to validate on, if a fraction is told."""
        if fraction is None:
            return self, None
        rows, validation = train_test_split(
            np.arange(len(self)), test_size=fraction, random_state=seed
        )
        draw = self.draw
        training = type(self)(
            [array[rows] for array in self.arrays],
            None if draw is None else lambda epoch: [array[rows] for array in draw(epoch)],
            self.ids[rows],
        )
        return training, TensorDataset(*(torch.from_numpy(a[validation]) for a in self.arrays))

    def begin(self, epoch: int) -> None:
        """Draw the stars of an epoch."""
        if self.draw is not None:
            self.tensors = tuple(map(torch.from_numpy, self.draw(epoch)))

    def ids_of(self, rows: np.ndarray) -> np.ndarray:
        """Return the source ids of some rows."""
        return self.ids[rows]

    @property
    def identity(self) -> Mapping[str, Iterable[np.ndarray]]:
        """Arrays that tell a training on these stars from others, by what they are."""
        x, y, *weights = self.arrays
        return {
            "stars": [x],
            "labels": [] if y is x else [y],
            "weights of the stars": weights,
        }
