"""Periodic embeddings of numbers as vectors, with a learned vector for a missing one."""

import math

import torch
from torch import Tensor, nn

__all__ = ["PeriodicEmbedding"]


class PeriodicEmbedding(nn.Module):
    r"""Embed each feature by trainable frequencies, a linear layer of its own and a ReLU.

    .. math:: e_f(x) = \mathrm{ReLU}(W_f [\cos v, \sin v] + l_f x + b_f), \quad v = 2 \pi c_f x

    Gorishniy et al. 2022 ("PLR"); McKay 2025 section 3.1.2, without the linear term.

    **Shape**: (batch, n_features) with NaN missing → (batch, n_features, d_embedding).

    Parameters
    ----------
    n_features : int
    d_embedding : int
        Length of a feature's vector.
    n_frequencies : int
        Trainable frequencies a feature.
    frequency_scale : float
        Standard deviation of the initial frequencies, drawn from a normal cut at three sigma.
    sentinel : float, optional
        Number put in place of a missing value; None learns a vector for each feature instead.
    linear_term : bool
        Whether the embedding has the term ``l_f x``.
    """

    def __init__(
        self,
        n_features: int,
        d_embedding: int,
        n_frequencies: int,
        frequency_scale: float,
        sentinel: float | None = None,
        linear_term: bool = True,
    ) -> None:
        super().__init__()
        self.sentinel = sentinel
        self.frequencies = nn.Parameter(torch.empty(n_features, n_frequencies))
        self.weight = nn.Parameter(torch.empty(n_features, 2 * n_frequencies, d_embedding))
        self.bias = nn.Parameter(torch.empty(n_features, d_embedding))
        # DIFF(mckay2025): waves alone cannot say of a value how large it is beyond their length.
        slope = torch.empty(n_features, d_embedding) if linear_term else None
        self.slope = None if slope is None else nn.Parameter(slope)
        # DIFF(mckay2025): a missing value has a learned vector; -9999 through the sines makes
        # gradients of the frequencies some 6e4 times those of observed values.
        if sentinel is None:
            self.missing = nn.Parameter(torch.empty(n_features, d_embedding))
        self.reset_parameters(frequency_scale)

    def reset_parameters(self, frequency_scale: float) -> None:
        """Draw new parameters."""
        cut = 3 * frequency_scale
        nn.init.trunc_normal_(self.frequencies, 0.0, frequency_scale, a=-cut, b=cut)
        bound = 1 / math.sqrt(self.weight.shape[1])
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.uniform_(self.bias, -bound, bound)
        if self.slope is not None:
            nn.init.uniform_(self.slope, -bound, bound)
        if self.sentinel is None:
            nn.init.uniform_(self.missing, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        """Return the vectors of the features ``x``."""
        missing = x.isnan()
        x = x.masked_fill(missing, 0.0 if self.sentinel is None else self.sentinel)
        # Features come first, so that the linear layers are one batched product.
        values = x.T[:, :, None]
        angles = 2 * math.pi * self.frequencies[:, None, :] * values
        waves = torch.cat([angles.cos(), angles.sin()], dim=-1)
        vectors = torch.baddbmm(self.bias[:, None, :], waves, self.weight)
        if self.slope is not None:
            vectors = vectors + self.slope[:, None, :] * values
        vectors = vectors.relu_()
        if self.sentinel is None:
            lacking = self.missing.to(vectors.dtype)[:, None, :]
            vectors = torch.where(missing.T[:, :, None], lacking, vectors)
        return vectors.transpose(0, 1)

    def extra_repr(self) -> str:
        """Show the sizes."""
        n_features, n_waves, d_embedding = self.weight.shape
        return f"n_features={n_features}, d_embedding={d_embedding}, n_frequencies={n_waves // 2}"
