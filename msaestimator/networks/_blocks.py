"""The residual block and the stacks made of it."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

__all__ = ["ResidualBlock", "residual_stack"]


class ResidualBlock(nn.Module):
    """Two linear layers, each followed by a LayerNorm, around a skip connection.

    McKay 2025 figure 3.1: linear, norm, ELU, dropout, linear, norm, plus the input (through a
    linear layer and a norm where the width changes), ELU.

    **Shape**: (batch, n_in) → (batch, n_out).
    """

    def __init__(self, n_in: int, n_out: int, dropout: float) -> None:
        super().__init__()
        # DIFF(mckay2025): each norm has its own scale and shift, as the text has it; the
        # author's code shares one among the norms of a block.
        self.body = nn.Sequential(
            nn.Linear(n_in, n_out, bias=False),
            nn.LayerNorm(n_out),
            nn.ELU(),
            nn.Dropout(dropout),
            nn.Linear(n_out, n_out, bias=False),
            nn.LayerNorm(n_out),
        )
        self.skip: nn.Module = nn.Identity()
        if n_in != n_out:
            self.skip = nn.Sequential(nn.Linear(n_in, n_out, bias=False), nn.LayerNorm(n_out))
        self.activation = nn.ELU()

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output for ``x``."""
        return self.activation(self.body(x) + self.skip(x))


def residual_stack(n_in: int, widths: Sequence[int], dropout: float) -> nn.Sequential:
    """Return residual blocks of the given widths, one after the other."""
    return nn.Sequential(
        *(ResidualBlock(before, after, dropout) for before, after in pairwise([n_in, *widths]))
    )
