"""The thesis's training set: Gaia, XP, six surveys and reddening, from files to files."""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.table import QTable, Table
from tqdm import tqdm

from msaestimator.archive import GaiaArchive
from msaestimator.datasets._star_dataset import StarDataset
from msaestimator.datasets._survey_rows import SurveyRows
from msaestimator.datasets._training_counts import counts_table
from msaestimator.datasets._training_recipe import Recipe, columns_needed
from msaestimator.exceptions import ColumnError
from msaestimator.schema import GAIA_DR3, StarTable
from msaestimator.tables import arrow_of_table, check_source_ids, expand_home, is_source_id

__all__ = ["build_training_set"]

BATCH = 10_000
"""Number of stars in memory at once, and of rows in a row group."""

IDS_PER_FILE = 100_000
"""Number of stars whose ids are given that go into one file."""

NOTE = b"msaestimator_training_set"
"""Key of a file's metadata under which its counts are, and what it was made of."""

Paths = Any  # what StarDataset takes


class _Part(NamedTuple):
    """Stars that become one file."""

    digest: str
    n_stars: int
    batches: Callable[[], Iterator[StarTable]]


def build_training_set(
    stars: Any,
    output: str | os.PathLike[str],
    *,
    surveys: Mapping[str, Paths] | None = None,
    archive: GaiaArchive | None = None,
    labels: Table | None = None,
    dust_map: Any = "sfd",
    quality_cuts: Any = "mckay2025",
    progress: bool = True,
) -> QTable:
    """Build the thesis's training set in a folder of parquet files (McKay 2025, section 2).

    Parameters
    ----------
    stars : StarDataset, paths, or Gaia ids
        Gaia's sources with XP coefficients in parquet files, columns as in the archive, and maybe
        the surveys' columns too, as a catalogue has them that LSDB has cross-matched. With
        ``archive`` also Gaia ids, or a table of them; of files only the ids are read then.
    output : path
        Folder to write to; it is made. Read it by ``StarDataset(output)``.
    surveys : mapping of str to paths, optional
        Parquet files of other surveys, matched to Gaia before, by the schema's names: ``"tmass"``,
        ``"wise"``, ``"skymapper"``, ``"ps1"``, ``"sdss"``. Each has ``source_id``, magnitudes and
        errors, and the flags that ``quality_cuts`` read, by the archive's names or ours.
    archive : GaiaArchive, optional
        Archive that gives Gaia's columns, spectra and all surveys by its own tables of neighbours.
    labels : Table, optional
        Labels as `stack_labels` gives them. Only stars that have any are written then, a row for
        each row of labels.
    dust_map : str, callable or None, default="sfd"
        Map of :func:`msaestimator.dust.add_reddening`, to infinity; None takes ``ebv`` as it is.
    quality_cuts : str or sequence of str, default="mckay2025"
        Quality rules of :data:`msaestimator.archive.QUALITY_RULES`, or a set of them.
    progress : bool
        Whether to show a progress bar on a terminal.

    Returns
    -------
    QTable
        Numbers in the form of the thesis's Table 2.1: ``stars``, words for what is counted, and
        ``n``. With ``labels`` they are of the stars that have labels.

    Raises
    ------
    ColumnError
        Files lack a column: ids, coefficients, parallax; or there is no survey of that name.
    ValueError
        Both ``surveys`` and ``archive`` are given, or ids without an archive.
    FileExistsError
        The folder has files that are not of this training set.
    ArchiveError
        The archive failed. What was received is in its cache.

    Notes
    -----
    Kept are sources with coefficients and a parallax that Gaia does not list as candidate quasars
    or galaxies; of the surveys' magnitudes those that their own flags call good. A source that a
    file has twice is taken once. A file written is never changed: a run that was interrupted goes
    on after the last whole file. Numbers are float32, save for positions, NaN where missing.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from msaestimator.datasets import StarDataset, build_training_set, load_apogee_xp
    >>> from msaestimator.tables import write_stars
    >>> folder = mkdtemp()
    >>> write_stars(load_apogee_xp("test")[:200], f"{folder}/gaia.parquet")
    >>> counts = build_training_set(
    ...     f"{folder}/gaia.parquet", f"{folder}/training", dust_map="sfd-lowres"
    ... )
    >>> print(counts[:3])
                        stars                       n
    ---------------------------------------------- ---
                                      sources read 200
                     sources with XP coefficients 200
    with a parallax, no quasar or galaxy candidate  72
    >>> len(StarDataset(f"{folder}/training"))
    72
    """
    if surveys and archive is not None:
        raise ValueError(
            "`surveys` and `archive` must not both be given: the archive has surveys."
        )
    rows = {block: SurveyRows(block, _dataset(paths)) for block, paths in (surveys or {}).items()}
    recipe = Recipe(rows, archive, labels, dust_map, quality_cuts)
    parts = _parts(stars, with_archive=archive is not None)
    folder = expand_home(output)
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {
        folder / f"{number:05d}.parquet": hashlib.sha256(
            (recipe.fingerprint + part.digest).encode()
        ).hexdigest()
        for number, part in enumerate(parts)
    }
    _check_folder(folder, wanted)
    counts: Counter[str] = Counter()
    line = tqdm(
        total=sum(part.n_stars for part in parts),
        unit=" stars",
        unit_scale=True,
        disable=None if progress else True,
    )
    with line:
        for (path, made_of), part in zip(wanted.items(), parts, strict=True):
            if not path.exists():
                _write(path, made_of, recipe, part, line)
            else:
                line.update(part.n_stars)
            if path.exists():
                counts += Counter(_note(path)["counts"])
    return counts_table(counts)


