"""The errors and warnings this library raises, each also a builtin a caller would catch."""

import difflib
from collections.abc import Iterable, Sequence

__all__ = [
    "ArchiveError",
    "ArchiveWarning",
    "CalibrationWarning",
    "CatalogError",
    "CatalogWarning",
    "CheckpointError",
    "ColumnError",
    "DivergedError",
    "DustMapError",
    "MSAEstimatorError",
    "MissingColumnWarning",
    "MissingDependencyError",
    "MissingValueWarning",
    "PrecisionWarning",
    "ProcessError",
    "RenamedColumnWarning",
    "ToldRequestWarning",
    "UnitMismatchError",
    "did_you_mean",
]


class MSAEstimatorError(Exception):
    """Base of every error raised on purpose by this library."""


class ColumnError(MSAEstimatorError, ValueError):
    """A column is unknown, duplicated, of the wrong shape or holds what is not a number."""


class UnitMismatchError(ColumnError, TypeError):
    """A column's unit is of another physical type than the schema's."""


class ArchiveError(MSAEstimatorError, OSError):
    """An archive service refused, failed or answered what cannot be right."""


class DustMapError(MSAEstimatorError, FileNotFoundError):
    """A dust map is not on disk; the message has the command that fetches it."""


class CatalogError(MSAEstimatorError, OSError):
    """A catalogue of answers cannot be written to, or holds other answers."""


class CheckpointError(MSAEstimatorError, ValueError):
    """A saved model or checkpoint is truncated, altered, or of another schema."""


class DivergedError(MSAEstimatorError, FloatingPointError):
    """A training's loss is no longer a number, or has exploded.

    Parameters
    ----------
    loss : float
        The loss.
    epoch, batch : int
        Number of the epoch, from one, and of the batch in it, from zero.
    source_ids : sequence of int
        Source ids of the batch's stars, or their rows where they came without.
    path : str, optional
        File that these were written to.
    """

    def __init__(
        self,
        loss: float,
        *,
        epoch: int,
        batch: int,
        source_ids: Sequence[int] = (),
        path: str | None = None,
    ) -> None:
        self.loss, self.epoch, self.batch = loss, epoch, batch
        self.source_ids, self.path = source_ids, path
        super().__init__(loss)

    def __str__(self) -> str:
        where = "in this error's `source_ids`" if self.path is None else f"in {self.path!r}"
        return (
            f"The training loss must be finite and not explode, got {self.loss} in epoch "
            f"{self.epoch}, batch {self.batch}, whose stars are {where}. Lower the learning rate, "
            "clip gradients (`gradient_clip`), or look at these stars."
        )


class MissingDependencyError(MSAEstimatorError, ImportError):
    """An optional package is needed; the message says what to install."""


class ProcessError(MSAEstimatorError, RuntimeError):
    """Another process of the same training ended, hangs, or is at another epoch."""


class ArchiveWarning(UserWarning):
    """An archive gave less than was asked, and something else stands in for it."""


class CalibrationWarning(UserWarning):
    """Too few stars know a label for its intervals to be calibrated."""


class CatalogWarning(UserWarning):
    """Some files of stars could not be answered, or some stars are in a catalogue twice."""


class MissingColumnWarning(UserWarning):
    """A column seen in ``fit`` is absent in ``predict``, or the reverse."""


class MissingValueWarning(UserWarning):
    """Some values of a column cannot be used and are taken as missing."""


class PrecisionWarning(UserWarning):
    """A number format takes longer on this processor than the usual one."""


class SucceededModelWarning(UserWarning):
    """A released model was asked for by the name of one that it has followed."""


class RenamedColumnWarning(UserWarning):
    """Columns were taken by another name than theirs; the message says which for which."""


class ToldRequestWarning(UserWarning):
    """A quantity is asked for that is among what the model is told, which it repeats."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the nearest known name, or an empty string."""
    near = difflib.get_close_matches(str(name), list(known), n=1, cutoff=0.6)
    return f" Did you mean {near[0]!r}?" if near else ""
