"""Steps from Gaia's stars to a training set: surveys, cuts, reddening, labels."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import Column, MaskedColumn, Table

from msaestimator.archive import (
    QUALITY_CUTS,
    QUALITY_RULES,
    ArchiveFlag,
    GaiaArchive,
    apply_quality_cuts,
)
from msaestimator.datasets._label_catalogues import CATALOGUE_LABELS
from msaestimator.datasets._survey_rows import SurveyRows
from msaestimator.datasets._training_counts import (
    KEPT,
    READ,
    WITH_XP,
    WRITTEN,
    count_surveys,
    is_known,
)
from msaestimator.dust import add_reddening
from msaestimator.exceptions import ColumnError
from msaestimator.schema import GAIA_DR3, CoefficientArray, StarTable, get_label
from msaestimator.tables import raw_column, source_ids_of

__all__ = ["Recipe", "columns_needed"]

DOUBLE = ("ra", "dec")
"""Columns that float32 has not enough digits for."""


class Recipe:
    """The steps from Gaia's stars to those of a training set (McKay 2025, section 2).

    Parameters
    ----------
    surveys : mapping of str to SurveyRows
        Surveys whose rows are added, by the schema's block.
    archive : GaiaArchive or None
        Archive that gives everything but the ids.
    labels : Table or None
        Labels; only stars that have any are kept then, a row for each row of labels.
    dust_map : str, callable or None
        Map of `add_reddening`; None leaves reddening as it is.
    quality_cuts : str or sequence of str
        Names of quality rules, or of a set of them.
    """

    def __init__(
        self,
        surveys: Mapping[str, SurveyRows],
        archive: GaiaArchive | None,
        labels: Table | None,
        dust_map: Any,
        quality_cuts: str | Sequence[str],
    ) -> None:
        self.surveys = surveys
        self.archive = archive
        self.dust_map = dust_map
        self.rules = _rules(quality_cuts)
        self.labels = None if labels is None else _Labels(labels)

    def apply(self, stars: StarTable) -> tuple[StarTable, Counter[str]]:
        """Return the rows of a training set that stars give, and the numbers at each step.

        Parameters
        ----------
        stars : StarTable
            Stars with ``source_id``, each once, and unless there is an archive what Gaia has of
            them.
        """
        if self.labels is not None:
            stars = stars[np.isin(stars["source_id"], self.labels.ids)]
        if self.archive is not None:
            stars = self.archive.fetch_features(np.asarray(stars["source_id"]))
        counts = Counter({READ: len(stars)})
        stars = stars[_with_xp(stars)]
        counts[WITH_XP] = len(stars)
        stars = StarTable(stars[is_known(stars, "parallax")])
        for survey in self.surveys.values():
            rows = survey.of(np.asarray(stars["source_id"]))
            for name in rows.colnames:
                stars[name] = rows[name]
        stars, flags = apply_quality_cuts(stars, self.rules)
        stars["archive_flags"] = flags | _flags(stars)
        stars = stars[(flags & ArchiveFlag.EXTRAGALACTIC_CANDIDATE) == 0]
        counts[KEPT] = len(stars)
        counts += count_surveys(stars)
        if self.dust_map is not None:
            stars = add_reddening(stars, self.dust_map)
        stars = _plain(stars[[name for name in stars.colnames if name in _WRITTEN]])
        if self.labels is not None:
            stars = self.labels.join(stars)
        counts[WRITTEN] = len(stars)
        return stars, counts

    @property
    def fingerprint(self) -> str:
        """Hexadecimal digits that change with what is done, and with the files it is done with."""
        archive = self.archive
        parts = [
            *((block, survey.fingerprint) for block, survey in self.surveys.items()),
            *([] if archive is None else [archive, archive.companions, archive.quality_cuts]),
            *([] if archive is None else [archive.parallax_correction]),
            "" if self.labels is None else self.labels.fingerprint,
            _name_of(self.dust_map),
            sorted(self.rules),
        ]
        return hashlib.sha256(repr(parts).encode()).hexdigest()


class _Labels:
    """Labels by Gaia id, of which a star may have several rows."""

    def __init__(self, labels: Table) -> None:
        named = [name for label in CATALOGUE_LABELS for name in (label, get_label(label).error)]
        kept = [name for name in labels.colnames if name in {*named, "survey", "age_catalogue"}]
        if "source_id" not in labels.colnames or not {*kept} & {*named}:
            raise ColumnError(
                "`labels` must have 'source_id' and labels, as stack_labels gives them, got "
                f"{', '.join(labels.colnames)}."
            )
        ids: np.ndarray = np.ma.filled(np.ma.asarray(source_ids_of(labels)), 0)
        order = np.argsort(ids, kind="stable")
        self.ids = ids[order]
        self._rows = _plain(labels[kept])[order]

    def join(self, stars: StarTable) -> StarTable:
        """Return stars with their labels, a star as often as it has rows of labels."""
        first = np.searchsorted(self.ids, stars["source_id"], "left")
        counts = np.searchsorted(self.ids, stars["source_id"], "right") - first
        star = np.repeat(np.arange(len(stars)), counts)
        row = np.arange(len(star)) + np.repeat(first - np.cumsum(counts) + counts, counts)
        joined = stars[star]
        for name in self._rows.colnames:
            joined[name] = self._rows[name][row]
        return joined

    @property
    def fingerprint(self) -> str:
        """Hexadecimal digits that change with the labels."""
        digest = hashlib.sha256(self.ids.tobytes())
        for name in self._rows.colnames:
            digest.update(name.encode() + np.asarray(self._rows[name]).tobytes())
        return digest.hexdigest()


def columns_needed(names: Iterable[str]) -> list[str]:
    """Return those of a dataset's columns that a training set is made of."""
    rules = {name for rule in QUALITY_RULES.values() for name in rule.columns}
    return [name for name in names if name in {*_WRITTEN, *rules}]


