"""Rates of computations that take turns, and the machine's rate of matrix products.

Seconds are of CPU time, of all threads together, so that other work on the machine counts little;
on a GPU they are those of a clock.
"""

import time
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

__all__ = [
    "AT_A_TIME",
    "count_operations",
    "in_turn",
    "matmul_rate",
    "ratio_in_words",
    "seconds_of",
]

N_PRODUCTS = 12

AT_A_TIME = 512
"""Stars that the library computes at a time on a CPU, whose caches hold as many."""

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def matmul_rate(precision: str, size: int, device: str = "cpu") -> float:
    """Return the operations a second of a large matrix product, the best of a few."""
    a, b = (torch.randn(size, size, dtype=DTYPES[precision], device=device) for _ in range(2))
    return 2 * size**3 / min(seconds_of(lambda: a @ b, device) for _ in range(N_PRODUCTS))


def seconds_of(compute: Callable[[], object], device: str = "cpu") -> float:
    """Return how long a computation takes, until a GPU has finished it."""
    clock = time.process_time if device == "cpu" else time.perf_counter
    started = clock()
    compute()
    if device != "cpu":
        torch.cuda.synchronize(device)
    return clock() - started


def in_turn(
    ways: Mapping[str, Callable[[], object]], n_rounds: int, device: str = "cpu"
) -> dict[str, np.ndarray]:
    """Return the seconds of each way in each round, (n_rounds,), after one that does not count.

    The ways take turns, so that a machine whose speed drifts slows all alike.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(n_rounds + 1):
        for name, compute in ways.items():
            seconds[name].append(seconds_of(compute, device))
    return {name: np.array(values[1:]) for name, values in seconds.items()}


def count_operations(compute: Callable[[], object]) -> int:
    """Return the operations of a computation's matrix products, forwards and backwards."""
    with FlopCounterMode(display=False) as counter:
        compute()
    return counter.get_total_flops()


def ratio_in_words(ratios: np.ndarray) -> str:
    """Return the median of ratios with their range."""
    return f"{np.median(ratios):.2f} ({ratios.min():.2f} to {ratios.max():.2f})"
