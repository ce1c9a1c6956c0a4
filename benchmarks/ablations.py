"""What each choice brings: the default models with one thing changed, on validation stars.

Run from the repository's root::

    python benchmarks/ablations.py --changes colors block

Pre-trains and fine-tunes on four fifths of the packaged training stars (or fewer, ``--stars``) and
prints NMAD on the others, with their XP spectra and without. The test stars are not looked at.
"""

import argparse
import time

from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import RobustScaler

from msaestimator import MaskedStellarAutoencoder, StellarParameterRegressor
from msaestimator.cli import DEMO_LABELS
from msaestimator.datasets import load_apogee_xp, split_by_source_id
from msaestimator.metrics import hide_xp, nmad
from msaestimator.preprocessing import StellarFeatures, XPCoefficientScaler, read_labels
from msaestimator.schema import get_label

UNITS = {name: get_label(name).unit for name in DEMO_LABELS}


def scaled(**changes: bool) -> dict[str, Pipeline]:
    """Return the default preprocessor with another scaling of XP coefficients."""
    return {
        "preprocessor": make_pipeline(
            StellarFeatures(), XPCoefficientScaler(**changes), RobustScaler()
        )
    }


WHOLE_SPECTRA = {"xp_mask_ratio": 0.5, "block_mask_ratio": 0.0, "span_mask_ratio": 0.0}
CONSTANT = {"lr_schedule": "constant"}
CHANGES = {
    "default": ({}, {}),
    "no pre-training": ({"times": 0}, {}),
    "the thesis's block": ({"block": "mckay2025"}, {}),
    "no linear term": ({"linear_term": False}, {}),
    "no colours": ({"colors": False}, {}),
    "coefficients not over the G flux": (scaled(normalize_flux=False), {}),
    "no asinh of coefficients": (scaled(asinh=False), {}),
    "periodic scale of 1": ({"frequency_scale": 1.0}, {}),
    "L1 loss of the reconstruction": ({"loss": "l1"}, {}),
    "only whole spectra hidden": (WHOLE_SPECTRA, {}),
    "twice the pre-training": ({"times": 2}, {}),
    "half the learning rates": ({"lr": 1e-3}, {"lr": 1.5e-3, "encoder_lr": 1.5e-3}),
    "constant learning rates": (CONSTANT, CONSTANT | {"encoder_lr_schedule": "constant"}),
    "linear labels": ({}, {"log_labels": ()}),
    "dropout of 0.2": ({"dropout": 0.2}, {"dropout": 0.2}),
    "one member": ({}, {"n_members": 1}),
    "16 members": ({}, {"n_members": 16}),
    "features hidden at 0.1": ({}, {"mask_ratio": 0.1}),
    "no reconstruction in fine-tuning": ({}, {"reconstruction_weight": 0.0}),
    "twice the width": ({"hidden_widths": (512, 512, 256)}, {}),
}
"""Name to the parameters of autoencoder and regressor it changes; ``times`` so many epochs."""


def main() -> None:
    """Train, score and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--changes", nargs="+", default=[""], help="those with these words")
    parser.add_argument("--stars", type=int, help="training stars; all if not given")
    parser.add_argument("--pretraining-epochs", type=int, default=30)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--random-state", type=int, default=0)
    options = parser.parse_args()
    stars = load_apogee_xp("train")
    # The test stars are those below 0.2: those up to 0.36 are a fifth of the others.
    validates = split_by_source_id(stars["source_id"], 0.36)
    validation, training = stars[validates], stars[~validates][: options.stars]
    truth = read_labels(validation, UNITS)
    for name, (of_encoder, of_regressor) in CHANGES.items():
        if not any(words in name for words in options.changes):
            continue
        started = time.perf_counter()
        settings = {"times": 1, "random_state": options.random_state} | of_encoder
        encoder = MaskedStellarAutoencoder(
            max_epochs=options.pretraining_epochs * settings.pop("times"), **settings
        )
        regressor = StellarParameterRegressor(
            encoder,
            labels=DEMO_LABELS,
            max_epochs=options.epochs,
            random_state=options.random_state,
            **of_regressor,
        ).fit(training)
        errors = [
            nmad(truth, regressor.predict(given)) for given in (validation, hide_xp(validation))
        ]
        shown = " | ".join(" ".join(f"{e:8.4g}" for e in half) for half in errors)
        print(f"{name:34s} {shown}  {time.perf_counter() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