def _rules(quality_cuts: str | Sequence[str]) -> Sequence[str]:
    if not isinstance(quality_cuts, str):
        return quality_cuts
    if quality_cuts not in QUALITY_CUTS:
        raise ValueError(
            f"`quality_cuts` must be one of {', '.join(QUALITY_CUTS)}, or a sequence of names of "
            f"rules, got {quality_cuts!r}."
        )
    return QUALITY_CUTS[quality_cuts]


def _name_of(dust_map: Any) -> str:
    """Return what a map is called; a function's address would be another one in each run."""
    if dust_map is None or isinstance(dust_map, str):
        return str(dust_map)
    return getattr(dust_map, "__qualname__", type(dust_map).__qualname__)


def _with_xp(stars: StarTable) -> np.ndarray:
    """Tell which stars have coefficients; what Gaia announces without them does not count."""
    known = np.zeros(len(stars), dtype=bool)
    for array in GAIA_DR3.arrays:
        known |= is_known(stars, array.name)
    return known


def _flags(stars: StarTable) -> np.ndarray:
    """Return the archive's own flags of stars, 0 where there are none."""
    if "archive_flags" not in stars.colnames:
        return np.zeros(len(stars), dtype=np.int32)
    return np.asarray(stars["archive_flags"], dtype=np.int32)


def _written() -> frozenset[str]:
    """Return the names of the columns of a training set, labels left out."""
    names = {"source_id", *DOUBLE, "archive_flags", "random_index"}
    for member in GAIA_DR3.members:
        names |= {member.name, *filter(None, [member.error])}
        if isinstance(member, CoefficientArray):
            names.add(member.relevant_bases)
    return frozenset(names | {f"catwise_{band}_error" for band in ("w1", "w2")})


_WRITTEN = _written()


def _plain(stars: Table) -> StarTable:
    """Return stars as they are written: float32 with NaN where missing, and whole numbers."""
    plain = StarTable()
    for name in stars.colnames:
        values, mask, unit = raw_column(stars[name])
        if values.dtype.kind == "f":
            kind = np.float64 if name in DOUBLE else np.float32
            values = np.where(mask, np.nan, values).astype(kind)
            plain[name] = Column(values) if unit is None else u.Quantity(values, unit, copy=False)
        elif values.dtype.kind in "biu":
            plain[name] = MaskedColumn(values, mask=mask) if mask.any() else Column(values)
        else:
            plain[name] = Column(np.where(mask, "", values).astype(str))
    return plain
