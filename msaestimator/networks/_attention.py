"""Attention of queries to a memory, which is projected once for all of them."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from msaestimator.networks._linear import Linear

__all__ = ["Attention", "TransformerBlock", "dense", "dense_stack", "transformer_blocks"]


def dense(n_in: int, n_out: int) -> Linear:
    """Return a linear layer that starts as in Leung & Bovy (2024): Kaiming-uniform weights."""
    layer = Linear(n_in, n_out)
    nn.init.kaiming_uniform_(layer.weight)
    nn.init.uniform_(layer.bias, -(n_in**-0.5), n_in**-0.5)
    return layer


def dense_stack(n_in: int, widths: Sequence[int], dropout: float) -> nn.Sequential:
    """Return linear layers of these widths, each with GELU and dropout after it."""
    layers: list[nn.Module] = []
    for size, width in zip([n_in, *widths], widths, strict=False):
        layers += [dense(size, width), nn.GELU(), nn.Dropout(dropout)]
    return nn.Sequential(*layers)


class Attention(nn.Module):
    """Multi-head attention whose memory has one learned entry more.

    The learned entry is there whatever a star has, so that attention to a memory without any
    other entry is defined.

    Parameters
    ----------
    dim : int
        Length of the vectors of queries and memory.
    n_heads : int
        Number of heads; it divides ``dim``.
    dropout : float
        Probability that a weight of the attention is dropped.
    """

    def __init__(self, dim: int, n_heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.dropout = dropout
        self.project_query = Linear(dim, dim)
        self.project_memory = Linear(dim, 2 * dim)
        self.project_output = Linear(dim, dim)
        self.learned_entry = nn.Parameter(torch.empty(1, 1, 2 * dim))
        bound = (6 / (4 * dim)) ** 0.5  # Xavier-uniform of query, key and value as one layer
        for layer in (self.project_query, self.project_memory):
            nn.init.uniform_(layer.weight, -bound, bound)
        for layer in (self.project_query, self.project_memory, self.project_output):
            nn.init.zeros_(layer.bias)
        nn.init.xavier_normal_(self.learned_entry[0])

    def read(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Return the memory's keys and values, (batch, n_heads, n_entries + 1, dim / n_heads).

        Parameters
        ----------
        memory : Tensor of shape (batch, n_entries, dim)
        """
        entries = self.project_memory(memory)
        entries = torch.cat([entries, self.learned_entry.expand(len(memory), -1, -1)], dim=1)
        keys, values = entries.chunk(2, dim=-1)
        return self._split_heads(keys), self._split_heads(values)

    def forward(
        self, query: Tensor, entries: tuple[Tensor, Tensor], absent: Tensor | None = None
    ) -> Tensor:
        """Return the vector that each query finds, (batch, n_queries, dim).

        Parameters
        ----------
        query : Tensor of shape (batch, n_queries, dim)
        entries : pair of Tensor
            Keys and values that `read` made of the memory.
        absent : Tensor of bool of shape (batch, n_entries), optional
            Entries that are only padding.
        """
        queries, (keys, values) = self._split_heads(self.project_query(query)), entries
        visible = None if absent is None else self._visible(absent)
        dropout = self.dropout if self.training else 0.0
        if dropout and queries.device.type == "cpu":
            # Where fused attention has no dropout, and what takes its place is slower.
            found = F.dropout(_attend(queries, keys, visible), dropout) @ values
        else:
            found = F.scaled_dot_product_attention(queries, keys, values, visible, dropout)
        return self.project_output(found.transpose(1, 2).flatten(2))

    def weights(
        self, query: Tensor, entries: tuple[Tensor, Tensor], absent: Tensor | None = None
    ) -> Tensor:
        """Return how much each query looks at each entry, averaged over the heads.

        The shape is (batch, n_queries, n_entries + 1); the learned entry is the last, and the
        weights of a query add up to one.
        """
        queries = self._split_heads(self.project_query(query))
        visible = None if absent is None else self._visible(absent)
        return _attend(queries, entries[0], visible).mean(dim=1)

    def _split_heads(self, vectors: Tensor) -> Tensor:
        return vectors.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)

    @staticmethod
    def _visible(absent: Tensor) -> Tensor:
        return ~F.pad(absent, (0, 1))[:, None, None, :]


def _attend(queries: Tensor, keys: Tensor, visible: Tensor | None) -> Tensor:
    """Return how much queries look at entries, (batch, n_heads, n_queries, n_entries)."""
    scores = (queries * queries.shape[-1] ** -0.5) @ keys.transpose(-1, -2)
    if visible is not None:
        scores = scores.masked_fill(~visible, -torch.inf)
    return scores.softmax(dim=-1)


class TransformerBlock(nn.Module):
    """Attention, then two dense layers; each is added to its input, then normalised.

    Parameters
    ----------
    dim, n_heads, dropout
        Settings of `Attention`; dropout is also applied to the output of each half.
    width : int
        Width of the hidden layer.
    """

    def __init__(self, dim: int, n_heads: int, width: int, dropout: float) -> None:
        super().__init__()
        self.attention = Attention(dim, n_heads, dropout)
        self.widen, self.narrow = dense(dim, width), dense(width, dim)
        self.norm_attention, self.norm_dense = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, query: Tensor, memory: Tensor, absent: Tensor | None = None) -> Tensor:
        """Return the queries after looking at the memory, (batch, n_queries, dim)."""
        found = self.attention(query, self.attention.read(memory), absent)
        query = self.norm_attention(query + self.dropout(found))
        return self.norm_dense(query + self.dropout(self.narrow(F.gelu(self.widen(query)))))


def transformer_blocks(
    dim: int, heads: Sequence[int], widths: Sequence[int], dropout: float
) -> nn.ModuleList:
    """Return a `TransformerBlock` for each number of heads and hidden width."""
    return nn.ModuleList(
        TransformerBlock(dim, n_heads, width, dropout)
        for n_heads, width in zip(heads, widths, strict=True)
    )
