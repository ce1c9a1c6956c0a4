"""The card of a fitted model: what it answers from what, and where it holds."""

import re
from collections import Counter
from typing import Any

import numpy as np
from astropy.table import Table

from msaestimator import __version__
from msaestimator.preprocessing import StarReader

__all__ = ["range_table", "write_card"]

CARD = """\
# {name}

{summary}

## Inputs

{inputs}.

Any of them may be missing from a star: NaN, masked, or an absent column.

## Trained on

{training}

## Where it is valid

A star, or an answer, beyond a range has that flag.

{ranges}

## Versions

msaestimator {version}.
"""

MOST_INPUTS = 40
"""Most inputs that a card names."""


def write_card(model: Any, name: str) -> str:
    """Return the card of a fitted model, in Markdown, from what is known of it."""
    return CARD.format(
        name=name,
        summary=_summary(model),
        inputs=_inputs(model),
        training=_training(model),
        ranges=range_table(model.valid_ranges),
        version=__version__,
    )


def range_table(ranges: Table) -> str:
    """Return ranges as a table in Markdown, an end that there is not as a blank."""
    rows = ["| quantity | unit | least | largest | flag |", "|---|---|---|---|---|"]
    for quantity, unit, low, high, flag in ranges.iterrows():
        ends = (f"{end:.6g}" if np.isfinite(end) else "" for end in (low, high))
        rows.append(f"| {' | '.join([quantity, unit, *ends, f'`{flag}`'])} |")
    return "\n".join(rows)


def _summary(model: Any) -> str:
    kind = f"A `{type(model).__name__}`"
    labels = getattr(model, "labels_", ())
    if not len(labels):
        return f"{kind}."
    units = getattr(model, "units_", {})
    if hasattr(model, "vocabulary_"):
        units = {label: model.vocabulary_[label].unit for label in labels}
    named = (f"`{label}`" + (f" [{units[label]}]" if units.get(label) else "") for label in labels)
    return f"{kind} of {', '.join(named)}."


def _inputs(model: Any) -> str:
    """Return the names of what the model takes, coefficients and the like counted together."""
    reader = model.reader_ if hasattr(model, "reader_") else model.encoder_.reader_
    if isinstance(reader, StarReader):
        names = reader.columns.base_names
        arrays = {array.prefix: array.name for array in reader.schema_.arrays}
    else:
        names, arrays = reader.trained_tokens, {}
    stems = [re.sub(r"_\d+$", "", name) for name in names]
    numbers = Counter(arrays.get(stem, stem) for stem in stems)
    if len(numbers) > MOST_INPUTS:
        return f"{len(names)} columns"
    return ", ".join(f"`{name}`" + (f" ({n})" if n > 1 else "") for name, n in numbers.items())


def _training(model: Any) -> str:
    """Return what is known of the stars and their labels."""
    known = []
    if hasattr(model, "n_stars_"):
        known.append(f"{model.n_stars_:,} stars.")
    if hasattr(model, "labels_"):
        scale = model.label_scale
        known.append(
            "The scale of the labels was not told."
            if scale is None
            else f"The labels are on the scale of {scale}."
        )
    return " ".join(known) or "Nobody counted the stars."
