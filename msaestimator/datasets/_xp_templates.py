"""Real XP spectra as templates: their labels, their own extinction, and the nearest one."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.spatial import KDTree
from sklearn.neighbors import KNeighborsRegressor

from msaestimator.datasets._apogee import load_apogee_xp
from msaestimator.datasets._isochrones import SOLAR_BOLOMETRIC_MAGNITUDE, load_isochrones
from msaestimator.datasets._xp_photometry import fit_passband, reproduces
from msaestimator.schema import G_BAND, GAIA_DR3, StarTable

__all__ = ["XPTemplates", "load_xp_templates", "own_extinction"]

MAX_EXTINCTION = 2.0
"""Largest A_V of a template in mag: dereddening one behind more dust amplifies noise."""

# A fit this far below zero, or this uneven from band to band, means that labels and colours
# are not of one star; in mag.
_MIN_EXTINCTION, _MAX_SCATTER = -0.2, 0.1

_LABEL_SCALES = {"log_teff": 0.01, "logg": 0.2, "fe_h": 0.2}
_COLORS = ("phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag", "j_m", "h_m", "ks_m")


@dataclass(frozen=True)
class XPTemplates:
    """Stars whose spectra stand for others.

    Parameters
    ----------
    labels : ndarray, shape (n_templates, 3)
        Labels: log10 of Teff in K, log g, [Fe/H] (NaN = unknown), in units of the scales over
        which spectra change.
    coefficients, errors : ndarray, shape (n_templates, n_coefficients)
        Coefficients of BP and RP one after the other, as in the schema.
    g_magnitude : ndarray, shape (n_templates,)
        Magnitudes G of the templates.
    a_v : ndarray, shape (n_templates,)
        The template's own extinction in mag, see :func:`own_extinction`.
    g_passband : ndarray, shape (n_coefficients,)
        Weights from coefficients to G flux, see :func:`fit_passband`.
    """

    labels: np.ndarray
    coefficients: np.ndarray
    errors: np.ndarray
    g_magnitude: np.ndarray
    a_v: np.ndarray
    g_passband: np.ndarray

    def nearest(self, log_teff: np.ndarray, logg: np.ndarray, fe_h: np.ndarray) -> np.ndarray:
        """Return the position of the nearest template of each star, shape (n_stars,).

        Templates without [Fe/H] are compared in the other two labels, their squared
        distance scaled by 3/2 as in :func:`sklearn.metrics.pairwise.nan_euclidean_distances`.
        """
        wanted = _scaled_labels(log_teff, logg, fe_h)
        known = np.isfinite(self.labels[:, -1])
        complete, partial = np.flatnonzero(known), np.flatnonzero(~known)
        distance, nearest = KDTree(self.labels[complete]).query(wanted)
        without = wanted[:, :-1]
        other_distance, other = KDTree(self.labels[partial][:, :-1]).query(without)
        closer = np.sqrt(1.5) * other_distance < distance
        return np.where(closer, partial[other], complete[nearest])


@cache
def load_xp_templates() -> XPTemplates:
    """Load the packaged real stars as templates.

    Left out are stars behind much dust, stars whose labels and colours disagree, and stars
    whose spectrum does not give back their G, BP and RP magnitudes.
    """
    stars = load_apogee_xp()
    labels = _scaled_labels(np.log10(stars["teff"].value), stars["logg"], stars["fe_h"])
    a_v, scatter = own_extinction(stars, labels)
    kept = (a_v > _MIN_EXTINCTION) & (a_v < MAX_EXTINCTION) & (scatter < _MAX_SCATTER)
    coefficients = np.hstack([stars[array.name] for array in GAIA_DR3.arrays]).astype(float)
    passbands = {}
    for name in GAIA_DR3.block("gaia"):
        magnitude = stars[name].value.astype(float)
        passbands[name] = fit_passband(coefficients, magnitude)
        kept &= reproduces(coefficients, magnitude, passbands[name])
    return XPTemplates(
        labels=labels[kept],
        coefficients=coefficients[kept],
        errors=np.hstack([stars[array.error] for array in GAIA_DR3.arrays])[kept].astype(float),
        g_magnitude=stars[G_BAND].value[kept].astype(float),
        a_v=np.maximum(a_v[kept], 0.0),
        g_passband=passbands[G_BAND],
    )


def own_extinction(stars: StarTable, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Estimate A_V of stars with known labels from their colours, with the fit's scatter, in mag.

    The isochrones give the absolute magnitudes and extinction coefficients at a star's labels
    ([Fe/H] = 0 where unknown). Observed minus absolute magnitude is the distance modulus plus
    A_V times the coefficient, so A_V is the slope of the line through the star's bands (G, BP,
    RP, J, H, Ks; missing ones left out). SFD's E(B-V) would not do: it goes to infinity.
    """
    points = load_isochrones()
    bolometric = SOLAR_BOLOMETRIC_MAGNITUDE - 2.5 * points["log_l"]
    absolute = [bolometric - points[f"bc_{name}"].value for name in _COLORS]
    per_a_v = [points[f"a_{name}"] for name in _COLORS]
    model = KNeighborsRegressor(n_neighbors=8, weights="distance").fit(
        _scaled_labels(points["log_teff"], points["logg"], points["fe_h"]),
        np.column_stack(absolute + per_a_v),
    )
    intrinsic, slope = np.hsplit(model.predict(np.nan_to_num(labels)), 2)
    excess = np.column_stack([stars[name].value for name in _COLORS]) - intrinsic
    slope = np.where(np.isfinite(excess), slope, np.nan)
    slope = slope - np.nanmean(slope, axis=1, keepdims=True)
    excess = excess - np.nanmean(excess, axis=1, keepdims=True)
    a_v = np.nansum(slope * excess, axis=1) / np.nansum(slope**2, axis=1)
    return a_v, np.nanstd(excess - a_v[:, np.newaxis] * slope, axis=1)


def _scaled_labels(log_teff: np.ndarray, logg: np.ndarray, fe_h: np.ndarray) -> np.ndarray:
    """Stack the labels in units of the scales over which spectra change, (n, 3)."""
    columns = [np.asarray(column, dtype=float) for column in (log_teff, logg, fe_h)]
    return np.column_stack(columns) / list(_LABEL_SCALES.values())
