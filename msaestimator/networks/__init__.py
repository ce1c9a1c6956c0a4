"""Torch modules and losses: tensors in, tensors out."""

from msaestimator.networks._autoencoder import MaskedAutoencoder
from msaestimator.networks._blocks import ResidualBlock, residual_stack
from msaestimator.networks._embeddings import PeriodicEmbedding
from msaestimator.networks._heads import MemberLinear, QuantileHead, QuantileRegressor
from msaestimator.networks._losses import masked_error, pinball_loss
from msaestimator.networks._masking import GroupMask

__all__ = [
    "GroupMask",
    "MaskedAutoencoder",
    "MemberLinear",
    "PeriodicEmbedding",
    "QuantileHead",
    "QuantileRegressor",
    "ResidualBlock",
    "masked_error",
    "pinball_loss",
    "residual_stack",
]
