"""Colours given to the network beside magnitudes: it would take long to find the differences."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from msaestimator.preprocessing._table_reader import read_features
from msaestimator.schema import G_BAND, FeatureSchema

__all__ = ["color_contrasts", "units_of_features"]

NOISE = 0.01
"""Noise floor in mag: a principal component's standard deviation is taken as at least this when it
is scaled."""

CUT = (0.5, 99.5)
"""Percentiles of each colour outside of which stars do not count in principal components."""

STARS_PER_COLOR = 10
"""Stars per colour, with all bands of a survey, that its principal components need."""


def units_of_features(
    preprocessor: Any, schema: FeatureSchema, n_columns: int
) -> dict[str, float]:
    """Return the size of one unit of a scaled feature in its column's unit, by column."""
    ends = np.array([[0.0], [1.0]], dtype=np.float32).repeat(n_columns, axis=1)
    stars = read_features(preprocessor.inverse_transform(ends), schema)
    return dict(zip(schema.names, stars[1] - stars[0], strict=True))


def color_contrasts(
    names: Sequence[str],
    schema: FeatureSchema,
    features: np.ndarray,
    units: Mapping[str, float],
) -> dict[str, np.ndarray]:
    """Return the weights and centers of `Contrasts` that make colours of scaled magnitudes.

    They make each magnitude relative to G; and of each survey the principal components, scaled to
    unit variance, of its and Gaia's magnitudes relative to G. Metallicity moves a star along the
    components of least variance, by hundredths of a magnitude, where magnitudes vary by ten.

    Parameters
    ----------
    names : sequence of str of length n_features
        The features' columns in the schema; others are not magnitudes.
    schema : FeatureSchema
    features : ndarray of shape (n_stars, n_features)
        Scaled features, NaN missing.
    units : mapping of str to float
        Magnitudes per unit of a scaled feature, by column.

    Returns
    -------
    dict
        ``weights`` of shape (n_features, n_contrasts) and ``center`` of shape (n_contrasts,);
        empty without two magnitudes, one of them G.
    """
    scale = np.array([units.get(name, np.nan) for name in names])
    surveys = _magnitudes(names, schema)
    gaia = surveys.get("gaia", [])
    weights: list[np.ndarray] = []
    if G_BAND in names:
        reference = list(names).index(G_BAND)
        relative = {
            band: _difference(band, reference, scale)
            for bands in surveys.values()
            for band in bands
            if band != reference
        }
        weights += relative.values()
        for bands in surveys.values():
            used = [relative[b] for b in dict.fromkeys([*gaia, *bands]) if b != reference]
            if len(used) > 1:
                weights += _principal_components(features, np.column_stack(used))
    if not weights:
        return {}
    stacked = np.column_stack(weights)
    with np.errstate(invalid="ignore"):
        values = _combine(features, stacked)
    center = np.array(
        [np.median(v[np.isfinite(v)]) if np.isfinite(v).any() else 0.0 for v in values.T]
    )
    return {"weights": stacked.astype(np.float32), "center": center.astype(np.float32)}


def _magnitudes(names: Sequence[str], schema: FeatureSchema) -> dict[str, list[int]]:
    """Return the positions of magnitudes by survey."""
    surveys: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        if name in schema and schema[name].unit == "mag" and schema[name].reconstructed:
            surveys.setdefault(schema[name].block, []).append(position)
    return surveys


def _difference(band: int, reference: int, scale: np.ndarray) -> np.ndarray:
    weights = np.zeros(len(scale))
    weights[band], weights[reference] = scale[band], -scale[reference]
    return weights


def _combine(features: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return linear combinations, NaN where a feature of non-zero weight is."""
    missing = np.isnan(features)
    combined = np.where(missing, 0.0, features) @ weights
    lacking = missing.astype(np.float32) @ (weights != 0).astype(np.float32)
    return np.where(lacking > 0, np.nan, combined)


def _principal_components(features: np.ndarray, colors: np.ndarray) -> list[np.ndarray]:
    """Return the weights of the components of some colours, the least varying first."""
    values = _combine(features, colors)
    values = values[np.isfinite(values).all(axis=1)]
    n_colors = colors.shape[1]
    if len(values) < STARS_PER_COLOR * n_colors:
        return []
    low, high = np.percentile(values, CUT, axis=0)
    usual = values[((values >= low) & (values <= high)).all(axis=1)]
    if len(usual) < STARS_PER_COLOR * n_colors:
        return []
    variance, directions = np.linalg.eigh(np.cov(usual.T))
    width = np.sqrt(np.maximum(variance, NOISE**2))
    return list((colors @ (directions / width)).T)
