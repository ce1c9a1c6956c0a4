"""Stars as they might have been measured once more."""

import torch
from torch import Tensor

from msaestimator.networks._masking import GroupMask

__all__ = ["NoisyMask"]


class NoisyMask:
    """Add noise to the features of each star, drawn anew each time, and hide some of them.

    Parameters
    ----------
    mask : GroupMask
        Draws what is hidden.
    """

    def __init__(self, mask: GroupMask) -> None:
        self.mask = mask

    def __call__(self, x: Tensor) -> tuple[tuple[Tensor], Tensor]:
        """Return noisy stars with NaN where hidden, and what is hidden.

        Parameters
        ----------
        x : Tensor of shape (n_stars, 2 * n_features)
            The features, then their errors: the standard deviations of the noise.
        """
        features, errors = x.chunk(2, dim=1)
        return self.mask(features + errors * torch.randn_like(features))
