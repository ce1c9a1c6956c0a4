"""Train the released regressor and generalist, and score them.

Run from the repository's root, after ``scripts/release/gather.py``::

    python scripts/release/train.py --stars build/gaia-xp/stars.parquet
    python scripts/release/write_card.py msaestimator/saving/weights/gaia-xp

and with ``--teacher`` a small regressor that learns what a released one predicts::

    python scripts/release/train.py --stars build/gaia-xp/stars.parquet --teacher gaia-xp \
        --output msaestimator/saving/weights/gaia-xp-fast --checkpoints build/gaia-xp-fast
    python scripts/release/write_card.py msaestimator/saving/weights/gaia-xp-fast

The table has stars of several samples, with which of them are for tests. A killed run goes on
where it was when started again. ``--only`` trains one of the two models and keeps the other;
``--after-training`` keeps the regressor's weights and learns anew what is learned after its
training, calibration and outliers; ``--evaluate-only`` scores saved models again.
``training.json`` tells what each model learned from, and ``scores.ecsv``, which has the scores,
keeps gradient boosting from being trained twice; the second script writes a card from both.
"""

import argparse
import hashlib
import json
import platform
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
import torch
from astropy.table import QTable, vstack

from msaestimator import (
    MaskedStellarAutoencoder,
    StellarFoundationModel,
    StellarParameterRegressor,
)
from msaestimator.datasets import load_apogee_xp
from msaestimator.metrics import BoostingBaseline, two_half_table
from msaestimator.schema import GAIA_DR3, StarTable

LABELS = ("teff", "logg", "fe_h", "alpha_m", "age", "mass", "parallax")
LABEL_COLUMNS = {name: name for name in LABELS} | {"parallax": "parallax_label"}
"""Column of each label in the table: there the measured parallax has its own name."""

KNOWN = (*LABELS[:-1], "distance")
"""Labels that the generalist learns: a parallax is what it is told."""

MEASURED = LABELS[:4]
"""Labels that a survey measured, which scores are of."""

LABEL_SCALE = "APOGEE DR17"
"""The survey and release whose scale the labels are on: most are its own."""

FAINTEST = 19.0
"""G in mag down to which stars are made fainter."""

HOT, HOT_WEIGHT = 7000.0, 3.0
"""Teff in K above which stars are few, and how much each then counts."""

HIDDEN_TOGETHER = {
    "bp": 0.1,
    "rp": 0.1,
    "gaia": 0.05,
    "tmass": 0.25,
    "wise": 0.3,
    "ps1": 0.4,
    "sdss": 0.4,
    "skymapper": 0.4,
    "astrometry": 0.4,
    "dust": 0.3,
}
"""Probabilities that what one survey, band or map tells is hidden: none of it is required."""

