"""Pseudo-luminosity given to the network beside parallax and G: it would take long to find it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from msaestimator.preprocessing._table_reader import read_features
from msaestimator.schema import G_BAND, FeatureSchema, pseudo_luminosity

__all__ = ["luminosity_input"]

PARALLAX = "parallax"


def luminosity_input(
    names: Sequence[str],
    schema: FeatureSchema,
    features: np.ndarray,
    preprocessor: Any,
    n_columns: int,
) -> dict[str, np.ndarray]:
    """Return the settings of `PseudoLuminosity` for scaled features.

    Parameters
    ----------
    names : sequence of str of length n_features
        The features' columns in the schema.
    schema : FeatureSchema
    features : ndarray of shape (n_stars, n_features)
        Scaled features, NaN missing.
    preprocessor : transformer
        Fitted preprocessor of these features, linear in magnitude and parallax, with an inverse.
    n_columns : int
        Number of the preprocessor's columns.

    Returns
    -------
    dict
        Arguments by name; empty where G or parallax is no feature, or no star has both.
    """
    if not {G_BAND, PARALLAX}.issubset(names):
        return {}
    ends = np.array([[0.0], [1.0]], dtype=np.float32).repeat(n_columns, axis=1)
    zero, one = read_features(preprocessor.inverse_transform(ends), schema)
    columns = np.array([list(names).index(name) for name in (G_BAND, PARALLAX)])
    places = [schema.names.index(name) for name in (G_BAND, PARALLAX)]
    zero, unit = zero[places], (one - zero)[places]
    magnitude, parallax = (features[:, columns] * unit + zero).T
    values = np.arcsinh(pseudo_luminosity(parallax, magnitude - 10.0))
    known = values[np.isfinite(values)]
    if not known.size:
        return {}
    low, center, high = np.percentile(known, [25, 50, 75])
    width = high - low if high > low else 1.0
    return {
        "columns": columns,
        "zero": zero,
        "unit": unit,
        "center": np.asarray(center),
        "width": np.asarray(width),
    }
