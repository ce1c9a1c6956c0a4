"""The masked autoencoder: embedding, residual encoder, mirrored decoder."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from msaestimator.networks._blocks import residual_stack
from msaestimator.networks._contrasts import Contrasts
from msaestimator.networks._embeddings import PeriodicEmbedding
from msaestimator.networks._luminosity import PseudoLuminosity

__all__ = ["MaskedAutoencoder"]


class MaskedAutoencoder(nn.Module):
    """Encode stars with missing features to a latent vector and reconstruct the features.

    McKay 2025 section 3.1.2. Hiding features is left to the caller: NaN is missing.

    Parameters
    ----------
    n_features, n_reconstructed : int
        Numbers of input features and of reconstructed ones.
    widths : sequence of int
        Widths of the encoder's residual blocks; the last is the latent dimension. The decoder
        has the same in reverse.
    d_embedding, n_frequencies, frequency_scale, sentinel, linear_term
        Settings of `PeriodicEmbedding`.
    dropout : float
        Dropout inside the residual blocks.
    block : {"prenorm", "mckay2025"}
        Kind of the residual blocks, see `residual_stack`.
    contrasts : Contrasts, optional
        Combinations of features that are further inputs.
    luminosity : PseudoLuminosity, optional
        Pseudo-luminosity that is one more.
    """

    def __init__(
        self,
        n_features: int,
        n_reconstructed: int,
        widths: Sequence[int],
        *,
        d_embedding: int,
        n_frequencies: int,
        frequency_scale: float,
        dropout: float,
        sentinel: float | None = None,
        linear_term: bool = True,
        block: str = "prenorm",
        contrasts: Contrasts | None = None,
        luminosity: PseudoLuminosity | None = None,
    ) -> None:
        super().__init__()
        self.contrasts = contrasts
        self.luminosity = luminosity
        n_inputs = n_features + sum(len(part) for part in (contrasts, luminosity) if part)
        self.embedding = PeriodicEmbedding(
            n_inputs, d_embedding, n_frequencies, frequency_scale, sentinel, linear_term
        )
        self.entrance = nn.Linear(n_inputs * d_embedding, widths[0])
        self.encoder = residual_stack(widths[0], widths, dropout, block)
        self.decoder = residual_stack(widths[-1], widths[::-1], dropout, block)
        self.exit = nn.Linear(widths[0], n_reconstructed, bias=False)

    def encode(self, x: Tensor) -> Tensor:
        """Return the latent vectors: (batch, n_features) → (batch, widths[-1])."""
        further = [part(x) for part in (self.contrasts, self.luminosity) if part is not None]
        x = torch.cat([x, *further], dim=1)
        return self.encoder(self.entrance(self.embedding(x).flatten(1)))

    def decode(self, latent: Tensor) -> Tensor:
        """Return the reconstruction: (batch, widths[-1]) → (batch, n_reconstructed)."""
        return self.exit(self.decoder(latent))

    def forward(self, x: Tensor) -> Tensor:
        """Return the reconstruction of ``x``: (batch, n_features) → (batch, n_reconstructed)."""
        return self.decode(self.encode(x))
