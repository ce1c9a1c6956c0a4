"""The account of a run over a catalogue."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

__all__ = ["CatalogReport", "Failure"]

SHOWN = 20
"""Most failures that a message names."""


class Failure(NamedTuple):
    """A file that could not be answered.

    Parameters
    ----------
    path : Path
        The file.
    reason : str
        Fault of the file, and what to do.
    """

    path: Path
    reason: str


@dataclass(frozen=True)
class CatalogReport:
    """The work that a run of `predict_catalog` has done, and the work that is left.

    Parameters
    ----------
    output : Path
        Folder of the catalogue.
    n_answered : int
        Number of files that this run has answered.
    n_skipped : int
        Number of files of this process that were finished before.
    n_stars : int
        Number of stars that this run has answered about.
    n_waiting : int
        Number of files that other processes have yet to answer; the last of these completes the
        catalogue.
    failures : tuple of Failure
        Files that could not be answered, with reasons: those of this process, or of all if the
        catalogue is complete.
    duplicates : tuple of int
        Source ids that the finished catalogue has more than once.
    """

    output: Path
    n_answered: int
    n_skipped: int
    n_stars: int
    n_waiting: int
    failures: tuple[Failure, ...] = ()
    duplicates: tuple[int, ...] = ()

    def __str__(self) -> str:
        done = f"{self.n_answered:,} files with {self.n_stars:,} stars answered"
        parts = [done, f"{self.n_skipped:,} finished before"]
        if self.n_waiting:
            parts.append(f"{self.n_waiting:,} left to other processes")
        return f"{self.output}: {', '.join(parts)}"

    @property
    def trouble(self) -> str:
        """Failures and duplicates in words, a line each; empty if there are none."""
        lines = [f"{failure.path}: {failure.reason}" for failure in self.failures[:SHOWN]]
        if self.failures:
            lines.insert(0, f"{len(self.failures)} files could not be answered:")
            lines.append("Mend them and start again: the finished files are kept.")
        if len(self.failures) > SHOWN:
            lines.insert(-1, f"... and {len(self.failures) - SHOWN} more, see `failures`.")
        if self.duplicates:
            few = ", ".join(map(str, self.duplicates[:3]))
            lines.append(
                f"{len(self.duplicates)} source ids are in the catalogue more than once, such as "
                f"{few}. Each has an answer for every row: drop duplicates of 'source_id' where "
                "it matters."
            )
        return "\n".join(lines)
