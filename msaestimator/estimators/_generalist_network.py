"""The network of a generalist: of blocks, or of single quantities as in the paper."""

from typing import Any

import numpy as np

from msaestimator.estimators._block_inference import BlockInference
from msaestimator.estimators._requests import (
    block_draw,
    block_names,
    block_numbers,
    request_draw,
)
from msaestimator.estimators._token_inference import TokenInference
from msaestimator.networks import (
    BlockDraw,
    BlockTransformer,
    Contrasts,
    StellarTransformer,
    TokenDraw,
)
from msaestimator.preprocessing import word_contrasts
from msaestimator.training import RequestObjective

__all__ = ["build_generalist", "contrasts_of", "inference_of", "objective_of", "shown_and_asked"]

STUDENT = 4.0
"""Degrees of freedom of Student's t distribution where it is the likelihood."""


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
        # Models that were saved before have none.
        contrasts = getattr(model, "contrasts_", {})
        return BlockTransformer(
            block_numbers(model.vocabulary_),
            *sizes,
            contrasts={
                number: Contrasts(**contrasts[name])
                for number, name in enumerate(block_names(model.vocabulary_))
                if name in contrasts
            },
            asinh=model.asinh,
            n_factors=model.n_factors,
        )
    return StellarTransformer(len(model.vocabulary_), *sizes, model.embedding_scale)


def contrasts_of(model: Any, words: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
    """Return what `word_contrasts` does of stars; nothing for a network of single quantities.

    Parameters
    ----------
    model : StellarFoundationModel
        Model with its fitted reader.
    words : ndarray of shape (n_stars, 2, n_words)
        Scaled values and errors.
    """
    if model.read_by != "block":
        return {}
    values, errors = words.astype(float).swapaxes(0, 1)
    if model.asinh:
        values, errors = np.sinh(values), errors * np.cosh(values)
    return word_contrasts(model.vocabulary_, values, errors, model.scaler_.scale_)


def objective_of(model: Any) -> RequestObjective:
    """Return the loss that training minimises.

    Parameters
    ----------
    model : StellarFoundationModel
    """
    return RequestObjective(model.beta, STUDENT if model.likelihood == "student" else None)


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
            model.vocabulary_,
            model.is_trained_,
            partial_ratio=model.partial_ratio,
            from_labels_ratio=model.from_labels_ratio,
            **shared,
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
