"""The archive's ``GaiaSource_*.csv.gz``: magnitudes, positions and motions of sources."""

from collections.abc import Mapping
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa

from msaestimator.datasets._bulk_text import numbers_of, open_bulk, place_of
from msaestimator.exceptions import ColumnError

__all__ = ["read_sources"]

BLOCK = 4096
"""Number of rows that are read at once, 1.4 kB of text each."""


def read_sources(path: Path, ids: np.ndarray, types: Mapping[str, pa.DataType]) -> pa.Table:
    """Return columns of some sources of a bulk file, a row for each id, in the order of ids.

    Parameters
    ----------
    path : Path
        File of the archive.
    ids : ndarray of int of shape (n_stars,)
        Values of ``source_id``.
    types : mapping of str to pyarrow.DataType
        Types of the columns wanted, by name.

    Raises
    ------
    FileNotFoundError
        The file is not there.
    ColumnError
        The file cannot be read, or lacks a column or a source.
    """
    types = {"source_id": pa.int64()} | dict(types)
    with open_bulk(path) as (lines, names):
        for name in types:
            place_of(name, names, path)
        place = names.index("source_id")
        # Seven of eight sources have no spectrum, and are left out before their numbers are read.
        wanted = {str(one).encode() for one in ids.tolist()}
        rows = (line for line in lines if line.split(b",", place + 1)[place] in wanted)
        blocks = [pa.schema([*types.items()]).empty_table()]
        while block := [*islice(rows, BLOCK)]:
            blocks.append(numbers_of(block, names, types))
    found = pa.concat_tables(blocks)
    return found.take(_places(found["source_id"].to_numpy(), ids, path))


def _places(found: np.ndarray, ids: np.ndarray, path: Path) -> np.ndarray:
    """Return the row of each id."""
    order = np.argsort(found, kind="stable")
    places = np.searchsorted(found, ids, sorter=order)
    known = places < len(found)
    known[known] = found[order[places[known]]] == ids[known]
    if not known.all():
        raise ColumnError(
            f"The file {str(path)!r} must have every source with a spectrum, but "
            f"{np.count_nonzero(~known)} of {len(ids)} are absent, the first of them "
            f"{ids[~known][0]}. It is of another range of sources, or was cut off: download it "
            "anew."
        )
    return order[places]
