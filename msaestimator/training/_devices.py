"""Device, precision and random numbers of a computation."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from sklearn.utils import check_random_state

from msaestimator.exceptions import PrecisionWarning
from msaestimator.training._processes import Processes

__all__ = ["PRECISIONS", "autocast", "check_speed", "resolve_device", "seeded"]

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}

WITHOUT_BFLOAT16 = ("NO AVX", "DEFAULT", "AVX2")
"""Capabilities, as torch calls them, of processors that have no instructions for bfloat16."""


def resolve_device(device: str) -> torch.device:
    """Return the torch device of that name; "auto" is CUDA where there is one, else the CPU.

    Each of several processes of a machine has a GPU of its own: "cuda" is that of its number.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        resolved = torch.device(device)
    except RuntimeError as error:
        raise ValueError(
            f"`device` must be 'auto', 'cpu', 'cuda' or 'cuda:0' …, got {device!r}."
        ) from error
    if resolved.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"`device` is {device!r} but torch sees no CUDA device; use 'auto'.")
    if resolved == torch.device("cuda") and Processes.of_group().are_several:
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    return resolved


def check_speed(device: torch.device, precision: str) -> None:
    """Warn of a number format that the device has no instructions for."""
    capability = torch.backends.cpu.get_cpu_capability()
    if (
        precision == "bfloat16"
        and device.type == "cpu"
        and capability.startswith(WITHOUT_BFLOAT16)
    ):
        warnings.warn(
            "`precision` is 'bfloat16', for which this processor has no instructions (it has "
            f"{capability}): it takes about six times as long as 'float32'. Set "
            "precision='float32'.",
            PrecisionWarning,
            stacklevel=3,
        )


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

    ``skip`` tells repeated blocks of one integer ``random_state`` apart. Several processes take
    the seed of the first.
    """
    drawn = int(check_random_state(random_state).randint(2**31 - 1, size=skip + 1)[-1])
    seed = Processes.of_group().first_number(drawn, device)
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield
