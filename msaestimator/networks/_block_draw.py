"""Draws of what the block transformer is shown of a star in training, and is asked."""

from collections.abc import Sequence
from copy import copy

import torch
from torch import Tensor

from msaestimator.networks._token_draw import Requests

__all__ = ["BlockDraw", "BlockMask"]


class BlockMask:
    """Draws of the quantities that are shown of stars, where they are known.

    A block is shown whole, in part or not at all. A part is quantities at random, or the first or
    the last of the block, such as low or high orders of a spectrum; how many is more often few.
    Blocks of one family, such as BP and RP, are shown in part or hidden together, further to what
    is hidden of each. Of some stars all that light tells is hidden, and labels are shown.

    Parameters
    ----------
    blocks : sequence of int of length n_words
        Block of each quantity, numbered from zero.
    families : sequence of int of length n_blocks
        Family of each block, numbered from zero.
    block_dropout : sequence of float of length n_blocks
        Probability that each block is hidden.
    family_dropout : sequence of float of length n_families
        Probability that a family is hidden as a whole.
    partial_ratio : sequence of float of length n_families
        Probability that each family is shown in part, if it has more than one quantity.
    from_labels_ratio : float
        Probability that quantities of light are hidden and labels shown, in part or whole.
    is_light, is_label : sequence of bool of length n_blocks, optional
        Masks of these blocks; None is none.
    """

    def __init__(
        self,
        blocks: Sequence[int],
        families: Sequence[int],
        block_dropout: Sequence[float],
        family_dropout: Sequence[float],
        partial_ratio: Sequence[float],
        from_labels_ratio: float = 0.0,
        is_light: Sequence[bool] | None = None,
        is_label: Sequence[bool] | None = None,
    ) -> None:
        self.block = torch.as_tensor(blocks)
        self.family = torch.as_tensor(families)[self.block]
        self.words = [torch.nonzero(self.block == b).ravel() for b in range(len(families))]
        self.place = torch.empty(len(self.block))
        for words in self.words:
            self.place[words] = torch.linspace(0.0, 1.0, len(words) + 2)[1:-1]
        self.block_dropout = torch.as_tensor(block_dropout, dtype=torch.float32)
        self.family_dropout = torch.as_tensor(family_dropout, dtype=torch.float32)
        self.partial_ratio = torch.as_tensor(partial_ratio) * (torch.bincount(self.family) > 1)
        self.from_labels_ratio = from_labels_ratio
        none = [False] * len(families)
        self.is_light = torch.as_tensor(is_light or none)[self.block]
        self.is_label = torch.as_tensor(is_label or none)[self.block]

    def draw(self, n_stars: int) -> Tensor:
        """Return a mask of what is shown, (n_stars, n_words)."""
        drawn = torch.rand(3, n_stars, len(self.family_dropout))
        state, share, way = drawn[:, :, self.family]
        hidden = state < self.family_dropout[self.family]
        partial = ~hidden & (1.0 - state < self.partial_ratio[self.family])
        share = share.square()
        at_random = (way < 0.5) & (torch.rand(share.shape) < share)
        first = (way >= 0.5) & (way < 0.8) & (self.place < share)
        last = (way >= 0.8) & (self.place > 1.0 - share)
        gone = torch.rand(n_stars, len(self.words)) < self.block_dropout
        in_part = ~partial | at_random | first | last
        shown = ~gone[:, self.block] & ~hidden & in_part
        if not self.from_labels_ratio:
            return shown
        from_labels = torch.rand(n_stars, 1) < self.from_labels_ratio
        return torch.where(
            from_labels, (shown & ~self.is_light) | (self.is_label & in_part), shown
        )

    def evened(self) -> "BlockMask":
        """Return draws that hide every family of half of the stars, whatever training does."""
        other = copy(self)
        other.family_dropout = torch.full_like(self.family_dropout, 0.5)
        return other


class BlockDraw:
    """Draw shown quantities and asked blocks for stars.

    Parameters
    ----------
    mask : BlockMask
        Draws of what is shown.
    request_weights : sequence of float of length n_words
        Weight of each quantity in the loss, where it is known and was not shown.
    always_asked : sequence of int
        Blocks that are asked of every star.
    n_asked : int
        Number of further blocks that are asked of a batch.
    resample_noise : bool
        Whether to add to each value noise of its measurement error.
    """

    def __init__(
        self,
        mask: BlockMask,
        request_weights: Sequence[float],
        *,
        always_asked: Sequence[int],
        n_asked: int,
        resample_noise: bool = False,
    ) -> None:
        self.mask = mask
        self.request_weights = torch.as_tensor(request_weights, dtype=torch.float32)
        self.always_asked = list(always_asked)
        self.n_asked = n_asked
        self.resample_noise = resample_noise
        counts = [bool(self.request_weights[words].any()) for words in mask.words]
        self.others = [b for b, asked in enumerate(counts) if asked and b not in always_asked]

    def __call__(self, stars: Tensor) -> tuple[tuple[Tensor, list[int]], Requests]:
        """Return what is shown and asked of stars.

        Parameters
        ----------
        stars : Tensor of shape (batch, 2, n_words)
            Values, NaN where unknown, and their errors.

        Returns
        -------
        shown : tuple
            Values, NaN where unknown or hidden, and asked blocks, as `BlockTransformer` takes.
        requests : Requests
            All quantities of the asked blocks, and which of them count.
        """
        shown = self.hide(stars)
        drawn = torch.randperm(len(self.others))[: self.n_asked].tolist()
        asked = [*self.always_asked, *(self.others[place] for place in drawn)]
        words = torch.cat([self.mask.words[block] for block in asked]).to(stars.device)
        counted = (shown.isnan() & ~stars[:, 0].isnan())[:, words]
        # Each quantity counts by its weight, however many of the stars have it.
        weights = self.request_weights.to(stars.device)[words] / counted.sum(0).clamp(min=1)
        return (shown, asked), Requests(words.expand(len(stars), -1), counted, weights)

    def evened(self) -> "BlockDraw":
        """Return draws that hide every family of half of the stars, see `BlockMask.evened`."""
        other = copy(self)
        other.mask = self.mask.evened()
        return other

    def hide(self, stars: Tensor) -> Tensor:
        """Return values of stars with noise, NaN where unknown or hidden, (batch, n_words)."""
        values, errors = stars.unbind(1)
        if self.resample_noise:
            values = values + errors * torch.randn_like(values)
        is_shown = self.mask.draw(len(stars)).to(stars.device)
        return values.masked_fill(~is_shown, torch.nan)
