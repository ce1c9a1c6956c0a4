"""The last step of a catalogue: what makes a folder of answers a HATS catalogue."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from msaestimator.catalogs._answer_file import FileAnswers
from msaestimator.catalogs._healpix import Pixel, place_of
from msaestimator.catalogs._output import clear_unfinished, note_of, replacing, writing
from msaestimator.catalogs._partitions import write_partitions
from msaestimator.datasets import write_hats_metadata
from msaestimator.exceptions import CatalogError

__all__ = ["finish"]

CARD = "MODEL_CARD.md"
"""File with the model's card."""

CARD_KEY = b"msaestimator_card"
"""Key of the card in the metadata of the catalogue's schema."""


def finish(answers: FileAnswers) -> tuple[int, ...]:
    """Make the files of answers that are there a catalogue, and return ids it has twice.

    Raises
    ------
    CatalogError
        The folder cannot be written to, or there are answers of two models, or partitions in
        partitions.
    """
    output, identity = answers.output, answers.identity
    pixels = _pixels(answers)
    while pixels != (now := _pixels(answers)):
        # Another process has finished a file meanwhile.
        pixels = now
    model = answers.predictor.model
    files = [output / pixel.place for pixel in pixels]
    n_rows = sum(pq.read_metadata(path).num_rows for path in files)
    with replacing(output / CARD, output) as path:
        path.write_text(model.card, encoding="utf-8")
    schema = answers.schema.with_metadata(
        answers.schema.metadata | {CARD_KEY: model.card.encode()}
    )
    told = {
        "msaestimator_model": answers.predictor.name,
        "msaestimator_model_id": identity["model_id"],
    }
    with writing(output):
        write_hats_metadata(output, schema, n_rows, pixels, told)
    clear_unfinished(output)
    return _duplicates(files)


def _pixels(answers: FileAnswers) -> list[Pixel]:
    """Return the partitions of the catalogue, made first of answers in any order."""
    output, identity = answers.output, answers.identity
    if not identity["partitions"]:
        parts = sorted((output / "answers").rglob("*.parquet"))
        _check_one_model(parts, identity)
        return write_partitions(parts, output, answers.schema, identity)
    files = sorted((output / "dataset").rglob("Npix=*.parquet"))
    _check_one_model(files, identity)
    pixels = sorted(filter(None, map(place_of, files)), key=lambda pixel: pixel.ends)
    for first, second in zip(pixels, pixels[1:], strict=False):
        if second.ends[0] < first.ends[1]:
            raise CatalogError(
                f"The partitions of the catalogue {str(output)!r} must be apart, but "
                f"{second.place!r} lies in {first.place!r}. Answer catalogues that are divided "
                "otherwise to folders of their own."
            )
    return pixels


def _check_one_model(files: Sequence[Path], identity: dict[str, Any]) -> None:
    for path in files:
        note = note_of(path) or {}
        if {name: note.get(name) for name in identity} != identity:
            raise CatalogError(
                f"The file {str(path)!r} must hold the answers of the model "
                f"{identity['model_id']}, like the catalogue, got others, or is damaged. Delete "
                "it, and start again."
            )


def _duplicates(files: Sequence[Path]) -> tuple[int, ...]:
    """Return the ids that a partition has more than once."""
    found: list[int] = []
    for path in files:
        ids = pq.read_table(path, columns=["source_id"])["source_id"].drop_null().to_numpy()
        numbers, counts = np.unique(ids, return_counts=True)
        found += numbers[counts > 1].tolist()
    return tuple(found)
