"""What 20 members cost and bring: heads on one autoencoder, and whole networks.

Run from the repository's root::

    python benchmarks/ensembles.py --stars 6000

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
import torch
from common.options import make_parser, read_options
from common.stars import LABELS, UNITS, load_split
from common.tables import ResultTable, in_words

from msaestimator import MaskedStellarAutoencoder, StellarParameterRegressor
from msaestimator.metrics import nmad, pinball_loss
from msaestimator.preprocessing import read_labels
from msaestimator.schema import StarTable

DEFAULT_EPOCHS = 15
HEADER = (
    "members",
    "training",
    "prediction",
    "NMAD: Teff, log g, [Fe/H], [α/M]",
    "pinball loss",
    "negative log-likelihood",
)


def kinds(options: argparse.Namespace) -> dict[str, dict]:
    """Return the settings of what is compared."""
    one, heads = {"n_members": 1}, {"n_members": options.members}
    longer = {"max_epochs": round(options.longer * options.epochs)}
    return {
        "one": one,
        "one, longer": one | longer,
        f"{options.members} heads": heads,
        f"{options.members} heads, longer": heads | longer,
        "and with noise": heads | longer | {"resample_noise": True},
        f"{options.members} networks": heads | {"ensemble": "independent"},
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
        encoder, labels=LABELS, random_state=0, verbose=1, **settings
    ).fit(stars)
    return regressor, sum(regressor.net_.history[:, "dur"])


def seconds_to_predict(models: dict[str, StellarParameterRegressor], n_stars: int) -> dict:
    """Return the median time that each network takes for so many stars, taken in turn."""
    times = {kind: [] for kind in models}
    for _ in range(7):
        for kind, model in models.items():
            stars = torch.randn(n_stars, len(model.feature_names_))
            started = time.perf_counter()
            with torch.inference_mode():
                for batch in stars.split(model.inference_batch_size):
                    model.module_.eval().quantiles(batch)
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
    parser = make_parser(__doc__)
    parser.add_argument("--members", type=int, default=20)
    parser.add_argument("--stars", type=int, help="training stars; all if not given")
    parser.add_argument("--epochs", type=int, default=DEFAULT_EPOCHS)
    parser.add_argument("--longer", type=float, default=2.5, help="times the epochs")
    options = read_options(parser, epochs=1, members=2)
    stars, test = load_split(toy=options.toy)
    stars = stars[: options.stars]
    encoder = MaskedStellarAutoencoder(max_epochs=options.epochs, random_state=0).fit(stars)
    models, training = {}, {}
    for kind, settings in kinds(options).items():
        models[kind], training[kind] = train(settings, encoder, stars, options)
    predicting = seconds_to_predict(models, len(test))
    truth = read_labels(test, UNITS)
    table = ResultTable(options.tables / "ensembles.inc", HEADER)
    for kind, model in models.items():
        quantiles = model.predict_quantiles(test)
        errors = nmad(truth, quantiles[..., len(model.quantiles) // 2])
        loss = pinball_loss(truth, quantiles, model.quantiles) / np.nanstd(truth, axis=0)
        table.add(
            kind if options.epochs == DEFAULT_EPOCHS else f"{kind}, {options.epochs} epochs",
            f"{training[kind] / training['one']:.2g}",
            f"{predicting[kind] / predicting['one']:.2g}",
            *map(in_words, (errors, loss, log_loss(truth, quantiles))),
        )


if __name__ == "__main__":
    main()
