"""Plain torch loops that train and ask the networks of the papers as these describe it."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from common.peer_networks import ParentTransformer, ThesisAutoencoder

__all__ = ["ParentLoop", "ThesisLoop", "ask_parent"]

SENTINEL = -9999.0
CONTEXT, LONGEST_TAIL = 64, 60
"""Most tokens that the parent is shown of a star, and one more than most it leaves out."""


class ThesisLoop:
    """Training of the thesis's autoencoder: L1, AdamW, gradients clipped at 1.

    Parameters
    ----------
    network : ThesisAutoencoder
    is_xp : Tensor of bool of shape (n_features,)
        Places of the XP coefficients, which are hidden together from nine stars of ten; other
        features are hidden each from six.
    batch_size : int
    """

    def __init__(self, network: ThesisAutoencoder, is_xp: Tensor, batch_size: int) -> None:
        self.network = network
        self.is_xp = is_xp
        self.batch_size = batch_size
        self.optimizer = torch.optim.AdamW(network.parameters(), lr=1e-5, weight_decay=1e-5)

    def run_epoch(self, x: Tensor) -> None:
        """Train on every star once; ``x`` (n_stars, n_features) is NaN where missing."""
        self.network.train()
        for rows in torch.randperm(len(x)).split(self.batch_size):
            batch = x[rows]
            hidden = torch.rand(batch.shape) < 0.6
            hidden = torch.where(self.is_xp, torch.rand(len(batch), 1) < 0.9, hidden)
            output = self.network(batch.masked_fill(hidden | batch.isnan(), SENTINEL))
            target = batch[:, : output.shape[1]]
            known = ~target.isnan()
            loss = (output - target)[known].abs().mean()
            _step(loss, self.optimizer, self.network)


class ParentLoop:
    """Training of Leung & Bovy's transformer: one request a star, 5 to 64 tokens shown.

    Parameters
    ----------
    network : ParentTransformer
    batch_size : int
    """

    def __init__(self, network: ParentTransformer, batch_size: int) -> None:
        self.network = network
        self.batch_size = batch_size
        self.optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4)

    def run_epoch(self, stars: Tensor) -> None:
        """Train on every star once; ``stars`` (n_stars, 2, n_tokens): values, their errors."""
        self.network.train()
        for rows in torch.randperm(len(stars)).split(self.batch_size):
            values, errors = stars[rows].unbind(1)
            given, tokens = _pad(values)
            # Any number of the last tokens is left out.
            n_left_out = torch.randint(LONGEST_TAIL, (len(rows), 1))
            tokens = tokens.masked_fill(torch.arange(CONTEXT) >= CONTEXT - n_left_out, 0)
            request = _shuffled(values)[:, :1]
            mean, log_variance = self.network(given, tokens, request[:, 0] + 1)
            target, error = (part.gather(1, request)[:, 0] for part in (values, errors))
            variance = log_variance.exp() + error.nan_to_num().square()
            loss = 0.5 * ((target - mean).square() / variance + variance.log()).mean()
            _step(loss, self.optimizer, None)


def ask_parent(
    network: ParentTransformer, values: Tensor, requests: Sequence[int], batch_size: int
) -> Tensor:
    """Return the means of requests, (n_stars, n_requests): each decoded by itself."""
    network.eval()
    answers = []
    with torch.inference_mode():
        for batch in values.split(batch_size):
            given, tokens = _pad(batch)
            memory = network.encode(given, tokens)
            each = [
                network.decode(memory, tokens, torch.full((len(batch),), r + 1))[0]
                for r in requests
            ]
            answers.append(torch.stack(each, dim=1))
    return torch.cat(answers)


def _shuffled(values: Tensor) -> Tensor:
    """Return the tokens of each star in random order, the known ones first."""
    order = torch.rand(values.shape).masked_fill(values.isnan(), 2.0)
    return order.argsort(dim=1)


def _pad(values: Tensor) -> tuple[Tensor, Tensor]:
    """Return known values and their tokens, counted from one, padded by zeros to the context."""
    order = _shuffled(values)[:, :CONTEXT]
    given = values.gather(1, order)
    known = ~given.isnan()
    pad = (0, CONTEXT - order.shape[1])
    tokens = F.pad((order + 1).masked_fill(~known, 0), pad)
    return F.pad(given.nan_to_num(), pad), tokens


def _step(loss: Tensor, optimizer: torch.optim.Optimizer, clipped: nn.Module | None) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    if clipped is not None:
        nn.utils.clip_grad_norm_(clipped.parameters(), 1.0)
    optimizer.step()
