"""The demonstration: the release's answers, then pre-train, fine-tune and score on real stars."""

import argparse
import sys
import time
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import QTable, Table, vstack

from msaestimator.cli._named_stars import (
    answer_table,
    apogee_id,
    flag_lines,
    load_named_stars,
)
from msaestimator.datasets import load_apogee_xp
from msaestimator.estimators import (
    DEFAULT_MODEL,
    MaskedStellarAutoencoder,
    StellarParameterRegressor,
)
from msaestimator.exceptions import MissingDependencyError
from msaestimator.metrics import BoostingBaseline, two_half_table
from msaestimator.schema import StarTable

__all__ = [
    "DEMO_LABELS",
    "FULL",
    "SHORT",
    "DemoLength",
    "compare_models",
    "pretraining_gain",
    "run",
    "run_demo",
]

DEMO_LABELS = ("teff", "logg", "fe_h", "alpha_m")

# Not all that is packaged: synthetic photometry of other surveys is made of the XP spectrum, and
# would tell of it where it is hidden.
DEMO_COLUMNS = (
    "source_id",
    *(
        f"{band}_{what}"
        for band in ("bp", "rp")
        for what in ("coefficients", "coefficient_errors")
    ),
    *("phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag"),
    *("j_m", "h_m", "ks_m", "ebv"),
    *(f"{label}{end}" for label in DEMO_LABELS for end in ("", "_err")),
)
"""Columns of the packaged stars that the demonstration learns from."""


@dataclass(frozen=True, kw_only=True)
class DemoLength:
    """Length of the demonstration: epochs, and stars whose labels are learned.

    Parameters
    ----------
    pretraining, fine_tuning : int, optional
        Epochs; None is the estimators' default.
    n_labelled : int, optional
        Stars whose labels are learned, the first of those that are pre-trained on; None is all.
    """

    pretraining: int | None = None
    fine_tuning: int | None = None
    n_labelled: int | None = None


FULL = DemoLength()
SHORT = DemoLength(pretraining=20, fine_tuning=20, n_labelled=3000)


def run(options: argparse.Namespace) -> None:
    """Run the demonstration as the options say."""
    length = FULL if options.full else SHORT
    if options.epochs is not None:
        length = replace(length, pretraining=options.epochs, fine_tuning=options.epochs)
    run_demo(
        options.output, length=length, n_stars=options.stars, random_state=options.random_state
    )


def run_demo(output: Path, *, length: DemoLength, n_stars: int | None, random_state: int) -> None:
    """Ask the release, then train and score; write tables, figures and the model to ``output``."""
    _check_figures()
    started = time.monotonic()
    output.mkdir(parents=True, exist_ok=True)
    _ask_the_release(output)
    training, test = load_apogee_xp("train")[:n_stars], load_apogee_xp("test")
    n_labelled = len(training[: length.n_labelled])
    _say(
        f"\nNow from the beginning: {len(training)} real stars to learn from, {n_labelled} of "
        f"them with labels, and {len(test)} to be scored on."
    )
    scores, regressor = compare_models(training, test, length, random_state)
    scores.write(output / "scores.ecsv", overwrite=True)
    regressor.save_pretrained(output / "model")
    predictions = regressor.predict_table(test[list(DEMO_COLUMNS)])
    predictions.write(output / "predictions.ecsv", overwrite=True)
    _say("\nThe two-half table of the fine-tuned autoencoder on the test stars:")
    _show(_rows(scores, "fine-tuned MSA"))
    _say("\nMean absolute errors on the same stars:")
    _show(_side_by_side(scores))
    _say("\n" + _verdict(scores))
    _draw(test, predictions, output)
    _say(f"\nResults are in {output}/ after {time.monotonic() - started:.0f} s.")


def _ask_the_release(output: Path) -> None:
    """Show and write the released model's answers for the named stars."""
    stars = load_named_stars()
    released = StellarParameterRegressor.from_pretrained(DEFAULT_MODEL)
    predictions = released.predict_table(stars)
    _say(
        f"What the released model {DEFAULT_MODEL} says of {len(stars)} packaged stars that it has "
        "not seen, with 68 % errors, and\nin parentheses what APOGEE has published of them:\n"
    )
    _show(answer_table(stars, predictions, released.labels_), align="<")
    _say("\n".join(["\nTheir flags (* is not to be used):", *flag_lines(stars, predictions)]))
    predictions.add_column(apogee_id(stars), index=0, name="apogee_id")
    predictions.write(output / "named_stars.ecsv", overwrite=True)


