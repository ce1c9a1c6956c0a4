"""Fixed linear combinations of features, missing where a feature in them is."""

from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["Contrasts"]


class Contrasts(nn.Module):
    """Combine features linearly by weights that are not trained, such as colours of magnitudes.

    **Shape**: (batch, n_features) with NaN missing → (batch, n_contrasts), NaN where any feature
    of non-zero weight is missing.

    Parameters
    ----------
    weights : array-like of shape (n_features, n_contrasts)
    center : array-like of shape (n_contrasts,)
        Number subtracted from each combination.
    """

    weights: Tensor
    center: Tensor

    def __init__(self, weights: Any, center: Any) -> None:
        super().__init__()
        # Not part of the state, which may be stored in half precision.
        for name, values in (("weights", weights), ("center", center)):
            values = torch.as_tensor(values, dtype=torch.float32)
            self.register_buffer(name, values, persistent=False)

    def __len__(self) -> int:
        return len(self.center)

    def forward(self, x: Tensor) -> Tensor:
        """Return the combinations of the features ``x``."""
        missing = x.isnan()
        # In full precision: colours are small differences of large numbers.
        with torch.autocast(x.device.type, enabled=False):
            combined = x.float().masked_fill(missing, 0.0) @ self.weights.float() - self.center
            lacking = missing.float() @ (self.weights != 0).float()
        return combined.to(x.dtype).masked_fill(lacking > 0, torch.nan)
