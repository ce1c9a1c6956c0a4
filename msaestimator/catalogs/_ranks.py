"""The process's own share of the files, where several processes work on one catalogue."""

import os
from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["Rank", "rank_of"]

VARIABLES = (("RANK", "WORLD_SIZE"), ("SLURM_PROCID", "SLURM_NTASKS"))
"""Environment variables of rank and number of processes: of torchrun, and of Slurm."""


class Rank(NamedTuple):
    """Place of a process among those that work together.

    Parameters
    ----------
    number, size : int
        Number of the process, counted from 0, and number of processes.
    """

    number: int
    size: int


def rank_of(environment: Mapping[str, str] = os.environ) -> Rank:
    """Return the place that the environment gives the process; the only one by default.

    Raises
    ------
    ValueError
        The variables are no integers, or the rank is not below the number of processes.
    """
    for names in VARIABLES:
        if all(name in environment for name in names):
            words = [environment[name] for name in names]
            told = ", ".join(f"{n}={w!r}" for n, w in zip(names, words, strict=True))
            try:
                rank = Rank(*map(int, words))
            except ValueError as error:
                raise ValueError(f"{told} must be integers. Unset or correct them.") from error
            if not 0 <= rank.number < rank.size:
                raise ValueError(
                    f"{names[0]} must be at least 0 and below {names[1]}, got {told}. Unset or "
                    "correct them."
                )
            return rank
    return Rank(0, 1)
