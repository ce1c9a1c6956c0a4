"""Run a network over the features of stars in batches."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from msaestimator.preprocessing import Features
from msaestimator.training import map_batches

__all__ = ["StarInference"]

CACHED = 512
"""Stars whose vectors a processor's caches hold: on it, more at a time take longer."""


class StarInference:
    """Run a network over the features of stars in batches, in bounded memory.

    Parameters
    ----------
    module : nn.Module
        The network.
    batch_size : int
        Most stars computed at a time.
    device : torch.device
        Device that computes.
    precision : {"float32", "bfloat16"}
        Precision of the computations.
    """

    def __init__(
        self, module: nn.Module, *, batch_size: int, device: torch.device, precision: str
    ) -> None:
        self.module = module.to(device).eval()
        self.batch_size = min(batch_size, CACHED) if device.type == "cpu" else batch_size
        self.device = device
        self.precision = precision

    def map(
        self, function: Callable[[Tensor], Tensor], features: Features, shape: tuple[int, ...]
    ) -> np.ndarray:
        """Return ``function`` of the stars, float32 ``(n_stars, *shape)``; NaN without features.

        Parameters
        ----------
        function : callable
            The module or a method of it, from tensors of shape (n, n_features) to tensors of
            shape ``(n, *shape)``.
        features : Features of n_stars stars
        shape : tuple of int
            Shape of what the function returns of a star.
        """
        rows = features.is_observed
        result = np.full((len(features), *shape), np.nan, dtype=np.float32)
        if rows.any():
            result[rows] = map_batches(
                function,
                features.values if rows.all() else features.values[rows],
                batch_size=self.batch_size,
                device=self.device,
                precision=self.precision,
            )
        return result
