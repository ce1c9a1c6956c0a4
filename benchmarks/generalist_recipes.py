"""What ways of training bring the generalist, on validation stars.

Run from the repository's root::

    python benchmarks/generalist_recipes.py

Trains on four fifths of the packaged training stars and prints NMAD on the others: of labels from
all else, of labels from the colours of all surveys, and of BP - RP from labels and E(B-V). Test
stars are not looked at. ``--stars`` trains on fewer.
"""

import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from unittest.mock import patch

from common.generalist import COLORS, Known, compare
from common.options import make_parser, read_options
from common.stars import LABELS, load_validation_split
from common.tables import ResultTable, in_words

from msaestimator import StellarFoundationModel
from msaestimator.schema import COLOR, StarTable

ADAMW = {"optimizer": "adamw"}
ALL_SHOWN = {"n_inputs": (4, 118)}
LABELS_HIDDEN = ALL_SHOWN | {
    "block_dropout": {"label": 0.6, "bp": 0.35, "rp": 0.35, "color": 0.3, "dust": 0.3}
}
BLOCKS = {
    "read_by": "block",
    "embedding_dim": 128,
    "encoder_heads": (8, 8),
    "encoder_widths": (256, 256),
    "decoder_widths": (256, 256),
    "likelihood": "student",
    "n_factors": 8,
    "n_requests": 2,
    "block_dropout": {"xp": 0.15, "color": 0.25, "ps1": 0.4, "sdss": 0.4, "skymapper": 0.4}
    | {"dust": 0.3, "label": 0.6},
    "batch_size": 256,
    "lr": 8e-3,
    "weight_decay": 0.05,
}
"""The released model's settings, but that no star is made fainter."""

NO_COMPONENTS = "blocks, no components"
RECIPES = {
    "default": {},
    "AdamW": ADAMW,
    "AdamW, all may be shown": ALL_SHOWN | ADAMW,
    "AdamW, labels hidden more": LABELS_HIDDEN | ADAMW,
    "labels hidden more": LABELS_HIDDEN,
    "and twice the dimension": LABELS_HIDDEN | {"embedding_dim": 128},
    "blocks": BLOCKS,
    "blocks, Gaussian": BLOCKS | {"likelihood": "gaussian"},
    NO_COMPONENTS: BLOCKS,
    "blocks, AdamW": BLOCKS | ADAMW | {"lr": 2e-3},
    "blocks, twice the dimension": BLOCKS | {"embedding_dim": 256},
    "blocks, every one asked": BLOCKS | {"n_requests": 10},
    "blocks, noise drawn": BLOCKS | {"resample_noise": True},
    "blocks, never in part": BLOCKS | {"partial_ratio": 0.0},
}
HEADER = ("way", "with XP: Teff, log g, [Fe/H], [α/M]", "from colours", "BP-RP", "CPU time")
DEFAULT_EPOCHS = 10


def without_components() -> AbstractContextManager[Any]:
    """Return a context in which blocks are told their words alone."""
    return patch("msaestimator.estimators._foundation.contrasts_of", lambda *_: {})


def scores(model: StellarFoundationModel, stars: StarTable) -> list[str]:
    """Return NMAD of what is asked, a cell a question."""
    known = Known.of(model, stars)
    colors = [name for name in model.trained_tokens if name.startswith(COLOR)]
    photometry = [*COLORS, *colors, "ebv"]
    questions = (
        (LABELS, [*model.xp_columns, *photometry]),
        (LABELS, photometry),
        (("bp_rp",), [*LABELS, "ebv"]),
    )
    answers = (compare(model, known, asked, told) for asked, told in questions)
    return [in_words(answer.scatter for answer in found.values()) for found in answers]


def main() -> None:
    """Train, score and print."""
    parser = make_parser(__doc__)
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--epochs", type=int, default=DEFAULT_EPOCHS)
    parser.add_argument("--stars", type=int, help="train on so many")
    parser.add_argument("--random-state", type=int, default=0)
    options = read_options(parser, recipes=["default", NO_COMPONENTS], epochs=1)
    training, validation = load_validation_split(toy=options.toy)
    training = training[: options.stars]
    print(f"{len(training)} stars, {len(validation)} to validate")
    table = ResultTable(options.tables / "generalist_recipes.inc", HEADER)
    for name in options.recipes:
        started = time.process_time()
        model = StellarFoundationModel(
            labels=LABELS,
            **RECIPES[name],
            max_epochs=options.epochs,
            random_state=options.random_state,
        )
        with without_components() if name == NO_COMPONENTS else nullcontext():
            model.fit(training)
        elapsed = time.process_time() - started
        row = name if options.epochs == DEFAULT_EPOCHS else f"{options.epochs} epochs, {name}"
        table.add(row, *scores(model, validation), f"{elapsed:.0f} s")


if __name__ == "__main__":
    main()
