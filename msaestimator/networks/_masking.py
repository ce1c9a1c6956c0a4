"""Which features to hide from the network in training."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["GroupMask"]


class GroupMask(nn.Module):
    """Draw which features of each star to hide, whole groups of columns at a time.

    The XP coefficients are one group, every other column is a group by itself, and a
    protected column is a group that is never hidden (McKay 2025 section 3.1.2).

    Parameters
    ----------
    groups : sequence of int of length n_features
        Group of each column, numbered from zero.
    ratios : sequence of float of length n_groups
        Probability that a group is hidden, star by star and independently.
    """

    def __init__(self, groups: Sequence[int], ratios: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("groups", torch.as_tensor(groups), persistent=False)
        self.register_buffer("ratios", torch.as_tensor(ratios), persistent=False)

    def forward(self, n_stars: int) -> Tensor:
        """Return what is hidden: bool of shape (n_stars, n_features)."""
        draws = torch.rand(n_stars, len(self.ratios), device=self.ratios.device)
        return (draws < self.ratios)[:, self.groups]
