"""What each choice brings: the default models with one thing changed, on validation stars.

Run from the repository's root::

    python benchmarks/ablations.py --changes colors block

Pre-trains and fine-tunes on four fifths of the packaged training stars (or fewer, ``--stars``) and
prints NMAD on the others, with their XP spectra and without. The test stars are not looked at.
With ``--unlabelled TABLE.parquet``, stars of that table join the pre-training, as one more change.
"""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import astropy.units as u
import numpy as np
from astropy.table import vstack
from common.options import make_parser, read_options
from common.settings import AVERAGED
from common.stars import HALVES, LABELS, UNITS, errors, load_validation_split
from common.tables import ResultTable, in_words
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import RobustScaler

from msaestimator import MaskedStellarAutoencoder, StellarParameterRegressor
from msaestimator.datasets import make_mock_survey
from msaestimator.preprocessing import StellarFeatures, XPCoefficientScaler, read_labels
from msaestimator.schema import GAIA_DR3, Column, StarTable

BANDS = ("bp", "rp")
COPIES = 3


class Change(NamedTuple):
    """What is done otherwise: parameters of autoencoder and regressor, and stars.

    ``times`` among the autoencoder's parameters is so many epochs. A longer table of labelled
    stars is learned from in fewer epochs, of as many steps in all.
    """

    encoder: dict = {}
    regressor: dict = {}
    unlabelled: Callable[[StarTable], StarTable] = lambda stars: stars
    labelled: Callable[[StarTable], StarTable] = lambda stars: stars
    every: Callable[[StarTable], StarTable] = lambda stars: stars


def scaled(**changes: bool) -> dict[str, Pipeline]:
    """Return the default preprocessor with another scaling of XP coefficients."""
    return {
        "preprocessor": make_pipeline(
            StellarFeatures(), XPCoefficientScaler(**changes), RobustScaler()
        )
    }


def noisy_labels(stars: StarTable) -> StarTable:
    """Return copies of stars with noise of the errors on their labels."""
    rng = np.random.default_rng(0)
    copies = vstack([stars] * COPIES)
    for name in LABELS:
        error = copies[f"{name}_err"]
        scatter = np.nan_to_num(np.ma.filled(error.value, 0.0))
        copies[name] = copies[name] + rng.normal(size=len(copies)) * scatter * error.unit
    return copies


def rare_repeated(stars: StarTable) -> StarTable:
    """Return stars with the hot and the metal-poor several times."""
    rare = (stars["teff"].value > 7500) | (stars["fe_h"].value < -1)
    return vstack([stars] + [stars[np.ma.filled(rare, False)]] * (COPIES - 1))


def distilled(stars: StarTable) -> StarTable:
    """Return stars twice, the second time with the labels of a model of the other half."""
    halves = np.arange(len(stars)) % 2 == 0
    told = read_labels(stars, UNITS)
    known = np.isfinite(told)
    for half in (halves, ~halves):
        teacher = StellarParameterRegressor(
            labels=LABELS, max_epochs=15, n_members=16, random_state=0
        )
        told[half] = teacher.fit(stars[~half]).predict(stars[half])
    taught = stars.copy()
    for position, name in enumerate(LABELS):
        rows = known[:, position]
        taught[name][rows] = told[rows, position] * taught[name].unit
    return vstack([stars, taught])


def with_mocks(stars: StarTable) -> StarTable:
    """Return stars and as many of a simulated survey, in the columns of the real ones."""
    features = [name for name in stars.colnames if name not in LABELS]
    mocks = make_mock_survey(len(stars), random_state=0)
    return vstack(
        [t[[n for n in features if n in mocks.colnames]] for t in (stars, mocks)],
        metadata_conflicts="silent",
    )


def with_table(path: Path, stars: StarTable) -> StarTable:
    """Return stars and those of a table, in the columns that both have, without their labels.

    Spectra without magnitudes get that in G which real stars of such spectra have: the flux in G
    is a sum over the spectrum, and so one over coefficients.
    """
    others = StarTable.read(path)
    has_spectra = "bp_coefficients" in others.colnames
    if has_spectra and "phot_g_mean_mag" not in others.colnames:
        flux = 10 ** (-0.4 * stars["phot_g_mean_mag"].value)
        known = np.flatnonzero(np.isfinite(flux))
        x = coefficients(stars)[known] / flux[known, None]
        sums = LinearRegression(fit_intercept=False).fit(x, np.ones(len(known))).coef_
        found = coefficients(others) @ sums
        others["phot_g_mean_mag"] = -2.5 * np.log10(np.where(found > 0, found, np.nan)) * u.mag
    further = StarTable()
    for name in [n for n in stars.colnames if n in others.colnames and n not in LABELS]:
        unit = stars[name].unit
        further[name] = others[name] if unit is None else u.Quantity(others[name], unit)
    return vstack([stars, further], metadata_conflicts="silent")


def coefficients(stars: StarTable) -> np.ndarray:
    """Return the coefficients of both bands, (n_stars, 110)."""
    return np.concatenate([np.asarray(stars[f"{band}_coefficients"]) for band in BANDS], axis=1)


def with_noise_levels(stars: StarTable) -> StarTable:
    """Return stars with how noisy each of their bands is, relative to its flux."""
    stars = stars.copy()
    for band in BANDS:
        errors, values = (
            np.ma.filled(stars[band + end].value, np.nan)
            for end in ("_coefficient_errors", "_coefficients")
        )
        stars[f"{band}_noise"] = np.log10(np.median(errors, axis=1) / np.abs(values[:, 0]))
    return stars


