"""Tensors of stars, a whole batch at a time."""

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from msaestimator.training._delivery import delivered
from msaestimator.training._devices import autocast
from msaestimator.training._processes import Processes
from msaestimator.training._stars_in_memory import StarsInMemory
from msaestimator.training._stars_on_disk import StarsOnDisk

__all__ = ["DiskBatches", "TensorBatches", "map_batches", "star_batches"]

ALONE = Processes()

COLLECTED_EVERY = 16
"""Number of batches whose results a GPU keeps until they are fetched together."""


class TensorBatches:
    """Batches of a dataset held in memory, drawn by one indexing operation each.

    skorch calls it as ``iterator_train`` and ``iterator_valid``. The default loader collects a
    batch star by star, at up to six times the cost of the training step of a small network.
    Weights of stars, the dataset's third tensor if it has one, come with the targets.

    Parameters
    ----------
    dataset : TensorDataset
    batch_size : int
        Stars of a batch, in all processes together.
    shuffle : bool
        Whether the order of the stars is drawn anew in each epoch.
    processes : Processes
        Processes that have the same stars and draw the same order; each gets its share of every
        batch.
    """

    def __init__(
        self,
        dataset: TensorDataset,
        batch_size: int,
        shuffle: bool = False,
        processes: Processes = ALONE,
    ) -> None:
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.processes = processes

    def __len__(self) -> int:
        return -(-len(self.dataset) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor | tuple[Tensor, ...]]]:
        n_stars = len(self.dataset)
        self.order = torch.randperm(n_stars) if self.shuffle else torch.arange(n_stars)
        for rows in self.order.split(self.batch_size):
            x, y, *weights = self.dataset[self.processes.share(rows)]
            yield x, (y, *weights) if weights else y

    def ids_of(self, number: int) -> np.ndarray:
        """Return the source ids of a batch by its number, or the rows of stars without ids."""
        rows = self.order.split(self.batch_size)[number].numpy()
        return self.dataset.ids_of(rows) if isinstance(self.dataset, StarsInMemory) else rows


class DiskBatches:
    """Batches of stars on disk, which take the place of `TensorBatches`."""

    def __init__(
        self, dataset: StarsOnDisk, batch_size: int, processes: Processes = ALONE
    ) -> None:
        self.dataset = dataset
        self.batch_size = batch_size
        self.processes = processes

    def __len__(self) -> int:
        return self.dataset.n_batches(self.batch_size, self.processes.count)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor | tuple[Tensor, ...]]]:
        return self.dataset.batches(self.batch_size, *self._place)

    def ids_of(self, number: int) -> np.ndarray:
        """Return the source ids of a batch by its number, in any order."""
        return self.dataset.ids_of(number, self.batch_size, *self._place)

    @property
    def _place(self) -> tuple[int, int]:
        return self.processes.rank, self.processes.count


def star_batches(
    dataset: TensorDataset | StarsOnDisk,
    batch_size: int,
    shuffle: bool = False,
    processes: Processes = ALONE,
) -> TensorBatches | DiskBatches:
    """Return the batches of stars, wherever these are; skorch's ``iterator_train``."""
    if isinstance(dataset, StarsOnDisk):
        return DiskBatches(dataset, batch_size, processes)
    return TensorBatches(dataset, batch_size, shuffle, processes)


def map_batches(
    function: Callable[[Tensor], Tensor],
    x: np.ndarray,
    *,
    batch_size: int,
    device: torch.device,
    precision: str,
) -> np.ndarray:
    """Return ``function`` of the rows of ``x``, computed batch by batch in bounded memory.

    Parameters
    ----------
    function : callable
        A network or a part of one: (n, n_features) tensor → tensor of n rows.
    x : ndarray of shape (n_stars, n_features), float32
        Rows to compute, at least one.
    batch_size : int
        Rows at a time; the result does not depend on it beyond rounding.
    device, precision
        Device and number format of the computation.
    """
    batches = delivered(torch.from_numpy(x).split(batch_size), device)
    # A GPU finishes all that it was told before it gives a result.
    n_together = 1 if device.type == "cpu" else COLLECTED_EVERY
    result, end = np.empty(0, dtype=np.float32), 0
    with torch.inference_mode(), autocast(device, precision):
        while outputs := [function(batch).float() for batch in islice(batches, n_together)]:
            rows = torch.cat(outputs).cpu().numpy()
            if end == 0:
                result = np.empty((len(x), *rows.shape[1:]), dtype=np.float32)
            result[end : end + len(rows)] = rows
            end += len(rows)
    return result
