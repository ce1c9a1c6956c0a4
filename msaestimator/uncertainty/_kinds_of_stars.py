"""Kinds of stars that intervals are calibrated for: what of a star is at hand, and how bright."""

from typing import Any

import numpy as np

from msaestimator.preprocessing import FeatureColumns, Features

__all__ = ["calibration_sample", "kinds_of"]

ALWAYS_AT_HAND = ("", "dust", "gaia", "xp")
"""Blocks that are not hidden as one: photometry of Gaia is what tells that there is a star."""

PHOTOMETRY = ("gaia", "ps1", "sdss", "skymapper", "tmass", "wise")

INCOMPLETE = 0.3
"""Share of the stars to calibrate on of which blocks are hidden."""


def kinds_of(features: Features) -> tuple[Any, Any]:
    """Return each star's group, 1 where XP coefficients are missing, and further covariates.

    Covariates, (n_stars, n_extra), are as far as there are such columns, in this order: the G
    magnitude, whether there is a parallax, and the number of magnitudes. What is added to them
    comes last, so that a calibration which knows of fewer takes the first.
    """
    seen, columns = np.isfinite(features.values), features.columns
    parallax = seen[:, [name == "parallax" for name in columns.base_names]]
    magnitudes = seen[:, np.isin(columns.blocks, PHOTOMETRY)]
    extra = [features.g_magnitude, parallax]
    if magnitudes.shape[1]:
        extra.append(magnitudes.sum(axis=1, keepdims=True))
    return features.lacks_xp.astype(int), np.concatenate(extra, axis=1, dtype=np.float64)


def calibration_sample(features: Features, targets: np.ndarray) -> tuple[Features, np.ndarray]:
    """Return stars to calibrate on: those with XP coefficients with and without them.

    Of some, parallax and proper motions or the magnitudes of surveys are hidden too, since users
    have such stars.

    Parameters
    ----------
    features : Features of n_stars stars
    targets : ndarray of shape (n_stars, n_labels)
    """
    rng = np.random.default_rng(0)
    columns = features.columns
    values, truth = [_with_gaps(features.values, columns, rng)], [targets]
    if columns.is_xp.any():
        has_xp = ~features.lacks_xp
        values.append(_with_gaps(features[has_xp].without_xp().values, columns, rng))
        truth.append(targets[has_xp])
    return Features(np.concatenate(values), columns), np.concatenate(truth)


def _with_gaps(
    values: np.ndarray, columns: FeatureColumns, rng: np.random.Generator
) -> np.ndarray:
    """Return features of stars, of some of which blocks are hidden, each as often as not."""
    incomplete = rng.random(len(values)) < INCOMPLETE
    left = values.copy()
    for block in sorted({*columns.blocks} - {*ALWAYS_AT_HAND}):
        hidden = incomplete & (rng.random(len(values)) < 0.5)
        left[np.ix_(hidden, columns.blocks == block)] = np.nan
    is_left = np.isfinite(left).any(axis=1)
    return np.where(is_left[:, None], left, values)
