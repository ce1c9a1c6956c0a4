"""Train the released regressor and generalist, and score them.

Run from the repository's root::

    python scripts/release/train.py --stars TABLE.parquet
    python scripts/release/write_card.py msaestimator/saving/weights/apogee-xp

The first learns from the training side (`split_by_source_id`) of the packaged stars and of tables
of the same columns. A killed run goes on where it was when started again. ``--only`` trains one of
the two and keeps the other; ``--evaluate-only`` scores saved models again. ``training.json`` tells
what the models learned from, and ``scores.ecsv``, which has the scores, keeps gradient boosting
from being trained twice; the second script writes a card from both.
"""

import argparse
import hashlib
import json
import platform
import time
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import QTable, vstack
from scipy.stats import norm
from sklearn.base import clone

from msaestimator import (
    MaskedStellarAutoencoder,
    StellarFoundationModel,
    StellarParameterRegressor,
)
from msaestimator.datasets import join_stars, load_apogee_xp, split_by_source_id
from msaestimator.estimators import StarInference
from msaestimator.metrics import BoostingBaseline, two_half_table
from msaestimator.preprocessing import read_labels
from msaestimator.schema import GAIA_DR3, StarTable
from msaestimator.training import resolve_device
from msaestimator.uncertainty import QuantileCalibrator, calibration_sample, combine_members

LABELS = ("teff", "logg", "fe_h", "alpha_m")
LABEL_SCALE = "APOGEE DR17"
"""The survey and release that the labels are from."""

RELEASE = {
    "autoencoder": {"hidden_widths": (384, 384, 384, 192), "max_epochs": 300},
    # Pre-training has stars and masks enough to go without.
    "encoder_dropout": 0.1,
    "regressor": {
        "labels": LABELS,
        "head_widths": (256,),
        "n_members": 8,
        # Else it learns its stars by heart.
        "resample_noise": True,
        # Else it learns more from stars that it cannot tell than from those it can.
        "width_power": 0.5,
        # What spectra tell of log g is faint beside what they tell of the others.
        "label_weights": {"logg": 2.0},
        "max_epochs": 100,
        "lr": 3e-3,
        # A pre-trained network is worth more than what faster steps would learn.
        "encoder_lr": 1e-3,
        "encoder_weight_decay": 0.2,
        # Enough to tell how far ordinary stars lie; rehearsals calibrate the intervals.
        "calibration_fraction": 0.02,
    },
    "rehearsals": 5,
    "generalist": {
        "labels": LABELS,
        "embedding_dim": 128,
        "encoder_widths": (192,),
        "decoder_widths": (384, 384),
        # Mostly of whole spectra, and without the labels, which it would only repeat.
        "n_inputs": (4, 118),
        "block_dropout": {"label": 0.6, "bp": 0.35, "rp": 0.35, "color": 0.3, "dust": 0.3},
        "batch_size": 128,
    },
    "generalist_runs": (
        {"max_epochs": 100, "lr": 8e-3},
        # The likelihood itself makes answers to easy questions exact and errors honest.
        {"max_epochs": 15, "lr": 2e-3, "beta": 0.0},
    ),
    "boosting": {},
    "dtype": "float16",
}
"""Settings of the release, where they are not the estimators' defaults."""

ONE_EPOCH = {"max_epochs": 1}
TOY = RELEASE | {
    "autoencoder": RELEASE["autoencoder"] | ONE_EPOCH,
    "regressor": RELEASE["regressor"] | ONE_EPOCH,
    "rehearsals": 3,
    "generalist_runs": (ONE_EPOCH,),
    "boosting": {"max_iter": 5},
}
"""Settings that only show that it runs, on the first of the stars."""

N_TOY = 300
RANGED = ("teff", "logg", "fe_h", "phot_g_mean_mag", "ebv")
"""What tells where the models hold."""

PACKAGED = "packaged stars"
BOOSTING = "gradient boosting"
REGRESSOR, GENERALIST = "StellarParameterRegressor", "StellarFoundationModel"
WEIGHTS = Path("msaestimator/saving/weights/apogee-xp")


