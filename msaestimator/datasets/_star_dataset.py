"""Stars in files, of which some are in memory at a time."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike

from msaestimator.datasets._star_columns import StarColumns, existing
from msaestimator.datasets._star_file import StarFile
from msaestimator.datasets._star_files import open_files
from msaestimator.datasets._star_paths import star_paths
from msaestimator.datasets._twice import find_twice
from msaestimator.exceptions import ColumnError
from msaestimator.schema import StarTable
from msaestimator.tables import check_source_ids, stars_of_arrow

__all__ = ["Fragment", "StarDataset"]

PIECE = 16_384
"""Most rows that are read at once, however large a row group is."""

FEWEST = 64
"""Fewest fragments, if there are as many, that a sample is drawn from."""

SURPLUS = 4
"""Number of rows that a sample is drawn from, at least, for each row of it."""


class Fragment(NamedTuple):
    """Rows that are read as one: a row group of a parquet file, or a whole bulk file.

    Parameters
    ----------
    path : Path
        File of the rows.
    row_group : int
        Number of the row group in its file.
    start : int
        Number of the first row, counted over all files.
    n_rows : int
        Number of rows.
    """

    path: Path
    row_group: int
    start: int
    n_rows: int


class StarDataset:
    """Stars in files, read in pieces and never as a whole.

    Parameters
    ----------
    paths : path, or iterable of paths
        Parquet files; HDF5 files; the archive's bulk files of spectra with those of their sources;
        folders of any of these; or HATS catalogues, of which the margin is not read.
    columns : iterable of str, optional
        Columns to read, by our names; None reads all.
    aliases : bool
        Whether columns are known by other names too, as in `MaskedStellarAutoencoder`.

    Raises
    ------
    FileNotFoundError
        There is no such file, or a partition that a catalogue lists is not there.
    ColumnError
        A file is empty, truncated, named twice, lacks a column that another has, or has one of
        another kind or unit; or there is no such column. Found before any star is read, except
        in compressed files, which tell nothing of themselves.
    MissingDependencyError
        There are HDF5 files, and h5py is not installed.

    Warns
    -----
    RenamedColumnWarning
        Columns were taken by other names than theirs.

    Notes
    -----
    The order of stars is that of the files as they are given, of a folder's files by their names,
    and of a catalogue's partitions over the sky. Nothing is read but the footers of files until
    stars are asked for; rows that were read are not kept. Files may not change meanwhile.

    Of ``XpContinuousMeanSpectrum_*.csv.gz`` and ``GaiaSource_*.csv.gz``, those of the same range
    are joined by ``source_id``: the coefficients of each star with a spectrum, its magnitudes,
    their errors as `GaiaArchive` computes them, its position, parallax and proper motion. They
    are compressed text: each file is one fragment and in memory as a whole while it is read, and
    the number of stars is known only once all of it has been uncompressed. ``msa convert`` makes
    parquet of them.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from msaestimator.datasets import StarDataset, load_apogee_xp
    >>> from msaestimator.tables import write_stars
    >>> folder = mkdtemp()
    >>> for number, split in enumerate(["train", "test"]):
    ...     write_stars(load_apogee_xp(split)[:500], f"{folder}/{number}.parquet")
    >>> stars = StarDataset(folder)
    >>> len(stars), len(stars.files), stars.units["teff"]
    (1000, 2, 'K')
    >>> [len(batch) for batch in stars.batches(400, columns=["source_id", "teff"])]
    [400, 400, 200]
    >>> stars.sample(300, random_state=0)["bp_coefficients"].shape
    (300, 55)
    """

    def __init__(
        self,
        paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        *,
        columns: Iterable[str] | None = None,
        aliases: bool = True,
    ) -> None:
        self._files: dict[Path, StarFile] = open_files(star_paths(paths))
        self._columns = StarColumns([*self._files.values()], columns, aliases=aliases)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, other catalogues' names replaced by ours."""
        return tuple(self._columns.theirs)

    @property
    def units(self) -> dict[str, str]:
        """Units that the files state, as astropy writes them, by the column's name."""
        return dict(self._columns.units)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files, in order."""
        return tuple(self._files)

    @cached_property
    def fragments(self) -> tuple[Fragment, ...]:
        """The row groups of all files, in order; those without rows are left out."""
        found: list[Fragment] = []
        start = 0
        for path, file in self._files.items():
            for group, n_rows in enumerate(file.group_sizes):
                if n_rows:
                    found.append(Fragment(path, group, start, n_rows))
                start += n_rows
        return tuple(found)

    @cached_property
    def fingerprint(self) -> str:
        """Hexadecimal digits that change with the stars, their order or the chosen columns."""
        digest = hashlib.sha256(repr(self._columns.theirs).encode())
        for path in self._files:
            digest.update(self.fingerprint_of(path).encode())
        return digest.hexdigest()

    def __len__(self) -> int:
        return sum(fragment.n_rows for fragment in self.fragments)

    def __repr__(self) -> str:
        # Not the number of stars, which compressed text would have to be read for.
        return f"<StarDataset of {len(self.files):,} files: {len(self.columns)} columns>"

    def n_stars_of(self, path: Path) -> int:
        """Return the number of stars of a file.

        Parameters
        ----------
        path : Path
            One of `files`.
        """
        return sum(self._files[path].group_sizes)

    def fingerprint_of(self, path: Path) -> str:
        """Return hexadecimal digits that change with a file's content, and not with its name.

        Parameters
        ----------
        path : Path
            One of `files`.
        """
        return self._files[path].fingerprint()

    def read(self, fragment: Fragment, columns: Iterable[str] | None = None) -> StarTable:
        """Return the stars of one fragment.

        Parameters
        ----------
        fragment : Fragment
            One of `fragments`.
        columns : iterable of str, optional
            Columns to read, some of `columns`; None reads them all.

        Returns
        -------
        StarTable of length ``fragment.n_rows``
            Arrays are float32 of two dimensions. Null is masked, NaN beneath if it is a float.

        Raises
        ------
        FileNotFoundError
            The file is not there any more.
        ColumnError
            The row group cannot be read.
        """
        pieces = self._pieces(fragment.path, fragment.row_group, self._names(columns))
        return stars_of_arrow(_joined([*pieces]))

    def batches(self, size: int, columns: Iterable[str] | None = None) -> Iterator[StarTable]:
        """Yield all stars in the order of files, ``size`` at a time; the last may be fewer.

        Parameters
        ----------
        size : int
            Number of stars of a batch.
        columns : iterable of str, optional
            Columns to read, some of `columns`; None reads them all.
        """
        names = self._names(columns)
        yield from _batches((piece for p in self.files for piece in self._file(p, names)), size)

    def file_batches(
        self, path: Path, size: int, columns: Iterable[str] | None = None
    ) -> Iterator[StarTable]:
        """Yield the stars of one file in its order, ``size`` at a time; the last may be fewer.

        Parameters
        ----------
        path : Path
            One of `files`.
        size : int
            Number of stars of a batch.
        columns : iterable of str, optional
            Columns to read, some of `columns`; None reads them all.
        """
        yield from _batches(self._file(path, self._names(columns)), size)

    def sample(
        self,
        n: int,
        random_state: int | np.random.RandomState | np.random.Generator | None = None,
        columns: Iterable[str] | None = None,
    ) -> StarTable:
        """Return stars drawn at random from all over the files, each at most once.

        Parameters
        ----------
        n : int
            Number of stars; all, if there are fewer.
        random_state : int, RandomState, Generator or None
            Seed of the draw.
        columns : iterable of str, optional
            Columns to read, some of `columns`; None reads them all.

        Returns
        -------
        StarTable
            Stars in random order.

        Notes
        -----
        Of a large dataset only some fragments are read, drawn at random: those of at least four
        times as many rows as are wanted, and at least 64. Of these each row is as likely as any
        other. Memory holds the sample and one piece.
        """
        names = self._names(columns)
        rng = np.random.default_rng(_seed(random_state))
        groups = [(path, g) for path, file in self._files.items() for g in range(file.n_groups)]
        kept: list[pa.Table] = []
        keys = np.empty(0)
        n_seen = 0
        for n_read, place in enumerate(rng.permutation(len(groups)).tolist()):
            if n_read >= FEWEST and n_seen >= SURPLUS * n:
                break
            path, group = groups[place]
            for piece in self._pieces(path, group, names):
                n_seen += len(piece)
                kept, keys = _smallest_keys(kept, keys, piece, rng.random(len(piece)), n)
        if not kept:
            return self._columns.empty(names)
        return stars_of_arrow(_joined(kept).take(np.argsort(keys)))

    def take(self, rows: ArrayLike, columns: Iterable[str] | None = None) -> StarTable:
        """Return stars by the numbers of their rows, in the order of these.

        Parameters
        ----------
        rows : array-like of int of shape (n_stars,)
            Numbers of rows, counted over all files from zero, as those of `Fragment` are.
        columns : iterable of str, optional
            Columns to read, some of `columns`; None reads them all.

        Returns
        -------
        StarTable of length n_stars

        Raises
        ------
        IndexError
            There is no row of that number.

        Notes
        -----
        Only fragments that have a row are read. Memory holds the rows and one piece.
        """
        names, numbers = self._names(columns), np.asarray(rows, dtype=np.int64)
        if len(numbers) and not 0 <= numbers.min() <= numbers.max() < len(self):
            raise IndexError(
                f"`rows` must be numbers from 0 to {len(self) - 1}, got {numbers.min()} to "
                f"{numbers.max()}."
            )
        order = np.argsort(numbers, kind="stable")
        kept = [piece for f in self.fragments for piece in self._rows(f, numbers[order], names)]
        if not kept:
            return self._columns.empty(names)
        return stars_of_arrow(_joined(kept).take(np.argsort(order)))

    def check_ids(self) -> None:
        """Check that each star is in the files once, by reading ``source_id`` of all.

        Notes
        -----
        A star that is there twice counts double in training, and has two rows in a catalogue.
        Ids are held 20 million at a time; of more, the column is read several times.

        Raises
        ------
        ColumnError
            A star is there twice, or an id is not known.
        """
        names = self._names(["source_id"])

        def ids_of(path: Path) -> Iterator[np.ndarray]:
            for piece in self._file(path, names):
                yield check_source_ids(piece["source_id"], name=f"Column 'source_id' of {path}")

        found = find_twice(self.files, ids_of, len(self))
        if found is not None:
            source_id, paths = found
            raise ColumnError(
                f"Each star must be in the files once, but source_id {source_id} is in "
                f"{' and '.join(repr(str(path)) for path in paths)}"
                + (" twice" if len(paths) == 1 else "")
                + ". Leave one of them out, or drop the rows that come again."
            )

    def _names(self, columns: Iterable[str] | None) -> list[str]:
        """Return chosen columns, all of which must be here."""
        known = self._columns.theirs
        return [*known] if columns is None else existing(columns, known, "of the dataset")

    def _file(self, path: Path, names: Sequence[str]) -> Iterator[pa.Table]:
        for group in range(self._files[path].n_groups):
            yield from self._pieces(path, group, names)

    def _rows(
        self, fragment: Fragment, rows: np.ndarray, names: Sequence[str]
    ) -> Iterator[pa.Table]:
        """Yield those of a fragment that are among rows, whose numbers increase."""
        start, end = fragment.start, fragment.start + fragment.n_rows
        own = rows[slice(*np.searchsorted(rows, [start, end]))]
        if not len(own):
            return
        for piece in self._pieces(fragment.path, fragment.row_group, names):
            yield piece.take(own[(own >= start) & (own < start + len(piece))] - start)
            start += len(piece)

    def _pieces(self, path: Path, group: int, names: Sequence[str]) -> Iterator[pa.Table]:
        """Yield the rows of a group by our names."""
        theirs = [self._columns.theirs[name] for name in names]
        for piece in self._files[path].pieces(group, theirs, PIECE):
            yield self._columns.taken(piece, names)


def _joined(pieces: Sequence[pa.Table]) -> pa.Table:
    """Return the rows of several tables; a column without a type in one has that of another."""
    return pa.concat_tables(pieces, promote_options="permissive")


def _batches(pieces: Iterable[pa.Table], size: int) -> Iterator[StarTable]:
    """Yield the rows of pieces of any length, ``size`` at a time."""
    if size < 1:
        raise ValueError(f"`size` must be at least 1, got {size}.")
    waiting: list[pa.Table] = []
    for piece in pieces:
        waiting.append(piece)
        if sum(map(len, waiting)) < size:
            continue
        rows = _joined(waiting)
        n_whole = len(rows) // size * size
        for start in range(0, n_whole, size):
            yield stars_of_arrow(rows.slice(start, size))
        waiting = [rows.slice(n_whole)]
    if sum(map(len, waiting)):
        yield stars_of_arrow(_joined(waiting))


def _smallest_keys(
    kept: list[pa.Table], keys: np.ndarray, piece: pa.Table, new_keys: np.ndarray, n: int
) -> tuple[list[pa.Table], np.ndarray]:
    """Return the n rows with the smallest random keys, which are a sample of any stream."""
    limit = keys.max() if len(keys) == n and n else np.inf
    chosen = np.flatnonzero(new_keys < limit)
    if not len(chosen):
        return kept, keys
    rows, keys = _joined([*kept, piece.take(chosen)]), np.append(keys, new_keys[chosen])
    if len(keys) > n:
        best = np.argpartition(keys, n)[:n] if n else np.empty(0, dtype=np.intp)
        rows, keys = rows.take(best), keys[best]
    return [rows], keys


def _seed(random_state: Any) -> Any:
    """Return what seeds a generator; one of the old kind gives a number."""
    if isinstance(random_state, np.random.RandomState):
        return random_state.randint(2**31)
    return random_state
