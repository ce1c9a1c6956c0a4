"""Columns of an archive's answer: their names there and here, and the kind of their values."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["ArchiveColumn", "Kind", "coefficient_columns", "columns_of"]

Kind = Literal["float", "integer", "boolean", "string", "array"]


@dataclass(frozen=True)
class ArchiveColumn:
    """One column of an answer.

    Parameters
    ----------
    name : str
        Name of the column here, e.g. ``"smss_flags"``.
    source : str
        Name in the archive's table, e.g. ``"flags"``.
    kind : {"float", "integer", "boolean", "string", "array"}
        Kind of the values; an answer with another is refused.
    unit : str
        Unit as astropy writes it. An answer in another unit of its physical type is converted;
        one without a unit is taken to be in this one.
    size : int
        Number of elements of an array.
    of_match : bool
        Whether the column belongs to the cross-match table, not to the survey's own.
    """

    name: str
    source: str
    kind: Kind = "float"
    unit: str = ""
    size: int = 0
    of_match: bool = False


def columns_of(names: str, unit: str = "", kind: Kind = "float") -> tuple[ArchiveColumn, ...]:
    """Return columns from words, each ``name`` or ``name=source``."""
    pairs = (word.partition("=") for word in names.split())
    return tuple(ArchiveColumn(name, source or name, kind, unit) for name, _, source in pairs)


def coefficient_columns(n_bp: int, n_rp: int) -> tuple[ArchiveColumn, ...]:
    """Return the columns of a source's XP coefficients, with errors and relevant bases."""
    return tuple(
        column
        for band, size in (("bp", n_bp), ("rp", n_rp))
        for column in (
            ArchiveColumn(f"{band}_coefficients", f"{band}_coefficients", "array", size=size),
            ArchiveColumn(
                f"{band}_coefficient_errors", f"{band}_coefficient_errors", "array", size=size
            ),
            ArchiveColumn(f"{band}_n_relevant_bases", f"{band}_n_relevant_bases", "integer"),
        )
    )
