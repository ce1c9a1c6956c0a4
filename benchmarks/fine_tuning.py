r"""What noise, averages and weights of labels do to a long fine-tuning, on validation stars.

Run from the repository's root, with the autoencoder that ``scripts/release/train.py`` saved before
it fine-tuned it::

    python benchmarks/fine_tuning.py --stars TABLE.parquet \
        --encoder build/gaia-xp/checkpoints/pretrained

Fine-tunes it, or one of random weights, with the release's settings on nine tenths of the
release's training stars, with and without noise on the features, averages of the weights, labels
counted by the widths of their intervals, and log g counted twice, and prints NMAD on the tenth,
with XP spectra and without, and on stars that were trained on.
"""

from pathlib import Path

import numpy as np
from common.options import make_parser, read_options
from common.settings import AVERAGED
from common.stars import LABELS, errors, load_split
from common.tables import ResultTable, in_words
from sklearn.base import clone

from msaestimator import MaskedStellarAutoencoder, StellarParameterRegressor
from msaestimator.metrics import hide_xp

HEADER = ("added", "with XP", "without", "trained on, with XP")
DEFAULT_EPOCHS = 40
RELEASED = "gaia-xp"
PLAIN = {
    "labels": LABELS,
    "resample_labels": (),
    "make_fainter": None,
    "sky_mix": False,
    "width_power": 0.0,
    "label_weights": None,
}
RECIPES = {
    "nothing": {"resample_noise": False},
    "noise": {"resample_noise": True},
    "averages": AVERAGED | {"resample_noise": False},
    "both": AVERAGED | {"resample_noise": True},
    "widths": {"resample_noise": True, "width_power": 0.5},
    "logg": {"resample_noise": True, "width_power": 0.5, "label_weights": {"logg": 2.0}},
}


def main() -> None:
    """Train, score and print."""
    parser = make_parser(__doc__)
    parser.add_argument("--stars", type=Path, nargs="*", default=[], help="further tables")
    parser.add_argument("--encoder", help="folder of a pre-trained autoencoder")
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--epochs", type=int, default=DEFAULT_EPOCHS)
    parser.add_argument("--random-state", type=int, default=0)
    options = read_options(parser, recipes=["noise", "logg"], epochs=1)
    stars, _ = load_split(toy=options.toy, further=options.stars)
    validates = np.arange(len(stars)) % 10 == 3
    training, validation = stars[~validates], stars[validates]
    released = StellarParameterRegressor.from_pretrained(RELEASED)
    table = ResultTable(options.tables / "fine_tuning.inc", HEADER)
    for name in options.recipes:
        regressor = clone(released).set_params(
            encoder=start_of(released, options.encoder),
            **PLAIN | RECIPES[name],
            max_epochs=options.epochs,
            calibration_fraction=0.0,
            verbose=1,
            random_state=options.random_state,
        )
        regressor.fit(training)
        scored = validation, hide_xp(validation), training[: len(validation)]
        cells = [in_words(errors(regressor, part)) for part in scored]
        row = name if options.epochs == DEFAULT_EPOCHS else f"{name}, {options.epochs} epochs"
        table.add(row, *cells)


def start_of(released: StellarParameterRegressor, folder: str | None) -> MaskedStellarAutoencoder:
    """Return a saved autoencoder with the release's dropout, or one like it of random weights."""
    like = released.encoder
    if folder is None:
        return clone(like).set_params(max_epochs=0)
    saved = MaskedStellarAutoencoder.from_pretrained(folder)
    return saved.set_params(dropout=like.dropout)


if __name__ == "__main__":
    main()
