"""Masks: the features to hide from the network in training."""

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["GroupMask", "JointMask", "SpanMask"]

MOST_HIDDEN = 0.8
"""Largest share of a star's coefficients that `SpanMask` hides one by one."""


class GroupMask:
    """Draw the features of each star to hide, whole groups of columns at a time.

    The XP coefficients are one group, every other column is a group by itself, and a
    protected column is a group that is never hidden (McKay 2025 section 3.1.2).

    Parameters
    ----------
    groups : sequence of int of length n_features
        Group of each column, numbered from zero.
    ratios : sequence of float of length n_groups
        Probability that a group is hidden, star by star and independently.
    """

    def __init__(self, groups: Sequence[int] | Tensor, ratios: Sequence[float] | Tensor) -> None:
        self.groups = torch.as_tensor(groups)
        self.ratios = torch.as_tensor(ratios)

    def __call__(self, x: Tensor) -> tuple[tuple[Tensor], Tensor]:
        """Return stars with NaN where hidden, as the network takes them, and the hidden places.

        Parameters
        ----------
        x : Tensor of shape (n_stars, n_features)
        """
        hidden = self.draw(len(x), x.device)
        return (x.masked_fill(hidden, torch.nan),), hidden

    def draw(self, n_stars: int, device: torch.device | str = "cpu") -> Tensor:
        """Return the hidden places: bool of shape (n_stars, n_features)."""
        draws = torch.rand(n_stars, len(self.ratios), device=device)
        return (draws < self.ratios.to(device))[:, self.groups.to(device)]


class SpanMask:
    """Hide some of the XP coefficients: a run of orders, or any of them, of any number.

    Half of the stars it acts on lose a run of orders, the same in BP and RP, which goes on with
    the first after the last; the others lose coefficients at random.

    Parameters
    ----------
    orders : sequence of int of length n_features
        Order of each coefficient in its band, from zero; -1 for other columns.
    ratio : float
        Probability that the mask acts on a star.
    """

    def __init__(self, orders: Sequence[int], ratio: float) -> None:
        self.orders = torch.as_tensor(orders)
        self.ratio = ratio

    def draw(self, n_stars: int, device: torch.device | str = "cpu") -> Tensor:
        """Return the hidden places: bool of shape (n_stars, n_features)."""
        orders = self.orders.to(device)
        n_orders = int(orders.max()) + 1
        acts, kind, start, share = torch.rand(4, n_stars, 1, device=device)
        after_start = (orders - (start * n_orders).floor()) % n_orders
        run = after_start < share * n_orders
        scattered = torch.rand(n_stars, len(orders), device=device) < MOST_HIDDEN * share
        hidden = torch.where(kind < 0.5, run, scattered)
        return hidden & (acts < self.ratio) & (orders >= 0)


class JointMask(GroupMask):
    """Hide what any of several masks hides: single columns, surveys, parts of spectra.

    Parameters
    ----------
    first : GroupMask
        First mask, whose groups and ratios are those of the joint mask.
    others : GroupMask or SpanMask
        Further masks of the same columns.
    """

    def __init__(self, first: GroupMask, *others: GroupMask | SpanMask) -> None:
        super().__init__(first.groups, first.ratios)
        self.others = others

    def draw(self, n_stars: int, device: torch.device | str = "cpu") -> Tensor:
        """Return the hidden places: bool of shape (n_stars, n_features)."""
        hidden = super().draw(n_stars, device)
        for other in self.others:
            hidden |= other.draw(n_stars, device)
        return hidden