RELEASE = {
    "autoencoder": {
        "hidden_widths": (384, 384, 384, 192),
        "mask_ratio": 0.05,
        "xp_mask_ratio": 0.2,
        "block_mask_ratio": HIDDEN_TOGETHER,
        "span_mask_ratio": 0.3,
        "protected": (),
        "make_fainter": FAINTEST,
        "max_epochs": 180,
    },
    # Pre-training has stars and masks enough to go without.
    "encoder_dropout": 0.1,
    "regressor": {
        "labels": LABELS,
        "invalid": "mask",
        "head_widths": (256,),
        "n_members": 8,
        # Else it learns its stars by heart.
        "resample_noise": True,
        # Else it knows bright stars only, and takes faint ones for what APOGEE chose.
        "make_fainter": FAINTEST,
        "sky_mix": True,
        # Isochrones tell these as posteriors.
        "resample_labels": ("age", "mass", "parallax"),
        "block_mask_ratio": HIDDEN_TOGETHER | {"bp": 0.03, "rp": 0.03, "gaia": 0.03},
        # Else it learns more from stars that it cannot tell than from those it can.
        "width_power": 0.5,
        # What spectra tell of log g is faint beside what they tell of the others.
        "label_weights": {"logg": 2.0, "age": 0.5, "mass": 0.5},
        "max_epochs": 200,
        "lr": 3e-3,
        # A pre-trained network is worth more than what faster steps would learn.
        "encoder_lr": 1e-3,
        "encoder_weight_decay": 0.2,
        "calibration_fraction": 0.06,
    },
    "generalist": {
        "labels": KNOWN,
        "read_by": "block",
        "embedding_dim": 128,
        "encoder_heads": (8, 8),
        "encoder_widths": (256, 256),
        "decoder_widths": (256, 256),
        # Few stars that are far off must not outweigh the others.
        "likelihood": "student",
        "n_factors": 8,
        "n_requests": 2,
        # Spectra of labels alone are learned at last.
        "from_labels_ratio": 0.0,
        # Mostly of whole spectra, and without the labels, which it would only repeat.
        "block_dropout": {
            "xp": 0.15,
            "bp": 0.05,
            "rp": 0.05,
            "color": 0.25,
            "ps1": 0.4,
            "sdss": 0.4,
            "skymapper": 0.4,
            "brightness": 0.15,
            "luminosity": 0.4,
            "dust": 0.3,
            "label": 0.6,
        },
        # Colours of a survey come together, and are told apart by their differences.
        "partial_ratio": {"xp": 0.3, "label": 0.3, "color": 0.15}
        | dict.fromkeys(("ps1", "sdss", "skymapper"), 0.1),
        "make_fainter": FAINTEST,
        "invalid": "mask",
        "calibration_fraction": 0.06,
        "max_epochs": 26,
        "batch_size": 256,
        "lr": 8e-3,
        "weight_decay": 0.05,
    },
    # Asked for most at once, spectra are answered better, and labels as well.
    "generalist_at_last": {
        "n_requests": 6,
        "from_labels_ratio": 0.1,
        "max_epochs": 22,
        "lr": 4e-3,
    },
    # Frequencies and vectors of features take time as widths do.
    "small_autoencoder": {
        "hidden_widths": (192, 192, 128),
        "d_embedding": 4,
        "n_frequencies": 1,
        "protected": (),
    },
    # Of the regressor's settings, those that differ.
    "student": {
        "head_widths": (128,),
        "n_members": 1,
        "reconstruction_weight": 0.0,
        "width_power": 0.0,
        "max_epochs": 88,
        "encoder_lr": 3e-3,
        "encoder_weight_decay": 0.01,
        "weight_decay": 0.01,
    },
    "boosting": {},
    "dtype": "float16",
}
"""Settings of the release, where they are not the estimators' defaults."""

ONE_EPOCH = {"max_epochs": 1}
TOY = RELEASE | {
    "autoencoder": RELEASE["autoencoder"] | ONE_EPOCH,
    "regressor": RELEASE["regressor"] | ONE_EPOCH | {"calibration_fraction": 0.3},
    "generalist": RELEASE["generalist"] | ONE_EPOCH,
    "generalist_at_last": ONE_EPOCH,
    "student": RELEASE["student"] | ONE_EPOCH,
    "boosting": {"max_iter": 5},
}
"""Settings that only show that it runs, on a table of some hundred stars."""

RANGED = ("teff", "logg", "fe_h", "phot_g_mean_mag", "ebv")
"""What tells where the models hold."""

SPECTROSCOPIC = "apogee"
"""Sample with spectra and measured labels, which boosting is of."""

BOOSTING = "gradient boosting"
REGRESSOR, GENERALIST = "StellarParameterRegressor", "StellarFoundationModel"
WEIGHTS = Path("msaestimator/saving/weights/gaia-xp")


class RequestedLabels:
    """The generalist as `two_half_table` scores it: not told labels, with its intervals."""

    quantiles = (0.16, 0.5, 0.84)

    def __init__(self, model: StellarFoundationModel) -> None:
        self.model = model

    def predict(self, stars: StarTable) -> np.ndarray:
        """Return the labels, (n_stars, n_labels)."""
        return self.predict_quantiles(stars)[..., 1]

    def predict_quantiles(self, stars: StarTable) -> np.ndarray:
        """Return the quantiles of the labels, (n_stars, n_labels, 3)."""
        told = stars[[n for n in stars.colnames if n.removesuffix("_err") not in KNOWN]]
        answers = self.model.request(told, MEASURED)
        quantiles = [
            np.stack([answers[name + end].value for name in MEASURED], axis=1)
            for end in ("_lower", "", "_upper")
        ]
        return np.stack(quantiles, axis=-1)


