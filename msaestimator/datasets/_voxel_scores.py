"""A first look at all voxels of the isochrones: how well each could be a star's."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from msaestimator.datasets._distance_prior import Guess
from msaestimator.datasets._isochrone_library import BANDS, load_isochrone_library
from msaestimator.datasets._stellar_evidence import StellarEvidence

__all__ = ["Voxels", "load_voxels", "voxel_scores"]

VOXEL_PARAMETERS = np.array([0.008, 0.05, 0.09])
"""Sizes of a voxel as standard deviations of log10 Teff, log g and [M/H], in dex."""

VOXEL_COLOR, VOXEL_LUMINOSITY = 0.05, 0.12
"""Sizes of a voxel in mag: of each magnitude by itself, and of all together."""

N_GROUPS = 10
"""Groups of voxels with about the same extinction of a given A_V in a band."""

_UPPER = np.triu_indices(len(BANDS))


@dataclass(frozen=True)
class Voxels:
    """The library's voxels as their middles.

    Parameters
    ----------
    centre : ndarray of shape (3 + n_bands,)
        Parameters and absolute magnitudes in the middle of the library.
    groups : sequence of ndarray of int
        Numbers of the voxels of each group.
    extinctions : ndarray of shape (n_groups, n_bands)
        Extinctions in a group for one magnitude of A_V.
    features : sequence of ndarray of shape (n_features, n_voxels_of_the_group)
        Columns that a score is linear in.
    """

    centre: np.ndarray
    groups: Sequence[np.ndarray]
    extinctions: np.ndarray
    features: Sequence[np.ndarray]


def voxel_scores(stars: StellarEvidence, guessed: Guess) -> np.ndarray:
    """Return the logarithm of each voxel's posterior, roughly, (n_stars, n_voxels) of float32.

    Stars of a voxel are taken to be normally distributed around its middle. Distance and
    extinction are integrated over, as normally distributed too, so that all is quadratic in the
    middles: a product of matrices for all stars and all voxels of a group.
    """
    voxels = load_voxels()
    weight = _weight(stars.parameter_errors, VOXEL_PARAMETERS)
    parameters = np.nan_to_num(stars.parameters - voxels.centre[:3])
    first = np.hstack([np.ones((len(stars), 1)), weight * parameters, -0.5 * weight])
    covariance, log_volume = _inverse_covariances(stars, guessed, voxels.extinctions)
    modulus = guessed.modulus[:, np.newaxis]
    magnitudes = np.nan_to_num(stars.magnitudes - modulus - voxels.centre[3:])
    linear = np.einsum("sgjk,sk->sgj", covariance, magnitudes)
    mixed = covariance[..., *_UPPER] * np.where(_UPPER[0] == _UPPER[1], -0.5, -1.0)
    constant = log_volume - 0.5 * np.einsum("sgj,sj->sg", linear, magnitudes)
    scores = np.empty((len(stars), sum(map(len, voxels.groups))), dtype=np.float32)
    for number, members in enumerate(voxels.groups):
        # In double precision, so that what is drawn does not depend on the stars beside a star.
        terms = np.hstack([first, linear[:, number], mixed[:, number]])
        scores[:, members] = terms @ voxels.features[number] + constant[:, [number]]
    return scores


def _weight(errors: np.ndarray, size: np.ndarray | float) -> np.ndarray:
    """Return inverse variances of what is known, 0 of what is not, in voxels of some size."""
    return np.nan_to_num(1.0 / (errors**2 + size**2))


def _inverse_covariances(
    stars: StellarEvidence, guessed: Guess, extinctions: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return those of magnitudes, whatever the dust, and the evidence's factor that comes of it.

    Returns
    -------
    ndarray of shape (n_stars, n_groups, n_bands, n_bands)
        Inverse covariances.
    ndarray of shape (n_stars, n_groups)
        Logarithm of the volume of distances and extinctions that remain possible.
    """
    weight = _weight(stars.magnitude_errors, VOXEL_COLOR)[:, np.newaxis]
    directions = np.stack([np.ones_like(extinctions), extinctions], axis=-1)
    weighted = weight[..., np.newaxis] * directions
    information = np.einsum("gbi,sgbj->sgij", directions, weighted)
    modulus_variance = 1.0 / guessed.modulus_weight + VOXEL_LUMINOSITY**2
    information[..., 0, 0] += 1.0 / modulus_variance[:, np.newaxis]
    information[..., 1, 1] += guessed.a_v_weight[:, np.newaxis]
    removed = weighted @ np.linalg.inv(information) @ weighted.swapaxes(-1, -2)
    log_volume = -0.5 * np.log(np.linalg.det(information))
    return weight[..., np.newaxis] * np.eye(len(BANDS)) - removed, log_volume


@cache
def load_voxels() -> Voxels:
    """Group the library's voxels and describe them by their middles."""
    library = load_isochrone_library()
    columns = np.concatenate([library["parameters"], library["magnitudes"]], axis=-1)
    columns = columns.mean(axis=1, dtype=float)
    centre = columns.mean(axis=0)
    parameters, magnitudes = np.split(columns - centre, [3], axis=1)
    features = [
        np.log(np.exp(library.log_prior).mean(axis=1))[:, np.newaxis],
        parameters,
        parameters**2,
        magnitudes,
        magnitudes[:, _UPPER[0]] * magnitudes[:, _UPPER[1]],
    ]
    extinctions = library["extinctions"].mean(axis=1)
    edges = np.linspace(extinctions[:, 0].min(), extinctions[:, 0].max(), N_GROUPS + 1)[1:-1]
    group = np.searchsorted(edges, extinctions[:, 0])
    groups = [np.flatnonzero(group == number) for number in range(N_GROUPS)]
    rows = np.concatenate(features, axis=1)
    return Voxels(
        centre,
        groups,
        np.array([extinctions[members].mean(axis=0) for members in groups]),
        [np.ascontiguousarray(rows[members].T) for members in groups],
    )
