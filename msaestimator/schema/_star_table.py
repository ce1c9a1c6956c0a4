"""A QTable that scikit-learn's tools can index, shuffle and compare."""

from typing import Any

import numpy as np
from astropy.table import QTable, Table
from numpy.typing import ArrayLike

from msaestimator.exceptions import ColumnError
from msaestimator.schema._label_matrix import holds_only_labels, label_matrix
from msaestimator.schema._shuffled_column import ColumnRows, ShuffledColumn

__all__ = ["StarTable"]


class StarTable(QTable):
    """Stars, one a row: an astropy ``QTable`` that scikit-learn's tools take.

    Column names are those of the Gaia archive (:mod:`msaestimator.schema`); NaN, masked and
    -9999 values are missing.

    Parameters
    ----------
    data : table, mapping of str to column, DataFrame, pyarrow.Table, or None
        The stars: all that ``QTable`` takes, and DataFrames of pandas and polars. Their integers
        stay exact, nulls are masked (NaN among floats), and an index that has a name, such as
        ``source_id``, is a column.
    *args, **kwargs
        Further arguments of ``QTable``, such as ``units``.

    Raises
    ------
    ColumnError
        Two columns of a DataFrame have one name.

    Notes
    -----
    Astropy tables have ``iloc`` but no ``take``, so ``train_test_split``, ``cross_val_score``
    and ``GridSearchCV`` fail on them. Here `take`, `shape`, `index` and ``iloc[rows, place]`` are
    what scikit-learn's splitters and ``permutation_importance`` ask for.

    A table whose columns are all stellar parameters, such as ``stars[["teff", "logg"]]``, is a
    matrix for NumPy, and so for scikit-learn's metrics: floats in the schema's units, NaN where
    missing. Any other table is a structured array, as in astropy.

    Examples
    --------
    >>> import astropy.units as u
    >>> from sklearn.model_selection import train_test_split
    >>> stars = StarTable({"parallax": [1.0, 2.0, 4.0, 8.0] * u.mas})
    >>> train, test = train_test_split(stars, test_size=0.25, random_state=0)
    >>> len(train), len(test), train["parallax"].unit
    (3, 1, Unit("mas"))
    """

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        if _is_frame(data):
            # Only a frame needs pyarrow, which takes time to load.
            from msaestimator.schema._frame_columns import frame_columns

            data = frame_columns(data)
        super().__init__(data, *args, **kwargs)

    def write(self, *args: Any, **kwargs: Any) -> None:
        """Write the stars to a file, as an astropy ``QTable`` writes itself."""
        # NumPy, which some formats ask, takes a table of labels alone for a matrix.
        QTable(self, copy=False).write(*args, **kwargs)

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and columns."""
        return len(self), len(self.colnames)

    @property
    def index(self) -> range:
        """Numbers of the rows."""
        return range(len(self))

    @property
    def iloc(self) -> ColumnRows:
        """Rows by place in the order of an index, as in astropy; or ``iloc[rows, place]``."""
        return ColumnRows(self)

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

    def __setitem__(self, item: Any, value: Any) -> None:
        """Set a column or rows, as in astropy; a shuffled column replaces the column ``item``."""
        if isinstance(value, ShuffledColumn):
            item, value = item.info.name, value.values
        super().__setitem__(item, value)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """Return a matrix of labels, or a structured array where there are other columns."""
        if holds_only_labels(self):
            return label_matrix(self).astype(np.float64 if dtype is None else dtype)
        if dtype is not None and np.dtype(dtype).kind in "fiu":
            raise ColumnError(
                "A table of stars is no matrix of numbers. Where an estimator of scikit-learn "
                "needs one, begin a Pipeline with StellarFeatures, which makes it: "
                "make_pipeline(StellarFeatures(), XPCoefficientScaler(), estimator)."
            )
        return super().__array__(dtype, copy)


def _is_frame(data: Any) -> bool:
    """Tell a DataFrame, of pandas or polars, or a pyarrow Table from what astropy knows."""
    if data is None or isinstance(data, Table | np.ndarray | dict | list):
        return False
    return hasattr(data, "__arrow_c_stream__") and hasattr(data, "columns")