def _dataset(paths: Paths) -> StarDataset:
    return paths if isinstance(paths, StarDataset) else StarDataset(paths)


def _parts(stars: Any, *, with_archive: bool) -> list[_Part]:
    """Return the stars of each file to write."""
    if _is_paths(stars):
        stars = StarDataset(stars)
    if isinstance(stars, StarDataset):
        return _parts_of_files(stars, with_archive=with_archive)
    if not with_archive:
        raise ValueError(
            "`stars` must be files, as a path or a StarDataset, unless `archive` gives what Gaia "
            f"has of them, got {type(stars).__name__}."
        )
    ids = np.unique(check_source_ids(stars))
    starts = range(0, len(ids), IDS_PER_FILE)
    return [_part_of_ids(ids[start : start + IDS_PER_FILE]) for start in starts]


def _is_paths(stars: Any) -> bool:
    """Tell paths from ids, which may be text too."""
    given = stars if isinstance(stars, list | tuple) else [stars]
    return all(
        isinstance(one, os.PathLike) or (isinstance(one, str) and not is_source_id(one))
        for one in given
    )


def _parts_of_files(stars: StarDataset, *, with_archive: bool) -> list[_Part]:
    columns = ["source_id"] if with_archive else columns_needed(stars.columns)
    needed = ["source_id"]
    if not with_archive:
        needed += ["parallax", *(array.name for array in GAIA_DR3.arrays)]
    missing = [name for name in needed if name not in stars.columns]
    if missing:
        raise ColumnError(
            f"The files of `stars` must have the columns {', '.join(missing)}, got "
            f"{', '.join(stars.columns)}. Or pass archive=GaiaArchive(), which gives them by id."
        )
    sizes: Counter[Path] = Counter()
    for fragment in stars.fragments:
        sizes[fragment.path] += fragment.n_rows
    return [_part_of_file(stars, path, sizes[path], columns) for path in stars.files]


def _part_of_file(stars: StarDataset, path: Path, n_stars: int, columns: Sequence[str]) -> _Part:
    return _Part(
        f"{columns} {stars.fingerprint_of(path)}",
        n_stars,
        lambda: stars.file_batches(path, BATCH, columns),
    )


def _part_of_ids(ids: np.ndarray) -> _Part:
    def batches() -> Iterator[StarTable]:
        for start in range(0, len(ids), BATCH):
            yield StarTable({"source_id": ids[start : start + BATCH]})

    return _Part(hashlib.sha256(ids.tobytes()).hexdigest(), len(ids), batches)


def _check_folder(folder: Path, wanted: Mapping[Path, str]) -> None:
    """Refuse a folder with files that are not those that are to be there."""
    for path in sorted(folder.glob("*.parquet")):
        if path not in wanted or _note(path).get("made_of") != wanted[path]:
            raise FileExistsError(
                f"The folder {str(folder)!r} has {path.name!r}, which is not of this training "
                "set: its stars, surveys, labels or cuts are others. Choose another folder, or "
                "remove the file."
            )


def _note(path: Path) -> dict[str, Any]:
    """Return what a file says of itself; nothing if it is not of a training set."""
    metadata = pq.read_metadata(path).metadata or {}
    note: dict[str, Any] = json.loads(metadata.get(NOTE, b"{}"))
    return note


def _write(path: Path, made_of: str, recipe: Recipe, part: _Part, line: tqdm) -> None:
    """Write one file under a temporary name, then rename it; none for stars without a row."""
    temporary = path.with_suffix(".tmp")
    counts: Counter[str] = Counter()
    with _RowGroups(temporary) as groups:
        seen = np.empty(0, dtype=np.int64)
        for batch in part.batches():
            new = _first_time(batch, seen)
            seen = np.append(seen, np.asarray(new["source_id"]))
            rows, here = recipe.apply(new)
            counts += here
            groups.add(arrow_of_table(rows))
            line.update(len(batch))
        groups.note(json.dumps({"made_of": made_of, "counts": counts}))
    if temporary.exists():
        os.replace(temporary, path)


class _RowGroups:
    """A parquet file whose row groups are full, however few rows come at a time.

    Parameters
    ----------
    path : Path
        File to write.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[pa.Table] = []

    def __enter__(self) -> "_RowGroups":
        return self

    def __exit__(self, *error: Any) -> None:
        if self._writer is not None:
            self._writer.close()

    def add(self, rows: pa.Table) -> None:
        """Add rows, the first of which tell the form of all; text of others may be shorter."""
        if self._writer is None:
            self._writer = pq.ParquetWriter(self.path, rows.schema, compression="zstd")
        schema = self._writer.schema
        rows = rows.cast(schema.remove_metadata()).replace_schema_metadata(schema.metadata)
        self._waiting.append(rows)
        if sum(map(len, self._waiting)) >= BATCH:
            self._flush()

    def note(self, text: str) -> None:
        """Write what is left, and a note about all."""
        if self._writer is not None:
            self._flush()
            self._writer.add_key_value_metadata({NOTE.decode(): text})

    def _flush(self) -> None:
        if self._writer is not None:
            self._writer.write_table(pa.concat_tables(self._waiting))
            self._waiting = []


def _first_time(batch: StarTable, seen: np.ndarray) -> StarTable:
    """Return the stars of a batch that were not in the file before, each once."""
    ids = np.asarray(batch["source_id"])
    first = np.sort(np.unique(ids, return_index=True)[1])
    return batch[first[~np.isin(ids[first], seen)]]
