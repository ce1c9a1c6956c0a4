"""Stars that scales are learned from: all of a table, some of those on disk."""

from typing import Any

from msaestimator.datasets import StarDataset

__all__ = ["sampled"]

SAMPLE, SEED = 20_000, 20260805
"""Number of stars on disk that scales are learned from, and the seed that draws them."""


def sampled(X: Any) -> Any:
    """Return stars as they are, or of a `StarDataset` a sample, the same one each time."""
    return X.sample(SAMPLE, SEED) if isinstance(X, StarDataset) else X
