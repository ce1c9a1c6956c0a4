"""The network of a generalist: of blocks, or of single quantities as in the paper."""

from typing import Any

from msaestimator.estimators._block_inference import BlockInference
from msaestimator.estimators._requests import block_draw, block_numbers, request_draw
from msaestimator.estimators._token_inference import TokenInference
from msaestimator.networks import BlockDraw, BlockTransformer, StellarTransformer, TokenDraw

__all__ = ["build_generalist", "inference_of", "shown_and_asked"]


def build_generalist(model: Any) -> BlockTransformer | StellarTransformer:
    """Return the untrained network that a `StellarFoundationModel` asks for.

    Parameters
    ----------
    model : StellarFoundationModel
        Model with its fitted reader.
    """
    sizes = (
        model.embedding_dim,
        model.encoder_heads,
        model.encoder_widths,
        model.decoder_heads,
        model.decoder_widths,
        model.head_widths,
        model.dropout,
    )
    if model.read_by == "block":
        return BlockTransformer(block_numbers(model.vocabulary_), *sizes)
    return StellarTransformer(len(model.vocabulary_), *sizes, model.embedding_scale)


def shown_and_asked(model: Any) -> BlockDraw | TokenDraw:
    """Return what draws the shown and the asked quantities of stars in training.

    Parameters
    ----------
    model : StellarFoundationModel
        Model with its fitted reader.
    """
    shared = {
        "n_requests": model.n_requests,
        "block_dropout": model.block_dropout,
        "resample_noise": model.resample_noise,
    }
    if model.read_by == "block":
        return block_draw(
            model.vocabulary_, model.is_trained_, partial_ratio=model.partial_ratio, **shared
        )
    return request_draw(
        model.vocabulary_,
        model.is_trained_,
        n_inputs=model.n_inputs,
        request_by=model.request_by,
        **shared,
    )


def inference_of(module: BlockTransformer | StellarTransformer) -> type:
    """Return what runs a network over stars."""
    return BlockInference if isinstance(module, BlockTransformer) else TokenInference
