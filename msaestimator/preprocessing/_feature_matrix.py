"""Scaled features of stars with the names and the schema of their columns."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from msaestimator.preprocessing._measurements import Measurements
from msaestimator.preprocessing._open_stars import NORMALIZED
from msaestimator.schema import G_BAND, FeatureSchema

__all__ = ["FeatureColumns", "Features"]


@dataclass(frozen=True)
class FeatureColumns:
    """The columns of a matrix of features: what they are called, and what a schema says of them.

    Parameters
    ----------
    names : tuple of str of length n_features
        Names of the columns; a coefficient divided by the G flux is ``normalized_bp_1``.
    schema : FeatureSchema
        Columns that it does not know belong to no block.
    """

    names: tuple[str, ...]
    schema: FeatureSchema

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def base_names(self) -> tuple[str, ...]:
        """Names of the columns as the schema has them."""
        return tuple(name.removeprefix(NORMALIZED) for name in self.names)

    @cached_property
    def blocks(self) -> np.ndarray:
        """Block of each column, str of shape (n_features,); "" of a column of none."""
        schema = self.schema
        return np.array([schema[n].block if n in schema else "" for n in self.base_names])

    @cached_property
    def is_xp(self) -> np.ndarray:
        """Whether each column is an XP coefficient: bool of shape (n_features,)."""
        return self.blocks == "xp"

    @cached_property
    def bands(self) -> dict[str, np.ndarray]:
        """Each XP band (``"bp"``) with which columns are its coefficients, bool (n_features,)."""
        return {
            array.prefix: np.isin(self.base_names, [column.name for column in array.columns])
            for array in self.schema.arrays
        }

    @cached_property
    def reconstructed(self) -> list[int]:
        """Positions of the columns that an autoencoder reconstructs."""
        return [
            index
            for index, name in enumerate(self.base_names)
            if name not in self.schema or self.schema[name].reconstructed
        ]


@dataclass(frozen=True)
class Features:
    """A matrix of scaled features of stars, and what its columns are.

    Parameters
    ----------
    values : ndarray of shape (n_stars, n_features), float32
        Scaled features; NaN is missing.
    columns : FeatureColumns
        The columns of ``values``.
    measured : Measurements, optional
        The stars as the table has them. None where they came as a matrix, and of a selection
        of stars.
    """

    values: np.ndarray
    columns: FeatureColumns
    measured: Measurements | None = None

    def __len__(self) -> int:
        return len(self.values)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """Return ``values``, so that what takes an array takes features."""
        return np.array(self.values, dtype=dtype, copy=copy)

    def __getitem__(self, rows: Any) -> "Features":
        return Features(self.values[rows], self.columns)

    @property
    def is_observed(self) -> np.ndarray:
        """Whether each star has any feature: bool of shape (n_stars,)."""
        return np.isfinite(self.values).any(axis=1)

    @property
    def is_invalid(self) -> np.ndarray:
        """Whether each star had a value that no star has: bool of shape (n_stars,)."""
        if self.measured is None:
            return np.zeros(len(self), dtype=bool)
        return self.measured.is_invalid

    @cached_property
    def lacks_xp(self) -> np.ndarray:
        """Whether each star lacks the XP coefficients that others have: bool of (n_stars,).

        False of all stars where no column is a coefficient.
        """
        is_xp = self.columns.is_xp
        return is_xp.any() & ~np.isfinite(self.values[:, is_xp]).any(axis=1)

    @property
    def g_magnitude(self) -> np.ndarray:
        """The G magnitude as a feature, (n_stars, 1); (n_stars, 0) where it is none."""
        return self.values[:, [name == G_BAND for name in self.columns.names]]

    def without_xp(self) -> "Features":
        """Return the same stars with their XP coefficients missing."""
        values = self.values.copy()
        values[:, self.columns.is_xp] = np.nan
        return Features(values, self.columns)
