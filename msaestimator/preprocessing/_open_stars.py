"""The door: a container of stars by our names, or a matrix as it is."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from msaestimator.datasets import StarDataset
from msaestimator.preprocessing._near_misses import near_miss
from msaestimator.schema import LABELS, Column, FeatureSchema
from msaestimator.tables import NamedColumns, named_columns, understand_names, with_known_names

__all__ = ["NORMALIZED", "open_by_names", "open_stars"]

NORMALIZED = "normalized_"
"""Prefix of a coefficient's name once it is divided by the G flux and scaled."""


def open_stars(
    X: Any, schema: FeatureSchema, *, aliases: bool = True, labels: Iterable[str] = ()
) -> NamedColumns | None:
    """Return raw stars by the names that the schema has for their columns; None of a matrix.

    A container with names holds stars. A DataFrame, which scikit-learn's transformers may
    have made, does if it has a column (or the near miss of one) of the schema and none of the
    names that `XPCoefficientScaler` gives its output.

    Parameters
    ----------
    X : container of n_stars stars, or matrix of prepared features
    schema : FeatureSchema
        Names of the columns.
    aliases : bool
        Whether names of another case, or of other catalogues, are understood.
    labels : iterable of str
        Further names to know, beside those of `LABELS`.
    """
    features = {*schema.names, *(array.name for array in schema.arrays)}
    single = [member for member in schema.members if isinstance(member, Column)]
    errors = {column.error for column in single if column.error}
    errors |= {name for array in schema.arrays for name in (array.error, array.relevant_bases)}
    return open_by_names(X, features, {*errors, *labels}, aliases=aliases)


def open_by_names(
    X: Any, features: Iterable[str], others: Iterable[str] = (), *, aliases: bool = True
) -> NamedColumns | None:
    """Return stars by known names, those of features and others; None of a matrix."""
    if isinstance(X, StarDataset):
        raise TypeError(
            "`X` must be in memory here, got a StarDataset. Pass some of its stars, such as "
            "X.sample(10_000), or each of X.batches(10_000); those on disk go into `fit` and "
            "`score` of an estimator, and into predict_catalog."
        )
    columns = named_columns(X)
    if columns is None or columns.settled:
        return columns
    features = frozenset(features)
    of_labels = (name for label in LABELS.values() for name in (label.name, label.error))
    known = frozenset({"source_id", *of_labels, *features, *others})
    # Arrow makes another container of some, which does not tell what it was.
    container = columns.container if isinstance(X, NamedColumns) else X
    if _may_be_matrix(container) and not _has_stars(columns, features, known, aliases):
        return None
    return with_known_names(columns, known, aliases=aliases)


def _may_be_matrix(container: Any) -> bool:
    """Tell whether a container is a DataFrame, whose columns may be prepared features."""
    offers = ("iloc", "__dataframe__", "__arrow_c_stream__")
    return (
        any(hasattr(container, name) for name in offers)
        and hasattr(container, "columns")
        and not isinstance(container, pa.Table | pa.RecordBatch)
        and not hasattr(container, "colnames")
    )


def _has_stars(
    columns: NamedColumns, features: frozenset[str], known: frozenset[str], aliases: bool
) -> bool:
    if any(name.startswith(NORMALIZED) for name in columns.names):
        return False
    taken = understand_names(columns.names, known)[0] if aliases else {}
    names = [taken.get(name, name) for name in columns.names]
    return any(name in features or near_miss(name, features) for name in names)
