"""Which features to hide from the network in training."""

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["GroupMask"]


class GroupMask:
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
        self.groups = torch.as_tensor(groups)
        self.ratios = torch.as_tensor(ratios)

    def __call__(self, x: Tensor) -> tuple[tuple[Tensor], Tensor]:
        """Return features with NaN where hidden, for the network, and what is hidden.

        Parameters
        ----------
        x : Tensor of shape (n_stars, n_features)

        Returns
        -------
        shown : tuple of one Tensor of shape (n_stars, n_features)
        hidden : Tensor of bool of shape (n_stars, n_features)
        """
        draws = torch.rand(len(x), len(self.ratios), device=x.device)
        hidden = (draws < self.ratios.to(x.device))[:, self.groups.to(x.device)]
        return (x.masked_fill(hidden, torch.nan),), hidden