class MeasuredLabels:
    """A regressor as `two_half_table` scores it: the labels that surveys measured."""

    def __init__(self, model: StellarParameterRegressor) -> None:
        self.model = model
        self.quantiles = model.quantiles
        self._columns = [model.labels_.index(name) for name in MEASURED]

    def predict(self, stars: StarTable) -> np.ndarray:
        """Return the labels, (n_stars, n_labels)."""
        return self.model.predict(stars)[:, self._columns]

    def predict_quantiles(self, stars: StarTable) -> np.ndarray:
        """Return the quantiles of the labels, (n_stars, n_labels, n_quantiles)."""
        return self.model.predict_quantiles(stars)[:, self._columns]


def read(path: Path) -> tuple[StarTable, StarTable, dict[str, Any]]:
    """Return the stars to train on, those to test on, and what is said of the file."""
    stars = StarTable.read(path)
    is_test = np.asarray(stars["is_test"], dtype=bool)
    samples = np.asarray(stars["sample"]).astype(str)
    said = {
        name: {
            "rows": int((samples == name).sum()),
            "training": int(((samples == name) & ~is_test).sum()),
            "test": int(((samples == name) & is_test).sum()),
        }
        for name in dict.fromkeys(samples.tolist())
    }
    print(said)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return (
        stars[~is_test],
        stars[is_test],
        {"sha256": digest, "samples": said, "made_from": stars.meta.get("sources")},
    )


def of_sample(stars: StarTable, name: str) -> StarTable:
    """Return the stars of one sample."""
    return stars[np.asarray(stars["sample"]).astype(str) == name]


def labels_of(stars: StarTable) -> QTable:
    """Return the labels of stars and their errors, by the names that they are learned by."""
    labels = QTable()
    for name, column in LABEL_COLUMNS.items():
        labels[name] = stars[column]
        labels[f"{name}_err"] = stars[f"{column}_err"]
    return labels


def pretrain(
    stars: StarTable, options: argparse.Namespace, **common: Any
) -> MaskedStellarAutoencoder:
    """Return the autoencoder, trained now or by a run that was killed after it."""
    # benchmarks/latent_space.py and label_efficiency.py show what it is worth.
    folder = options.checkpoints / "pretrained"
    if not folder.is_dir():
        encoder = MaskedStellarAutoencoder(
            **options.settings["autoencoder"],
            **common,
            checkpoint=options.checkpoints / "autoencoder",
        )
        encoder.fit(stars).set_params(verbose=0, checkpoint=None).save_pretrained(folder)
    return MaskedStellarAutoencoder.from_pretrained(folder)


def fit_labels(regressor: StellarParameterRegressor, stars: StarTable) -> None:
    """Fit a regressor on stars, some of which may have no labels."""
    # The surveys' labels agree in stars that they share, to 20 K and some hundredths of a dex.
    # Offsets learned from all stars would be mostly those of spectra that one sample lacks.
    is_hot = stars["teff"].value > HOT
    regressor.fit(stars, labels_of(stars), sample_weight=np.where(is_hot, HOT_WEIGHT, 1.0))
    regressor.set_params(verbose=0, checkpoint=None)


def train_regressor(stars: StarTable, options: argparse.Namespace) -> StarTable:
    """Pre-train, fine-tune, calibrate and save; return the stars with labels."""
    common = {"random_state": options.random_state, "verbose": 1}
    encoder = pretrain(stars, options, **common)
    encoder.set_params(dropout=options.settings["encoder_dropout"])
    regressor = StellarParameterRegressor(
        encoder,
        **options.settings["regressor"],
        **common,
        checkpoint=options.checkpoints / "regressor",
    )
    labelled = stars[np.isfinite(stars["teff"])]
    fit_labels(regressor, labelled)
    regressor.save_pretrained(options.output / REGRESSOR, options.settings["dtype"])
    return labelled


