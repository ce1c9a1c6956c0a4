"""What noise, averages and weights of labels do to a long fine-tuning, on validation stars.

Run from the repository's root, after ``benchmarks/train_released.py`` or with another encoder::

    python benchmarks/fine_tuning.py --stars TABLE.parquet

Fine-tunes the released model's pre-trained autoencoder on nine tenths of the release's training
stars, with and without noise on the features, averages of the weights, labels counted by the
widths of their intervals, and log g counted twice, and prints NMAD on the tenth, with XP spectra
and without, and on stars that were trained on.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from ablations import AVERAGED
from train_released import LABELS, RELEASE, collect, split

from msaestimator import MaskedStellarAutoencoder, StellarParameterRegressor
from msaestimator.metrics import hide_xp, nmad
from msaestimator.preprocessing import read_labels
from msaestimator.schema import StarTable, get_label

UNITS = {name: get_label(name).unit for name in LABELS}
RECIPES = {
    "neither": {"resample_noise": False},
    "noise": {"resample_noise": True},
    "averages": AVERAGED | {"resample_noise": False},
    "both": AVERAGED | {"resample_noise": True},
    "widths": {"resample_noise": True, "width_power": 0.5},
    "logg": {"resample_noise": True, "width_power": 0.5, "label_weights": {"logg": 2.0}},
}


def errors(regressor: StellarParameterRegressor, stars: StarTable) -> str:
    """Return NMAD of each label in words."""
    found = nmad(read_labels(stars, UNITS), regressor.predict(stars))
    return " ".join(f"{error:8.4g}" for error in found)


def main() -> None:
    """Train, score and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    encoder = Path("build/released-checkpoints/pretrained")
    parser.add_argument("--stars", type=Path, nargs="*", default=[], help="further tables")
    parser.add_argument("--encoder", type=Path, default=encoder)
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--random-state", type=int, default=0)
    options = parser.parse_args()
    stars, _ = split(collect(options.stars)[0])
    validates = np.arange(len(stars)) % 10 == 3
    training, validation = stars[~validates], stars[validates]
    for name in options.recipes:
        started = time.perf_counter()
        encoder = MaskedStellarAutoencoder.from_pretrained(options.encoder)
        regressor = StellarParameterRegressor(
            encoder.set_params(dropout=RELEASE["encoder_dropout"]),
            **RELEASE["regressor"]
            | {"width_power": 0.0, "label_weights": None}
            | RECIPES[name]
            | {"max_epochs": options.epochs, "calibration_fraction": 0.0, "verbose": 1},
            random_state=options.random_state,
        ).fit(training)
        scored = validation, hide_xp(validation), training[: len(validation)]
        shown = " | ".join(errors(regressor, part) for part in scored)
        print(f"{name:10s} {shown}  {time.perf_counter() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
