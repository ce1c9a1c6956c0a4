"""Errors of a generalist that hold in each situation, learned from stars held back."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from scipy import stats

from msaestimator.estimators._fainter_stars import ONCE
from msaestimator.estimators._generalist_network import STUDENT
from msaestimator.estimators._requests import block_numbers
from msaestimator.networks import BlockDraw
from msaestimator.schema import G_BAND, Vocabulary
from msaestimator.training import Draw
from msaestimator.uncertainty import ErrorCalibration

__all__ = ["calibrate_errors", "hold_back", "predict_words", "shares_of_errors", "situations"]

ONE_ERROR = {"gaussian": 1.0, "student": float(stats.t.ppf(stats.norm.cdf(1.0), STUDENT))}
"""Half of the central 68 % interval over the scale of each likelihood."""

DRAWS = 6
"""Draws of what is shown of each star held back, as in training and evenly."""

FEWEST = 50
"""Fewest stars to calibrate on."""


def hold_back(words: np.ndarray, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows to train on, and those to calibrate on, none if these would be few.

    Parameters
    ----------
    words : ndarray of shape (n_stars, 2, n_words)
        Scaled values and errors; stars of which nothing is known are in neither.
    fraction : float
        Fraction of the stars to calibrate on.
    seed : int
    """
    rows = np.flatnonzero(np.isfinite(words[:, 0]).any(axis=1))
    n_held = round(fraction * len(rows))
    if n_held < FEWEST:
        return rows, rows[:0]
    rows = np.random.RandomState(seed % 2**32).permutation(rows)
    return np.sort(rows[n_held:]), np.sort(rows[:n_held])


def situations(vocabulary: Vocabulary, values: np.ndarray) -> np.ndarray:
    """Return the features of what is known of stars, (n_stars, n_features).

    Parameters
    ----------
    vocabulary : Vocabulary
    values : ndarray of shape (n_stars, n_words)
        Scaled values, NaN where unknown.

    Returns
    -------
    ndarray
        Share of each block that is known, its root, and the scaled G magnitude, zero where it is
        unknown.
    """
    blocks = np.array(block_numbers(vocabulary))
    known = np.isfinite(values)
    shares = np.stack(
        [known[:, blocks == number].mean(axis=1) for number in range(blocks.max() + 1)], axis=1
    )
    bright = [place for place, name in enumerate(vocabulary.names) if name == G_BAND]
    return np.hstack([shares, np.sqrt(shares), np.nan_to_num(values[:, bright])])


def calibrate_errors(
    model: Any, words: np.ndarray, draw: Draw | None, mask: Any
) -> ErrorCalibration | None:
    """Return the calibration of a trained model's errors, None without stars held back.

    Parameters
    ----------
    model : StellarFoundationModel
        Model with its trained network.
    words : ndarray of shape (n_stars, 2, n_words)
        Scaled values and errors of the stars that were held back.
    draw : callable or None
        Function that draws these stars farther away, by a number.
    mask : TokenDraw or BlockDraw
        Draws of what is shown.
    """
    if not len(words):
        return None
    # Training shows some situations seldom that users' stars are in.
    ways = [mask, mask.evened()] if isinstance(mask, BlockDraw) else [mask]
    truth, told, noise = [], [], []
    for number in range(DRAWS):
        stars = torch.from_numpy(words if draw is None else draw(ONCE + number)[0])
        for way in ways:
            truth.append(stars[:, 0].numpy())
            noise.append(stars[:, 1].numpy())
            told.append(way.hide(stars).numpy())
    values, known = np.concatenate(truth), np.concatenate(told)
    mean, error = _as_trained(model, known, range(values.shape[1]))
    residuals = np.where(np.isfinite(known), np.nan, mean - values)
    blocks = block_numbers(model.vocabulary_)
    groups = [
        [word]
        if token.block == "label"
        else [other for other, block in enumerate(blocks) if block == blocks[word]]
        for word, token in enumerate(model.vocabulary_.tokens)
    ]
    groups = [list(group) for group in dict.fromkeys(map(tuple, groups))]
    # Errors of labels are meant beside those of another catalogue, whose errors are alike.
    is_label = [token.block == "label" for token in model.vocabulary_.tokens]
    measured = np.where(is_label, 0.0, np.concatenate(noise))
    situation = situations(model.vocabulary_, known)
    return ErrorCalibration(groups).fit(residuals, error, situation, measured)


def predict_words(
    model: Any, values: np.ndarray, words: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return scaled answers and their calibrated standard errors, each (n_stars, n_requests).

    Parameters
    ----------
    model : StellarFoundationModel
    values : ndarray of shape (n_stars, n_words)
        Scaled values, NaN where unknown.
    words : sequence of int
        Places of the requests in the vocabulary.
    """
    mean, error = _as_trained(model, values, words)
    # Models that were saved before have none.
    calibration = getattr(model, "error_calibration_", None)
    if calibration is not None:
        error = calibration.predict(error, situations(model.vocabulary_, values), words)
    return mean, error


def shares_of_errors(model: Any, values: np.ndarray, words: Sequence[int]) -> np.ndarray | None:
    """Return the shares of answers' errors in common factors; None of a network without them.

    Parameters
    ----------
    model, values, words
        The same as in `predict_words`.

    Returns
    -------
    ndarray of shape (n_stars, n_requests, n_factors + 1) or None
        Shares as :func:`msaestimator.networks.error_shares` returns them.
    """
    if model.read_by != "block" or not model.n_factors:
        return None
    return model._run().error_shares(values, words)


def _as_trained(
    model: Any, values: np.ndarray, words: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return scaled answers and their standard errors, before these are calibrated."""
    mean, error = model._run().predict(values, words)
    return mean, error * np.float32(ONE_ERROR[model.likelihood])