class RequestedLabels:
    """The generalist as `two_half_table` scores it: not told labels, with normal errors."""

    quantiles = (0.16, 0.5, 0.84)

    def __init__(self, model: StellarFoundationModel) -> None:
        self.model = model

    def predict(self, stars: StarTable) -> np.ndarray:
        """Return the labels, (n_stars, n_labels)."""
        return self.predict_quantiles(stars)[..., 1]

    def predict_quantiles(self, stars: StarTable) -> np.ndarray:
        """Return the quantiles of the labels, (n_stars, n_labels, 3)."""
        told = stars[[n for n in stars.colnames if n.removesuffix("_err") not in LABELS]]
        answers = self.model.request(told, LABELS)
        mean, error = (
            np.stack([answers[name + end].value for name in LABELS], axis=1)
            for end in ("", "_err")
        )
        return mean[..., None] + error[..., None] * norm.ppf(self.quantiles)


def collect(paths: list[Path], n_most: int | None) -> tuple[dict[str, StarTable], dict[str, dict]]:
    """Return stars by sample, each star in the first that has it, and what is said of each."""
    packaged = load_apogee_xp()[:n_most]
    path = Path(str(files("msaestimator.datasets") / "data" / "apogee_xp.parquet"))
    names = packaged.colnames
    further = {p.name: StarTable.read(p, include_names=names)[:n_most] for p in paths}
    tables = {PACKAGED: packaged} | further
    samples, said, known = {}, {}, packaged[:0]
    for (name, table), source in zip(tables.items(), [path, *paths], strict=True):
        joined = join_stars([known, table])
        samples[name], known = joined[len(known) :], joined
        is_test = split_by_source_id(samples[name]["source_id"])
        said[name] = {
            "sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
            "rows": len(table),
            "duplicates": len(table) - len(samples[name]),
            "training": int((~is_test).sum()),
            "test": int(is_test.sum()),
        }
        print(f"{name}: {said[name]}")
    return samples, said


def split(samples: dict[str, StarTable]) -> tuple[StarTable, dict[str, StarTable]]:
    """Return the training stars of all samples, and the test stars of each."""
    is_test = {name: split_by_source_id(stars["source_id"]) for name, stars in samples.items()}
    tests = {name: stars[is_test[name]] for name, stars in samples.items()}
    parts = [stars[~is_test[name]] for name, stars in samples.items()]
    return vstack(parts, metadata_conflicts="silent"), tests


def train_regressor(stars: StarTable, options: argparse.Namespace) -> dict[str, dict]:
    """Pre-train, fine-tune, calibrate and save; return what is worth a record."""
    common = {"random_state": options.random_state, "verbose": 1}
    encoder = MaskedStellarAutoencoder(
        **options.settings["autoencoder"], **common, checkpoint=options.checkpoints / "autoencoder"
    )
    encoder.fit(stars).set_params(verbose=0, checkpoint=None)
    # benchmarks/latent_space.py and label_efficiency.py show what it is worth.
    encoder.save_pretrained(options.checkpoints / "pretrained")
    encoder.set_params(dropout=options.settings["encoder_dropout"])
    regressor = StellarParameterRegressor(
        encoder,
        **options.settings["regressor"],
        **common,
        checkpoint=options.checkpoints / "regressor",
    )
    regressor.fit(stars).set_params(verbose=0)
    shrinks = calibrate(regressor, stars, options)
    regressor.save_pretrained(options.output / REGRESSOR, options.settings["dtype"])
    return {"errors_over_rehearsals": shrinks}


