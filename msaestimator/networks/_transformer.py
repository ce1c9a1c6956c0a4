"""The token transformer: any known quantities of a star in, any asked quantities out."""

from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from msaestimator.networks._attention import (
    TransformerBlock,
    dense,
    dense_stack,
    transformer_blocks,
)

__all__ = ["StellarTransformer", "TokenEmbedding"]


class TokenEmbedding(nn.Module):
    """A vector for a known quantity, ``GELU(w x + b)``, and one for a question, ``w``.

    Parameters
    ----------
    n_tokens : int
        Number of tokens in the vocabulary.
    dim : int
        Length of the vectors.
    scale : float, optional
        Standard deviation that w and b start with; None is Xavier's, which is small: GELU is
        nearly linear there.
    """

    def __init__(self, n_tokens: int, dim: int, scale: float | None = None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_tokens, dim))
        self.bias = nn.Parameter(torch.empty(n_tokens, dim))
        for parameter in (self.weight, self.bias):
            if scale is None:
                nn.init.xavier_uniform_(parameter)
            else:
                nn.init.normal_(parameter, std=scale)

    def forward(self, values: Tensor, tokens: Tensor) -> Tensor:
        """Return the vectors of known quantities, (..., dim), of ``values`` and ``tokens``."""
        weight, bias = F.embedding(tokens, self.weight), F.embedding(tokens, self.bias)
        return F.gelu(torch.addcmul(bias, weight, values.unsqueeze(-1)))

    def ask(self, requests: Tensor) -> Tensor:
        """Return the vectors of questions, (..., dim)."""
        return F.embedding(requests, self.weight)


class StellarTransformer(nn.Module):
    """Encoder of a star's known quantities, decoder of the asked ones (Leung & Bovy 2024).

    Known quantities have no order: there is no positional encoding, and a star may have any
    number of them, none included. Questions look at the encoded star and never at each other.

    Parameters
    ----------
    n_tokens : int
        Number of tokens in the vocabulary.
    dim : int
        Length of all vectors.
    encoder_heads, encoder_widths : sequence of int
        Attention heads and hidden width of each encoder block.
    decoder_heads, decoder_widths : sequence of int
        Attention heads and hidden width of each decoder block.
    head_widths : sequence of int
        Widths of the hidden layers between the decoder and the two outputs.
    dropout : float
        Dropout in the blocks and the head.
    embedding_scale : float, optional
        Standard deviation of the embedding's first weights, see `TokenEmbedding`.
    """

    def __init__(
        self,
        n_tokens: int,
        dim: int,
        encoder_heads: Sequence[int],
        encoder_widths: Sequence[int],
        decoder_heads: Sequence[int],
        decoder_widths: Sequence[int],
        head_widths: Sequence[int],
        dropout: float,
        embedding_scale: float | None = None,
    ) -> None:
        super().__init__()
        # DIFF(zhang2026): the parent has one embedding more, for padding, which is masked here.
        self.embedding = TokenEmbedding(n_tokens, dim, embedding_scale)
        self.encoder = transformer_blocks(dim, encoder_heads, encoder_widths, dropout)
        self.decoder = transformer_blocks(dim, decoder_heads, decoder_widths, dropout)
        self.head = dense_stack(dim, head_widths, dropout)
        self.mean, self.log_variance = (dense([dim, *head_widths][-1], 1) for _ in range(2))

    def encode(self, values: Tensor, tokens: Tensor, absent: Tensor | None = None) -> Tensor:
        """Return the known quantities of stars as vectors, (batch, n_known, dim).

        Parameters
        ----------
        values : Tensor of shape (batch, n_known)
        tokens : Tensor of int of shape (batch, n_known) or (n_known,)
            Tokens of the values: the quantity each one is.
        absent : Tensor of bool of shape (batch, n_known), optional
            Places that are only padding.
        """
        memory = self.embedding(values, tokens)
        if memory.shape[1]:
            for block in self.encoder:
                memory = block(memory, memory, absent)
        return memory

    def decode(
        self, memory: Tensor, requests: Tensor, absent: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return mean and log variance of the requests, each (batch, n_requests).

        Parameters
        ----------
        memory : Tensor of shape (batch, n_known, dim)
            Vectors that `encode` returned. Each block projects them once, however many requests
            there are.
        requests : Tensor of int of shape (n_requests,) or (batch, n_requests)
        absent : Tensor of bool of shape (batch, n_known), optional
        """
        answer = self._ask(memory, requests)
        for block in self.decoder:
            answer = block(answer, memory, absent)
        answer = self.head(answer)
        return self.mean(answer).squeeze(-1), self.log_variance(answer).squeeze(-1)

    def forward(
        self, values: Tensor, tokens: Tensor, requests: Tensor, absent: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return mean and log variance of ``requests`` given ``values`` of ``tokens``."""
        return self.decode(self.encode(values, tokens, absent), requests, absent)

    def attention(self, values: Tensor, tokens: Tensor, requests: Tensor) -> Tensor:
        """Return the attention of each request to each known quantity in the last block.

        The shape is (batch, n_requests, n_known); heads are averaged. A request's weights and that
        of the learned entry, which is not returned, add up to one.
        """
        memory = self.encode(values, tokens)
        answer = self._ask(memory, requests)
        for block in self.decoder[:-1]:
            answer = block(answer, memory)
        attention = cast(TransformerBlock, self.decoder[-1]).attention
        return attention.weights(answer, attention.read(memory))[..., :-1]

    def _ask(self, memory: Tensor, requests: Tensor) -> Tensor:
        return self.embedding.ask(requests.expand(len(memory), -1))
