"""Stars of many files as parquet in another order: for training, or as a catalogue."""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from tqdm import tqdm

from msaestimator.datasets._bulk_stars import RANDOM_INDEX, BulkStars
from msaestimator.datasets._checksums import check_sum
from msaestimator.datasets._conversion_plan import ConversionPlan, begin, is_finished
from msaestimator.datasets._hats import (
    HATS_INDEX,
    HATS_ORDER,
    hats_index,
    hats_partition,
    write_hats_metadata,
)
from msaestimator.datasets._runs import SortedRun, rows_between
from msaestimator.datasets._star_columns import StarColumns
from msaestimator.datasets._star_file import StarFile
from msaestimator.datasets._star_files import open_files
from msaestimator.datasets._star_paths import star_paths
from msaestimator.datasets._whole_files import whole_file
from msaestimator.exceptions import ColumnError
from msaestimator.tables import expand_home

__all__ = ["convert_stars"]

PIECE = 65_536
"""Most rows that are read at once."""

ROW_GROUP = 8192
"""Rows of a row group, which is the least that a reader has in memory: some 8 MB."""

FINEST = 9
"""Finest order of a catalogue's partitions."""

SHOWN = 5
"""Most failures that a message shows."""

Order = Literal["random", "sky"]
_KEYS: Mapping[str, tuple[str, ...]] = {"random": (RANDOM_INDEX,), "sky": ("ra", "dec")}
"""Columns that each order needs, beside ``source_id``."""


class Part(NamedTuple):
    """A file to be written: its path within the output, and its range of keys."""

    path: Path
    low: int
    high: int


def convert_stars(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    order: Order = "random",
    rows_per_file: int = 100_000,
    progress: bool = True,
) -> Path:
    """Write stars of many files as parquet of small row groups, in another order.

    Parameters
    ----------
    paths : path, or iterable of paths
        Files and folders as `StarDataset` takes them, such as the archive's bulk files of
        spectra and of sources.
    output : path
        Folder to make. What is not finished lies beside it, in ``<output>.unfinished``.
    order : {"random", "sky"}
        "random" is the order of ``random_index``, in which reading from the beginning is a
        shuffle: for training. "sky" makes a HATS catalogue, a file a pixel: for predictions,
        cone searches and cross-matches.
    rows_per_file : int
        Number of stars a file, about which the files are in random order, and which those of a
        catalogue do not exceed, but for pixels of order 9.
    progress : bool
        True shows on standard error how much is done and the time left.

    Returns
    -------
    Path
        The output.

    Raises
    ------
    FileNotFoundError
        There is no such file, or one vanished.
    ColumnError
        A file cannot be read, is not what ``_MD5SUM.txt`` beside it says, or lacks a column; a
        star is there twice; or the output holds something else. Files are gone through to the
        last before some are told to be at fault; after these were downloaded anew, a second call
        reads only them.
    OSError
        The disk is full, or may not be written to.

    Notes
    -----
    Killed at any time, a second call with the same input goes on after the last file that was
    finished. Numbers are as `StarDataset` has them, arrays in single precision. In memory are
    the stars of one input file, and then those of one output file; on disk the stars lie twice
    until all is done, 1 kB each.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from msaestimator.datasets import StarDataset, convert_stars, load_apogee_xp
    >>> from msaestimator.tables import write_stars
    >>> folder = mkdtemp()
    >>> write_stars(load_apogee_xp("test")[:2000], f"{folder}/stars.parquet")
    >>> sky = convert_stars(
    ...     f"{folder}/stars.parquet", f"{folder}/sky", order="sky", progress=False
    ... )
    >>> len(StarDataset(sky)), (sky / "hats.properties").exists()
    (2000, True)
    """
    _check_choices(order, rows_per_file)
    files = open_files(star_paths(paths))
    columns = StarColumns([*files.values()], None, aliases=True)
    _check_columns(columns, order)
    plan = ConversionPlan(
        order, rows_per_file, {path.name: file.fingerprint() for path, file in files.items()}
    )
    output = expand_home(output)
    if is_finished(output, plan):
        return output
    workplace = output.with_name(f"{output.name}.unfinished")
    key = RANDOM_INDEX if order == "random" else HATS_INDEX
    runs = [
        SortedRun(path, workplace / f"{key}-{plan.inputs[path.name]}.arrow", key) for path in files
    ]
    _write_runs(runs, files, columns, progress)
    keys = _Keys(runs)
    parts = keys.equal_parts(rows_per_file) if order == "random" else keys.pixels(rows_per_file)
    folder = workplace / "whole"
    begin(folder, plan)
    schema = _write_parts(runs, parts, folder, progress)
    if order == "sky":
        pixels = [_pixel_of(part) for part in parts]
        name = {"obs_collection": output.name}
        write_hats_metadata(folder, schema, keys.n_stars, pixels, name)
    if output.is_dir():  # and empty
        output.rmdir()
    os.replace(folder, output)
    shutil.rmtree(workplace)
    return output


def _check_choices(order: str, rows_per_file: int) -> None:
    if order not in _KEYS:
        raise ValueError(f"`order` must be 'random' or 'sky', got {order!r}.")
    if rows_per_file < 1:
        raise ValueError(f"`rows_per_file` must be at least 1, got {rows_per_file}.")


def _check_columns(columns: StarColumns, order: str) -> None:
    for name in ("source_id", *_KEYS[order]):
        if name not in columns.theirs:
            raise ColumnError(
                f"`order` {order!r} needs the column {name!r}, got {', '.join(columns.theirs)}. "
                "Add it, or choose the other order."
            )