def rehearse(
    regressor: StellarParameterRegressor,
    stars: StarTable,
    left_out: tuple[int, ...],
    options: argparse.Namespace,
) -> tuple[np.ndarray, ...]:
    """Return what the same network, fine-tuned without some parts, makes of the first of them."""
    parts = np.arange(len(stars)) % options.settings["rehearsals"]
    checkpoint = options.checkpoints / f"rehearsal-{'-'.join(map(str, left_out))}"
    rehearsal = clone(regressor).set_params(
        calibration_fraction=0.0, verbose=1, checkpoint=checkpoint
    )
    rehearsal.fit(stars[~np.isin(parts, left_out)])
    unseen = stars[parts == left_out[0]]
    truth = read_labels(unseen, rehearsal.units_)
    features = rehearsal.reader_.transform(unseen)
    sample, targets = calibration_sample(features, rehearsal.label_scaler_.transform(truth))
    inference = StarInference(
        rehearsal.module_,
        batch_size=rehearsal.inference_batch_size,
        device=resolve_device(rehearsal.device),
        precision=rehearsal.precision,
    )
    shape = (rehearsal.n_members, len(rehearsal.labels_), len(rehearsal.quantiles))
    members = inference.map(rehearsal.module_.quantiles, sample, shape)
    quantiles = combine_members(members.astype(np.float64), rehearsal.quantiles)
    return targets, quantiles, sample.lacks_xp.astype(int), sample.g_magnitude


def typical_scores(sample: tuple[np.ndarray, ...]) -> np.ndarray:
    """Return the typical error in units of predicted widths, with XP and without."""
    truth, quantiles, groups, _ = sample
    scores = np.abs(truth - quantiles[..., 1]) / (quantiles[..., 2] - quantiles[..., 0])
    medians = [np.nanmedian(scores[groups == group], axis=0) for group in range(2)]
    return np.exp(np.log(medians).mean(axis=1))


def calibrate(
    regressor: StellarParameterRegressor, stars: StarTable, options: argparse.Namespace
) -> dict[str, float]:
    """Calibrate on all stars, each by the error of a network that has not learned from it.

    So the regressor itself may learn from them. Those networks had fewer stars than it has. How
    much larger that makes an error, in units of predicted widths, is told by one that had fewer
    still, on the same stars, as if errors were a power of the number of stars. Returns the
    factors, with XP and without.
    """
    n = options.settings["rehearsals"]
    parts = [rehearse(regressor, stars, (k,), options) for k in range(n)]
    fewer = rehearse(regressor, stars, (0, 1), options)
    power = np.log(n / (n - 1)) / np.log((n - 1) / (n - 2))
    shrinks = (typical_scores(parts[0]) / typical_scores(fewer)) ** power
    truth, quantiles, groups, extra = (
        np.concatenate(arrays) for arrays in zip(*parts, strict=True)
    )
    medians = quantiles[..., 1]
    truth = medians + (truth - medians) * shrinks[groups, None]
    regressor.intervals_.calibrator_ = QuantileCalibrator(regressor.quantiles).fit(
        truth, quantiles, groups, extra
    )
    return dict(zip(("with XP", "without XP"), shrinks.round(4).tolist(), strict=True))


def train_generalist(stars: StarTable, options: argparse.Namespace) -> dict[str, dict]:
    """Train in several runs, each from where the last one ended, and save; nothing to record."""
    model = StellarFoundationModel(**options.settings["generalist"], verbose=1)
    for number, changes in enumerate(options.settings["generalist_runs"]):
        model.set_params(
            **changes,
            checkpoint=options.checkpoints / f"generalist-{number}",
            random_state=options.random_state + number,
        )
        model.fit(stars).set_params(warm_start=True)
    model.set_params(warm_start=False, checkpoint=None, verbose=0)
    model.save_pretrained(options.output / GENERALIST, options.settings["dtype"])
    return {}


def train(stars: StarTable, said: dict[str, dict], options: argparse.Namespace) -> None:
    """Train what is asked and keep the record of it, beside that of what is kept."""
    options.checkpoints.mkdir(parents=True, exist_ok=True)
    path = options.output / "training.json"
    kept = {}
    if options.only:
        kept = json.loads(path.read_text())
        check_same_stars(kept, stars)
    record = {kind: kept[kind] for kind in TRAINERS if kind in kept}
    for kind in [options.only] if options.only else TRAINERS:
        started = time.monotonic()
        found = TRAINERS[kind](stars, options)
        record[kind] = {"minutes": round((time.monotonic() - started) / 60, 1)} | found
    tables = " ".join(path.name for path in options.stars)
    record |= {
        "files": said,
        "stars_sha256": stars_checksum(stars),
        "inputs": inputs(stars),
        "ranges": {name: known_range(stars[name].value) for name in RANGED},
        "label_scale": LABEL_SCALE,
        "random_state": options.random_state,
        "settings": options.settings,
        "command": f"python scripts/release/train.py --stars {tables}",
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in ("msaestimator", "torch", "scikit-learn", "numpy")},
    }
    path.write_text(json.dumps(record, indent=1) + "\n")


