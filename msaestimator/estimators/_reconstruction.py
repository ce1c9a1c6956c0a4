"""Errors of features that an autoencoder infers, measured by hiding them."""

from collections.abc import Callable

import numpy as np
import torch

from msaestimator.estimators._masks import feature_mask
from msaestimator.networks import JointMask
from msaestimator.preprocessing import FeatureColumns, Features
from msaestimator.schema import G_BAND
from msaestimator.training import seeded
from msaestimator.uncertainty import ReconstructionErrors

__all__ = ["measure_reconstruction"]

SEED = 20260728
"""Seed of what is hidden, the same for every model."""

MOST_STARS, LEAST_STARS = 3_000, 1_000
"""Stars that are enough for a mask, and stars that few are repeated to."""

ALONE, TOGETHER = 0.1, 0.3
"""Probabilities that a column is hidden by itself, and that those of a survey or band are."""


def measure_reconstruction(
    features: Features, residuals: Callable[[Features, np.ndarray], np.ndarray]
) -> ReconstructionErrors:
    """Return the errors that features are inferred with, by what is known of a star.

    Parameters
    ----------
    features : Features of n_stars stars
    residuals : callable
        Function of features, and of which of them to hide, that returns inferred minus measured
        values of the reconstructed ones, NaN where none was hidden.
    """
    columns = features.columns
    stars = features[_sample(np.flatnonzero(features.is_observed))]
    masks = [_mask(columns, shown=[G_BAND])]
    if columns.is_xp.any():
        # Spectra in part, then none: a star without G has no coefficients either.
        masks += [_mask(columns, shown=[G_BAND], spans=1.0), _mask(columns, xp=1.0)]
    values, found = [], []
    for mask in masks:
        with seeded(SEED, torch.device("cpu")):
            hidden = mask.draw(len(stars)).numpy()
        found.append(residuals(stars, hidden))
        values.append(np.where(hidden, np.float32(np.nan), stars.values))
    shown = Features(np.concatenate(values), columns)
    return ReconstructionErrors().fit(shown, np.concatenate(found))


def _sample(rows: np.ndarray) -> np.ndarray:
    """Return stars to measure on: not all of very many, and few ones several times."""
    if len(rows) > MOST_STARS:
        return np.sort(np.random.default_rng(SEED).choice(rows, MOST_STARS, replace=False))
    return np.tile(rows, -(-LEAST_STARS // max(len(rows), 1)))


def _mask(
    columns: FeatureColumns, *, xp: float = 0.0, spans: float = 0.0, shown: list[str] | None = None
) -> JointMask:
    """Return what hides columns, surveys, and all or some of the coefficients."""
    known = {*columns.names, *columns.schema.names}
    return feature_mask(
        columns,
        mask_ratio=ALONE,
        block_mask_ratio=TOGETHER,
        xp_mask_ratio=xp,
        span_mask_ratio=spans,
        protected=[name for name in shown or () if name in known],
    )
