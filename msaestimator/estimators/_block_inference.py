"""Run the block transformer over stars in batches."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from msaestimator.networks import BlockTransformer, error_shares
from msaestimator.training import map_batches

__all__ = ["BlockInference"]


class BlockInference:
    """Run the block transformer in batches; the methods are those of `TokenInference`.

    Parameters
    ----------
    module : BlockTransformer
        The network.
    batch_size : int
        Number of known and requested quantities computed at a time, which bounds the memory.
    device : torch.device
        Device that computes.
    precision : {"float32", "bfloat16"}
        Precision of the computations.
    """

    def __init__(
        self, module: BlockTransformer, *, batch_size: int, device: torch.device, precision: str
    ) -> None:
        self.module = module.to(device).eval()
        self.n_words = sum(map(len, module.words))
        self.batch_size = max(1, batch_size // self.n_words)
        self.device = device
        self.precision = precision

    def predict(
        self, values: np.ndarray, requests: Sequence[int]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation of the requests, each (n_stars, n_requests).

        What is known is handed back, with a deviation of zero: training asks for the rest.

        Parameters
        ----------
        values : ndarray of shape (n_stars, n_words)
            NaN where unknown.
        requests : sequence of int
        """
        asked = self._blocks_of(requests)
        answered = self.module.words_of(asked)
        places = torch.tensor([answered.index(word) for word in requests])

        def ask(batch: Tensor) -> Tensor:
            mean, log_variance = (part[:, places] for part in self.module(batch, asked)[:2])
            return torch.stack([mean.float(), (log_variance.float() / 2).exp()], dim=1)

        answers = self._map(ask, values, (2, len(requests)))
        told = np.asarray(values)[:, requests]
        is_told = np.isfinite(told)
        return np.where(is_told, told, answers[:, 0]), np.where(is_told, 0.0, answers[:, 1])

    def error_shares(self, values: np.ndarray, requests: Sequence[int]) -> np.ndarray:
        """Return `error_shares` of the requests, (n_stars, n_requests, n_factors + 1)."""
        asked = self._blocks_of(requests)
        answered = self.module.words_of(asked)
        places = torch.tensor([answered.index(word) for word in requests])

        def ask(batch: Tensor) -> Tensor:
            return error_shares(self.module(batch, asked).factors[:, places].float())

        return self._map(ask, values, (len(requests), self.module.n_factors + 1))

    def embed(self, values: np.ndarray) -> np.ndarray:
        """Return the mean vector of each star's known blocks; NaN where none is known."""

        def embed(batch: Tensor) -> Tensor:
            known = self._is_known(batch).to(batch.dtype)
            return (known[:, None] @ self.module.encode(batch)).squeeze(1) / known.sum(1)[:, None]

        return self._map(embed, values, (self.module.dim,))

    def attention(self, values: np.ndarray, requests: Sequence[int]) -> np.ndarray:
        """Return the attention of requests, (n_stars, n_requests, n_words), NaN if unknown.

        A block's is shared by its known quantities.
        """
        asked = self._blocks_of(requests)
        block = self._block_of_word()
        rows = torch.tensor([asked.index(block[word]) for word in requests])

        def attend(batch: Tensor) -> Tensor:
            known = ~batch.isnan()
            counts = torch.stack([known[:, words].sum(1) for words in self.module.words], dim=1)
            shares = self.module.attention(batch, asked) / counts.clamp(min=1)[:, None]
            return shares[:, :, block][:, rows].masked_fill(~known[:, None], torch.nan)

        return self._map(attend, values, (len(requests), self.n_words))

    def _is_known(self, batch: Tensor) -> Tensor:
        known = ~batch.isnan()
        return torch.stack([known[:, words].any(1) for words in self.module.words], dim=1)

    def _block_of_word(self) -> list[int]:
        return [
            next(b for b, words in enumerate(self.module.words) if word in words)
            for word in range(self.n_words)
        ]

    def _blocks_of(self, requests: Sequence[int]) -> list[int]:
        """Return the distinct blocks of requests."""
        block = self._block_of_word()
        return list(dict.fromkeys(block[word] for word in requests))

    def _map(
        self, function: Callable[[Tensor], Tensor], values: np.ndarray, shape: tuple[int, ...]
    ) -> np.ndarray:
        if not len(values):
            return np.empty((0, *shape), dtype=np.float32)
        return map_batches(
            function,
            np.ascontiguousarray(values, dtype=np.float32),
            batch_size=self.batch_size,
            device=self.device,
            precision=self.precision,
        )
