"""A table of stars read by a schema: values and errors, each read once, when first asked for."""

from collections.abc import Collection
from functools import cached_property
from typing import Any

import numpy as np

from msaestimator.preprocessing._table_reader import Readings, read_errors, read_valid
from msaestimator.schema import FeatureSchema
from msaestimator.tables import require_columns

__all__ = ["Measurements"]


class Measurements:
    """Values and errors of a table of stars, in a schema's columns and units.

    Parameters
    ----------
    table : container of n_stars stars, see :func:`msaestimator.tables.named_columns`
        Stars, read by column name.
    schema : FeatureSchema
        Names, units and order of the columns.
    used : collection of str, optional
        Columns to read; the others are missing, whatever they hold. None reads all.

    Attributes
    ----------
    columns : NamedColumns
        The columns of the table.
    """

    def __init__(
        self, table: Any, schema: FeatureSchema, used: Collection[str] | None = None
    ) -> None:
        self.columns = require_columns(table)
        self.schema = schema
        self.used = used

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def values(self) -> np.ndarray:
        """Values, (n_stars, len(schema)) float64, NaN missing; see `read_features`."""
        return self._readings.values

    @property
    def is_invalid(self) -> np.ndarray:
        """Mask of the stars with a value that no star has, bool of shape (n_stars,)."""
        return self._readings.is_invalid

    @cached_property
    def errors(self) -> np.ndarray:
        """Standard errors, (n_stars, len(schema)) float64, NaN unknown; see `read_errors`."""
        return read_errors(self.columns, self.schema, self.used)

    @cached_property
    def _readings(self) -> Readings:
        return read_valid(self.columns, self.schema, self.used)
