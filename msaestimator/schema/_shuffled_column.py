"""A column shuffled in its table, as `sklearn.inspection.permutation_importance` does it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.table import Table
from astropy.table.index import TableILoc

__all__ = ["ColumnRows", "ShuffledColumn"]


@dataclass
class ShuffledColumn:
    """A column in another order of rows, to be put back into its table.

    Parameters
    ----------
    values : column of length n_stars
        The values, of whatever class the table's column is.
    index : object
        Labels of the rows, which scikit-learn sets as those of pandas have to be set. Not used.
    """

    values: Any
    index: Any = None


class ColumnRows(TableILoc):
    """Astropy's ``iloc``, which also takes rows of one column: ``iloc[rows, place]``."""

    table: Table

    def __getitem__(self, item: Any) -> Any:
        if isinstance(item, tuple) and isinstance(item[0], np.ndarray):
            rows, place = item
            return ShuffledColumn(self.table[self.table.colnames[place]][rows])
        return super().__getitem__(item)
