"""Quantities of stars in a generalist's training as they are in each epoch."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from msaestimator.estimators._epoch_draws import move_labels
from msaestimator.estimators._fainter_stars import fainter_stars
from msaestimator.tables import NamedColumns

__all__ = ["RowsDraw", "fainter_words"]

RowsDraw = Callable[[np.ndarray, int], list[np.ndarray]]
"""Type of what draws the arrays of `train`: of rows of the stars, for the number of an epoch."""


def fainter_words(
    model: Any, stars: Any, words: np.ndarray, weights: np.ndarray | None
) -> RowsDraw | None:
    """Return what draws the arrays of `train` for some rows and an epoch, or None.

    It is None if no star is made fainter.

    Parameters
    ----------
    model : StellarFoundationModel
        Model with its fitted reader.
    stars : NamedColumns of n_stars stars, or array
        The stars of ``fit``.
    words : ndarray of shape (n_stars, 2, n_words)
        Scaled values and errors of the stars as they were measured.
    weights : ndarray of shape (n_stars,) or None
        Weights of the stars.

    Raises
    ------
    ValueError
        The stars came as a matrix, which cannot be made fainter.
    """
    measured = stars if isinstance(stars, NamedColumns) else None
    seed = torch.initial_seed()
    faint = fainter_stars(model.make_fainter, measured, model.reader_, seed)
    if faint is None:
        return None
    mix = faint.sky_mix(lambda table: table) if model.sky_mix else None
    names = model.vocabulary_.names
    is_label = np.array([token.block == "label" for token in model.vocabulary_.tokens])

    def draw(rows: np.ndarray, epoch: int) -> list[np.ndarray]:
        table, drawn, modulus = faint.draw(epoch)
        # Labels may have come apart from the stars; those that distance changes move with them.
        drawn[:, :, is_label] = words[:, :, is_label]
        moved = move_labels(model.scaler_, names, drawn[:, 0].astype(float), modulus)
        drawn[:, 0] = np.where(is_label, moved, drawn[:, 0])
        counts = np.ones(len(words)) if weights is None else weights
        if mix is not None:
            counts = counts * mix.weights(table)
        drawn, counts = drawn[rows], counts[rows]
        return [drawn, drawn, (counts / counts.mean()).astype(np.float32)]

    return draw
