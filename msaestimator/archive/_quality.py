"""The thesis's survey quality cuts (its section 2.2) as named rules that can be switched."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from astropy.table import Table

from msaestimator.archive._flags import ArchiveFlag
from msaestimator.archive._known import read_known
from msaestimator.exceptions import did_you_mean
from msaestimator.schema import GAIA_DR3, StarTable

__all__ = ["QUALITY_CUTS", "QUALITY_RULES", "QualityRule", "apply_quality_cuts"]

SDSS_BANDS = "ugriz"
SDSS_MISSING = -9999.0
"""Number that SDSS writes where it has no measurement."""

SDSS_STAR = 6
"""SDSS's ``type`` of a point source; 3 is a galaxy."""

# Bits of SDSS's PhotoFlags.
SDSS_EDGE = 1 << 2
SDSS_SATURATED = 1 << 18
SDSS_PSF_FLUX_INTERP = 1 << 47
# DIFF(mckay2025): the thesis names saturation, bad pixels, edges and "not a star"; the author's
# code tests bits 1, 2, 8 and 64 instead, which are CANONICAL_CENTER, BRIGHT, BLENDED and
# NODEBLEND. We test what the text names, in each band by itself.
SDSS_BAD = SDSS_SATURATED | SDSS_EDGE | SDSS_PSF_FLUX_INTERP

# Bits of Pan-STARRS's ObjectInfoFlags.
PS1_POOR = 1 << 1
PS1_TRANSIENT = 1 << 8
PS1_MOST_SOLSYS_DET = 1 << 10
PS1_EXT = 1 << 23
PS1_GOOD = 1 << 25
# DIFF(mckay2025): the thesis removes what is saturated or has cosmic rays or artefacts by
# `obj_info_flag`, which has no such bits (those are of single detections). Nearest to them are
# photometry too poor to calibrate with, detections that are not of one lasting thing, and a
# shape that is not a point's.
PS1_BAD = PS1_POOR | PS1_TRANSIENT | PS1_MOST_SOLSYS_DET | PS1_EXT


@dataclass(frozen=True)
class QualityRule:
    """A rule that tells which of a survey's magnitudes are bad.

    Parameters
    ----------
    name : str
    block : str or None
        Block of the schema whose magnitudes and errors are removed; None removes nothing.
    flag : ArchiveFlag
        Flag of a row from which the rule removes something.
    description : str
        Words for the magnitudes that are removed.
    columns : tuple of str
        Columns that the rule reads.
    bad : callable
        Function from a table to bool of shape (n_stars,), or (n_stars, n_bands) in the order of
        the block where bands differ. Unknown values are not bad.
    """

    name: str
    block: str | None
    flag: ArchiveFlag
    description: str
    columns: tuple[str, ...]
    bad: Callable[[Table], np.ndarray]


def apply_quality_cuts(table: Table, rules: Sequence[str]) -> tuple[StarTable, np.ndarray]:
    """Remove magnitudes that a survey's own flags call bad; rows stay.

    Parameters
    ----------
    table : Table of n_stars rows
        Stars with the columns that the rules read. A column that is absent, masked or NaN tells
        nothing, and nothing is removed for it.
    rules : sequence of str
        Names from `QUALITY_RULES`, or one of the presets `QUALITY_CUTS`. Their order is of no
        importance.

    Returns
    -------
    table : StarTable
        Copy of the table, with NaN for the magnitudes and magnitude errors removed.
    flags : ndarray of int32 of shape (n_stars,)
        Bits of `ArchiveFlag`, for the rows from which a rule removed something.

    Raises
    ------
    ValueError
        There is no rule of that name.

    Examples
    --------
    >>> from msaestimator import StarTable
    >>> from msaestimator.archive import QUALITY_CUTS, ArchiveFlag, apply_quality_cuts
    >>> stars = StarTable({"j_m": [11.2, 12.3], "tmass_ext_key": [0, 77]})
    >>> stars["tmass_ext_key"] = np.ma.masked_equal(stars["tmass_ext_key"], 0)
    >>> kept, flags = apply_quality_cuts(stars, QUALITY_CUTS["mckay2025"])
    >>> kept["j_m"].tolist(), [ArchiveFlag(flag).name for flag in flags[1:]]
    ([11.2, nan], ['CUT_TMASS'])
    """
    chosen = _find_rules(rules)
    kept = StarTable(table)
    flags = np.zeros(len(kept), dtype=np.int32)
    for rule in chosen:
        # Judged by the table as it came, so that no rule hides anything from another.
        bad = rule.bad(table)
        flags[bad if rule.block is None else _blank(kept, rule.block, bad)] |= rule.flag
    return kept, flags


def _find_rules(names: Sequence[str]) -> list[QualityRule]:
    if isinstance(names, str):
        raise ValueError(
            f"`rules` must be a sequence of names, got the string {names!r}. Write [{names!r}] "
            f"for one rule, or take a preset: QUALITY_CUTS[{next(iter(QUALITY_CUTS))!r}]."
        )
    for name in names:
        if name not in QUALITY_RULES:
            raise ValueError(
                f"`rules` must be names of quality rules, {', '.join(QUALITY_RULES)}, "
                f"got {name!r}." + did_you_mean(name, QUALITY_RULES)
            )
    return [QUALITY_RULES[name] for name in names]


