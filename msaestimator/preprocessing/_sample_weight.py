"""Weights of stars in a fit or score."""

from typing import Any

import numpy as np
from sklearn.utils.validation import _num_samples

from msaestimator.datasets import StarDataset
from msaestimator.exceptions import ColumnError
from msaestimator.tables import named_columns, raw_column, take_rows

__all__ = ["counted_stars", "read_sample_weight"]


def read_sample_weight(sample_weight: Any, n_stars: int) -> np.ndarray:
    """Return the weights of stars, float64 of shape (n_stars,).

    Raises
    ------
    ColumnError
        Weights are not one number a star, masked, not finite, negative, or zero for all.
    """
    values, mask, _ = raw_column(sample_weight)
    try:
        weights = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ColumnError("`sample_weight` must hold numbers, got others.") from None
    if weights.shape != (n_stars,):
        raise ColumnError(
            f"`sample_weight` must hold one number a star, of shape ({n_stars},), got shape "
            f"{weights.shape}."
        )
    unknown = mask | ~np.isfinite(weights)
    if unknown.any() or (weights < 0).any():
        what, bad = ("unknown", unknown) if unknown.any() else ("negative", weights < 0)
        raise ColumnError(
            f"`sample_weight` must be known and not negative for every star, got {bad.sum()} "
            f"{what}, the first in row {int(bad.argmax())}. Set them to 0 for stars that shall "
            "not count."
        )
    if not weights.any():
        raise ColumnError("`sample_weight` must be above zero for some stars, got zero for all.")
    return weights


def counted_stars(sample_weight: Any, X: Any, *others: Any) -> tuple[Any, ...]:
    """Return the stars whose weight is not zero: weights, ``X``, and what else goes by star.

    Parameters
    ----------
    sample_weight : array-like of shape (n_stars,) or None
    X : container of n_stars stars, or array
    *others : container or array of n_stars rows, str or None
        Labels or surveys that go by star; text and None are returned as they are.

    Returns
    -------
    tuple
        Weights, float64 or None, then ``X`` and ``others``: the very ones if all stars count.

    Raises
    ------
    TypeError
        There are weights of stars that are on disk.
    """
    if sample_weight is None:
        return None, X, *others
    if isinstance(X, StarDataset):
        raise TypeError(
            "`sample_weight` must be None for stars on disk, got weights. Write the files without "
            "the stars that shall not count."
        )
    n_stars = _n_rows(X)
    weights = read_sample_weight(sample_weight, n_stars)
    by_star = [other for other in others if not isinstance(other, str | None)]
    # Of other lengths are told where they are read, if no row is to be taken from them here.
    if weights.all() or any(_n_rows(other) != n_stars for other in by_star):
        return weights, X, *others
    rows = np.flatnonzero(weights)
    taken = (o if isinstance(o, str | None) else take_rows(o, rows) for o in (X, *others))
    return weights[rows], *taken


def _n_rows(X: Any) -> int:
    columns = named_columns(X)
    return _num_samples(X) if columns is None else len(columns)
