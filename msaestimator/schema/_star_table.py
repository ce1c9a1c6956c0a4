"""A QTable that scikit-learn's splitters can index."""

import numpy as np
from astropy.table import QTable
from numpy.typing import ArrayLike

__all__ = ["StarTable"]


class StarTable(QTable):
    """Stars, one a row: an astropy ``QTable`` that scikit-learn can split.

    Astropy tables have ``iloc`` but no ``take``, so ``train_test_split``, ``cross_val_score``
    and ``GridSearchCV`` fail on them; the one method added here is all they need. Column names
    are those of the Gaia archive (:mod:`msaestimator.schema`); NaN, masked and -9999 values
    are missing.

    Examples
    --------
    >>> import astropy.units as u
    >>> from sklearn.model_selection import train_test_split
    >>> stars = StarTable({"parallax": [1.0, 2.0, 4.0, 8.0] * u.mas})
    >>> train, test = train_test_split(stars, test_size=0.25, random_state=0)
    >>> len(train), len(test), train["parallax"].unit
    (3, 1, Unit("mas"))
    """

    def take(self, indices: ArrayLike, axis: int = 0) -> "StarTable":
        """Return the rows at integer ``indices``, in that order; sklearn's splitters call it.

        Parameters
        ----------
        indices : array-like of int
            Row numbers; a boolean mask is an error, as in ``numpy.take``.
        axis : {0}
            Rows are the only axis of a table.
        """
        if axis != 0:
            raise ValueError(f"`axis` must be 0, the rows of the table, got {axis}.")
        indices = np.asarray(indices)
        if indices.size and not np.issubdtype(indices.dtype, np.integer):
            raise TypeError(f"`indices` must be integers, got {indices.dtype}; use table[mask].")
        return self[indices.astype(np.intp)]
