"""Distributions under another prior: that of the stars one asks about, not of a training."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.special import ndtri
from scipy.stats import gaussian_kde, norm

from msaestimator.tables import fill_missing_with_nan
from msaestimator.uncertainty._levels import check_levels, interpolate_rows

__all__ = ["prior_ratio", "reweight"]

LARGEST = 30.0
"""Largest ratio of two priors, and the inverse of the least: more is not known from samples."""

FEWEST = 50
N_GRID = 400
DEVIATES = np.linspace(-5, 5, 401)
"""Normal deviates of the places at which distributions are weighed."""


def prior_ratio(own: Any, training: Any) -> Callable[[np.ndarray], np.ndarray]:
    """Return by how much more often stars of one's own have a label than those of a training.

    Parameters
    ----------
    own, training : array-like of shape (n_own,) and (n_training,)
        The label of stars chosen as one's own are, such as those of a mock survey, and of the
        stars that the model learned from; in one unit, NaN or masked where unknown.

    Returns
    -------
    callable
        Function from values of the label to the ratio of the two densities, which are estimated
        with Gaussian kernels. It is held between 1/30 and 30.

    Raises
    ------
    ValueError
        Fewer than 50 values are known on a side, or all are equal.
    """
    samples = _known(own, "own"), _known(training, "training")
    ends = np.concatenate(samples)
    grid = np.linspace(ends.min(), ends.max(), N_GRID)
    density = [gaussian_kde(sample)(grid) for sample in samples]
    floor = max(values.max() for values in density) * 1e-6
    ratio = np.clip((density[0] + floor) / (density[1] + floor), 1 / LARGEST, LARGEST)
    return lambda values: np.interp(values, grid, ratio)


def _known(label: Any, parameter: str) -> np.ndarray:
    values = np.ravel(np.asarray(fill_missing_with_nan(label), dtype=np.float64))
    known = values[np.isfinite(values)]
    if len(known) < FEWEST or np.ptp(known) == 0:
        raise ValueError(
            f"`{parameter}` must hold at least {FEWEST} known values that differ, got "
            f"{len(known)}. Pass more stars."
        )
    return known


def reweight(
    quantiles: np.ndarray,
    levels: Sequence[float],
    prior: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """Return quantiles of one label as they are under another prior than that of the training.

    Parameters
    ----------
    quantiles : ndarray of shape (n_stars, n_levels)
        Quantiles of the label, rising; the more levels, the better they tell its distribution.
        Those of a star without prediction are NaN, and stay so.
    levels : sequence of float of length n_levels
        Levels of the quantiles: an odd number, rising, with 0.5 in the middle.
    prior : callable
        Function from values of the label, an array, to the ratio of the densities of one's own
        stars and of the training, up to a factor; see `prior_ratio`.

    Returns
    -------
    ndarray of shape (n_stars, n_levels)
        Quantiles at the same levels. Those of a star whose distribution the prior rules out
        altogether are as they were.

    Raises
    ------
    ValueError
        The levels are others, or the ratio is negative or not finite somewhere.

    Notes
    -----
    A predicted distribution is a posterior, with the training's mix of stars as its prior. By
    Bayes' theorem that under another prior is proportional to it times the ratio of the two
    priors. Between quantiles the distribution is taken as normal. A label is weighed by its own
    prior alone, on the assumption that stars of one value of it are alike in both samples.

    Examples
    --------
    >>> import numpy as np
    >>> from msaestimator.uncertainty import reweight
    >>> quantiles = np.array([[2.0, 3.0, 4.0]])
    >>> giants = reweight(quantiles, (0.16, 0.5, 0.84), lambda logg: logg < 3.5)
    >>> giants.round(1)
    array([[1.8, 2.6, 3.2]])
    """
    check_levels(levels)
    quantiles = np.asarray(quantiles, dtype=np.float64)
    middle = quantiles[:, [len(levels) // 2]]
    deviates, places = (
        np.broadcast_to(values, (len(quantiles), len(values)))
        for values in (ndtri(np.asarray(levels)), DEVIATES)
    )
    values = middle + interpolate_rows(places, deviates, quantiles - middle)
    ratio = np.asarray(prior(np.nan_to_num(values)), dtype=np.float64)
    if not (np.isfinite(ratio).all() and (ratio >= 0).all()):
        raise ValueError(
            "`prior` must return finite ratios that are not negative, got "
            f"{ratio[~(np.isfinite(ratio) & (ratio >= 0))][0]}."
        )
    mass = norm.pdf(DEVIATES) * ratio
    is_possible = mass.sum(axis=1) > 0
    cumulative = np.cumsum(mass, axis=1) - mass / 2
    rows = zip(cumulative, mass.sum(axis=1), values, strict=True)
    weighed = np.array(
        [np.interp(levels, below / total, row) for below, total, row in rows if total > 0]
    ).reshape(-1, len(levels))
    result = quantiles.copy()
    result[is_possible] = weighed
    return result
