"""What 20 members cost and bring: heads on one autoencoder, and whole networks.

Run from the repository's root::

    python benchmarks/ensembles.py --stars 6000 --epochs 10

Trains one member, ``n_members`` heads on one autoencoder, and as many independent networks, all
from one pre-trained autoencoder; the first two also for ``--longer`` times the epochs, which costs
far less than the networks, and the heads so with noise on the features. Prints for each the time
of training and prediction, relative to the one member's, and on the test stars NMAD, the pinball
loss over the labels' deviation, and the negative log-likelihood of errors normal on each side of
the median, where an error of more than five deviations counts as five. Predictions are timed in
turn, so that all meet the same machine.
"""

import argparse
import time

import numpy as np

from msaestimator import MaskedStellarAutoencoder, StellarParameterRegressor
from msaestimator.cli import DEMO_LABELS
from msaestimator.datasets import load_apogee_xp
from msaestimator.metrics import nmad, pinball_loss
from msaestimator.preprocessing import read_labels
from msaestimator.schema import StarTable, get_label

UNITS = {name: get_label(name).unit for name in DEMO_LABELS}


def kinds(options: argparse.Namespace) -> dict[str, dict]:
    """Return the settings of what is compared."""
    one, heads = {"n_members": 1}, {"n_members": options.members}
    longer = {"max_epochs": round(options.longer * options.epochs)}
    return {
        "one member": one,
        "one, longer": one | longer,
        "heads": heads,
        "heads, longer": heads | longer,
        "and with noise": heads | longer | {"resample_noise": True},
        "networks": heads | {"ensemble": "independent"},
    }


def train(
    settings: dict,
    encoder: MaskedStellarAutoencoder,
    stars: StarTable,
    options: argparse.Namespace,
) -> tuple[StellarParameterRegressor, float]:
    """Return a trained regressor and the seconds of its epochs."""
    settings = {"max_epochs": options.epochs} | settings
    regressor = StellarParameterRegressor(
        encoder, labels=DEMO_LABELS, random_state=0, verbose=1, **settings
    ).fit(stars)
    return regressor, sum(regressor.net_.history[:, "dur"])


def seconds_to_predict(models: dict[str, StellarParameterRegressor], stars: StarTable) -> dict:
    """Return the median time of a prediction of each model, taken in turn."""
    times = {kind: [] for kind in models}
    for _ in range(7):
        for kind, model in models.items():
            features = model._enter(stars, reset=False)
            started = time.perf_counter()
            model._members(features)
            times[kind].append(time.perf_counter() - started)
    return {kind: float(np.median(values)) for kind, values in times.items()}


def log_loss(truth: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Return the mean negative log-likelihood of each label under two half normals."""
    low, median, high = np.moveaxis(quantiles, -1, 0)
    below, above = median - low, high - median
    z = np.clip((truth - median) / np.where(truth < median, below, above), -5, 5)
    return np.nanmean(np.log((below + above) * np.sqrt(np.pi / 2)) + z**2 / 2, axis=0)


def main() -> None:
    """Train, time, score and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--members", type=int, default=20)
    parser.add_argument("--stars", type=int, help="training stars; all if not given")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--longer", type=float, default=2.5, help="times the epochs")
    options = parser.parse_args()
    stars, test = load_apogee_xp("train")[: options.stars], load_apogee_xp("test")
    encoder = MaskedStellarAutoencoder(max_epochs=options.epochs, random_state=0).fit(stars)
    models, training = {}, {}
    for kind, settings in kinds(options).items():
        models[kind], training[kind] = train(settings, encoder, stars, options)
    predicting = seconds_to_predict(models, test)
    truth = read_labels(test, UNITS)
    for kind, model in models.items():
        quantiles = model.predict_quantiles(test)
        errors = nmad(truth, quantiles[..., len(model.quantiles) // 2])
        loss = pinball_loss(truth, quantiles, model.quantiles) / np.nanstd(truth, axis=0)
        print(
            f"{kind:14s} training {training[kind] / training['one member']:5.2f}x, prediction "
            f"{predicting[kind] / predicting['one member']:5.2f}x; NMAD "
            + " ".join(f"{e:.4g}" for e in errors)
            + "; pinball "
            + " ".join(f"{value:.4f}" for value in loss)
            + "; NLL "
            + " ".join(f"{value:.4f}" for value in log_loss(truth, quantiles))
        )


if __name__ == "__main__":
    main()