def learn_after_training(stars: StarTable, options: argparse.Namespace) -> None:
    """Calibrate the saved regressor and learn its outliers anew, with the weights as they are."""
    folder = options.output / REGRESSOR
    regressor = StellarParameterRegressor.from_pretrained(folder)
    epochs = regressor.max_epochs
    regressor.set_params(warm_start=True, max_epochs=0)
    fit_labels(regressor, stars[np.isfinite(stars["teff"])])
    regressor.set_params(warm_start=False, max_epochs=epochs)
    regressor.save_pretrained(folder, options.settings["dtype"])
    path = options.output / "training.json"
    record = json.loads(path.read_text())
    record[REGRESSOR]["after_training"] = {
        "command": f"{command(options)} --after-training",
        "versions": versions(),
    }
    path.write_text(json.dumps(record, indent=1) + "\n")


def distil(stars: StarTable, options: argparse.Namespace) -> StarTable:
    """Train a small regressor by its teacher, calibrate and save; return the stars."""
    regressor = StellarParameterRegressor(
        MaskedStellarAutoencoder(**options.settings["small_autoencoder"]),
        teacher=options.teacher,
        **options.settings["regressor"] | options.settings["student"],
        random_state=options.random_state,
        verbose=1,
        checkpoint=options.checkpoints / "student",
    )
    fit_labels(regressor, stars)
    # Nothing has trained the decoder, and zeros take no room in the wheel.
    autoencoder = regressor.module_.autoencoder
    for weight in [*autoencoder.decoder.parameters(), *autoencoder.exit.parameters()]:
        torch.nn.init.zeros_(weight)
    regressor.save_pretrained(options.output / REGRESSOR, options.settings["dtype"])
    return stars


def with_distances(stars: StarTable) -> StarTable:
    """Return stars with the distances of their labels' parallaxes."""
    stars["distance"] = stars["parallax_label"].to(u.kpc, u.parallax())
    relative = (stars["parallax_label_err"] / stars["parallax_label"]).to_value("")
    stars["distance_err"] = stars["distance"] * relative
    return stars


def train_generalist(stars: StarTable, options: argparse.Namespace) -> StarTable:
    """Train, calibrate and save; return the stars."""
    model = StellarFoundationModel(
        **options.settings["generalist"],
        random_state=options.random_state,
        verbose=1,
        checkpoint=options.checkpoints / "generalist",
    )
    stars = with_distances(stars)
    model.fit(stars).set_params(
        **options.settings["generalist_at_last"],
        warm_start=True,
        checkpoint=options.checkpoints / "generalist-at-last",
    )
    model.fit(stars).set_params(warm_start=False, checkpoint=None, verbose=0)
    model.save_pretrained(options.output / GENERALIST, options.settings["dtype"])
    return stars


TRAINERS = {REGRESSOR: train_regressor, GENERALIST: train_generalist}


def train(stars: StarTable, said: dict[str, Any], options: argparse.Namespace) -> None:
    """Train what is asked and keep the record of it, beside that of what is kept."""
    options.checkpoints.mkdir(parents=True, exist_ok=True)
    path = options.output / "training.json"
    record = json.loads(path.read_text()) if path.exists() else {}
    trainers = {REGRESSOR: distil} if options.teacher else TRAINERS
    for kind in [options.only] if options.only else trainers:
        started = time.monotonic()
        seen = trainers[kind](stars, options)
        record[kind] = {
            "minutes": round((time.monotonic() - started) / 60, 1),
            "stars": len(seen),
            "file": said,
            "inputs": inputs(seen),
            "ranges": {name: known_range(seen[name].value) for name in RANGED},
            "random_state": options.random_state,
            "settings": options.settings,
            "teacher": options.teacher,
            "command": command(options),
            "versions": versions(),
        }
    record["label_scale"] = LABEL_SCALE
    path.write_text(json.dumps(record, indent=1) + "\n")


def command(options: argparse.Namespace) -> str:
    """Return what makes a model again, but for where it is written."""
    teacher = f" --teacher {options.teacher}" if options.teacher else ""
    return f"python scripts/release/train.py --stars {options.stars}{teacher}"


def versions() -> dict[str, str]:
    """Return the versions of Python and of what a model is computed with."""
    names = ("msaestimator", "torch", "scikit-learn", "numpy")
    return {"python": platform.python_version()} | {name: version(name) for name in names}


