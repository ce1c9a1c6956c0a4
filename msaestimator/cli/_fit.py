"""``msa fit``: a regressor from tables of stars, saved to a folder."""

import argparse
import sys
from pathlib import Path

from msaestimator.estimators import MaskedStellarAutoencoder, StellarParameterRegressor
from msaestimator.tables import read_stars

__all__ = ["run"]


def run(options: argparse.Namespace) -> None:
    """Pre-train and fine-tune as the options say, and save the regressor."""
    stars = read_stars(options.stars, options.hdu)
    common = {"verbose": 1, "random_state": options.random_state}
    if options.epochs is not None:
        common["max_epochs"] = options.epochs
    # A longer pre-training goes on; the fine-tuning that starts from it is another one.
    names = ("pretraining", "finetuning" + (f"-{options.epochs}" if options.epochs else ""))
    stages = [common | _checkpoint(options, name) for name in names]
    encoder = MaskedStellarAutoencoder.from_preset(options.preset, **stages[0])
    if options.pretrain_on is not None:
        encoder.fit(read_stars(options.pretrain_on))
    regressor = StellarParameterRegressor.from_preset(
        options.preset, encoder=encoder, labels=options.labels, **stages[1]
    )
    regressor.fit(stars).save_pretrained(options.model)
    sys.stdout.write(f"Saved {', '.join(regressor.labels_)} to {options.model}\n")


def _checkpoint(options: argparse.Namespace, stage: str) -> dict[str, Path]:
    if options.checkpoint is None:
        return {}
    return {"checkpoint": options.checkpoint / f"{stage}.safetensors"}