def _blank(kept: StarTable, block: str, bad: np.ndarray) -> np.ndarray:
    """Set bad magnitudes and errors to NaN in place; return the rows where there were any."""
    rows = np.zeros(len(kept), dtype=bool)
    magnitudes = GAIA_DR3.block(block)
    by_band = np.broadcast_to(bad.T, (len(magnitudes), len(kept)))
    for magnitude, bad_band in zip(magnitudes, by_band, strict=True):
        for name in _with_error(magnitude):
            if name in kept.colnames:
                _, known = read_known(kept, name)
                kept[name][bad_band & known] = np.nan
                rows |= bad_band & known
    return rows


def _with_error(magnitude: str) -> tuple[str, ...]:
    """Return the name of a magnitude and, if it has one, of its error."""
    error = GAIA_DR3[magnitude].error
    return (magnitude,) if error is None else (magnitude, error)


def _bits(table: Table, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return a column of bit flags as int64, and where it is known."""
    values, known = read_known(table, name)
    return values.astype(np.int64), known


def _sdss_flags(table: Table) -> np.ndarray:
    bad = []
    for band, magnitude in zip(SDSS_BANDS, GAIA_DR3.block("sdss"), strict=True):
        flags, _ = _bits(table, f"sdss_flags_{band}")
        band_is_bad = (flags & SDSS_BAD) != 0
        for name in _with_error(magnitude):
            band_is_bad |= read_known(table, name)[0] == SDSS_MISSING
        bad.append(band_is_bad)
    return np.column_stack(bad)


def _sdss_star(table: Table) -> np.ndarray:
    kind, known = read_known(table, "sdss_type")
    return known & (kind != SDSS_STAR)


def _ps1_obj_info_flag(table: Table) -> np.ndarray:
    flags, known = _bits(table, "ps1_obj_info_flag")
    return known & (((flags & PS1_BAD) != 0) | ((flags & PS1_GOOD) == 0))


def _skymapper(table: Table) -> np.ndarray:
    """Return stars that Onken et al. 2024 cut, by the stricter rule where r is unknown."""
    r, r_known = read_known(table, "r_psf", "mag")
    class_star, class_known = read_known(table, "smss_class_star")
    needed = np.where(r_known & (r >= 19), 0.5, 0.9)
    # 0 stands for an unknown value, which these limits let pass.
    return (
        (class_known & (class_star <= needed))
        | (read_known(table, "smss_flags")[0] >= 4)
        | (read_known(table, "smss_nimaflags")[0] >= 5)
        | (read_known(table, "smss_distance", "arcsec")[0] >= 2)
    )


def _tmass_extended(table: Table) -> np.ndarray:
    return read_known(table, "tmass_ext_key")[1]


def _gaia_extragalactic(table: Table) -> np.ndarray:
    return np.logical_or(
        read_known(table, "in_qso_candidates")[0], read_known(table, "in_galaxy_candidates")[0]
    )


_RULES = (
    QualityRule(
        "sdss_flags",
        "sdss",
        ArchiveFlag.CUT_SDSS,
        "bands saturated, at an edge, with interpolated pixels, or -9999",
        (
            *(f"sdss_flags_{band}" for band in SDSS_BANDS),
            *(name for magnitude in GAIA_DR3.block("sdss") for name in _with_error(magnitude)),
        ),
        _sdss_flags,
    ),
    QualityRule(
        "sdss_star",
        "sdss",
        ArchiveFlag.CUT_SDSS,
        "what SDSS does not classify as a star",
        ("sdss_type",),
        _sdss_star,
    ),
    QualityRule(
        "ps1_obj_info_flag",
        "ps1",
        ArchiveFlag.CUT_PS1,
        "poor, transient, moving or extended in Pan-STARRS, or not of good quality",
        ("ps1_obj_info_flag",),
        _ps1_obj_info_flag,
    ),
    QualityRule(
        "skymapper",
        "skymapper",
        ArchiveFlag.CUT_SKYMAPPER,
        "not like a star, flagged, or 2 arcsec and more from the Gaia source",
        ("r_psf", "smss_class_star", "smss_flags", "smss_nimaflags", "smss_distance"),
        _skymapper,
    ),
    QualityRule(
        "tmass_extended",
        "tmass",
        ArchiveFlag.CUT_TMASS,
        "in the 2MASS catalogue of extended sources",
        ("tmass_ext_key",),
        _tmass_extended,
    ),
    # DIFF(mckay2025): the thesis leaves candidates out of its sample. The lists are complete
    # rather than pure (50 to 70 %, Gaia Collaboration, Bailer-Jones et al. 2023), and who asks
    # for a star by its id should get an answer with a warning; fitting leaves such rows out.
    QualityRule(
        "gaia_extragalactic",
        None,
        ArchiveFlag.EXTRAGALACTIC_CANDIDATE,
        "Gaia's candidate quasars and galaxies: flagged only",
        ("in_qso_candidates", "in_galaxy_candidates"),
        _gaia_extragalactic,
    ),
)

QUALITY_RULES: Mapping[str, QualityRule] = {rule.name: rule for rule in _RULES}
"""Quality rules by name."""

QUALITY_CUTS: Mapping[str, tuple[str, ...]] = {
    "mckay2025": (
        "sdss_flags",
        "sdss_star",
        "ps1_obj_info_flag",
        "skymapper",
        "tmass_extended",
        "gaia_extragalactic",
    ),
    "none": (),
}
"""Named sets of quality rules: those of the thesis, and none."""
