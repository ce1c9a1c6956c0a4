"""Passes of stars through a regressor's network: latent vectors, quantiles, flags."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from msaestimator.estimators._masks import hide_ratios
from msaestimator.estimators._star_inference import StarInference
from msaestimator.preprocessing import Features
from msaestimator.results import PredictionFlag, prediction_flags

__all__ = ["latent_and_members", "latent_vectors", "member_quantiles", "star_flags"]


def member_quantiles(regressor: Any, features: Features) -> np.ndarray:
    """Return each member's quantiles of scaled labels, NaN for stars without a feature.

    Of shape (n_stars, n_members, n_labels, n_levels).
    """
    run = regressor._inference(StarInference)
    predicted = run.map(regressor.module_.quantiles, features, _shape(regressor))
    return predicted.astype(np.float64)


def latent_vectors(regressor: Any, features: Features) -> np.ndarray:
    """Return latent vectors, (n_stars, n_latent), NaN for stars without a feature."""
    run = regressor._inference(StarInference)
    return run.map(
        regressor.module_.autoencoder.encode, features, (regressor.encoder_.hidden_widths[-1],)
    )


def latent_and_members(regressor: Any, features: Features) -> tuple[np.ndarray, np.ndarray]:
    """Return what `latent_vectors` and `member_quantiles` do, from one pass of the network."""

    def side_by_side(x: Tensor) -> Tensor:
        latent, quantiles = regressor.module_.latent_and_quantiles(x)
        return torch.cat([latent.float(), quantiles.float().flatten(1)], dim=1)

    n_latent, shape = regressor.encoder_.hidden_widths[-1], _shape(regressor)
    width = n_latent + int(np.prod(shape))
    both = regressor._inference(StarInference).map(side_by_side, features, (width,))
    return both[:, :n_latent], both[:, n_latent:].reshape(-1, *shape).astype(np.float64)


def star_flags(regressor: Any, features: Features, latent: np.ndarray) -> np.ndarray:
    """Return the flags of stars, (n_stars,), by what the network was given, and made, of them."""
    columns, limits = features.columns, regressor.feature_range_
    values = regressor.reader_.without_noise_beyond(features)
    return (
        prediction_flags(values, columns.names, columns.bands, *limits)
        | np.where(features.is_invalid, PredictionFlag.INVALID_INPUT, 0)
        | regressor.outliers_.flags(features, latent, hide_ratios(regressor._feature_mask()))
    )


def _shape(regressor: Any) -> tuple[int, int, int]:
    """Return the shape of what the network predicts of a star."""
    return regressor.n_members, len(regressor.labels_), len(regressor.intervals_.levels)
