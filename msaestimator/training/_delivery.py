"""Batches that are on the device when it asks for them."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor

__all__ = ["delivered", "prefetched"]

AHEAD = 3
"""Number of batches that are prepared while one is computed."""


def delivered(batches: Iterable[Any], device: torch.device) -> Iterator[Any]:
    """Yield batches with their tensors on a device, copied to it while it computes.

    Parameters
    ----------
    batches : iterable of tensors, or of nested tuples and lists of them
        Batches in the processor's memory; where that computes they are passed on as they are.
    device : torch.device
    """
    if device.type == "cpu":
        return iter(batches)
    return prefetched(batches, lambda batch: _sent(batch, device))


def prefetched(batches: Iterable[Any], prepare: Callable[[Any], Any]) -> Iterator[Any]:
    """Yield what ``prepare`` makes of each batch, in order, made ahead by another thread.

    Errors of ``batches`` and of ``prepare`` are raised where their batch would come.
    """
    source, end = iter(batches), object()

    def take() -> Any:
        batch = next(source, end)
        return batch if batch is end else prepare(batch)

    # One thread, so that batches are drawn one after the other.
    with ThreadPoolExecutor(max_workers=1) as worker:
        waiting = deque(worker.submit(take) for _ in range(AHEAD))
        while (batch := waiting.popleft().result()) is not end:
            waiting.append(worker.submit(take))
            yield batch


def _sent(batch: Any, device: torch.device) -> Any:
    """Return a batch on the device; the copy from pinned memory is not waited for."""
    if not isinstance(batch, Tensor):
        return tuple(_sent(part, device) for part in batch)
    if device.type != "cuda":
        return batch.to(device)
    with torch.cuda.device(device):  # a thread begins on the first GPU
        return batch.pin_memory().to(device, non_blocking=True)
