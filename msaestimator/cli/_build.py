"""``msa build``: the thesis's training set from files of stars or from an archive."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msaestimator.cli._gaia import archive_of, read_ids
from msaestimator.datasets import build_training_set
from msaestimator.tables import read_stars

__all__ = ["run"]


def run(options: argparse.Namespace) -> None:
    """Build a training set as the options say, and print its counts."""
    from_archive = options.service is not None or options.tap_url is not None
    counts = build_training_set(
        _stars(options) if from_archive else options.stars,
        options.output,
        surveys=_surveys(options.survey),
        archive=archive_of(options) if from_archive else None,
        labels=None if options.labels is None else read_stars(options.labels),
        dust_map=None if options.dust_map == "none" else options.dust_map,
        quality_cuts=options.quality_cuts,
    )
    lines = [*counts.pformat(max_lines=-1, max_width=-1), f"Wrote {options.output}"]
    sys.stdout.write("\n".join(lines) + "\n")


def _stars(options: argparse.Namespace) -> Any:
    """Return the stars to ask an archive for: files that are read in pieces, or ids."""
    in_pieces = options.stars.is_dir() or options.stars.suffix == ".parquet"
    return options.stars if in_pieces else read_ids(options.stars, None)


def _surveys(words: Sequence[str]) -> dict[str, Path]:
    """Return the files of surveys by name, of words such as ``tmass=folder``."""
    surveys = {}
    for word in words:
        name, equals, path = word.partition("=")
        if not equals:
            raise ValueError(
                f"--survey must be a name and files, such as tmass=folder, got {word!r}."
            )
        surveys[name] = Path(path).expanduser()
    return surveys
