"""What ways of training bring the generalist, on validation stars.

Run from the repository's root::

    python benchmarks/generalist_recipes.py

Trains on four fifths of the packaged training stars and prints NMAD on the others: of labels from
all else, of labels without XP spectra, and of BP - RP from labels and E(B-V). The test stars are
not looked at. ``--stars`` trains on fewer.
"""

import time

from common.generalist import COLORS, Known, compare
from common.options import make_parser, read_options
from common.stars import LABELS, load_validation_split
from common.tables import ResultTable, in_words

from msaestimator import StellarFoundationModel
from msaestimator.schema import StarTable

ADAMW = {"optimizer": "adamw"}
ALL_SHOWN = {"n_inputs": (4, 118)}
LABELS_HIDDEN = ALL_SHOWN | {
    "block_dropout": {"label": 0.6, "bp": 0.35, "rp": 0.35, "color": 0.3, "dust": 0.3}
}
RECIPES = {
    "default": {},
    "AdamW": ADAMW,
    "AdamW, all may be shown": ALL_SHOWN | ADAMW,
    "AdamW, labels hidden more": LABELS_HIDDEN | ADAMW,
    "labels hidden more": LABELS_HIDDEN,
    "and twice the dimension": LABELS_HIDDEN | {"embedding_dim": 128},
}
HEADER = ("way", "with XP: Teff, log g, [Fe/H], [α/M]", "without", "BP-RP", "time")
DEFAULT_EPOCHS = 10


def scores(model: StellarFoundationModel, stars: StarTable) -> list[str]:
    """Return NMAD of what is asked, a cell a question."""
    known = Known.of(model, stars)
    photometry = [*COLORS, "ebv"]
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
    options = read_options(parser, recipes=["default", "AdamW"], epochs=1)
    training, validation = load_validation_split(toy=options.toy)
    training = training[: options.stars]
    print(f"{len(training)} stars, {len(validation)} to validate")
    table = ResultTable(options.tables / "generalist_recipes.inc", HEADER)
    for name in options.recipes:
        started = time.perf_counter()
        model = StellarFoundationModel(
            labels=LABELS,
            **RECIPES[name],
            max_epochs=options.epochs,
            random_state=options.random_state,
        ).fit(training)
        elapsed = time.perf_counter() - started
        row = name if options.epochs == DEFAULT_EPOCHS else f"{options.epochs} epochs, {name}"
        table.add(row, *scores(model, validation), f"{elapsed:.0f} s")


if __name__ == "__main__":
    main()
