"""A survey's rows for stars, by Gaia id, from files that are read in pieces."""

from collections.abc import Sequence
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import MaskedColumn

from msaestimator.archive import COMPANIONS, RELEASES, ArchiveColumn
from msaestimator.datasets._star_dataset import StarDataset
from msaestimator.exceptions import ColumnError, did_you_mean
from msaestimator.schema import GAIA_DR3, StarTable
from msaestimator.tables import raw_column

__all__ = ["SURVEY_BLOCKS", "SurveyRows"]

SURVEY_BLOCKS = ("tmass", "wise", "skymapper", "ps1", "sdss")
"""Blocks of other surveys' magnitudes, in the order of the thesis's Table 2.1."""


class SurveyRows:
    """A survey's rows, matched to Gaia sources before.

    Parameters
    ----------
    block : str
        The schema's name of the survey, one of `SURVEY_BLOCKS`.
    stars : StarDataset
        Files with ``source_id`` and the survey's magnitudes, by our names or the survey's; also
        its errors, flags and the match's distance, as far as there are any. Sorted by Gaia id they
        are read once; in another order, as a whole for every batch of stars.

    Raises
    ------
    ColumnError
        There is no such survey, or the files lack Gaia ids or every magnitude.
    """

    def __init__(self, block: str, stars: StarDataset) -> None:
        if block not in SURVEY_BLOCKS:
            raise ColumnError(
                f"`surveys` must be called {', '.join(SURVEY_BLOCKS)}, got {block!r}."
                + did_you_mean(block, SURVEY_BLOCKS)
            )
        self._stars = stars
        self._columns = _columns_in(block, stars.columns)
        self._key = next((key for key in _keys(block) if key in stars.columns), "")
        if not self._key or not {*GAIA_DR3.block(block)} & {c.name for c in self._columns}:
            raise ColumnError(
                f"The files of `surveys[{block!r}]` must have {' or '.join(_keys(block))} and "
                f"magnitudes, {', '.join(GAIA_DR3.block(block))}, got {', '.join(stars.columns)}."
            )
        ranges = [_ends(self._ids(fragment)) for fragment in stars.fragments]
        self._ranges = np.array(ranges, dtype=np.int64).reshape(-1, 2)
        self._last = (-1, StarTable())

    @property
    def fingerprint(self) -> str:
        """Hexadecimal digits that change with the files."""
        return self._stars.fingerprint

    def of(self, ids: np.ndarray) -> StarTable:
        """Return the rows of Gaia sources.

        Parameters
        ----------
        ids : ndarray of int64 of shape (n_stars,)
            Gaia ids.

        Returns
        -------
        StarTable of length n_stars
            Magnitudes, errors, flags and distance by our names, NaN or masked where the survey
            has no row. Of several rows of a source the nearest is taken, else the first.
        """
        if not len(ids) or not len(self._ranges):
            return self._aligned(ids, ids[:0], [])
        near = (self._ranges[:, 0] <= ids.max()) & (self._ranges[:, 1] >= ids.min())
        pieces, found = [], [ids[:0]]
        for number in np.flatnonzero(near).tolist():
            rows = self._read(number)
            its_ids = _plain_ids(rows[self._key])
            wanted = np.isin(its_ids, ids)
            pieces.append(rows[wanted])
            found.append(its_ids[wanted])
        return self._aligned(ids, np.concatenate(found), pieces)

    def _ids(self, fragment: Any) -> np.ndarray:
        return _plain_ids(self._stars.read(fragment, [self._key])[self._key])

    def _read(self, number: int) -> StarTable:
        """Return a fragment; the last one is kept, in which the next stars may be too."""
        if self._last[0] != number:
            names = [self._key, *(_name_in(c, self._stars.columns) for c in self._columns)]
            rows = self._stars.read(self._stars.fragments[number], dict.fromkeys(names))
            self._last = (number, rows)
        return self._last[1]

    def _aligned(
        self, ids: np.ndarray, found: np.ndarray, pieces: Sequence[StarTable]
    ) -> StarTable:
        """Return one row an id of the rows that were found."""
        taken = {column.name: self._taken(column, pieces) for column in self._columns}
        distances = [
            values for name, (values, _, _) in taken.items() if name.endswith("_distance")
        ]
        order = np.lexsort((*distances, found)) if len(found) else np.empty(0, dtype=np.intp)
        distinct, first = np.unique(found[order], return_index=True)
        places = np.searchsorted(distinct, ids)
        known = np.zeros(len(ids), dtype=bool)
        inside = places < len(distinct)
        known[inside] = distinct[places[inside]] == ids[inside]
        rows = order[first[places[known]]]
        return StarTable({name: _spread(*parts, rows, known) for name, parts in taken.items()})

    def _taken(
        self, column: ArchiveColumn, pieces: Sequence[StarTable]
    ) -> tuple[np.ndarray, np.ndarray, Any]:
        """Return a column's values, where they are missing, and the column's unit."""
        name = _name_in(column, self._stars.columns)
        blank = np.nan if column.kind == "float" else 0
        kind = {"float": np.float64, "integer": np.int64}[column.kind]
        parts = [raw_column(piece[name]) for piece in pieces]
        mask = np.concatenate([np.zeros(0, dtype=bool), *(part.mask for part in parts)])
        values = [np.where(part.mask, blank, part.values).astype(kind) for part in parts]
        unit = self._stars.units.get(name, column.unit)
        return np.concatenate([np.zeros(0, dtype=kind), *values]), mask, unit


def _columns_in(block: str, names: Sequence[str]) -> list[ArchiveColumn]:
    """Return the numbers of a survey that files have, those that rules read included."""
    every = [
        *(c for s in RELEASES["dr3"].surveys if s.block == block for c in s.columns),
        *(c for one in COMPANIONS.values() if one.block == block for c in one.columns),
    ]
    by_name = {c.name: c for c in every if c.kind in ("float", "integer") and _name_in(c, names)}
    return [*by_name.values()]


def _keys(block: str) -> list[str]:
    """Return the names that a survey's Gaia ids may have."""
    own = [one.key for one in COMPANIONS.values() if one.block == block and one.key is not None]
    return ["source_id", *own]


def _name_in(column: ArchiveColumn, names: Sequence[str]) -> str:
    """Return the name of a column among others, ours or the survey's; empty if it is not there."""
    return next((name for name in (column.name, column.source) if name in names), "")


def _plain_ids(column: Any) -> np.ndarray:
    """Return ids, 0 where missing."""
    values, mask, _ = raw_column(column)
    return np.where(mask, 0, values).astype(np.int64)


def _ends(ids: np.ndarray) -> tuple[int, int]:
    """Return the smallest and the largest of the ids that there are."""
    known = ids[ids > 0]
    return (int(known.min()), int(known.max())) if len(known) else (1, 0)


def _spread(
    values: np.ndarray, mask: np.ndarray, unit: Any, rows: np.ndarray, known: np.ndarray
) -> Any:
    """Return rows of a column at the known stars, and nothing at the others."""
    if values.dtype.kind == "f":
        floats = np.full(len(known), np.nan)
        floats[known] = values[rows]
        return u.Quantity(floats, unit) if unit else floats
    integers = np.zeros(len(known), dtype=np.int64)
    integers[known] = values[rows]
    missing = ~known
    missing[known] = mask[rows]
    return MaskedColumn(integers, mask=missing)
