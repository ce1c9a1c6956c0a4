"""How well features are measured, on the scale that the network sees them."""

import warnings
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from msaestimator.exceptions import ColumnError
from msaestimator.preprocessing import read_errors, read_features
from msaestimator.schema import G_BAND, FeatureSchema

__all__ = ["known_errors", "typical_errors"]


def typical_errors(X: Any, schema: FeatureSchema, preprocessor: Pipeline) -> np.ndarray:
    """Return each feature's median measurement error on its scale.

    Parameters
    ----------
    X : table of n_stars stars
        With the schema's columns of errors, as far as there are any.
    schema : FeatureSchema
    preprocessor : Pipeline
        Fitted; its first step reads the table.

    Returns
    -------
    ndarray of shape (n_columns,)
        Of the preprocessor's columns; zero where no error is known.
    """
    with warnings.catch_warnings():
        # Of columns without any value.
        warnings.simplefilter("ignore")
        return np.nan_to_num(np.nanmedian(_scaled_errors(X, schema, preprocessor), axis=0))


def known_errors(X: Any, schema: FeatureSchema, preprocessor: Pipeline) -> np.ndarray:
    """Return each star's measurement errors on its features' scale.

    Parameters
    ----------
    X, schema, preprocessor
        As in `typical_errors`.

    Returns
    -------
    ndarray of shape (n_stars, n_columns), float32
        Of the preprocessor's columns; zero where no error is known.

    Raises
    ------
    ColumnError
        No error is known at all.
    """
    errors = np.nan_to_num(_scaled_errors(X, schema, preprocessor)).astype(np.float32)
    if not errors.any():
        columns = [column.error for column in (*schema.arrays, *schema.columns) if column.error]
        raise ColumnError(
            f"The table must have columns of errors, e.g. {columns[0]!r}, with a known error of a "
            "feature, got none. Add them, or set resample_noise=False."
        )
    return errors


def _scaled_errors(X: Any, schema: FeatureSchema, preprocessor: Pipeline) -> np.ndarray:
    """Return errors on the features' scale: zero if unknown, NaN of features not observed."""
    values, errors = read_features(X, schema), read_errors(X, schema)
    # G is what coefficients are divided by: its error is not theirs.
    errors[:, [name == G_BAND for name in schema.names]] = 0.0
    with warnings.catch_warnings():
        # Of matrices without names.
        warnings.simplefilter("ignore")
        scaled, perturbed = (
            preprocessor[1:].transform(matrix.astype(np.float32))
            for matrix in (values, values + np.nan_to_num(errors))
        )
    return np.abs(perturbed - scaled)