def inputs(stars: StarTable) -> dict[str, int]:
    """Return the features that any star has, with how many numbers each."""
    arrays = {array.name: len(array.columns) for array in GAIA_DR3.arrays}
    sizes = arrays | dict.fromkeys(GAIA_DR3.names, 1)
    return {
        name: size
        for name, size in sizes.items()
        if name in stars.colnames and np.isfinite(stars[name]).any()
    }


def known_range(values: np.ndarray) -> dict[str, float]:
    """Return the 1st and 99th percentile of known values, and how many they are."""
    known = np.asarray(values, dtype=float)[np.isfinite(values)]
    low, high = np.percentile(known, [1, 99])
    return {"low": float(low), "high": float(high), "stars": len(known)}


def tests_of(test: StarTable) -> dict[str, StarTable]:
    """Return the test stars of the spectroscopic sample: those that ship, and the others."""
    stars = of_sample(test, SPECTROSCOPIC)
    ships = np.isin(stars["source_id"], load_apogee_xp("test")["source_id"])
    parts = {"packaged stars": stars[ships], "apogee_xp.parquet": stars[~ships]}
    return {name: part for name, part in parts.items() if len(part)}


def score(training: StarTable, test: StarTable, options: argparse.Namespace) -> QTable:
    """Return the scores of every saved model on test stars, and of what it is measured against.

    The latter is the teacher, if there is one, and gradient boosting otherwise.
    """
    path = options.output / "scores.ecsv"
    models: dict[str, Any] = {}
    if (options.output / REGRESSOR).is_dir():
        regressor = StellarParameterRegressor.from_pretrained(options.output / REGRESSOR)
        models[REGRESSOR] = MeasuredLabels(regressor)
    if (options.output / GENERALIST).is_dir():
        generalist = StellarFoundationModel.from_pretrained(options.output / GENERALIST)
        models[GENERALIST] = RequestedLabels(generalist)
    tables = []
    older = QTable.read(path) if path.exists() else None
    if options.teacher:
        teacher = StellarParameterRegressor.from_pretrained(options.teacher)
        models[options.teacher] = MeasuredLabels(teacher)
    elif older is not None and BOOSTING in older["model"]:
        tables.append(older[older["model"] == BOOSTING])
    else:
        print("gradient boosting …")
        boosting = BoostingBaseline(MEASURED, **options.settings["boosting"])
        models[BOOSTING] = boosting.fit(of_sample(training, SPECTROSCOPIC))
    for name, model in models.items():
        for sample, stars in tests_of(test).items():
            table = two_half_table(model, stars, MEASURED)
            table.add_column([name] * len(table), name="model", index=0)
            table.add_column([sample] * len(table), name="stars", index=0)
            tables.append(table)
    scores = vstack(tables, metadata_conflicts="silent")
    scores.meta = {}
    scores.write(path, overwrite=True)
    return scores


def main() -> None:
    """Train, and score."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stars", type=Path, required=True, help="what gather.py wrote")
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    parser.add_argument("--checkpoints", type=Path, default=Path("build/gaia-xp/checkpoints"))
    parser.add_argument("--random-state", type=int, default=0)
    parser.add_argument("--only", choices=TRAINERS, help="train this one, and keep the other")
    parser.add_argument("--teacher", help="released regressor, or a folder, to distil")
    parser.add_argument("--after-training", action="store_true", help="learn what comes after it")
    parser.add_argument("--evaluate-only", action="store_true", help="of what is saved already")
    parser.add_argument("--toy", action="store_true", help="few epochs, in build/toy")
    parser.set_defaults(settings=RELEASE)
    if parser.parse_known_args()[0].toy:
        toy = Path("build/toy")
        parser.set_defaults(settings=TOY, output=toy / "release", checkpoints=toy / "checkpoints")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    training, test, said = read(options.stars)
    if options.after_training:
        learn_after_training(training, options)
    elif not options.evaluate_only:
        train(training, said, options)
    scores = score(training, test, options)
    scores["stars", "model", "half", "label", "nmad", "rmse"].pprint(max_lines=-1, max_width=-1)


if __name__ == "__main__":
    main()
