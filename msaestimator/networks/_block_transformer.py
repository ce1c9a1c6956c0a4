"""The block transformer: quantities of one kind are read as one token and answered together."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from msaestimator.networks._attention import TransformerBlock, dense_stack, transformer_blocks
from msaestimator.networks._contrasts import Contrasts
from msaestimator.networks._linear import Linear

__all__ = ["BlockAnswers", "BlockEmbedding", "BlockTransformer"]

WIDTH_OF_WORD = 16
"""Hidden units that a quantity adds to the embedding of its block, up to twice the vectors'."""

WIDTH_OF_ERRORS = 64
"""Hidden units of what errors have in common: directions are told by fewer than answers are."""


class BlockAnswers(NamedTuple):
    """Answers of a `BlockTransformer`, each (batch, n_answers) or of that and a last axis.

    Parameters
    ----------
    mean, log_variance : Tensor of shape (batch, n_answers)
        Answer and logarithm of its squared error.
    factors : Tensor of shape (batch, n_answers, n_factors + 1), optional
        Loads of the answers' errors on factors that they have in common, and the logarithms of
        the variances beside these, see `common_error_loss`. None of a network without factors.
    """

    mean: Tensor
    log_variance: Tensor
    factors: Tensor | None = None


class BlockEmbedding(nn.Module):
    """A vector for what is known of a block of quantities, and of which of them it is known.

    Parameters
    ----------
    words : sequence of int
        Places of the block's quantities among all.
    dim : int
        Length of the vector.
    contrasts : Contrasts, optional
        Combinations of quantities, of this block and others, that are told beside them.
    asinh : bool
        Whether quantities were compressed by asinh, which combinations are made without.
    """

    def __init__(
        self,
        words: Sequence[int],
        dim: int,
        contrasts: Contrasts | None = None,
        asinh: bool = False,
    ) -> None:
        super().__init__()
        self.words = list(words)
        self.contrasts = contrasts
        self.asinh = asinh
        n_contrasts = 0 if contrasts is None else len(contrasts)
        width = min(2 * dim, WIDTH_OF_WORD * (len(self.words) + n_contrasts))
        n_inputs = 2 * len(self.words) + n_contrasts
        self.layers = nn.Sequential(Linear(n_inputs, width), nn.GELU(), Linear(width, dim))

    def forward(self, values: Tensor) -> Tensor:
        """Return the vectors, (batch, dim), of all quantities (batch, n_words), NaN unknown."""
        own = values[:, self.words]
        unknown = own.isnan()
        told = [own.masked_fill(unknown, 0.0), (~unknown).to(own.dtype)]
        if self.contrasts is not None:
            combined = self.contrasts(values.sinh() if self.asinh else values)
            told.append(combined.nan_to_num(0.0).asinh())
        return cast(Tensor, self.layers(torch.cat(told, 1)))


