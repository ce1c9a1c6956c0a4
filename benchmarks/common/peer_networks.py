"""Networks of the papers as these describe them, in plain torch.

None of the library's networks is used, so that both can be compared.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["ParentTransformer", "ThesisAutoencoder", "ThesisRegressor"]


class _Periodic(nn.Module):
    """Trainable frequencies, a linear layer a feature, ReLU (Gorishniy et al. 2022)."""

    def __init__(self, n_features: int, dim: int = 16, n_frequencies: int = 48) -> None:
        super().__init__()
        self.frequencies = nn.Parameter(torch.randn(n_features, n_frequencies) * 0.01)
        bound = 1 / math.sqrt(2 * n_frequencies)
        self.weight = nn.Parameter(
            torch.empty(n_features, 2 * n_frequencies, dim).uniform_(-bound, bound)
        )
        self.bias = nn.Parameter(torch.empty(n_features, dim).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        angles = 2 * math.pi * self.frequencies * x[..., None]
        waves = torch.cat([angles.cos(), angles.sin()], dim=-1)
        return F.relu(torch.einsum("bfw,fwd->bfd", waves, self.weight) + self.bias)


class _Residual(nn.Module):
    """Linear, norm, ELU, dropout, linear, norm, plus the input, ELU (McKay 2025, figure 3.1)."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.first = nn.Linear(n_in, n_out, bias=False)
        self.second = nn.Linear(n_out, n_out, bias=False)
        self.skip = nn.Linear(n_in, n_out, bias=False) if n_in != n_out else None
        self.norms = nn.ModuleList([nn.LayerNorm(n_out) for _ in range(3)])
        self.dropout = nn.Dropout(0.1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.dropout(F.elu(self.norms[0](self.first(x))))
        y = self.norms[1](self.second(y))
        return F.elu(y + (x if self.skip is None else self.norms[2](self.skip(x))))


def _residuals(widths: Sequence[int]) -> nn.Sequential:
    return nn.Sequential(*(_Residual(a, b) for a, b in zip(widths, widths[1:], strict=False)))


class ThesisAutoencoder(nn.Module):
    """The autoencoder of McKay (2025), section 3.1.2; hidden and missing features are -9999."""

    def __init__(self, n_features: int, n_reconstructed: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.embedding = _Periodic(n_features)
        self.entrance = nn.Linear(n_features * 16, widths[0])
        self.encoder = _residuals([widths[0], *widths])
        self.decoder = _residuals([widths[-1], *reversed(widths)])
        self.exit = nn.Linear(widths[0], n_reconstructed, bias=False)

    def encode(self, x: Tensor) -> Tensor:
        """Return the latent vectors of stars."""
        return self.encoder(self.entrance(self.embedding(x).flatten(1)))

    def forward(self, x: Tensor) -> Tensor:
        """Return the reconstructed features."""
        return self.exit(self.decoder(self.encode(x)))


class ThesisRegressor(nn.Module):
    """That encoder with the thesis's head: five layers, then a layer for each quantile."""

    def __init__(
        self, autoencoder: ThesisAutoencoder, n_latent: int, widths: Sequence[int], n_labels: int
    ) -> None:
        super().__init__()
        self.autoencoder = autoencoder
        layers: list[nn.Module] = []
        for n_in, n_out in zip([n_latent, *widths], widths, strict=False):
            layers += [nn.Linear(n_in, n_out), nn.ReLU()]
        self.hidden = nn.Sequential(*layers)
        self.quantiles = nn.ModuleList([nn.Linear(widths[-1], n_labels) for _ in range(3)])

    def forward(self, x: Tensor) -> Tensor:
        """Return the quantiles of the labels, (n_stars, n_labels, 3)."""
        hidden = self.hidden(self.autoencoder.encode(x))
        return torch.stack([quantile(hidden) for quantile in self.quantiles], dim=-1)


class _Block(nn.Module):
    """Attention and a dense layer, each with a norm of its sum with the input."""

    def __init__(self, dim: int, n_heads: int, width: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(
            dim, n_heads, dropout=0.1, add_bias_kv=True, batch_first=True
        )
        self.dense = nn.Sequential(nn.Linear(dim, width), nn.GELU(), nn.Linear(width, dim))
        self.norms = nn.ModuleList([nn.LayerNorm(dim) for _ in range(2)])
        self.dropout = nn.Dropout(0.1)

    def forward(self, x: Tensor, memory: Tensor, padding: Tensor) -> Tensor:
        seen, _ = self.attention(x, memory, memory, key_padding_mask=padding, need_weights=False)
        x = self.norms[0](x + self.dropout(seen))
        return self.norms[1](x + self.dense(x))


class ParentTransformer(nn.Module):
    """The transformer of Leung & Bovy (2024): at most 64 tokens in, one request out.

    Token 0 is padding; one is added to the others.
    """

    def __init__(
        self,
        n_tokens: int,
        dim: int,
        encoder: Sequence[tuple[int, int]],
        decoder: Sequence[tuple[int, int]],
        head: Sequence[int],
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(n_tokens + 1, dim)))
        self.bias = nn.Parameter(nn.init.xavier_uniform_(torch.empty(n_tokens + 1, dim)))
        self.encoder = nn.ModuleList([_Block(dim, *sizes) for sizes in encoder])
        self.decoder = nn.ModuleList([_Block(dim, *sizes) for sizes in decoder])
        layers: list[nn.Module] = []
        for n_in, n_out in zip([dim, *head], head, strict=False):
            layers += [nn.Linear(n_in, n_out), nn.GELU(), nn.Dropout(0.1)]
        self.head = nn.Sequential(*layers)
        self.mean, self.log_variance = (nn.Linear(head[-1], 1) for _ in range(2))

    def encode(self, values: Tensor, tokens: Tensor) -> Tensor:
        """Return the encoded tokens of stars."""
        x = F.gelu(self.weight[tokens] * values[..., None] + self.bias[tokens])
        for block in self.encoder:
            x = block(x, x, tokens == 0)
        return x

    def forward(self, values: Tensor, tokens: Tensor, request: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance of one request a star, (batch,)."""
        return self.decode(self.encode(values, tokens), tokens, request)

    def decode(self, memory: Tensor, tokens: Tensor, request: Tensor) -> tuple[Tensor, Tensor]:
        """Return the same of encoded tokens."""
        x = self.weight[request][:, None]
        for block in self.decoder:
            x = block(x, memory, tokens == 0)
        hidden = self.head(x[:, 0])
        return self.mean(hidden)[:, 0], self.log_variance(hidden)[:, 0]
