"""Kinds of stars that intervals are calibrated for: what of a star is at hand, and how bright."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from msaestimator.preprocessing import FeatureColumns, Features

__all__ = ["calibration_sample", "detailed_kinds_of", "kinds_of"]

PHOTOMETRY = ("gaia", "ps1", "sdss", "skymapper", "tmass", "wise")

SURVEYS = ("ps1", "sdss", "skymapper")
"""Surveys of the sky's optical light, which tell much alike."""

OPTIONAL = ("astrometry", "ps1", "sdss", "skymapper", "tmass", "wise")
"""Blocks that are hidden as one: photometry of Gaia is what tells that there is a star."""

SELDOM = ("ps1", "sdss", "skymapper", "wise")
"""Blocks that a user of Gaia and 2MASS lacks."""

N_VIEWS = 3
"""Amounts of what is told of a star: all, what Gaia and 2MASS tell, and any blocks."""


def kinds_of(features: Features) -> tuple[Any, Any]:
    """Return each star's group, 1 where XP coefficients are missing, and further covariates.

    Covariates, (n_stars, n_extra), are as far as there are such columns, in this order: the G
    magnitude, whether there is a parallax, and the number of magnitudes.
    """
    seen, columns = np.isfinite(features.values), features.columns
    parallax = seen[:, [name == "parallax" for name in columns.base_names]]
    magnitudes = seen[:, np.isin(columns.blocks, PHOTOMETRY)]
    extra = [features.g_magnitude, parallax]
    if magnitudes.shape[1]:
        extra.append(magnitudes.sum(axis=1, keepdims=True))
    return features.lacks_xp.astype(int), np.concatenate(extra, axis=1, dtype=np.float64)


def detailed_kinds_of(features: Features) -> tuple[Any, Any]:
    """Return each star's group and covariates, as `kinds_of` does, and further ones.

    After these come, of each optional survey that there are columns of, whether any of it is
    known; and G once more, NaN of stars without a parallax and of stars without surveys: so
    what G tells of errors may differ for those which have them. What is added to covariates comes
    last, so that a calibration which knows of fewer takes the first.
    """
    groups, extra = kinds_of(features)
    seen, blocks = np.isfinite(features.values), features.columns.blocks
    known = {b: seen[:, blocks == b].any(axis=1) for b in OPTIONAL if (blocks == b).any()}
    further = [known[block] for block in known if block != "astrometry"]
    for subset in (("astrometry",), SURVEYS):
        has = [known[block] for block in subset if block in known]
        if has and features.g_magnitude.shape[1]:
            further.append(np.where(np.any(has, axis=0), features.g_magnitude[:, 0], np.nan))
    return groups, np.column_stack([extra, *further])


def calibration_sample(
    draws: Sequence[tuple[Features, np.ndarray]],
) -> tuple[Features, np.ndarray, np.ndarray]:
    """Return copies of stars to calibrate on, which differ in what is told of them.

    A copy has all that is known of the star; or what Gaia and 2MASS tell, every other one
    without its parallax and proper motions; or any of the surveys. Each with XP coefficients
    counts with and without them. Of stars without optional columns there is a single copy.

    Parameters
    ----------
    draws : sequence of pairs of Features of n_stars stars and ndarray (n_stars, n_labels)
        The same stars with their targets once, or several times, such as fainter; these take
        turns in what is told.

    Returns
    -------
    sample : Features
    targets : ndarray of shape (n_rows, n_labels)
    stars : ndarray of int of shape (n_rows,)
        Number of each row's star.
    """
    rng = np.random.default_rng(0)
    columns = draws[0][0].columns
    if len(draws) == 1 and np.isin(columns.blocks, OPTIONAL).any():
        draws = [*draws] * N_VIEWS
    parts = []
    for number, (features, targets) in enumerate(draws):
        rows = np.arange(len(features))
        views = [(features, rows)]
        if columns.is_xp.any():
            rows = np.flatnonzero(~features.lacks_xp)
            views.append((features[rows].without_xp(), rows))
        for view, rows in views:
            values = _with_gaps(view.values, columns, number % N_VIEWS, rng)
            parts.append((values, targets[rows], rows))
    values, targets, stars = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Features(values, columns), targets, stars


def _with_gaps(
    values: np.ndarray, columns: FeatureColumns, view: int, rng: np.random.Generator
) -> np.ndarray:
    """Return features of stars of which blocks are hidden; none of the first view."""
    if view == 0:
        return values
    left = values.copy()
    for block in OPTIONAL:
        hidden = rng.random(len(values)) < 0.5
        if view == 1 and block != "astrometry":
            hidden[:] = block in SELDOM
        left[np.ix_(hidden, columns.blocks == block)] = np.nan
    is_left = np.isfinite(left).any(axis=1)
    return np.where(is_left[:, None], left, values)
