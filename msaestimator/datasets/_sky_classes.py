"""Classes of stars, by brightness, colour, reddening and kind, and the sky's count of each."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from msaestimator.datasets._columns import read_numbers
from msaestimator.datasets._packaged import read_arrays
from msaestimator.exceptions import ColumnError
from msaestimator.schema import G_BAND, GAIA_DR3, LABELS
from msaestimator.tables import NamedColumns, require_columns, with_known_names

__all__ = ["GIANT_LOGG", "Classes", "Split", "n_magnitudes", "read_classes", "sky_splits"]

GIANT_LOGG = 3.5
"""Surface gravity below which a star is a giant, in dex: an edge between two classes."""

_COLOR_BANDS = ("phot_bp_mean_mag", "phot_rp_mean_mag")
_NEEDED = (G_BAND, "teff", "logg")
_READ = (*_NEEDED, *_COLOR_BANDS, "ebv", "fe_h")


@dataclass(frozen=True)
class Classes:
    """Classes of n stars, each an array of int, (n_stars,).

    Parameters
    ----------
    g : ndarray
        Class of G.
    seen : ndarray
        Class of G, BP - RP and E(B-V) together, of which the last two may be unknown.
    is_giant : ndarray
        1 for giants.
    metals : ndarray
        Class of [Fe/H].
    kind : ndarray
        Class of log g and Teff together.
    is_known : ndarray of bool
        Whether G, Teff and log g are known, and the sky has stars of this kind.
    has_metals : ndarray of bool
        Whether [Fe/H] is known too.
    """

    g: np.ndarray
    seen: np.ndarray
    is_giant: np.ndarray
    metals: np.ndarray
    kind: np.ndarray
    is_known: np.ndarray
    has_metals: np.ndarray

    @property
    def seen_and_giant(self) -> np.ndarray:
        """Class of what is seen, giants apart."""
        return 2 * self.seen + self.is_giant


@dataclass(frozen=True)
class Split:
    """One step in telling stars apart: the sky's count of some classes within others.

    Parameters
    ----------
    within, into : str
        Names of attributes of :class:`Classes`: classes that are split, and those they split
        into.
    where : str
        Name of the attribute that tells which stars can be.
    counts : ndarray of shape (n_within, n_into)
        Numbers of the sky's stars.
    """

    within: str
    into: str
    where: str
    counts: np.ndarray


def read_classes(stars: Any) -> Classes:
    """Read the classes of stars in any container; see :class:`SkyMix` for the columns."""
    columns = with_known_names(require_columns(stars), _READ)
    for name in _NEEDED:
        if name not in columns:
            raise ColumnError(
                f"The mix of stars is told by {', '.join(map(repr, _NEEDED))}, of which {name!r} "
                f"is absent; the columns are {', '.join(columns.names)}. Add it, NaN where it is "
                "not known."
            )
    sky = _sky_counts()
    n_color, n_ebv = (len(sky[f"{name}_edges"]) + 2 for name in ("color", "ebv"))
    n_teff = len(sky["teff_edges"]) + 1
    g, logg, teff, fe_h = (_numbers(columns, name) for name in (G_BAND, "logg", "teff", "fe_h"))
    bp, rp = (_numbers(columns, name) for name in _COLOR_BANDS)
    of_g, of_logg, of_teff, of_metals = (
        np.digitize(values, sky[f"{name}_edges"])
        for name, values in {"g": g, "logg": logg, "teff": teff, "fe_h": fe_h}.items()
    )
    is_known = np.isfinite(g) & np.isfinite(logg) & np.isfinite(teff)
    kind = np.where(is_known, of_logg * n_teff + of_teff, 0)
    is_known &= sky["kinds"].sum(axis=(0, 1, 2)).ravel()[kind] > 0
    of_color = _class_or_unknown(bp - rp, sky["color_edges"])
    of_ebv = _class_or_unknown(_numbers(columns, "ebv"), sky["ebv_edges"])
    return Classes(
        g=np.where(np.isfinite(g), of_g, 0),
        seen=np.where(np.isfinite(g), (of_g * n_color + of_color) * n_ebv + of_ebv, 0),
        is_giant=(logg < GIANT_LOGG).astype(int),
        metals=np.where(np.isfinite(fe_h), of_metals, 0),
        kind=kind,
        is_known=is_known,
        has_metals=is_known & np.isfinite(fe_h),
    )


@cache
def sky_splits() -> tuple[Split, ...]:
    """Return how the sky's stars divide: into giants and others, by metals, and into kinds."""
    sky = _sky_counts()
    kinds, metals = _with_unknown(sky["kinds"]), _with_unknown(sky["metals"])
    n_giants = int(np.searchsorted(sky["logg_edges"], GIANT_LOGG)) + 1
    is_giant = np.arange(kinds.shape[3]) < n_giants
    # Others before giants, as in `Classes.is_giant`.
    apart = np.stack([~is_giant, is_giant])
    of_metals = np.einsum("gcelf,kl->gcekf", metals, apart)
    of_kinds = np.einsum("gcelt,kl->gceklt", kinds, apart)
    return (
        Split("seen", "is_giant", "is_known", of_kinds.sum(axis=(-2, -1)).reshape(-1, 2)),
        Split(
            "seen_and_giant", "metals", "has_metals", of_metals.reshape(-1, of_metals.shape[-1])
        ),
        Split(
            "seen_and_giant",
            "kind",
            "is_known",
            of_kinds.reshape(-1, kinds.shape[3] * kinds.shape[4]),
        ),
    )


def n_magnitudes() -> int:
    """Return the number of classes of G."""
    return len(_sky_counts()["g_edges"]) + 1


@cache
def _sky_counts() -> dict[str, np.ndarray]:
    """Return the packaged counts, and the edges between the classes."""
    arrays = read_arrays("sky_mix.npz")
    counts = {name: arrays[name].astype(float) for name in ("kinds", "metals")}
    return {**arrays, **counts}


def _with_unknown(counts: np.ndarray) -> np.ndarray:
    """Add a last class to colours and reddenings: all of them, for what is not known."""
    for axis in (1, 2):
        counts = np.concatenate([counts, counts.sum(axis=axis, keepdims=True)], axis=axis)
    return counts


def _class_or_unknown(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), np.digitize(values, edges), len(edges) + 1)


def _numbers(columns: NamedColumns, name: str) -> np.ndarray:
    """Return a column in our unit, NaN where missing or not there."""
    if name not in columns:
        return np.full(len(columns), np.nan)
    unit = LABELS[name].unit if name in LABELS else GAIA_DR3[name].unit
    return read_numbers(columns, name, unit)