TRAINERS = {REGRESSOR: train_regressor, GENERALIST: train_generalist}


def inputs(stars: StarTable) -> dict[str, int]:
    """Return the features that stars have, with how many numbers each."""
    arrays = {array.name: len(array.columns) for array in GAIA_DR3.arrays}
    sizes = arrays | dict.fromkeys(GAIA_DR3.names, 1)
    return {name: size for name, size in sizes.items() if name in stars.colnames}


def known_range(values: np.ndarray) -> dict[str, float]:
    """Return the 1st and 99th percentile of known values, and how many they are."""
    known = np.asarray(values, dtype=float)[np.isfinite(values)]
    low, high = np.percentile(known, [1, 99])
    return {"low": float(low), "high": float(high), "stars": len(known)}


def stars_checksum(stars: StarTable) -> str:
    """Return a checksum of which stars these are."""
    return hashlib.sha256(np.asarray(stars["source_id"], "<i8").tobytes()).hexdigest()


def check_same_stars(record: dict[str, Any], stars: StarTable) -> None:
    """Refuse to go on with models that learned from other stars."""
    if record["stars_sha256"] != stars_checksum(stars):
        raise SystemExit("The models were trained on other stars: give the same --stars.")


def score(training: StarTable, tests: dict[str, StarTable], options: argparse.Namespace) -> QTable:
    """Return the scores of every saved model and of gradient boosting on each test sample."""
    path = options.output / "scores.ecsv"
    models = {}
    if (options.output / REGRESSOR).is_dir():
        models[REGRESSOR] = StellarParameterRegressor.from_pretrained(options.output / REGRESSOR)
    if (options.output / GENERALIST).is_dir():
        generalist = StellarFoundationModel.from_pretrained(options.output / GENERALIST)
        models[GENERALIST] = RequestedLabels(generalist)
    older = QTable.read(path) if path.exists() else None
    wanted = {"stars": stars_checksum(training), "tests": list(tests)}
    tables = []
    if older is not None and {name: older.meta.get(name) for name in wanted} == wanted:
        tables.append(older[older["model"] == BOOSTING])
    else:
        print("gradient boosting …")
        models[BOOSTING] = BoostingBaseline(LABELS, **options.settings["boosting"]).fit(training)
    for name, model in models.items():
        for sample, stars in tests.items():
            table = two_half_table(model, stars, LABELS)
            table.add_column([name] * len(table), name="model", index=0)
            table.add_column([sample] * len(table), name="stars", index=0)
            tables.append(table)
    scores = vstack(tables, metadata_conflicts="silent")
    scores.meta = wanted
    scores.write(path, overwrite=True)
    return scores


def main() -> None:
    """Train, score, and write the card."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stars", type=Path, nargs="+", default=[], help="further tables")
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    parser.add_argument("--checkpoints", type=Path, default=Path("build/released-checkpoints"))
    parser.add_argument("--random-state", type=int, default=0)
    parser.add_argument("--only", choices=TRAINERS, help="train this one, and keep the other")
    parser.add_argument("--evaluate-only", action="store_true", help="of what is saved already")
    parser.add_argument("--toy", action="store_true", help="few stars and epochs, in build/toy")
    parser.set_defaults(settings=RELEASE)
    if parser.parse_known_args()[0].toy:
        toy = Path("build/toy")
        parser.set_defaults(settings=TOY, output=toy / "release", checkpoints=toy / "checkpoints")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    samples, said = collect(options.stars, N_TOY if options.toy else None)
    training, tests = split(samples)
    if not options.evaluate_only:
        train(training, said, options)
    check_same_stars(json.loads((options.output / "training.json").read_text()), training)
    scores = score(training, tests, options)
    scores["stars", "model", "half", "label", "nmad", "rmse"].pprint(max_lines=-1, max_width=-1)


if __name__ == "__main__":
    main()
