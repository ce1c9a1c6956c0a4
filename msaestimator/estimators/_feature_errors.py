"""How well features are measured, on the scale that the network sees them."""

import warnings
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from msaestimator.preprocessing import read_errors, read_features
from msaestimator.schema import G_BAND, FeatureSchema

__all__ = ["typical_errors"]


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
    values, errors = read_features(X, schema), read_errors(X, schema)
    # G is what coefficients are divided by: its error is not theirs.
    errors[:, [name == G_BAND for name in schema.names]] = 0.0
    with warnings.catch_warnings():
        # Of matrices without names, and of columns without any value.
        warnings.simplefilter("ignore")
        scaled, perturbed = (
            preprocessor[1:].transform(matrix.astype(np.float32))
            for matrix in (values, values + np.nan_to_num(errors))
        )
        return np.nan_to_num(np.nanmedian(np.abs(perturbed - scaled), axis=0))
