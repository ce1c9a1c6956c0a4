"""Device, precision and random numbers of a computation."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from sklearn.utils import check_random_state

__all__ = ["PRECISIONS", "autocast", "resolve_device", "seeded"]

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def resolve_device(device: str) -> torch.device:
    """Return the torch device of that name; "auto" is CUDA where there is one, else the CPU."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except RuntimeError as error:
        raise ValueError(
            f"`device` must be 'auto', 'cpu', 'cuda' or 'cuda:0' …, got {device!r}."
        ) from error
    if resolved.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"`device` is {device!r} but torch sees no CUDA device; use 'auto'.")
    return resolved


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Return the context in which the network computes in ``precision``."""
    if precision not in PRECISIONS:
        raise ValueError(f"`precision` must be one of {sorted(PRECISIONS)}, got {precision!r}.")
    return torch.autocast(
        device.type, dtype=torch.bfloat16, enabled=PRECISIONS[precision] is torch.bfloat16
    )


@contextmanager
def seeded(random_state: Any, device: torch.device, skip: int = 0) -> Iterator[None]:
    """Seed torch inside the block and give the caller's random state back after it.

    ``skip`` tells repeated blocks of one integer ``random_state`` apart.
    """
    seed = int(check_random_state(random_state).randint(2**31 - 1, size=skip + 1)[-1])
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield
