"""Quantities of stars in a generalist's training as they are in each epoch."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from msaestimator.datasets import SkyMix
from msaestimator.estimators._epoch_draws import move_labels
from msaestimator.estimators._fainter_stars import FainterStars, fainter_stars
from msaestimator.tables import NamedColumns

__all__ = ["FainterWords", "fainter_words"]


@dataclass(frozen=True)
class FainterWords:
    """Quantities of stars that are farther away, drawn anew in every epoch.

    Parameters
    ----------
    model : StellarFoundationModel
        Model with its fitted reader.
    faint : FainterStars of n_stars stars
    mix : SkyMix or None
        Weights that make the mix of kinds the sky's.
    words : ndarray of shape (n_stars, 2, n_words)
        Scaled values and errors of the stars as they were measured.
    weights : ndarray of shape (n_stars,)
        Weights of the stars.
    """

    model: Any
    faint: FainterStars
    mix: SkyMix | None
    words: np.ndarray
    weights: np.ndarray

    def __call__(self, rows: np.ndarray, epoch: int) -> list[np.ndarray]:
        """Return the arrays of `train` for rows of the stars and the number of an epoch."""
        drawn, weights = (array[rows] for array in self.draw(epoch))
        return [drawn, drawn, (weights / weights.mean()).astype(np.float32)]

    def draw(self, epoch: int, *part: int) -> tuple[np.ndarray, np.ndarray]:
        """Return quantities and weights of all stars in an epoch.

        Parameters
        ----------
        epoch : int
        *part : int
            Numbers that tell these stars from others of a dataset.
        """
        names = self.model.vocabulary_.names
        is_label = np.array([token.block == "label" for token in self.model.vocabulary_.tokens])
        table, drawn, modulus = self.faint.draw(epoch, *part)
        # Labels may have come apart from the stars; those that distance changes move with them.
        drawn[:, :, is_label] = self.words[:, :, is_label]
        moved = move_labels(self.model.scaler_, names, drawn[:, 0].astype(float), modulus)
        drawn[:, 0] = np.where(is_label, moved, drawn[:, 0])
        return drawn, self.weights if self.mix is None else self.weights * self.mix.weights(table)

    def of(self, stars: NamedColumns, words: np.ndarray) -> "FainterWords":
        """Return the draws of other stars, of the same mix, which all weigh alike."""
        faint = replace(self.faint, stars=stars)
        return replace(self, faint=faint, words=words, weights=np.ones(len(words)))


def fainter_words(
    model: Any, stars: Any, words: np.ndarray, weights: np.ndarray | None
) -> FainterWords | None:
    """Return the draws that the parameters of a generalist ask for.

    It is None if no star is made fainter.

    Parameters
    ----------
    model, words
        The same as in `FainterWords`.
    stars : NamedColumns of n_stars stars, or array
        The stars of ``fit``.
    weights : ndarray of shape (n_stars,) or None
        Weights of the stars.

    Raises
    ------
    ValueError
        The stars came as a matrix, which cannot be made fainter.
    """
    measured = stars if isinstance(stars, NamedColumns) else None
    faint = fainter_stars(model.make_fainter, measured, model.reader_, torch.initial_seed())
    if faint is None:
        return None
    mix = faint.sky_mix(lambda table: table) if model.sky_mix else None
    weights = np.ones(len(words)) if weights is None else weights
    return FainterWords(model, faint, mix, words, weights)
