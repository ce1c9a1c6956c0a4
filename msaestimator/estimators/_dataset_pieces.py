"""Row groups of a dataset on disk as a training reads them, with errors that name the file."""

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from msaestimator.datasets import StarDataset
from msaestimator.exceptions import (
    ColumnError,
    MissingColumnWarning,
    MissingValueWarning,
    RenamedColumnWarning,
)
from msaestimator.preprocessing import StarReader
from msaestimator.schema import FeatureSchema, StarTable
from msaestimator.tables import source_ids_of

__all__ = ["DatasetPieces", "columns_of_features", "known_ids"]


class DatasetPieces:
    """Pieces of a dataset on disk, which subclasses read as arrays.

    Parameters
    ----------
    stars : StarDataset
    columns : sequence of str, optional
        Columns to read; None reads all.
    """

    def __init__(self, stars: StarDataset, columns: Sequence[str] | None) -> None:
        self.stars = stars
        self.columns = columns
        self.sizes = np.array([fragment.n_rows for fragment in stars.fragments])

    @contextmanager
    def table(self, piece: int) -> Iterator[StarTable]:
        """Give the stars of a piece; errors within name its file, and warnings are not told."""
        fragment = self.stars.fragments[piece]
        table = self.stars.read(fragment, self.columns)
        with warnings.catch_warnings():
            # The stars that are held in memory have told of the same columns.
            for kind in (MissingColumnWarning, MissingValueWarning, RenamedColumnWarning):
                warnings.simplefilter("ignore", kind)
            try:
                yield table
            except ColumnError as error:
                raise type(error)(
                    f"File {str(fragment.path)!r}, row group {fragment.row_group}: {error}"
                ) from error

    def read_ids(self, piece: int) -> np.ndarray:
        """Return the source ids of a piece; rows of the dataset if it has none."""
        fragment = self.stars.fragments[piece]
        if "source_id" in self.stars.columns:
            ids = known_ids(self.stars.read(fragment, ["source_id"]))
            if ids is not None:
                return ids
        return fragment.start + np.arange(fragment.n_rows)

    @property
    def identity(self) -> Mapping[str, Iterable[np.ndarray]]:
        """Arrays that tell the stars from others."""
        return {"stars": [np.frombuffer(self.stars.fingerprint.encode(), dtype=np.uint8)]}


def columns_of_features(
    stars: StarDataset, reader: StarReader, *, with_errors: bool
) -> list[str] | None:
    """Return the columns that features are made of; None if that may be any.

    Parameters
    ----------
    stars : StarDataset
    reader : StarReader
        Fitted reader.
    with_errors : bool
        Whether more is made of the stars, for which it takes their errors.
    """
    used = set(reader.columns.base_names)
    named = _names_of(reader.schema_, used)
    found = {scalar for name in stars.columns for scalar in named.get(name, ())}
    if reader.preprocessor is not None or with_errors or found != used:
        return None
    return [name for name in stars.columns if name in named]


def known_ids(X: Any) -> np.ndarray | None:
    """Return the source ids of stars, None if there are none or they are no ids."""
    try:
        return source_ids_of(X)
    except ColumnError:
        return None


def _names_of(schema: FeatureSchema, used: set[str]) -> dict[str, set[str]]:
    """Return the columns and arrays that hold used scalars, with these."""
    arrays = {array.name: {c.name for c in array.columns} & used for array in schema.arrays}
    return {name: {name} for name in used} | {n: part for n, part in arrays.items() if part}
