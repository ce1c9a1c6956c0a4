"""A file of stars that is read in pieces: what a kind of file has to offer."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from msaestimator.exceptions import ColumnError, MSAEstimatorError
from msaestimator.tables import reason_of

__all__ = ["StarFile", "reading"]


class StarFile(ABC):
    """A file of stars, of which some rows are in memory at a time.

    Parameters
    ----------
    path : Path
        File of the stars.

    Attributes
    ----------
    path : Path
        The parameter.
    schema : pyarrow.Schema
        Columns by the file's own names, with astropy's units in the metadata.
    """

    schema: pa.Schema

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    @abstractmethod
    def group_sizes(self) -> tuple[int, ...]:
        """Numbers of rows of the groups that the file is read by."""

    @property
    @abstractmethod
    def n_groups(self) -> int:
        """Number of groups, known without their sizes."""

    @abstractmethod
    def pieces(self, group: int, names: Sequence[str], size: int) -> Iterator[pa.Table]:
        """Yield the rows of a group in order, some columns of at most ``size`` rows at a time."""

    @abstractmethod
    def fingerprint(self) -> str:
        """Return hexadecimal digits that change with the content, found without reading all."""


@contextmanager
def reading(path: Path, kind: str, part: str = "") -> Iterator[None]:
    """Tell the file, and its part, of what goes wrong while it is read.

    Parameters
    ----------
    path : Path
        File that is read.
    kind : str
        Kind of file, such as ``"parquet"``.
    part : str
        Part of it, such as ``"row group 3"``.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"The file {str(path)!r} is not there any more. Bring it back, or leave it out."
        ) from error
    except (MemoryError, MSAEstimatorError):
        raise
    except Exception as error:
        whole = f"{part} of the file" if part else "The file"
        raise ColumnError(
            f"{whole.capitalize() if part else whole} {str(path)!r} cannot be read as {kind}: "
            f"{reason_of(error)}. Download or write it anew, or leave it out."
        ) from error
