"""Quality flags: bits to look at before believing a prediction."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from msaestimator.exceptions import ColumnError
from msaestimator.schema import LABELS, ExplainedFlag

__all__ = [
    "PredictionFlag",
    "describe_flags",
    "interval_flags",
    "limit_flags",
    "prediction_flags",
]

ROUNDING = 1e-6


class PredictionFlag(ExplainedFlag):
    """Bits of the columns of flags; 0 is nothing to say.

    ``flags`` has those that concern a star. ``teff_flags``, ``fe_h_flags`` and so on have those
    that concern one quantity: ``OUTSIDE_LIMITS``, ``WIDE_INTERVAL`` and ``UNCONSTRAINED_LABEL``,
    of requests also ``TOLD`` and ``OUT_OF_RANGE_ANSWER``. See
    :func:`~msaestimator.results.usable` for those that advise against using a value.

    Examples
    --------
    >>> from msaestimator.results import PredictionFlag
    >>> PredictionFlag(10)
    <PredictionFlag.NO_XP|OUT_OF_RANGE_INPUT: 10>
    >>> PredictionFlag.NO_XP in PredictionFlag(10)
    True
    """

    NO_FEATURES = 1, "no feature was observed; the prediction is NaN"
    NO_XP = 2, "no XP coefficient was observed"
    PARTIAL_XP = 4, "XP coefficients were observed in one band only"
    OUT_OF_RANGE_INPUT = 8, "a feature lies outside the range seen in training"
    OUTSIDE_LIMITS = 16, "the predicted median lies outside the label's physical limits"
    NOTHING_KNOWN = 32, "no quantity was known; the answer describes all training stars alike"
    EXTRAPOLATION = 64, "the latent vector is farther out than that of 99 % of training-like stars"
    INCONSISTENT_INPUTS = 128, "the inputs together are rarer than in 99 % of training-like stars"
    MISSING_BLOCKS = 256, "columns are missing that the model has not learned to do without"
    WIDE_INTERVAL = 512, "the interval is as wide as the label's spread in training, or wider"
    UNCONSTRAINED_LABEL = 1024, "the label was known for no training star of this Teff"
    INVALID_INPUT = 2048, "a value that no star has, such as 99.99 mag, was taken as missing"
    TOLD = 4096, "the quantity was told to the model, which more or less repeats it"
    OUT_OF_RANGE_ANSWER = 8192, "the answer lies outside the quantity's range in training"


def describe_flags() -> list[str]:
    """Return the meaning of each bit of `PredictionFlag`, as tables carry it."""
    # A list of strings rather than a mapping: FITS headers can hold it too.
    return [f"{f.value} {f.name}: {f.meaning}" for f in PredictionFlag]


def prediction_flags(
    features: ArrayLike,
    names: Sequence[str],
    xp_bands: Mapping[str, ArrayLike],
    lower: ArrayLike,
    upper: ArrayLike,
) -> np.ndarray:
    """Return the flags that the inputs of a prediction earn.

    Parameters
    ----------
    features : array-like of float of shape (n_stars, n_features)
        Features in the units of ``lower`` and ``upper``; NaN is missing.
    names : sequence of str of length n_features
        Names of the features, for the errors.
    xp_bands : mapping of str to array-like of bool of shape (n_features,)
        Mask of a band's coefficients, by band (``"bp"``). A band without any is not expected, so a
        model without XP flags no star for its absence.
    lower, upper : array-like of float of shape (n_features,)
        Range of each feature seen in training, ends included. NaN: never seen, no range.

    Returns
    -------
    ndarray of int32 of shape (n_stars,)
        Bits of `PredictionFlag`; a star without features has no XP coefficients either.

    Raises
    ------
    ColumnError
        The shapes do not fit, a band is not boolean, or a lower end exceeds the upper.

    Examples
    --------
    >>> import numpy as np
    >>> from msaestimator.results import PredictionFlag, prediction_flags
    >>> features = [[15.0, 0.3, 0.1], [30.0, 0.3, np.nan], [15.0, np.nan, np.nan]]
    >>> bands = {"bp": [False, True, False], "rp": [False, False, True]}
    >>> flags = prediction_flags(
    ...     features, ["phot_g_mean_mag", "bp_1", "rp_1"], bands, [5, -1, -1], [18, 1, 1]
    ... )
    >>> [PredictionFlag(flag).name for flag in flags[1:]]
    ['PARTIAL_XP|OUT_OF_RANGE_INPUT', 'NO_XP']
    """
    values = np.asarray(features, dtype=float)
    low, high = np.asarray(lower, dtype=float), np.asarray(upper, dtype=float)
    bands = {band: np.asarray(columns) for band, columns in xp_bands.items()}
    _check_shapes(values, names, {"lower": low, "upper": high, **bands})
    _check_bands_and_range(names, bands, low, high)
    observed = ~np.isnan(values)
    flags = np.zeros(len(values), dtype=np.int32)
    flags[~observed.any(axis=1)] |= PredictionFlag.NO_FEATURES
    seen = [observed[:, columns].any(axis=1) for columns in bands.values() if columns.any()]
    if seen:
        flags[~np.any(seen, axis=0)] |= PredictionFlag.NO_XP
        flags[np.any(seen, axis=0) & ~np.all(seen, axis=0)] |= PredictionFlag.PARTIAL_XP
    flags[((values < low) | (values > high)).any(axis=1)] |= PredictionFlag.OUT_OF_RANGE_INPUT
    return flags


def limit_flags(
    medians: ArrayLike, labels: Sequence[str], *, units: Mapping[str, str] | None = None
) -> np.ndarray:
    """Return `PredictionFlag.OUTSIDE_LIMITS` where a median is physically impossible.

    Parameters
    ----------
    medians : array-like of float of shape (n_stars, n_labels)
        Predicted medians; NaN is not flagged.
    labels : sequence of str of length n_labels
        Names of the columns; one the schema does not know has no limits.
    units : mapping of str to str, optional
        Unit of a label where it is not the schema's.

    Returns
    -------
    ndarray of int32 of shape (n_stars, n_labels)

    Raises
    ------
    ColumnError
        ``medians`` has not one column a label.
    UnitMismatchError
        A unit is of another physical type than the schema's.

    Examples
    --------
    >>> from msaestimator.results import limit_flags
    >>> limit_flags([[5000.0, 2.0], [5000.0, -3.0]], ["teff", "age"])
    array([[ 0,  0],
           [ 0, 16]], dtype=int32)
    """
    values = np.asarray(medians, dtype=float)
    _check_columns("medians", values, len(labels), "label")
    outside = np.zeros(values.shape, dtype=bool)
    for position, label in enumerate(labels):
        if label in LABELS:
            low, high = LABELS[label].limits_in((units or {}).get(label, LABELS[label].unit))
            outside[:, position] = (values[:, position] < low) | (values[:, position] > high)
    return np.where(outside, PredictionFlag.OUTSIDE_LIMITS, 0).astype(np.int32)


def interval_flags(widths: ArrayLike, spreads: ArrayLike, unconstrained: ArrayLike) -> np.ndarray:
    """Return the flags of intervals that say little.

    Parameters
    ----------
    widths : array-like of float of shape (n_stars, n_labels)
        Widths of the predicted intervals; NaN is not flagged.
    spreads : array-like of float of shape (n_labels,)
        Widths of such an interval of the labels in training.
    unconstrained : array-like of bool of shape (n_stars, n_labels)
        Mask of the labels that no training star like this one had.

    Returns
    -------
    ndarray of int32 of shape (n_stars, n_labels)
        `PredictionFlag.WIDE_INTERVAL` and `PredictionFlag.UNCONSTRAINED_LABEL`.

    Raises
    ------
    ColumnError
        ``widths`` has not one column a label.

    Examples
    --------
    >>> from msaestimator.results import interval_flags
    >>> interval_flags([[100.0, 0.1], [100.0, 0.9]], [900.0, 0.8], [[False, False]] * 2)
    array([[  0,   0],
           [  0, 512]], dtype=int32)
    """
    values, usual = np.asarray(widths, dtype=float), np.asarray(spreads, dtype=float)
    _check_columns("widths", values, len(usual), "label")
    # An interval widened to the spread is as wide but for rounding.
    wide = values >= usual * (1 - ROUNDING)
    flags = np.where(wide, PredictionFlag.WIDE_INTERVAL, 0)
    return (flags | np.where(unconstrained, PredictionFlag.UNCONSTRAINED_LABEL, 0)).astype(
        np.int32
    )


def _check_columns(name: str, values: np.ndarray, expected: int, thing: str) -> None:
    if values.ndim != 2 or values.shape[1] != expected:
        raise ColumnError(
            f"`{name}` must have one column a {thing}, {expected}, got shape {values.shape}."
        )


def _check_shapes(
    values: np.ndarray, names: Sequence[str], per_feature: Mapping[str, np.ndarray]
) -> None:
    _check_columns("features", values, len(names), "name")
    for name, array in per_feature.items():
        if array.shape != (len(names),):
            raise ColumnError(
                f"`{name}` must have one value a feature, {len(names)}, got shape {array.shape}."
            )


def _check_bands_and_range(
    names: Sequence[str], bands: Mapping[str, np.ndarray], low: np.ndarray, high: np.ndarray
) -> None:
    for band, columns in bands.items():
        if columns.dtype != bool:
            raise ColumnError(
                f"`xp_bands[{band!r}]` must be boolean, True for the band's coefficients, "
                f"got {columns.dtype}."
            )
    swapped = [name for name, wrong in zip(names, low > high, strict=True) if wrong]
    if swapped:
        raise ColumnError(f"`lower` must not exceed `upper`, but does for {', '.join(swapped)}.")
