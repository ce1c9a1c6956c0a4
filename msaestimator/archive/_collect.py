"""One row for each of many ids: ask in chunks, use the cache, ask again after failures."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tqdm import tqdm

from msaestimator.archive._cache import Cache
from msaestimator.archive._columns import ArchiveColumn
from msaestimator.archive._failures import JobError, Malformed, Overflow, RequestFailure
from msaestimator.archive._received import note_received
from msaestimator.archive._rows import align, arrow_schema
from msaestimator.archive._waiting import Waiting
from msaestimator.exceptions import ArchiveError

__all__ = ["Product", "collect"]

ATTEMPTS = 3
"""Number of times a chunk is asked for when its answers are malformed or its jobs fail."""

SHOWN = 3
"""Number of ids to show of those that are not there."""


@dataclass(frozen=True)
class Product:
    """One kind of rows that a service can be asked for.

    Parameters
    ----------
    title : str
        Name in the progress bar and in errors.
    place : str
        Folder of service and release in the cache.
    columns : tuple of ArchiveColumn
    content : str
        Text of all that the rows depend on; other content is kept apart in the cache.
    chunk_size : int
        Most ids in one request.
    ask : callable
        Function from ids to the rows a service has of them, in any order; raises a
        `RequestFailure`.
    waiting : Waiting
        Listener that is told when asking takes more than one attempt.
    nearest_by : str, optional
        Column whose least value marks the right one of several rows of an id.
    absence_is_final : bool
        Whether an id without a row has none for good, and is not asked for again.
    """

    title: str
    place: str
    columns: tuple[ArchiveColumn, ...]
    content: str
    chunk_size: int
    ask: Callable[[np.ndarray], pa.Table]
    waiting: Waiting
    nearest_by: str | None = None
    absence_is_final: bool = True

    @property
    def schema(self) -> pa.Schema:
        """The columns, and whether the service has the source."""
        return arrow_schema(self.columns).append(pa.field("found", pa.bool_()))

    def cache(self, folder: Path | None) -> Cache | None:
        """Return this product's part of a cache."""
        if folder is None:
            return None
        described = f"{self.content}\n{self.schema}".encode()
        key = hashlib.sha256(described).hexdigest()
        return Cache(
            folder / self.place / f"{self.title.replace(' ', '-')}-{key:.16}", self.schema
        )


