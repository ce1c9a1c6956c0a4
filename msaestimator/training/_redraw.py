"""Stars that are drawn anew in every epoch."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback
from torch.utils.data import TensorDataset

__all__ = ["Draw", "Redraw"]

Draw = Callable[[int], Sequence[np.ndarray]]
"""Type of what draws stars: the number of an epoch, from one, to the arrays of `train`."""


class Redraw(Callback):
    """Replace the stars at the beginning of each epoch.

    Parameters
    ----------
    draw : callable
        Function that draws all stars of the number of an epoch. It must give the same for the
        same number, so that a resumed training sees what an uninterrupted one does.
    rows : ndarray of int
        Rows of these stars that are trained on.
    """

    def __init__(self, draw: Draw, rows: np.ndarray) -> None:
        self.draw = draw
        self.rows = rows

    def on_epoch_begin(
        self, net: NeuralNet, dataset_train: TensorDataset | None = None, **kwargs: Any
    ) -> None:
        """Draw the stars of this epoch."""
        if dataset_train is not None:
            arrays = self.draw(len(net.history))
            dataset_train.tensors = tuple(torch.from_numpy(a[self.rows]) for a in arrays)
