"""Steps that several processes take together, as one process would on all their stars."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback
from torch import nn

from msaestimator.exceptions import ProcessError
from msaestimator.training._processes import Processes

__all__ = ["AveragedGradients"]


class AveragedGradients(Callback):
    """Give each process the mean of the gradients over the stars of all.

    Networks, optimisers and their parameters' names stay as they are with one process. The
    callback must come before those that look at gradients, such as clipping.

    Parameters
    ----------
    processes : Processes

    Notes
    -----
    Random numbers follow from the first process's seed and the number of the epoch. So all draw
    the same order of the stars, and go on alike from a checkpoint. Once the order is drawn they
    follow from the process's number too: masks and dropout are its own.
    """

    def __init__(self, processes: Processes) -> None:
        self.processes = processes

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Begin with the seed and the weights of the first process."""
        self.seed_ = self.processes.first_number(torch.initial_seed() % 2**63, net.device)
        for tensor in net.module_.state_dict().values():
            self.processes.take_first(tensor)

    def on_epoch_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Let all processes draw the same order of the stars."""
        self._check_alike(net)
        self.is_shared_ = True
        self._seed(len(net.history))

    def on_batch_begin(self, net: NeuralNet, training: bool = False, **kwargs: Any) -> None:
        """Let each process draw masks of its own, once the order is drawn."""
        if training and self.is_shared_:
            self.is_shared_ = False
            self._seed(len(net.history), 1 + self.processes.rank)

    def on_grad_computed(
        self,
        net: NeuralNet,
        named_parameters: Iterable[tuple[str, nn.Parameter]],
        batch: Any = None,
        **kwargs: Any,
    ) -> None:
        """Average the gradients, each process's by its number of stars.

        A parameter that was used in some processes only counts as zero in others.
        """
        weights = [weight for _, weight in named_parameters]
        found = [torch.zeros_like(w) if w.grad is None else w.grad for w in weights]
        is_used = found[0].new_tensor([w.grad is not None for w in weights])
        parts = [*(gradient.flatten() for gradient in found), is_used, is_used.new_ones(1)]
        flat = torch.cat(parts) * len(batch[0])
        self.processes.sum(flat)
        *sums, is_used, n_stars = flat.split([len(part) for part in parts])
        for weight, gradient, used in zip(weights, sums, is_used.tolist(), strict=True):
            if used:
                weight.grad = (gradient / n_stars).view_as(weight)

    def _seed(self, *numbers: int) -> None:
        (seed,) = np.random.SeedSequence([self.seed_, *numbers]).generate_state(1, np.uint64)
        torch.manual_seed(int(seed))

    def _check_alike(self, net: NeuralNet) -> None:
        """Refuse processes of which some went on from a checkpoint and others did not."""
        n_epochs = len(net.history)
        expected = self.processes.first_number(n_epochs, net.device)
        differs = torch.tensor(float(n_epochs != expected), device=net.device)
        self.processes.sum(differs)
        if differs:
            raise ProcessError(
                f"Process {self.processes.rank} is at epoch {n_epochs}, the first process at "
                f"epoch {expected}, and {int(differs)} differ from it. All must see the same file "
                "`checkpoint`, on a disk that they share."
            )
