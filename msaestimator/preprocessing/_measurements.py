"""A table of stars read by a schema: values and errors, each read once, when first asked for."""

from functools import cached_property
from typing import Any

import numpy as np

from msaestimator.preprocessing._table_reader import read_errors, read_features
from msaestimator.schema import FeatureSchema

__all__ = ["Measurements"]


class Measurements:
    """Values and errors of a table of stars, in a schema's columns and units.

    Parameters
    ----------
    table : Table, QTable, StarTable, DataFrame or structured array of length n_stars
        Stars, read by column name.
    schema : FeatureSchema
        Names, units and order of the columns.
    """

    def __init__(self, table: Any, schema: FeatureSchema) -> None:
        self.table = table
        self.schema = schema

    def __len__(self) -> int:
        return len(self.table)

    @cached_property
    def values(self) -> np.ndarray:
        """Values, (n_stars, len(schema)) float64, NaN missing; see `read_features`."""
        return read_features(self.table, self.schema)

    @cached_property
    def errors(self) -> np.ndarray:
        """Standard errors, (n_stars, len(schema)) float64, NaN unknown; see `read_errors`."""
        return read_errors(self.table, self.schema)
