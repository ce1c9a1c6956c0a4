"""The quantile head: latent vectors to ordered quantiles, several members at once."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from msaestimator.networks._autoencoder import MaskedAutoencoder

__all__ = ["MemberLinear", "QuantileHead", "QuantileRegressor"]


class MemberLinear(nn.Module):
    """One linear layer for each member of an ensemble, evaluated together.

    Weights start Xavier-normal and biases at zero, as in the thesis's head.

    **Shape**: (n_members, batch, n_in), or (batch, n_in) of all alike → (n_members, batch, n_out).
    """

    def __init__(self, n_members: int, n_in: int, n_out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_members, n_in, n_out))
        self.bias = nn.Parameter(torch.zeros(n_members, 1, n_out))
        nn.init.normal_(self.weight, 0.0, math.sqrt(2 / (n_in + n_out)))

    def forward(self, x: Tensor) -> Tensor:
        """Return every member's output for its own input, or for that of all."""
        return _member_linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Show the sizes."""
        n_members, n_in, n_out = self.weight.shape
        return f"n_members={n_members}, n_in={n_in}, n_out={n_out}"


def _member_linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return what `MemberLinear` does, by any weights."""
    if x.dim() == 3:
        return torch.baddbmm(bias, x, weight)
    # One product for all members is faster than one for each.
    output = torch.addmm(bias.flatten(), x, weight.transpose(0, 1).flatten(1))
    return output.unflatten(1, (len(weight), -1)).transpose(0, 1)


def _at_least_single(x: Tensor) -> Tensor:
    """Return half precision as single precision, in which near quantiles still differ."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


class QuantileHead(nn.Module):
    """A multilayer perceptron from latent vectors to ordered quantiles of each label.

    The median is free; each further quantile outwards is the one before it plus or minus a
    softplus, so quantiles never cross. McKay 2025 section 3.1.3.

    **Shape**: (batch, n_latent) → (batch, n_members, n_labels, n_quantiles).

    Parameters
    ----------
    n_latent, n_labels : int
    widths : sequence of int
        Widths of the hidden layers, each followed by a ReLU.
    n_quantiles : int
        Number of quantiles, odd.
    n_members : int
        Number of heads with weights of their own, on the same latent vectors.
    dropout : float
        Dropout after each hidden layer.
    """

    def __init__(
        self,
        n_latent: int,
        n_labels: int,
        widths: Sequence[int],
        *,
        n_quantiles: int,
        n_members: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.n_members = n_members
        self.n_labels = n_labels
        self.n_steps = n_quantiles // 2
        # DIFF(mckay2025): the members of an ensemble are heads on one autoencoder, evaluated
        # together, instead of 20 networks fine-tuned one after another.
        self.hidden = nn.Sequential()
        for n_in, n_out in pairwise([n_latent, *widths]):
            self.hidden.extend(
                [MemberLinear(n_members, n_in, n_out), nn.ReLU(inplace=True), nn.Dropout(dropout)]
            )
        last = widths[-1] if widths else n_latent
        self.median = MemberLinear(n_members, last, n_labels)
        self.below = MemberLinear(n_members, last, n_labels * self.n_steps)
        self.above = MemberLinear(n_members, last, n_labels * self.n_steps)

    def forward(self, latent: Tensor) -> Tensor:
        """Return the quantiles, the lowest first."""
        last = self.median, self.below, self.above
        weight, bias = (
            torch.cat([getattr(layer, name) for layer in last], dim=2)
            for name in ("weight", "bias")
        )
        raw = _member_linear(self.hidden(latent), weight, bias)
        raw_median, raw_below, raw_above = raw.split([layer.weight.shape[2] for layer in last], -1)
        median = _at_least_single(raw_median).unsqueeze(-1)
        below = median - self._steps(raw_below).flip(-1)
        above = median + self._steps(raw_above)
        return torch.cat([below, median, above], dim=-1).transpose(0, 1)

    def _steps(self, raw: Tensor) -> Tensor:
        """Turn free numbers into growing distances from the median, along a new last axis."""
        steps = _at_least_single(raw).unflatten(-1, (self.n_labels, self.n_steps))
        return nn.functional.softplus(steps).cumsum(-1)


class QuantileRegressor(nn.Module):
    """An autoencoder with a quantile head on its latent vectors, trained end to end.

    **Shape**: (batch, n_features) → quantiles (batch, n_members, n_labels, n_quantiles) and
    reconstruction (batch, n_reconstructed).

    Parameters
    ----------
    autoencoder : MaskedAutoencoder
    head : QuantileHead
    reconstructs : bool
        Whether to run the decoder too; without, None stands in place of the reconstruction.
    """

    def __init__(
        self, autoencoder: MaskedAutoencoder, head: QuantileHead, *, reconstructs: bool = True
    ) -> None:
        super().__init__()
        self.autoencoder = autoencoder
        self.head = head
        self.reconstructs = reconstructs

    def quantiles(self, x: Tensor) -> Tensor:
        """Return the quantiles alone, without running the decoder."""
        return self.head(self.autoencoder.encode(x))

    def latent_and_quantiles(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the latent vectors, (batch, n_latent), and the quantiles, in one pass."""
        latent = self.autoencoder.encode(x)
        return latent, self.head(latent)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return quantiles and reconstruction."""
        latent = self.autoencoder.encode(x)
        return self.head(latent), self.autoencoder.decode(latent) if self.reconstructs else None
