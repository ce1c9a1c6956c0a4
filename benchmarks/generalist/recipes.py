"""What ways of training bring the generalist, on validation stars.

Run from the repository's root::

    python benchmarks/generalist/recipes.py

Trains on four fifths of the packaged training stars and prints NMAD on the others: of labels from
all else, of labels without XP spectra, and of BP - RP from labels and E(B-V). The test stars are
not looked at. ``--stars`` trains on fewer.
"""

import argparse
import time

from common import COLORS, Known, compare

from msaestimator import StellarFoundationModel
from msaestimator.cli import DEMO_LABELS
from msaestimator.datasets import load_apogee_xp, split_by_source_id
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


def scores(model: StellarFoundationModel, stars: StarTable) -> str:
    """Return NMAD of what is asked, in words."""
    known = Known.of(model, stars)
    photometry = [*COLORS, "ebv"]
    questions = (
        (DEMO_LABELS, [*model.xp_columns, *photometry]),
        (DEMO_LABELS, photometry),
        (("bp_rp",), [*DEMO_LABELS, "ebv"]),
    )
    answers = (compare(model, known, asked, told) for asked, told in questions)
    return " | ".join(
        " ".join(f"{answer.scatter:8.4g}" for answer in found.values()) for found in answers
    )


def main() -> None:
    """Train, score and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--stars", type=int, help="train on so many")
    parser.add_argument("--random-state", type=int, default=0)
    options = parser.parse_args()
    stars = load_apogee_xp("train")
    # The test stars are those below 0.2: those up to 0.36 are a fifth of the others.
    validates = split_by_source_id(stars["source_id"], 0.36)
    training, validation = stars[~validates][: options.stars], stars[validates]
    print(f"{len(training)} stars, {len(validation)} to validate")
    for name in options.recipes:
        started = time.perf_counter()
        model = StellarFoundationModel(
            labels=DEMO_LABELS,
            **RECIPES[name],
            max_epochs=options.epochs,
            random_state=options.random_state,
        ).fit(training)
        elapsed = time.perf_counter() - started
        print(f"{name:26s} {scores(model, validation)}  {elapsed:.0f} s", flush=True)


if __name__ == "__main__":
    main()
