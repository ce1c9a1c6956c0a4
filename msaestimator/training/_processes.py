"""The processes that train one network together, each on its share of every batch."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

from msaestimator.exceptions import ProcessError

__all__ = ["Processes"]


@dataclass(frozen=True)
class Processes:
    """The processes of one training: those of torch's process group, or this one alone.

    Parameters
    ----------
    rank : int
        Number of this process, from zero.
    count : int
        Number of processes.
    """

    rank: int = 0
    count: int = 1

    @classmethod
    def of_group(cls) -> "Processes":
        """Return those that ``torch.distributed.init_process_group`` joined, if it was called."""
        if dist.is_available() and dist.is_initialized():
            return cls(dist.get_rank(), dist.get_world_size())
        return cls()

    @property
    def are_several(self) -> bool:
        """Whether there is another process."""
        return self.count > 1

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that writes files and shows the progress."""
        return self.rank == 0

    def share(self, rows: Tensor) -> Tensor:
        """Return this process's part of a batch, which is never empty.

        Of fewer rows than processes some are the share of more than one.
        """
        rank = self.rank if self.rank < len(rows) else self.rank % len(rows)
        return rows[rank :: self.count]

    def sum(self, tensor: Tensor) -> None:
        """Replace a tensor by its sum over the processes.

        Raises
        ------
        ProcessError
            Another process ended, or did not answer within the process group's timeout.
        """
        if self.are_several:
            with self._answering():
                dist.all_reduce(tensor)

    def take_first(self, tensor: Tensor) -> None:
        """Replace a tensor by that of the first process; raises as `sum` does."""
        if self.are_several:
            with self._answering():
                dist.broadcast(tensor, src=0)

    def first_number(self, number: int, device: torch.device | str) -> int:
        """Return the integer that the first process has here; raises as `sum` does."""
        if not self.are_several:
            return number
        shared = torch.tensor(number, device=device)
        self.take_first(shared)
        return int(shared)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            raise ProcessError(
                f"Process {self.rank} of {self.count} waits in vain for the others: one ended or "
                "hangs. See its own error first, then start all of them again; with a "
                f"`checkpoint` they go on from the last epoch. ({error})"
            ) from error
