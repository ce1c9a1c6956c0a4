"""Muon: steps of weight matrices made orthogonal, and AdamW for all else."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import AdamW

__all__ = ["Muon", "orthogonalized"]

LEAST_SIDE = 16
"""Least side of a matrix that Muon moves: a narrower one, such as the embedding of one feature or
the output of a few labels, is AdamW's."""

MOMENTUM = 0.95
"""Share of the last mean in the running mean of the gradients."""

USUAL_STEP = 0.2
"""Root mean square of AdamW's steps over the learning rate; Muon's steps are given it too."""

POLYNOMIAL = (3.4445, -4.7750, 2.0315)
N_ITERATIONS = 5


class Muon(AdamW):
    """Optimiser whose steps of weight matrices have singular values that are all alike.

    A gradient is dominated by few directions, those of what most stars tell. Here all directions
    of a matrix move equally far, so that what few stars or faint features tell is learned in
    fewer epochs. Learning rates and weight decays are as for AdamW, whose usual steps are as
    large. Parameters that are no wide matrix are left to AdamW; :class:`torch.optim.Muon` refuses
    them, and stacks of matrices too.

    References
    ----------
    Jordan et al. (2024), *Muon: an optimizer for hidden layers in neural networks*; Liu et al.
    (2025), *Muon is scalable for LLM training*, arXiv:2502.16982, for the step's size; Gorishniy
    et al. (2026), *Benchmarking optimizers for MLPs in tabular deep learning*, arXiv:2604.15297.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move all parameters once; ``closure`` computes the gradients and returns the loss."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None and _is_wide(weight):
                    self._move(weight, weight.grad, group["lr"], group["weight_decay"])
                    # AdamW passes over what has no gradient.
                    weight.grad = None
        super().step()
        return loss

    def _move(self, weight: Tensor, gradient: Tensor, lr: float, weight_decay: float) -> None:
        state = self.state[weight]
        if not state:
            # Under the names that AdamW looks for in a state it loads.
            state["step"] = torch.tensor(0.0)
            state["exp_avg"] = torch.zeros_like(weight)
        state["step"] += 1
        mean = state["exp_avg"].lerp_(gradient, 1 - MOMENTUM)
        # Nesterov's: the mean as it would be were the next gradient like this one.
        step = orthogonalized(gradient.lerp(mean, MOMENTUM))
        length = USUAL_STEP * math.sqrt(max(weight.shape[-2:]))
        weight.mul_(1 - lr * weight_decay).add_(step, alpha=-lr * length)


def _is_wide(weight: Tensor) -> bool:
    return weight.ndim >= 2 and min(weight.shape[-2:]) >= LEAST_SIDE


def orthogonalized(matrix: Tensor) -> Tensor:
    """Return the matrix with singular values near one, between about 0.7 and 1.2.

    A Newton-Schulz iteration of fifth degree needs matrix products alone.

    **Shape**: (..., n, m) → (..., n, m).
    """
    a, b, c = POLYNOMIAL
    x = matrix.bfloat16() if matrix.is_cuda else matrix
    is_tall = x.shape[-2] > x.shape[-1]
    x = x.mT if is_tall else x
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)
    for _ in range(N_ITERATIONS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.mT if is_tall else x).to(matrix.dtype)
