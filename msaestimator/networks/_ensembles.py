"""Several whole regressors as one network: the thesis's ensemble."""

from collections.abc import Iterable, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from msaestimator.networks._autoencoder import MaskedAutoencoder
from msaestimator.networks._heads import QuantileRegressor

__all__ = ["IndependentRegressors"]


class IndependentRegressors(nn.Module):
    """Regressors that share nothing, evaluated one after the other.

    McKay 2025 section 3.1.3.

    **Shape**: (batch, n_features) → of each regressor its quantiles and reconstruction.
    """

    def __init__(self, members: Sequence[QuantileRegressor]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    @property
    def autoencoder(self) -> MaskedAutoencoder:
        """The first member's autoencoder, which stands for all where one is wanted."""
        return cast(QuantileRegressor, self.members[0]).autoencoder

    def quantiles(self, x: Tensor) -> Tensor:
        """Return the quantiles of all: (batch, n_members, n_labels, n_quantiles)."""
        members = cast(Iterable[QuantileRegressor], self.members)
        return torch.cat([member.quantiles(x) for member in members], dim=1)

    def latent_and_quantiles(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the latent vectors of the first member, and the quantiles of all."""
        members: list[QuantileRegressor] = list(self.members)  # type: ignore[arg-type]
        latent, quantiles = members[0].latent_and_quantiles(x)
        return latent, torch.cat([quantiles, *(m.quantiles(x) for m in members[1:])], dim=1)

    def forward(self, x: Tensor) -> list[tuple[Tensor, Tensor | None]]:
        """Return quantiles and reconstruction of each."""
        return [member(x) for member in self.members]
