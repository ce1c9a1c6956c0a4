"""The residual blocks and the stacks made of them."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

__all__ = ["PreNormBlock", "ResidualBlock", "residual_stack"]

EXPANSION = 2
"""Hidden width of a pre-norm block, relative to its output."""


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
            nn.ELU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(n_out, n_out, bias=False),
            nn.LayerNorm(n_out),
        )
        self.skip: nn.Module = nn.Identity()
        if n_in != n_out:
            self.skip = nn.Sequential(nn.Linear(n_in, n_out, bias=False), nn.LayerNorm(n_out))
        self.activation = nn.ELU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output for ``x``."""
        return self.activation(self.body(x) + self.skip(x))


class PreNormBlock(nn.Module):
    """A LayerNorm and two linear layers beside a skip connection that nothing else touches.

    Xiong et al. 2020. The input passes through a linear layer where the width changes.

    **Shape**: (batch, n_in) → (batch, n_out).
    """

    def __init__(self, n_in: int, n_out: int, dropout: float) -> None:
        super().__init__()
        # DIFF(mckay2025): trained as long, the thesis's block, which normalises what it passes
        # on, errs more on real stars.
        self.body = nn.Sequential(
            nn.LayerNorm(n_in),
            nn.Linear(n_in, EXPANSION * n_out),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(EXPANSION * n_out, n_out),
        )
        self.skip = nn.Identity() if n_in == n_out else nn.Linear(n_in, n_out)

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output for ``x``."""
        return self.skip(x) + self.body(x)


def residual_stack(n_in: int, widths: Sequence[int], dropout: float, block: str) -> nn.Sequential:
    """Return residual blocks of the given widths, one after the other.

    ``block`` is "prenorm" for `PreNormBlock`, with a LayerNorm after the last one, and
    "mckay2025" for `ResidualBlock`, which has its own.
    """
    kind = {"prenorm": PreNormBlock, "mckay2025": ResidualBlock}[block]
    stack = nn.Sequential(
        *(kind(before, after, dropout) for before, after in pairwise([n_in, *widths]))
    )
    if block == "prenorm":
        stack.append(nn.LayerNorm(widths[-1]))
    return stack