def compare_models(
    training: StarTable, test: StarTable, length: DemoLength, random_state: int
) -> tuple[QTable, StellarParameterRegressor]:
    """Return the two-half tables of three models on the test stars, and the fine-tuned one.

    Parameters
    ----------
    training, test : StarTable
        Packaged stars. All of ``training`` are pre-trained on, without labels.
    length : DemoLength
        Epochs, and the number of stars whose labels the models learn.
    random_state : int
    """
    training, test = (stars[list(DEMO_COLUMNS)] for stars in (training, test))
    labelled = training[: length.n_labelled]
    common: dict[str, Any] = {"random_state": random_state, "verbose": 1}
    autoencoder = MaskedStellarAutoencoder(**common, **_epochs(length.pretraining)).fit(training)
    fine_tuned, from_scratch = (
        StellarParameterRegressor(
            encoder, labels=DEMO_LABELS, **common, **_epochs(length.fine_tuning)
        )
        for encoder in (autoencoder, None)
    )
    models = {
        "fine-tuned MSA": fine_tuned.fit(labelled),
        "without pre-training": from_scratch.fit(labelled),
    }
    _say("gradient boosting …")
    boosting = BoostingBaseline(DEMO_LABELS, random_state=random_state)
    models["gradient boosting"] = boosting.fit(labelled)
    tables = []
    for name, model in models.items():
        table = two_half_table(model, test)
        table.add_column(np.full(len(table), name), name="model", index=0)
        tables.append(table)
    return vstack(tables, metadata_conflicts="silent"), fine_tuned


def _epochs(number: int | None) -> dict[str, Any]:
    """Return the parameter of an estimator that sets its epochs, if any are asked for."""
    return {} if number is None else {"max_epochs": number}


def pretraining_gain(scores: QTable, half: str) -> float:
    """Return the fraction by which pre-training lowers the mean absolute errors of one half.

    The geometric mean over the labels; negative if pre-training makes them larger.
    """
    pretrained, scratch = (
        np.asarray(rows["mae"][rows["half"] == half])
        for rows in (_rows(scores, "fine-tuned MSA"), _rows(scores, "without pre-training"))
    )
    return 1 - float(np.exp(np.mean(np.log(pretrained / scratch))))


def _verdict(scores: QTable) -> str:
    """Say whether pre-training pays, and by how much."""
    gains = {half: pretraining_gain(scores, half) for half in dict.fromkeys(scores["half"])}
    sentences = [
        f"with {half}, errors are {abs(gain):.1%} {'smaller' if gain > 0 else 'LARGER'}"
        for half, gain in gains.items()
    ]
    better = all(gain > 0 for gain in gains.values())
    start = "Pre-training pays" if better else "Pre-training does NOT pay in every half"
    return f"{start}: {'; '.join(sentences)} than those of the same network trained from scratch."


def _rows(scores: QTable, model: str) -> QTable:
    return scores[scores["model"] == model]


def _side_by_side(scores: QTable) -> QTable:
    """Return one row a label and half, one column a model."""
    names = list(dict.fromkeys(scores["model"]))
    table = _rows(scores, names[0])["half", "label", "unit"]
    for name in names:
        table[name] = _rows(scores, name)["mae"]
        table[name].info.format = ".4g"
    return table


def _check_figures() -> None:
    """Refuse at once what would fail after the trainings."""
    if find_spec("matplotlib") is None:
        raise MissingDependencyError(
            "The demonstration draws figures with matplotlib, which is not installed. Install it "
            "with: pip install msaestimator[plots]"
        )


def _draw(test: StarTable, predictions: StarTable, output: Path) -> None:
    """Draw the Kiel diagrams of labels and predictions, and the residuals of each label."""
    # Imported here because matplotlib is an extra, and only the figures need it.
    from msaestimator.plots import save_kiel_pair, save_residuals

    save_kiel_pair(test, predictions, output / "kiel.png")
    save_residuals(test, predictions, DEMO_LABELS, output / "residuals.png")


def _show(table: Table, align: str | None = None) -> None:
    _say("\n".join(table.pformat(max_lines=-1, max_width=-1, align=align)))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
