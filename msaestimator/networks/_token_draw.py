"""Draws of the tokens of a star that the transformer is shown in training, and is asked."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["Requests", "TokenDraw"]


class Requests(NamedTuple):
    """Tokens asked of a batch of stars, (batch, n_requests) each.

    ``counted`` is False where a star has too little to be asked for. ``weights``, of shape
    (n_requests,), weigh them in the loss; None weighs all alike.
    """

    tokens: Tensor
    counted: Tensor
    weights: Tensor | None = None


class TokenDraw:
    """Draw known quantities and requests for stars.

    Parameters
    ----------
    blocks : sequence of int of length n_tokens
        Block of each token, numbered from zero.
    request_weights : sequence of float of length n_tokens
        Relative frequency at which each token is asked for; zero is never.
    input_weights : sequence of float of length n_tokens, optional
        Relative frequency at which each token is shown; None is all alike.
    n_inputs : pair of int
        Fewest and most tokens shown of a star. The number is drawn uniformly between them for
        each batch, so that a batch needs no padding but for stars that have less.
    n_requests : int
        Number of tokens asked of each star.
    block_dropout : float or sequence of float of length n_blocks
        Probability that a block of a star is hidden as a whole: one for all blocks, or one for
        each.
    resample_noise : bool
        Whether to add to each value noise of its measurement error.
    """

    def __init__(
        self,
        blocks: Sequence[int],
        request_weights: Sequence[float],
        *,
        input_weights: Sequence[float] | None = None,
        n_inputs: tuple[int, int],
        n_requests: int,
        block_dropout: float | Sequence[float] = 0.0,
        resample_noise: bool = False,
    ) -> None:
        self.blocks = torch.as_tensor(blocks)
        if input_weights is None:
            input_weights = [1.0] * len(blocks)
        self.log_request_weights, self.log_input_weights = (
            torch.as_tensor(weights, dtype=torch.float32).log()
            for weights in (request_weights, input_weights)
        )
        self.n_inputs = n_inputs
        self.n_requests = n_requests
        n_blocks = int(self.blocks.max()) + 1
        self.block_dropout = torch.as_tensor(block_dropout, dtype=torch.float32).expand(n_blocks)
        self.resample_noise = resample_noise

    def __call__(
        self, stars: Tensor
    ) -> tuple[tuple[Tensor, Tensor, Tensor, Tensor | None], Requests]:
        """Return the tokens shown and asked of stars.

        Parameters
        ----------
        stars : Tensor of shape (batch, 2, n_tokens)
            Values, NaN where unknown, and their errors.

        Returns
        -------
        shown : tuple
            Values, tokens, requests and padding, as `StellarTransformer` takes them; None
            for the padding if there is none.
        requests : Requests
        """
        values, errors = stars.unbind(1)
        known = ~values.isnan()
        tokens, absent = self._choose_inputs(known)
        requests = self._choose_requests(known)
        if self.resample_noise:
            values = values + errors * torch.randn_like(values)
        inputs = values.gather(1, tokens).masked_fill(absent, 0.0)
        padding = absent if absent.any() else None
        return (inputs, tokens, requests.tokens, padding), requests

    def hide(self, stars: Tensor) -> Tensor:
        """Return values of stars, NaN where unknown or hidden, (batch, n_tokens)."""
        (inputs, tokens, _, padding), _ = self(stars)
        shown = torch.full_like(stars[:, 0], torch.nan)
        inputs = inputs if padding is None else inputs.masked_fill(padding, torch.nan)
        return shown.scatter(1, tokens, inputs)

    def _choose_inputs(self, known: Tensor) -> tuple[Tensor, Tensor]:
        """Return the tokens shown, and a mask of the padding."""
        if self.block_dropout.any():
            chance = self.block_dropout.to(known.device)
            hidden = torch.rand(len(known), len(chance), device=known.device) < chance
            known = known & ~hidden[:, self.blocks.to(known.device)]
        fewest, most = self.n_inputs
        # DIFF(zhang2026): one number for the batch instead of one a star, which would pad it.
        n_shown = int(torch.randint(fewest, most + 1, ()))
        n_shown = min(n_shown, int(known.sum(dim=1).max()))
        tokens, drawn = _draw(self.log_input_weights, known, n_shown)
        return tokens, ~drawn

    def _choose_requests(self, known: Tensor) -> Requests:
        return Requests(*_draw(self.log_request_weights, known, self.n_requests))


def _draw(log_weights: Tensor, known: Tensor, n_drawn: int) -> tuple[Tensor, Tensor]:
    """Return distinct known tokens of each star, (batch, n_drawn), and a mask of those found.

    The largest log weights with Gumbel noise are draws by weight without replacement.
    """
    # Not quite zero, whose logarithm would be infinite.
    uniform = torch.rand(known.shape, device=known.device).clamp(min=1e-30)
    score = log_weights.to(known.device) - (-uniform.log()).log()
    score = score.masked_fill(~known, -torch.inf)
    drawn, tokens = score.topk(min(n_drawn, score.shape[1]), dim=1)
    return tokens, drawn > -torch.inf
