"""What networks trained before say of the stars that another one is shown."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["TaughtMask"]


class TaughtMask:
    """Hide a part of each star, and ask teachers about what is left.

    Parameters
    ----------
    mask : GroupMask or NoisyMask
        Draws what is hidden.
    teachers : sequence of QuantileRegressor or IndependentRegressors
        Trained, on the device of the stars.
    """

    def __init__(self, mask: Callable[..., Any], teachers: Sequence[nn.Module]) -> None:
        self.mask = mask
        self.teachers = teachers

    @torch.no_grad()
    def __call__(self, x: Tensor) -> tuple[tuple[Tensor], tuple[Tensor, Tensor]]:
        """Return what is shown of a batch of stars; what is hidden, and the teachers' quantiles.

        The quantiles, (batch, n_labels, n_quantiles), are means over all members of all teachers.
        """
        shown, hidden = self.mask(x)
        quantiles = torch.cat([teacher.quantiles(*shown) for teacher in self.teachers], dim=1)
        return shown, (hidden, quantiles.mean(dim=1))
