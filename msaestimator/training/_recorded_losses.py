"""Losses of the batches of an epoch, on their way into the history."""

import torch
from skorch.history import History
from torch import Tensor

from msaestimator.training._processes import Processes

__all__ = ["RecordedLosses"]

READ_EVERY = 16
"""Number of batches whose losses are read together where reading one makes others wait."""


class RecordedLosses:
    """Write losses into the history, over the stars of all processes.

    A GPU finishes all that it was told before it tells a loss, and the processes wait for each
    other. So losses are read some batches at a time there, and one by one on one CPU. All
    processes have the same history, and decide alike by it.

    Parameters
    ----------
    history : History
    prefix : {"train", "valid"}
    processes : Processes
    device : torch.device
        Device that computes the losses.
    """

    def __init__(
        self, history: History, prefix: str, processes: Processes, device: torch.device
    ) -> None:
        self.history = history
        self.prefix = prefix
        self.processes = processes
        waits = processes.are_several or device.type != "cpu"
        self.every = READ_EVERY if waits else 1
        self.losses: list[Tensor] = []
        self.n_stars: list[int] = []

    def add(self, loss: Tensor, n_stars: int) -> None:
        """Take the loss of the latest batch, the mean over its stars."""
        self.losses.append(loss.detach())
        self.n_stars.append(n_stars)
        if len(self.losses) == self.every:
            self.flush()

    def flush(self) -> None:
        """Write all losses that were taken, with their numbers of stars."""
        if not self.losses:
            return
        losses = torch.stack(self.losses)
        n_stars = torch.tensor(self.n_stars, device=losses.device, dtype=losses.dtype)
        if self.processes.are_several:
            sums = torch.stack([losses * n_stars, n_stars])
            self.processes.sum(sums)
            n_stars = sums[1]
            losses = sums[0] / n_stars
        batches = self.history[-1]["batches"][-len(losses) :]
        for batch, loss, size in zip(batches, losses.tolist(), n_stars.tolist(), strict=True):
            batch[f"{self.prefix}_loss"] = loss
            batch[f"{self.prefix}_batch_size"] = round(size)
        self.losses, self.n_stars = [], []