class BlockTransformer(nn.Module):
    """Encoder of a star's blocks of quantities, decoder of the asked ones.

    As in Leung & Bovy (2024) questions look at the encoded star and never at each other. A block
    is one token however many quantities it has, and one question: its quantities have a linear
    output each, so that coefficients of a spectrum are answered together, as one vector.

    Parameters
    ----------
    blocks : sequence of int of length n_words
        Block of each quantity, numbered from zero.
    dim : int
        Length of all vectors.
    encoder_heads, encoder_widths : sequence of int
        Attention heads and hidden width of each encoder block.
    decoder_heads, decoder_widths : sequence of int
        Attention heads and hidden width of each decoder block.
    head_widths : sequence of int
        Widths of the hidden layers between the decoder and the outputs.
    dropout : float
        Dropout in the blocks and the head.
    contrasts : mapping of int to Contrasts, optional
        Combinations of quantities, by the block that is told them.
    asinh : bool
        Whether quantities were compressed by asinh, which combinations are made without.
    n_factors : int
        Number of factors that errors of a star's answers have in common.
    """

    def __init__(
        self,
        blocks: Sequence[int],
        dim: int,
        encoder_heads: Sequence[int],
        encoder_widths: Sequence[int],
        decoder_heads: Sequence[int],
        decoder_widths: Sequence[int],
        head_widths: Sequence[int],
        dropout: float,
        contrasts: Mapping[int, Contrasts] | None = None,
        asinh: bool = False,
        n_factors: int = 0,
    ) -> None:
        super().__init__()
        self.words = [
            [word for word, block in enumerate(blocks) if block == number]
            for number in range(max(blocks) + 1)
        ]
        self.dim = dim
        # DIFF(zhang2026): a token for each quantity costs ten times as much, and answers to
        # coefficients that are asked one by one disagree.
        self.embeddings = nn.ModuleList(
            BlockEmbedding(words, dim, (contrasts or {}).get(block), asinh)
            for block, words in enumerate(self.words)
        )
        self.questions = nn.Parameter(torch.randn(len(self.words), dim))
        self.encoder = transformer_blocks(dim, encoder_heads, encoder_widths, dropout)
        self.decoder = transformer_blocks(dim, decoder_heads, decoder_widths, dropout)
        self.head = dense_stack(dim, head_widths, dropout)
        width = [dim, *head_widths][-1]
        self.outputs = nn.ModuleList(Linear(width, 2 * len(words)) for words in self.words)
        self.n_factors = n_factors
        if n_factors:
            self.error_head = dense_stack(width, [WIDTH_OF_ERRORS], dropout)
            self.factors = nn.ModuleList(
                Linear(WIDTH_OF_ERRORS, (n_factors + 1) * len(words)) for words in self.words
            )

    def words_of(self, asked: Sequence[int]) -> list[int]:
        """Return the quantities that asked blocks answer, in the order of the answers."""
        return [word for block in asked for word in self.words[block]]

    def encode(self, values: Tensor) -> Tensor:
        """Return the blocks of stars as vectors, (batch, n_blocks, dim).

        Parameters
        ----------
        values : Tensor of shape (batch, n_words)
            Quantities, NaN where unknown.
        """
        memory = torch.stack([embedding(values) for embedding in self.embeddings], dim=1)
        for block in self.encoder:
            memory = block(memory, memory)
        return memory

    def decode(self, memory: Tensor, asked: Sequence[int]) -> BlockAnswers:
        """Return the answers to all quantities of the asked blocks.

        Parameters
        ----------
        memory : Tensor of shape (batch, n_blocks, dim)
            Vectors that `encode` returned.
        asked : sequence of int
            Numbers of the blocks.

        Returns
        -------
        BlockAnswers
            Answers of the quantities `words_of` names.
        """
        answer = self._ask(memory, asked)
        for block in self.decoder:
            answer = block(answer, memory)
        answer = self.head(answer)
        parts = [self.outputs[block](answer[:, place]) for place, block in enumerate(asked)]
        mean, log_variance = zip(*(part.chunk(2, dim=1) for part in parts), strict=True)
        return BlockAnswers(
            torch.cat(mean, dim=1), torch.cat(log_variance, dim=1), self._factors(answer, asked)
        )

    def forward(self, values: Tensor, asked: Sequence[int]) -> BlockAnswers:
        """Return the answers of the blocks ``asked`` given ``values``."""
        return self.decode(self.encode(values), asked)

    def attention(self, values: Tensor, asked: Sequence[int]) -> Tensor:
        """Return the attention of each asked block to each block in the last decoder block.

        The shape is (batch, n_asked, n_blocks); heads are averaged. The weights of a question and
        that of the learned entry, which is not returned, add up to one.
        """
        memory = self.encode(values)
        answer = self._ask(memory, asked)
        for block in self.decoder[:-1]:
            answer = block(answer, memory)
        attention = cast(TransformerBlock, self.decoder[-1]).attention
        return attention.weights(answer, attention.read(memory))[..., :-1]

    def _factors(self, answer: Tensor, asked: Sequence[int]) -> Tensor | None:
        if not self.n_factors:
            return None
        # What errors have in common must not change the answers.
        answer = self.error_head(answer.detach())
        parts = [self.factors[block](answer[:, place]) for place, block in enumerate(asked)]
        return torch.cat([part.unflatten(1, (-1, self.n_factors + 1)) for part in parts], dim=1)

    def _ask(self, memory: Tensor, asked: Sequence[int]) -> Tensor:
        return self.questions[list(asked)].expand(len(memory), -1, -1)
