"""Errors of measurements on the scale of features."""

import warnings

import numpy as np
from sklearn.pipeline import Pipeline

from msaestimator.exceptions import ColumnError
from msaestimator.preprocessing._measurements import Measurements
from msaestimator.preprocessing._own_arrays import with_arrays
from msaestimator.schema import G_BAND

__all__ = ["errors_of", "known_errors", "typical_errors"]


def typical_errors(stars: Measurements, preprocessor: Pipeline) -> np.ndarray:
    """Return each feature's median measurement error on its scale.

    Parameters
    ----------
    stars : Measurements of n_stars stars
        Stars with the schema's columns of errors, as far as there are any.
    preprocessor : Pipeline
        Fitted pipeline, whose first step reads the table.

    Returns
    -------
    ndarray of shape (n_columns,)
        Median error in each of the preprocessor's columns; zero where no error is known.
    """
    with warnings.catch_warnings():
        # A column without any value warns, and is zero below.
        warnings.simplefilter("ignore")
        return np.nan_to_num(np.nanmedian(_scaled_errors(stars, preprocessor), axis=0))


def known_errors(stars: Measurements, preprocessor: Pipeline) -> np.ndarray:
    """Return each star's measurement errors on its features' scale.

    Parameters
    ----------
    stars, preprocessor
        The same as in `typical_errors`.

    Returns
    -------
    ndarray of shape (n_stars, n_columns), float32
        Errors in the preprocessor's columns; zero where no error is known.

    Raises
    ------
    ColumnError
        No error is known at all.
    """
    errors = np.nan_to_num(_scaled_errors(stars, preprocessor)).astype(np.float32)
    if not errors.any():
        errors_of = [array.error for array in stars.schema.arrays]
        columns = errors_of + [c.error for c in stars.schema.columns if c.error]
        raise ColumnError(
            f"The table must have columns of errors, e.g. {columns[0]!r}, with a known error of a "
            "feature, got none. Add them, or set resample_noise=False."
        )
    return errors


def errors_of(stars: Measurements, preprocessor: Pipeline, rows: np.ndarray) -> np.ndarray:
    """Return what `known_errors` does of some rows; nothing but zeros is no error here."""
    return np.nan_to_num(_scaled_errors(stars, preprocessor, rows))


@with_arrays
def _scaled_errors(
    stars: Measurements, preprocessor: Pipeline, rows: np.ndarray | slice = slice(None)
) -> np.ndarray:
    """Return errors on the features' scale: zero if unknown, NaN of features not observed."""
    values, errors = stars.values[rows], stars.errors[rows].copy()
    # G is what coefficients are divided by: its error is not theirs.
    errors[:, [name == G_BAND for name in stars.schema.names]] = 0.0
    with warnings.catch_warnings():
        # The scalers warn of matrices without names.
        warnings.simplefilter("ignore")
        scaled, perturbed = (
            preprocessor[1:].transform(matrix.astype(np.float32))
            for matrix in (values, values + np.nan_to_num(errors))
        )
    return np.abs(perturbed - scaled)
