"""Stars of a training that are read piece by piece, a window of pieces in memory."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Protocol, Self

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, TensorDataset

from msaestimator.training._plan import plan, shuffled_rows

__all__ = ["Pieces", "StarsOnDisk"]

MOST_VALIDATION, VALIDATION_PIECES = 20_000, 200
"""Most stars to validate on, which are held in memory, and most pieces that they are from."""


Batch = tuple[Tensor, Tensor | tuple[Tensor, ...]]
"""Type of a batch: features and targets, these with weights of the stars if they have any."""


class Pieces(Protocol):
    """Stars in pieces, each of which is read as a whole.

    Attributes
    ----------
    sizes : ndarray of int of shape (n_pieces,)
        Numbers of stars.
    """

    sizes: np.ndarray

    def read(self, piece: int, epoch: int) -> Sequence[np.ndarray]:
        """Return features, targets if they are others, and weights if stars have any.

        It gives the same for the same numbers of piece and epoch. Epoch zero has the stars as
        they were measured.
        """

    def read_ids(self, piece: int) -> np.ndarray:
        """Return the source ids of a piece, (n_stars,)."""

    @property
    def identity(self) -> Mapping[str, Iterable[np.ndarray]]:
        """Arrays that tell these from others, ``"stars"`` and ``"labels"`` if they have any."""


class StarsOnDisk(Dataset[tuple[Tensor, ...]]):
    """Stars that are read piece by piece, in an order that follows from seed and epoch.

    Pieces of all files are shuffled, and stars within a window of pieces, see `plan`.

    Parameters
    ----------
    pieces : Pieces
        Stars in pieces, such as those of files.
    seed : int
        Seed of the order.
    left_out : mapping of int to ndarray of int, optional
        Rows of pieces that are not trained on.
    """

    def __init__(
        self,
        pieces: Pieces,
        seed: int,
        left_out: Mapping[int, np.ndarray] | None = None,
    ) -> None:
        self.pieces = pieces
        self.seed = seed
        self.left_out = left_out or {}
        self.epoch = 1
        self.sizes = np.array(pieces.sizes)
        for piece, rows in self.left_out.items():
            self.sizes[piece] -= len(rows)

    def __len__(self) -> int:
        return int(self.sizes.sum())

    def split(self, fraction: float | None, seed: int) -> tuple[Self, TensorDataset | None]:
        """Return the stars to train on, and those to validate on, if a fraction is told.

        The latter are at most 20,000, from at most 200 pieces of all files.
        """
        if fraction is None:
            return self, None
        if not 0 < fraction < 1:
            raise ValueError(f"`validation_fraction` must be between 0 and 1, got {fraction}.")
        rng = np.random.default_rng(seed)
        chosen = np.sort(rng.permutation(len(self.sizes))[:VALIDATION_PIECES])
        ends = np.cumsum(self.sizes[chosen])
        n_stars = min(-int(-fraction * len(self) // 1), MOST_VALIDATION, int(ends[-1]) - 1)
        rows = np.sort(rng.choice(ends[-1], n_stars, replace=False))
        of_piece = np.split(rows, np.searchsorted(rows, ends[:-1]))
        starts = ends - self.sizes[chosen]
        held_out = {
            int(piece): self._without(np.arange(self.pieces.sizes[piece]), piece)[own - start]
            for piece, own, start in zip(chosen, of_piece, starts, strict=True)
            if len(own)
        }
        parts = [
            [array[own] for array in self.pieces.read(piece, epoch=0)]
            for piece, own in held_out.items()
        ]
        x, *others = [torch.from_numpy(np.concatenate(part)) for part in zip(*parts, strict=True)]
        validation = TensorDataset(x, *(others or [x]))
        left_out = dict(self.left_out)
        for piece, own in held_out.items():
            left_out[piece] = np.union1d(left_out.get(piece, own), own)
        return type(self)(self.pieces, self.seed, left_out), validation

    def begin(self, epoch: int) -> None:
        """Turn to the stars of an epoch."""
        self.epoch = epoch

    def n_batches(self, size: int, world: int = 1) -> int:
        """Return the number of batches of an epoch, the same in every epoch and process.

        Of several processes each leaves out stars that would not fill another batch.
        """
        if world == 1:
            return -(-len(self) // size)
        n_batches = int(np.sort(self.sizes)[: len(self.sizes) // world].sum()) // -(-size // world)
        if n_batches == 0:
            raise ValueError(
                f"{world} processes need as many row groups, and stars for a batch of each, got "
                f"{len(self)} stars in {len(self.sizes)} row groups. Start fewer processes, or "
                "write the files with smaller row groups."
            )
        return n_batches

    def batches(self, size: int, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        """Yield features and targets of the epoch, and with these the stars' weights if any.

        Parameters
        ----------
        size : int
            Stars of a batch, in all processes together; the last may be of fewer.
        rank, world : int
            The same as in `plan`.
        """
        batches = self._batches(_share(size, rank, world), rank, world)
        return islice(batches, self.n_batches(size, world))

    def _batches(self, size: int, rank: int, world: int) -> Iterator[Batch]:
        rest: list[np.ndarray] = []
        for window, rows in self._windows(rank, world):
            arrays = self._read(window)
            first = size - (len(rest[0]) if rest else 0)
            for part in np.split(rows, np.arange(first, len(rows), size)):
                batch = [array[part] for array in arrays]
                if rest:
                    batch = [np.concatenate(pair) for pair in zip(rest, batch, strict=True)]
                rest = batch if len(batch[0]) < size else []
                if not rest:
                    yield _tensors(batch)
        if rest and len(rest[0]):
            yield _tensors(rest)

    def ids_of(self, number: int, size: int, rank: int = 0, world: int = 1) -> np.ndarray:
        """Return the source ids of a batch of the epoch, by its number; the rest as `batches`."""
        own_size = _share(size, rank, world)
        first, found = number * own_size, []
        for window, rows in self._windows(rank, world):
            own = rows[max(first, 0) : max(first + own_size, 0)]
            if len(own):
                ids = [self._without(self.pieces.read_ids(piece), piece) for piece in window]
                found.append(np.concatenate(ids)[own])
            first -= len(rows)
        return np.concatenate(found)

    @property
    def identity(self) -> Mapping[str, Iterable[np.ndarray]]:
        """Arrays that tell a training on these stars from others, by what they are."""
        told = dict(self.pieces.identity)
        stars = [*told.pop("stars"), np.array(self.seed)]
        return {"stars": stars, "labels": [], "weights of the stars": []} | told

    def _windows(self, rank: int, world: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the pieces of each window of the epoch, and the order of their stars."""
        windows = plan(self.seed, self.epoch, rank, world, self.sizes)
        orders = shuffled_rows(self.seed, self.epoch, windows, self.sizes)
        return zip(windows, orders, strict=True)

    def _read(self, window: np.ndarray) -> list[np.ndarray]:
        """Return the arrays of a window's stars, of which no second copy is in memory."""
        filled: list[np.ndarray] = []
        start = 0
        for piece in window:
            arrays = [self._without(a, piece) for a in self.pieces.read(piece, self.epoch)]
            if not filled:
                n_stars = int(self.sizes[window].sum())
                filled = [np.empty((n_stars, *a.shape[1:]), dtype=a.dtype) for a in arrays]
            stop = start + len(arrays[0])
            for whole, array in zip(filled, arrays, strict=True):
                whole[start:stop] = array
            start = stop
        return filled

    def _without(self, array: np.ndarray, piece: int) -> np.ndarray:
        """Return the rows of a piece that are trained on."""
        rows = self.left_out.get(int(piece))
        return array if rows is None else np.delete(array, rows, axis=0)


def _tensors(batch: Sequence[np.ndarray]) -> Batch:
    """Return features and targets, which may have weights; features are their own targets."""
    x, *others = map(torch.from_numpy, batch)
    y, *weights = others or [x]
    return x, (y, *weights) if weights else y


def _share(size: int, rank: int, world: int) -> int:
    """Return a process's stars of a batch, at least one."""
    return max((size + world - 1 - rank) // world, 1)