NOISE_LEVELS = GAIA_DR3.with_columns(
    *(Column(f"{band}_noise", unit="", reconstructed=False) for band in BANDS)
)


DEFAULT_EPOCHS = 20, 15
"""Of pre-training and fine-tuning."""

HEADER = ("change", "with XP: Teff, log g, [Fe/H], [α/M]", "without")
WHOLE_SPECTRA = {"xp_mask_ratio": 0.5, "block_mask_ratio": 0.0, "span_mask_ratio": 0.0}
CONSTANT = {"lr_schedule": "constant"}
MUON = {"optimizer": "muon"}
CHANGES = {
    "default": Change(),
    "no pre-training": Change({"times": 0}, {}),
    "the thesis's block": Change({"block": "mckay2025"}, {}),
    "no linear term": Change({"linear_term": False}, {}),
    "no colours": Change({"colors": False}, {}),
    "coefficients not over the G flux": Change(scaled(normalize_flux=False), {}),
    "no asinh of coefficients": Change(scaled(asinh=False), {}),
    "periodic scale of 1": Change({"frequency_scale": 1.0}, {}),
    "L1 loss of the reconstruction": Change({"loss": "l1"}, {}),
    "only whole spectra hidden": Change(WHOLE_SPECTRA, {}),
    "twice the pre-training": Change({"times": 2}, {}),
    "half the learning rates": Change({"lr": 1e-3}, {"lr": 1.5e-3, "encoder_lr": 1.5e-3}),
    "constant learning rates": Change(CONSTANT, CONSTANT | {"encoder_lr_schedule": "constant"}),
    "Muon": Change(MUON, MUON),
    "Muon, no pre-training": Change({"times": 0}, MUON),
    "linear labels": Change({}, {"log_labels": ()}),
    "dropout of 0.2": Change({"dropout": 0.2}, {"dropout": 0.2}),
    "one member": Change({}, {"n_members": 1}),
    "16 members": Change({}, {"n_members": 16}),
    "features hidden at 0.1": Change({}, {"mask_ratio": 0.1}),
    "no reconstruction in fine-tuning": Change({}, {"reconstruction_weight": 0.0}),
    "noise on coefficients": Change({}, {"resample_noise": True}),
    "averaged weights": Change({}, AVERAGED),
    "noise on coefficients, averaged weights": Change({}, {"resample_noise": True} | AVERAGED),
    "noise on labels": Change(labelled=noisy_labels),
    "labels of other networks too": Change(labelled=distilled),
    "rare stars three times": Change(labelled=rare_repeated),
    "mocks in pre-training": Change(unlabelled=with_mocks),
    "noise of each band as input": Change({"schema": NOISE_LEVELS}, every=with_noise_levels),
    "two blocks deeper": Change({"hidden_widths": (256, 256, 256, 256, 128)}),
    "twice the width": Change({"hidden_widths": (512, 512, 256)}, {}),
}


def main() -> None:
    """Train, score and print."""
    parser = make_parser(__doc__)
    parser.add_argument("--changes", nargs="+", default=[""], help="those with these words")
    parser.add_argument("--stars", type=int, help="training stars; all if not given")
    parser.add_argument("--pretraining-epochs", type=int, default=DEFAULT_EPOCHS[0])
    parser.add_argument("--epochs", type=int, default=DEFAULT_EPOCHS[1])
    parser.add_argument("--random-state", type=int, default=0)
    parser.add_argument("--unlabelled", type=Path, nargs="*", default=[], help="further tables")
    toy = {"changes": ["default", "noise of each"]}
    options = read_options(parser, epochs=1, pretraining_epochs=1, **toy)
    changes = CHANGES | {
        f"{path.stem} in pre-training": Change(unlabelled=partial(with_table, path))
        for path in options.unlabelled
    }
    training, validation = load_validation_split(toy=options.toy)
    training = training[: options.stars]
    table = ResultTable(options.tables / "ablations.inc", HEADER)
    for name, change in changes.items():
        if not any(words in name for words in options.changes):
            continue
        row = row_name(name, options)
        table.add(row, *map(in_words, score(change, training, validation, options)))


def row_name(change: str, options: argparse.Namespace) -> str:
    """Return a change with what is not usual of its run."""
    epochs = options.pretraining_epochs, options.epochs
    unusual = [f"random state {options.random_state}"] if options.random_state else []
    unusual += [f"{epochs[0]} and {epochs[1]} epochs"] if epochs != DEFAULT_EPOCHS else []
    return ", ".join([change, *unusual])


def score(
    change: Change, training: StarTable, validation: StarTable, options: argparse.Namespace
) -> list[np.ndarray]:
    """Return NMAD of each label, with XP and without, of models trained with a change."""
    training, validation = change.every(training), change.every(validation)
    settings = {"times": 1, "random_state": options.random_state} | change.encoder
    encoder = MaskedStellarAutoencoder(
        max_epochs=options.pretraining_epochs * settings.pop("times"), **settings
    ).fit(change.unlabelled(training))
    labelled = change.labelled(training)
    regressor = StellarParameterRegressor(
        encoder,
        labels=LABELS,
        max_epochs=round(options.epochs * len(training) / len(labelled)),
        random_state=options.random_state,
        **change.regressor,
    ).fit(labelled)
    return [errors(regressor, hide(validation)) for hide in HALVES.values()]


if __name__ == "__main__":
    main()
