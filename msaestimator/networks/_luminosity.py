"""The pseudo-luminosity of a parallax and a magnitude, made of scaled features."""

from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["PseudoLuminosity"]

ZERO_POINT = 10.0
"""Magnitude at which the parallax in mas is itself the pseudo-luminosity: a giant's is about 1."""


class PseudoLuminosity(nn.Module):
    """Multiply a parallax by what distance dims, with weights that are not trained.

    The result is ``asinh(parallax 10 ** ((m - 10) / 5))``, centred and scaled: linear in the
    parallax where noise makes it small or negative, and the absolute magnitude where it is large
    (Leung & Bovy 2024).

    **Shape**: (batch, n_features) with NaN missing → (batch, 1), NaN where either is missing.

    Parameters
    ----------
    columns : array-like of int of shape (2,)
        Positions of the magnitude and of the parallax among the features.
    zero, unit : array-like of shape (2,)
        Value of a scaled feature of 0, and size of one unit of it, in mag and mas.
    center, width : float
        Number subtracted from the result, and its divisor.
    """

    columns: Tensor
    zero: Tensor
    unit: Tensor

    def __init__(self, columns: Any, zero: Any, unit: Any, center: Any, width: Any) -> None:
        super().__init__()
        # Not part of the state, which may be stored in half precision.
        self.register_buffer("columns", torch.as_tensor(columns), persistent=False)
        for name, values in (("zero", zero), ("unit", unit)):
            values = torch.as_tensor(values, dtype=torch.float32)
            self.register_buffer(name, values, persistent=False)
        self.center, self.width = float(center), float(width)

    def __len__(self) -> int:
        return 1

    def forward(self, x: Tensor) -> Tensor:
        """Return the pseudo-luminosity of the features ``x``."""
        with torch.autocast(x.device.type, enabled=False):
            magnitude, parallax = (x[:, self.columns].float() * self.unit + self.zero).unbind(1)
            luminosity = parallax * 10.0 ** ((magnitude - ZERO_POINT) / 5.0)
            scaled = (luminosity.asinh() - self.center) / self.width
        return scaled.to(x.dtype)[:, None]
