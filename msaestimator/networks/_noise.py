"""Stars as they might have been measured once more."""

import torch
from torch import Tensor

from msaestimator.networks._masking import GroupMask

__all__ = ["NoisyMask"]


class NoisyMask:
    """Add noise to the features of each star, drawn anew each time, and hide some of them.

    The noise of a star is a fraction of its errors, between 0 and 1, that is drawn too. Stars have
    the noise they were measured with already: with as much again in all of them, a network would
    trust features less than it should.

    Parameters
    ----------
    mask : GroupMask
        Mask that draws the hidden features.
    """

    def __init__(self, mask: GroupMask) -> None:
        self.mask = mask

    def __call__(self, x: Tensor) -> tuple[tuple[Tensor], Tensor]:
        """Return noisy stars with NaN where hidden, and the hidden places.

        Parameters
        ----------
        x : Tensor of shape (n_stars, 2 * n_features)
            Features, then their errors: the largest standard deviations of the noise.
        """
        features, errors = x.chunk(2, dim=1)
        fractions = torch.rand(len(x), 1, device=x.device)
        return self.mask(features + errors * fractions * torch.randn_like(features))
