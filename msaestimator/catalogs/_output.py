"""The folder of a catalogue: whose answers it holds, and how files come into it."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from msaestimator.exceptions import CatalogError
from msaestimator.tables import reason_of

__all__ = ["claim", "clear_unfinished", "note_of", "replacing", "with_note", "writing"]

IDENTITY = "msaestimator.json"
"""File that tells whose answers a catalogue holds, and to what."""

UNFINISHED = ".unfinished"
"""Folder of files that are being written."""

NOTE = b"msaestimator"
"""Key in the metadata of a file of answers under which it tells what it is made of."""


def claim(
    output: Path, identity: dict[str, Any], name: str, *, overwrite: bool, alone: bool
) -> None:
    """Make the folder of a catalogue, or check that it is the one to go on with.

    Parameters
    ----------
    output : Path
        Folder of the catalogue.
    identity : dict
        Model and question, as JSON has them.
    name : str
        Name of the model, by which nobody is told from another.
    overwrite : bool
        Whether another model's answers are to be deleted.
    alone : bool
        Whether no other process works on the catalogue.

    Raises
    ------
    CatalogError
        The folder holds other answers or files, or may not be written to.
    """
    found = _identity_of(output)
    told = {"model": name} | identity
    if found is not None and {n: v for n, v in found.items() if n != "model"} == identity:
        return
    if found is not None or (output.is_dir() and any(output.iterdir())):
        if found is None:
            raise CatalogError(
                f"The folder {str(output)!r} must be empty, or a catalogue of answers, got one "
                f"with other files and without {IDENTITY!r}. Choose another folder."
            )
        if not overwrite:
            raise CatalogError(
                f"The catalogue {str(output)!r} holds the answers of {_words(found)}, not of "
                f"{_words(told)}. Choose another folder, or replace it by `overwrite=True` "
                "(--overwrite)."
            )
        if not alone:
            raise CatalogError(
                f"The catalogue {str(output)!r} cannot be replaced by several processes at once. "
                "Delete the folder first."
            )
        with writing(output):
            shutil.rmtree(output)
    with replacing(output / IDENTITY, output) as path:
        path.write_text(json.dumps(told, indent=1), encoding="utf-8")


@contextmanager
def writing(output: Path) -> Iterator[None]:
    """Tell the catalogue and the remedy where writing to it fails, which ends a run."""
    try:
        yield
    except OSError as error:
        raise CatalogError(
            f"The catalogue {str(output)!r} cannot be written to: {reason_of(error)}. Make room "
            "or allow it, and start again: the finished files are kept."
        ) from error


@contextmanager
def replacing(target: Path, output: Path) -> Iterator[Path]:
    """Yield a new path, whose file takes the place of ``target`` if nothing goes wrong.

    Nobody ever sees a file of that name that is not whole, however many processes write it.
    """
    with writing(output):
        (output / UNFINISHED).mkdir(parents=True, exist_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=output / UNFINISHED, suffix=target.suffix)
        os.close(handle)
    path = Path(name)
    try:
        yield path
        with writing(output):
            # mkstemp lets nobody else read.
            path.chmod(0o666 & ~_umask())
            os.replace(path, target)
    finally:
        path.unlink(missing_ok=True)


def clear_unfinished(output: Path) -> None:
    """Delete what interrupted runs have left."""
    shutil.rmtree(output / UNFINISHED, ignore_errors=True)


def with_note(schema: pa.Schema, note: dict[str, Any]) -> pa.Schema:
    """Return a schema whose metadata tells what a file is made of."""
    return schema.with_metadata(schema.metadata | {NOTE: json.dumps(note, sort_keys=True)})


def note_of(path: Path) -> dict[str, Any] | None:
    """Return what a file of answers tells of itself; None if it is absent, or no such file."""
    try:
        metadata = pq.read_schema(path).metadata or {}
        return json.loads(metadata[NOTE])
    except (OSError, ValueError, KeyError):
        return None


def _identity_of(output: Path) -> dict[str, Any] | None:
    try:
        return json.loads((output / IDENTITY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _words(identity: dict[str, Any]) -> str:
    question = ", ".join([*identity["methods"], *identity["requests"]])
    files = "partitions" if identity["partitions"] else "files in any order"
    return f"{identity['model']} ({identity['model_id']}) to {question} of {files}"


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