def _write_runs(
    runs: list[SortedRun], files: Mapping[Path, StarFile], columns: StarColumns, progress: bool
) -> None:
    """Write each run that is not there yet, and then tell the files that are at fault."""
    failures: list[str] = []
    sizes = {run.source: run.source.stat().st_size for run in runs}
    left = [run for run in runs if not run.path.is_file()]
    done = sum(sizes.values()) - sum(sizes[run.source] for run in left)
    with tqdm(
        desc="Reading",
        total=sum(sizes.values()),
        initial=done,
        unit="B",
        unit_scale=True,
        disable=not progress,
    ) as bar:
        for run in left:
            try:
                stars = _stars_of(files[run.source], columns, run.key)
            except (ColumnError, FileNotFoundError) as error:
                failures.append(str(error))
            else:
                run.write(stars)
            bar.update(sizes[run.source])
    if failures:
        more = f" And {len(failures) - SHOWN} more." if len(failures) > SHOWN else ""
        raise ColumnError(
            f"{len(failures)} of {len(files)} files are at fault; the others are done, and are "
            f"not read again by the same command. {' '.join(failures[:SHOWN])}{more}"
        )


def _stars_of(file: StarFile, columns: StarColumns, key: str) -> pa.Table:
    """Return all stars of a file that is what the archive sent, with the key to sort by."""
    for path in (file.path, file.sources) if isinstance(file, BulkStars) else (file.path,):
        check_sum(path)
    names = [*columns.theirs]
    stars = pa.concat_tables([columns.taken(piece, names) for piece in _pieces(file, columns)])
    for name in (RANDOM_INDEX,) if key == RANDOM_INDEX else ("ra", "dec"):
        if pc.any(stars[name].is_null(nan_is_null=True)).as_py():
            raise ColumnError(
                f"Column {name!r} of {str(file.path)!r} must be known of every star. Leave out "
                "those of which it is not."
            )
    if key == HATS_INDEX:
        position = [stars[name].to_numpy() for name in ("ra", "dec")]
        if HATS_INDEX in stars.column_names:
            stars = stars.drop_columns([HATS_INDEX])
        stars = stars.add_column(0, HATS_INDEX, pa.array(hats_index(*position)))
    return stars


def _pieces(file: StarFile, columns: StarColumns) -> Iterator[pa.Table]:
    theirs = [*columns.theirs.values()]
    yield file.schema.empty_table()
    for group in range(file.n_groups):
        yield from file.pieces(group, theirs, PIECE)


class _Keys:
    """The keys of all runs, counted."""

    def __init__(self, runs: list[SortedRun]) -> None:
        self.n_stars, self._last = 0, 0
        self._counts = np.zeros(12 * 4**FINEST, dtype=np.int32)
        for run in runs:
            keys = run.keys()
            self.n_stars += len(keys)
            self._last = max(self._last, run.ends[1])
            if run.key == HATS_INDEX:
                pixels, counts = np.unique(keys >> 2 * (HATS_ORDER - FINEST), return_counts=True)
                self._counts[pixels] += counts.astype(np.int32)

    def equal_parts(self, n_rows: int) -> list[Part]:
        """Return ranges of equal length: random numbers are as dense everywhere."""
        n_parts = max(1, -(-self.n_stars // n_rows))
        edges = [(self._last + 1) * part // n_parts for part in range(n_parts + 1)]
        return [
            Part(Path(f"part-{number:05d}.parquet"), low, high)
            for number, (low, high) in enumerate(zip(edges, edges[1:], strict=False))
        ]

    def pixels(self, n_rows: int) -> list[Part]:
        """Return the largest pixels of no more rows, those without stars left out."""
        counts = {FINEST: self._counts}
        for order in range(FINEST, 0, -1):
            counts[order - 1] = counts[order].reshape(-1, 4).sum(axis=1)
        found = []
        split = np.ones(12, dtype=bool)
        for order in range(FINEST + 1):
            is_last = order == FINEST
            whole = split & (counts[order] > 0) & ((counts[order] <= n_rows) | is_last)
            found += [_part(order, pixel) for pixel in np.flatnonzero(whole).tolist()]
            split = np.repeat(split & (counts[order] > n_rows), 4)
        return sorted(found, key=lambda part: part.low)


def _part(order: int, pixel: int) -> Part:
    shift = 2 * (HATS_ORDER - order)
    return Part(hats_partition(order, pixel), pixel << shift, (pixel + 1) << shift)


def _pixel_of(part: Part) -> tuple[int, int]:
    order = HATS_ORDER - ((part.high - part.low).bit_length() - 1) // 2
    return order, part.low // (part.high - part.low)


def _write_parts(
    runs: list[SortedRun], parts: list[Part], folder: Path, progress: bool
) -> pa.Schema:
    """Write each file that is not there yet; return the schema of all."""
    for part in tqdm(parts, desc="Writing", unit="file", disable=not progress):
        if not (folder / part.path).is_file():
            rows = rows_between(runs, part.low, part.high)
            with whole_file(folder / part.path) as temporary:
                pq.write_table(
                    rows,
                    temporary,
                    row_group_size=ROW_GROUP,
                    compression="zstd",
                    use_dictionary=False,
                    use_byte_stream_split=_floats(rows.schema),
                )
    return runs[0].read().schema


def _floats(schema: pa.Schema) -> list[str]:
    """Return the columns of floats, as parquet calls them: what is noise is smaller by bytes."""
    inner = {f.name: f"{f.name}.list.element" for f in schema if pa.types.is_list(f.type)}
    return [
        inner.get(field.name, field.name)
        for field in schema
        if pa.types.is_floating(getattr(field.type, "value_type", field.type))
    ]
