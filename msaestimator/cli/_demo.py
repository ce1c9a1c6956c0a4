"""The demonstration: pre-train, fine-tune and score on the packaged real stars."""

import argparse
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import QTable, vstack

from msaestimator.datasets import load_apogee_xp
from msaestimator.estimators import MaskedStellarAutoencoder, StellarParameterRegressor
from msaestimator.exceptions import MissingDependencyError
from msaestimator.metrics import BoostingBaseline, two_half_table
from msaestimator.schema import StarTable

__all__ = ["DEMO_LABELS", "compare_models", "pretraining_gain", "run", "run_demo"]

DEMO_LABELS = ("teff", "logg", "fe_h", "alpha_m")


def run(options: argparse.Namespace) -> None:
    """Run the demonstration as the options say."""
    run_demo(
        options.output,
        max_epochs=options.epochs,
        n_stars=options.stars,
        random_state=options.random_state,
    )


def run_demo(
    output: Path, *, max_epochs: int | None, n_stars: int | None, random_state: int
) -> None:
    """Train and score on real stars; write tables, figures and the model to ``output``."""
    _check_figures()
    started = time.monotonic()
    training, test = load_apogee_xp("train")[:n_stars], load_apogee_xp("test")
    _say(f"{len(training)} real stars to learn from, {len(test)} to be scored on.")
    scores, regressor = compare_models(training, test, max_epochs, random_state)
    output.mkdir(parents=True, exist_ok=True)
    scores.write(output / "scores.ecsv", overwrite=True)
    regressor.save_pretrained(output / "model")
    predictions = regressor.predict_table(test)
    predictions.write(output / "predictions.ecsv", overwrite=True)
    _say("\nThe two-half table of the fine-tuned autoencoder on the test stars:")
    _say("\n".join(_rows(scores, "fine-tuned MSA").pformat(max_lines=-1, max_width=-1)))
    _say("\nMean absolute errors on the same stars:")
    _say("\n".join(_side_by_side(scores).pformat(max_lines=-1, max_width=-1)))
    _say("\n" + _verdict(scores))
    _draw(test, predictions, output)
    _say(f"\nResults are in {output}/ after {time.monotonic() - started:.0f} s.")


def compare_models(
    training: StarTable, test: StarTable, max_epochs: int | None, random_state: int
) -> tuple[QTable, StellarParameterRegressor]:
    """Return the two-half tables of four models on the test stars, and the fine-tuned one.

    Parameters
    ----------
    training, test : StarTable
        Stars with labels.
    max_epochs : int or None
        Length of each training; None is the estimators' default.
    random_state : int
    """
    common: dict[str, Any] = {"random_state": random_state, "verbose": 1}
    if max_epochs is not None:
        common["max_epochs"] = max_epochs
    autoencoder = MaskedStellarAutoencoder(**common).fit(training)
    fine_tuned, from_scratch = (
        StellarParameterRegressor(encoder, labels=DEMO_LABELS, **common)
        for encoder in (autoencoder, None)
    )
    models = {
        "fine-tuned MSA": fine_tuned.fit(training),
        "without pre-training": from_scratch.fit(training),
    }
    _say("gradient boosting …")
    models["gradient boosting"] = BoostingBaseline(DEMO_LABELS, random_state=random_state).fit(
        training
    )
    tables = []
    for name, model in models.items():
        table = two_half_table(model, test)
        table.add_column(np.full(len(table), name), name="model", index=0)
        tables.append(table)
    return vstack(tables, metadata_conflicts="silent"), fine_tuned


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


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
