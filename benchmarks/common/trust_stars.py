"""The stars that show where a model can be trusted, and what it is told of them."""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np

from msaestimator.datasets import (
    SkyMix,
    load_apogee_xp,
    make_fainter,
    split_by_source_id,
)
from msaestimator.schema import G_BAND, GAIA_DR3, StarTable
from msaestimator.tables import read_stars

__all__ = [
    "BASIC",
    "BRIGHT",
    "FAINT",
    "INPUTS",
    "Samples",
    "numbers",
    "own_g",
    "tell",
    "with_sides",
]

N_TOY = 100

BASIC = ("xp", "gaia", "tmass", "dust")
"""What apogee-xp was told of a star, as blocks of the schema."""

INPUTS: dict[str, tuple[str, ...]] = {
    "XP": BASIC,
    "XP, parallax": (*BASIC, "astrometry"),
    "photometry": BASIC[1:],
    "photometry, parallax": (*BASIC[1:], "astrometry"),
    "everything": GAIA_DR3.blocks,
}
"""What is told of stars, by name: Gaia's and 2MASS's magnitudes and E(B-V) are with all."""

BRIGHT = 0.0
"""What stands for the G of stars that are as bright as they are."""

FAINT = (15.0, 16.0, 16.75, 17.5)
"""G of fainter copies with a goal of their own."""

NEAR = 2.0
"""Least parallax of a nearby star, in mas."""

PRECISE = 20.0
"""Least ratio of its parallax to the error."""

DWARF = 4.0
"""Least log g of a dwarf."""


class Samples:
    """The stars of each sample that a model is asked for.

    Parameters
    ----------
    path : Path, optional
        Table with columns ``sample`` and ``is_test``, as ``scripts/release/gather.py`` makes it;
        None takes the packaged test stars.
    toy : bool
        Whether a few stars of each sample do.
    """

    def __init__(self, path: Path | None, *, toy: bool) -> None:
        stars = load_apogee_xp("test") if path is None else read_stars(path)
        if path is None:
            stars["sample"], stars["is_test"] = "apogee", True
        sample, is_test = np.asarray(stars["sample"]), np.asarray(stars["is_test"], dtype=bool)
        self._cut = N_TOY if toy else None
        self.apogee = self._few(stars, (sample == "apogee") & is_test)
        self.photometry = self._few(stars, (sample == "photometry") & is_test)
        self.field = self._few(stars, sample == "field")
        self.seismic = self._few(stars, np.isfinite(numbers(stars, "seismic_mass")))
        self.at = lru_cache(maxsize=None)(self._at)

    def _few(self, stars: StarTable, mask: np.ndarray) -> StarTable:
        return stars[np.flatnonzero(mask)[: self._cut]]

    def _at(self, g: float, *, parallax: bool = False) -> StarTable:
        """Return the test stars of APOGEE as they are, or would be at a G in mag.

        Those with a parallax are a part of all, with the same noise.
        """
        if parallax:
            stars = self.at(g)
            return stars[np.isfinite(numbers(stars, "parallax"))]
        if g == BRIGHT:
            return self.apogee
        stars = self.apogee[own_g(self.apogee) < g]
        return make_fainter(stars, g, random_state=int(100 * g))

    def as_on_sky(self, g: float) -> np.ndarray:
        """Return as many rows of ``at(g)``, each drawn as often as the sky has its kind."""
        stars = self.at(g)
        weights = SkyMix().fit(stars).weights(stars)
        shares = weights / weights.sum()
        return np.random.default_rng(0).choice(len(stars), len(stars), p=shares)

    @property
    def near_dwarfs(self) -> StarTable:
        """Dwarfs of the photometric sample with a precise and large parallax."""
        stars = self.photometry
        parallax = numbers(stars, "parallax")
        precise = parallax > PRECISE * numbers(stars, "parallax_error")
        return stars[precise & (parallax > NEAR) & (numbers(stars, "logg") > DWARF)]


def with_sides(path: Path | None, *, toy: bool) -> StarTable:
    """Return APOGEE's stars of a table, or the packaged ones, with ``is_test``."""
    if path is None:
        stars = load_apogee_xp()
        stars["is_test"] = split_by_source_id(stars["source_id"])
    else:
        stars = read_stars(path)
        stars = stars[np.asarray(stars["sample"]) == "apogee"]
    return stars[: 5 * N_TOY] if toy else stars


def numbers(stars: StarTable, name: str) -> np.ndarray:
    """Return a column as floats in its own unit, NaN where missing or absent."""
    if name not in stars.colnames:
        return np.full(len(stars), np.nan)
    values = getattr(stars[name], "value", stars[name])
    return np.ma.filled(np.ma.asarray(values, dtype=float), np.nan)


def own_g(stars: StarTable) -> np.ndarray:
    """Return G in mag."""
    return numbers(stars, G_BAND)


def tell(stars: StarTable, blocks: Iterable[str]) -> StarTable:
    """Return what blocks of the schema tell of stars, without labels."""
    told = set(blocks)
    names = []
    for member in GAIA_DR3.members:
        if member.block in told:
            names += [member.name, member.error]
    names += [array.relevant_bases for array in GAIA_DR3.arrays if array.block in told]
    return stars[[name for name in names if name in stars.colnames]]
