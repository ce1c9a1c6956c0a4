"""Run the token transformer over stars in batches."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from msaestimator.networks import StellarTransformer
from msaestimator.training import autocast

__all__ = ["TokenInference"]


class TokenInference:
    """Run the token transformer in batches.

    A batch holds stars with the same number of known tokens, so that nothing is padded.

    Parameters
    ----------
    module : StellarTransformer
        The network.
    batch_size : int
        Number of known and requested quantities computed at a time, which bounds the memory.
    device : torch.device
        Device that computes.
    precision : {"float32", "bfloat16"}
        Precision of the computations.
    """

    def __init__(
        self, module: StellarTransformer, *, batch_size: int, device: torch.device, precision: str
    ) -> None:
        self.module = module.to(device).eval()
        self.batch_size = batch_size
        self.device = device
        self.precision = precision

    def predict(
        self, values: np.ndarray, requests: Sequence[int]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation of the requests, each (n_stars, n_requests).

        Parameters
        ----------
        values : ndarray of shape (n_stars, n_tokens)
            NaN where unknown.
        requests : sequence of int
        """
        asked = torch.tensor(requests, device=self.device)

        def ask(known: Tensor, tokens: Tensor) -> Tensor:
            mean, log_variance = self.module(known, tokens, asked)
            return torch.stack([mean.float(), (log_variance.float() / 2).exp()], dim=1)

        answers = self._map(ask, values, (2, len(requests)))
        return answers[:, 0], answers[:, 1]

    def embed(self, values: np.ndarray) -> np.ndarray:
        """Return the mean vector of each star's known tokens; NaN where none is known."""
        return self._map(
            lambda known, tokens: self.module.encode(known, tokens).mean(dim=1),
            values,
            (self.module.embedding.weight.shape[1],),
        )

    def attention(self, values: np.ndarray, requests: Sequence[int]) -> np.ndarray:
        """Return the attention of requests, (n_stars, n_requests, n_tokens), NaN if unknown."""
        asked = torch.tensor(requests, device=self.device)

        def attend(known: Tensor, tokens: Tensor) -> Tensor:
            weights = self.module.attention(known, tokens, asked)
            everywhere = weights.new_full((*weights.shape[:2], values.shape[1]), torch.nan)
            places = tokens[:, None].expand_as(weights)
            return everywhere.scatter(2, places, weights)

        return self._map(attend, values, (len(requests), values.shape[1]))

    def _map(
        self,
        function: Callable[[Tensor, Tensor], Tensor],
        values: np.ndarray,
        shape: tuple[int, ...],
    ) -> np.ndarray:
        """Return ``function`` of known values and their tokens, a row a star."""
        result = np.empty((len(values), *shape), dtype=np.float32)
        widest = max(shape)
        with torch.inference_mode(), autocast(self.device, self.precision):
            for rows, tokens in self._batches(values, widest):
                known = torch.from_numpy(np.take_along_axis(values[rows], tokens, axis=1))
                answers = function(known.to(self.device), torch.from_numpy(tokens).to(self.device))
                result[rows] = answers.float().cpu().numpy()
        return result

    def _batches(self, values: np.ndarray, widest: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield rows and their known tokens, equally many for all stars of a batch."""
        is_known = np.isfinite(values)
        counts = is_known.sum(axis=1)
        for count in np.unique(counts):
            rows = np.flatnonzero(counts == count)
            size = max(1, self.batch_size // max(count, widest, 1))
            for start in range(0, len(rows), size):
                batch = rows[start : start + size]
                yield batch, np.nonzero(is_known[batch])[1].reshape(len(batch), count)
