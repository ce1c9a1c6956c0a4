"""Shares of processes, as torchrun and Slurm tell them."""

import pytest

from msaestimator.catalogs._ranks import Rank, rank_of

TORCHRUN = {"RANK": "1", "WORLD_SIZE": "4"}
SLURM = {"SLURM_PROCID": "2", "SLURM_NTASKS": "8"}


def test_places_of_processes():
    assert rank_of({}) == Rank(0, 1)
    assert rank_of({"RANK": "1"}) == Rank(0, 1)
    assert rank_of(SLURM) == Rank(2, 8)
    assert rank_of(TORCHRUN | SLURM) == Rank(1, 4)


def test_places_that_are_none():
    with pytest.raises(ValueError, match="RANK='one', WORLD_SIZE='4' must be integers"):
        rank_of(TORCHRUN | {"RANK": "one"})
    with pytest.raises(ValueError, match="SLURM_PROCID must be at least 0 and below SLURM_NTASKS"):
        rank_of(SLURM | {"SLURM_PROCID": "8"})
