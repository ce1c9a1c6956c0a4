"""CPU time of computations that take turns, which other work on the machine touches less."""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial

import numpy as np
import torch

__all__ = ["cpu_seconds_in_turn", "without_onednn"]


def cpu_seconds_in_turn(
    ways: Mapping[str, Callable[[], object]], n_rounds: int
) -> dict[str, np.ndarray]:
    """Return the process's CPU seconds of each way in each round, after one that does not count.

    With several threads these add up.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(n_rounds + 1):
        for name, compute in ways.items():
            started = time.process_time()
            compute()
            seconds[name].append(time.process_time() - started)
    return {name: np.array(values[1:]) for name, values in seconds.items()}


without_onednn: Callable[[], AbstractContextManager[None]] = partial(
    torch.backends.mkldnn.flags, enabled=False, allow_tf32=None
)
"""Context in which torch leaves linear layers to MKL."""
