"""Torch modules and losses: tensors in, tensors out."""

from msaestimator.networks._attention import Attention, TransformerBlock
from msaestimator.networks._autoencoder import MaskedAutoencoder
from msaestimator.networks._block_draw import BlockDraw, BlockMask
from msaestimator.networks._block_transformer import BlockAnswers, BlockEmbedding, BlockTransformer
from msaestimator.networks._blocks import PreNormBlock, ResidualBlock, residual_stack
from msaestimator.networks._contrasts import Contrasts
from msaestimator.networks._embeddings import PeriodicEmbedding
from msaestimator.networks._ensembles import IndependentRegressors
from msaestimator.networks._heads import MemberLinear, QuantileHead, QuantileRegressor
from msaestimator.networks._joint_errors import common_error_loss, error_shares
from msaestimator.networks._linear import Linear
from msaestimator.networks._losses import (
    cauchy_error,
    likelihood_loss,
    masked_error,
    pinball_loss,
    taught_loss,
)
from msaestimator.networks._luminosity import PseudoLuminosity
from msaestimator.networks._masking import GroupMask, JointMask, SpanMask
from msaestimator.networks._noise import NoisyMask
from msaestimator.networks._token_draw import Requests, TokenDraw
from msaestimator.networks._transformer import StellarTransformer, TokenEmbedding

__all__ = [
    "Attention",
    "BlockAnswers",
    "BlockDraw",
    "BlockEmbedding",
    "BlockMask",
    "BlockTransformer",
    "Contrasts",
    "GroupMask",
    "IndependentRegressors",
    "JointMask",
    "Linear",
    "MaskedAutoencoder",
    "MemberLinear",
    "NoisyMask",
    "PeriodicEmbedding",
    "PreNormBlock",
    "PseudoLuminosity",
    "QuantileHead",
    "QuantileRegressor",
    "Requests",
    "ResidualBlock",
    "SpanMask",
    "StellarTransformer",
    "TokenDraw",
    "TokenEmbedding",
    "TransformerBlock",
    "cauchy_error",
    "common_error_loss",
    "error_shares",
    "likelihood_loss",
    "masked_error",
    "pinball_loss",
    "residual_stack",
    "taught_loss",
]