def collect(
    product: Product,
    ids: np.ndarray,
    service: str,
    cache_folder: Path | None,
    *,
    progress: bool,
    offline: bool,
) -> pa.Table:
    """Return one row an id, in order; ids the service does not have are null but for ``found``.

    The rows' metadata has the days on which they came, see `days_received`.

    Parameters
    ----------
    product : Product
    ids : ndarray of int64 of shape (n_ids,)
        Distinct source ids.
    service : str
        Name of the service in errors.
    cache_folder : Path, optional
        Folder of the cache; None keeps nothing.
    progress : bool
        Whether to show a progress bar, on a terminal.
    offline : bool
        Whether the cache is all there is.

    Raises
    ------
    ArchiveError
        A chunk failed; the message says how, and what to do. Rows received before are in the
        cache. Or there are ids that are not in the cache, which is all there is.
    """
    cache = product.cache(cache_folder)
    known = _known(product, cache, ids, offline=offline)
    missing = np.setdiff1d(ids, known["source_id"].to_numpy())
    if offline and len(missing):
        raise ArchiveError(
            f"{service}, {product.title}: {len(missing)} of {len(ids)} ids are not in the cache "
            f"{str(cache_folder)!r}, such as {', '.join(map(str, missing[:SHOWN]))}, and "
            "offline=True asks no service. Fetch them once with offline=False, or leave them out."
        )
    parts = [known]
    chunks = (
        np.array_split(missing, -(-len(missing) // product.chunk_size)) if len(missing) else []
    )
    bar = tqdm(
        total=len(ids),
        initial=len(ids) - len(missing),
        desc=f"{service}: {product.title}",
        unit=" sources",
        disable=None if progress and len(missing) else True,
    )
    with product.waiting.shown_on(bar):
        for number, chunk in enumerate(chunks, start=1):
            kept = _kept(cache, number - 1, len(chunks))
            try:
                rows = _ask_whole(product, chunk)
            except RequestFailure as failure:
                raise ArchiveError(
                    f"{service}, {product.title}, chunk {number} of {len(chunks)} "
                    f"(ids: {len(chunk)}, the first {chunk[0]}): {_sentence(failure)} "
                    f"{failure.advice}{kept}"
                ) from failure
            except KeyboardInterrupt:
                raise KeyboardInterrupt(
                    f"Interrupted in chunk {number} of {len(chunks)} of {service}, "
                    f"{product.title}.{kept}"
                ) from None
            parts.append(rows)
            if cache is not None:
                cache.store(_worth_keeping(rows))
            bar.update(len(chunk))
            product.waiting.is_over()
    days = set() if cache is None else cache.received
    if chunks:
        days = days | {datetime.now(UTC).date()}
    return note_received(align(pa.concat_tables(parts), ids), days)


def _known(product: Product, cache: Cache | None, ids: np.ndarray, *, offline: bool) -> pa.Table:
    """Return the rows that need not be asked for, or cannot."""
    if cache is None:
        return product.schema.empty_table()
    rows = cache.load(ids)
    if product.absence_is_final:
        return rows
    if not offline:
        return rows.filter(rows["found"])
    # An id may have been absent once and there another time.
    return rows.take(np.argsort(~np.asarray(rows["found"]), kind="stable"))


def _worth_keeping(rows: pa.Table) -> pa.Table:
    """Return the rows to keep in the cache: none, if the service had no row at all."""
    return rows if pc.any(rows["found"]).as_py() else rows.slice(0, 0)


def _sentence(failure: RequestFailure) -> str:
    """Return what a failure says, with a full stop unless it ends in a question."""
    words = str(failure)
    return words if words.endswith((".", "?")) else f"{words}."


def _kept(cache: Cache | None, n_received: int, n_chunks: int) -> str:
    """Return what to say of what was received so far."""
    if cache is None:
        return " Nothing is kept, since there is no cache."
    return (
        f" What was received, {n_received} of {n_chunks} chunks this time, is kept in "
        f"{str(cache.folder)!r}; the same call goes on from there."
    )


def _ask_whole(product: Product, chunk: np.ndarray) -> pa.Table:
    """Return one row an id of a chunk, asking again for what is missing or came broken."""
    rows = _ask(product, chunk)
    absent = np.setdiff1d(chunk, rows["source_id"].to_numpy())
    while len(absent):
        # Answers have come with fewer rows than there are, without a word about it.
        more = _ask(product, absent)
        if not len(more):
            break
        rows = pa.concat_tables([rows, more])
        absent = np.setdiff1d(absent, more["source_id"].to_numpy())
    found = np.isin(chunk, rows["source_id"].to_numpy())
    aligned = align(rows, chunk, product.nearest_by)
    return aligned.append_column("found", pa.array(found))


def _ask(product: Product, chunk: np.ndarray) -> pa.Table:
    """Return what rows there are of a chunk; halves a chunk whose answer overflows."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            rows = product.ask(chunk)
            foreign = np.setdiff1d(rows["source_id"].to_numpy(), chunk)
            if len(foreign):
                raise Malformed(f"the answer has sources nobody asked for, such as {foreign[0]}")
            return rows
        except (JobError, Malformed) as failure:
            if attempt == ATTEMPTS:
                raise
            product.waiting.tell(f"retry {attempt} of {ATTEMPTS - 1}: {failure}")
        except Overflow:
            if len(chunk) == 1:
                raise
            halves = np.array_split(chunk, 2)
            return pa.concat_tables([_ask(product, half) for half in halves])
    raise AssertionError("unreachable")
