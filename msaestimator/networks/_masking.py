"""Which features to hide from the network in training."""

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["GroupMask", "JointMask"]


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
        """Return stars with NaN where hidden, as the network takes them, and what is hidden.

        Parameters
        ----------
        x : Tensor of shape (n_stars, n_features)
        """
        hidden = self.draw(len(x), x.device)
        return (x.masked_fill(hidden, torch.nan),), hidden

    def draw(self, n_stars: int, device: torch.device | str = "cpu") -> Tensor:
        """Return what is hidden: bool of shape (n_stars, n_features)."""
        draws = torch.rand(n_stars, len(self.ratios), device=device)
        return (draws < self.ratios.to(device))[:, self.groups.to(device)]


class JointMask(GroupMask):
    """Hide what any of several masks hides: single columns, and surveys as a whole.

    Parameters
    ----------
    first : GroupMask
        Its groups and ratios are kept as those of the joint mask.
    others : GroupMask
        Further masks of the same columns.
    """

    def __init__(self, first: GroupMask, *others: GroupMask) -> None:
        super().__init__(first.groups, first.ratios)
        self.others = others

    def draw(self, n_stars: int, device: torch.device | str = "cpu") -> Tensor:
        """Return what is hidden: bool of shape (n_stars, n_features)."""
        hidden = super().draw(n_stars, device)
        for other in self.others:
            hidden |= other.draw(n_stars, device)
        return hidden
