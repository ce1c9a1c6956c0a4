"""How many labels pre-training saves: errors against the number of labelled stars.

Run from the repository's root::

    python benchmarks/label_efficiency.py OUTPUT --labels 300 1000 3000

An autoencoder is pre-trained on all training stars without their labels; ``--encoder FOLDER``
takes a saved one instead. Then, for each number of labels and each random state, stars are drawn
and four models are trained on them: the fine-tuned autoencoder, the same network from random
weights, gradient boosting, and ridge regression on the frozen latent vectors. Scores are
normalised median absolute deviations on the test stars. Finished rows are kept in
OUTPUT/label_efficiency.ecsv, so that a killed run goes on.
"""

import argparse
import copy
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from astropy.table import QTable, vstack
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from msaestimator import MaskedStellarAutoencoder, StellarParameterRegressor
from msaestimator.cli import DEMO_LABELS
from msaestimator.datasets import load_apogee_xp
from msaestimator.metrics import BoostingBaseline, hide_xp, nmad
from msaestimator.preprocessing import LabelScaler, read_labels
from msaestimator.schema import StarTable, get_label

UNITS = {name: get_label(name).unit for name in DEMO_LABELS}
HALVES = {"full XP": lambda stars: stars, "masked XP": hide_xp}
MODELS = {
    "pre-trained": "C0",
    "from scratch": "C1",
    "gradient boosting": "C2",
    "linear probe": "C3",
}

FINE_TUNING = {
    "pre-trained": {"steps": 400, "encoder_lr": 1e-3, "weight_decay": 0.5},
    "from scratch": {"steps": 800, "encoder_lr": 3e-3, "weight_decay": 0.1},
}
"""What suits each with 1,000 labels, as found on training stars that were held back."""

MASKS = {"mask_ratio": 0.1, "span_mask_ratio": 0.2}
DROPOUT, LEAST_EPOCHS = 0.1, 20


class LinearProbe:
    """Ridge regression of scaled labels on the latent vectors of a frozen autoencoder."""

    def __init__(self, encoder: MaskedStellarAutoencoder) -> None:
        self.encoder = encoder

    def fit(self, stars: StarTable) -> "LinearProbe":
        """Learn from stars with labels, with their spectra and without."""
        latent = np.concatenate([self.encoder.transform(hide(stars)) for hide in HALVES.values()])
        labels = np.tile(read_labels(stars, UNITS), (len(HALVES), 1))
        self.scaler = LabelScaler(DEMO_LABELS).fit(labels)
        self.models = []
        for target in self.scaler.transform(labels).T:
            known = np.isfinite(target)
            model = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-1, 4, 11)))
            self.models.append(model.fit(latent[known], target[known]))
        return self

    def predict(self, stars: StarTable) -> np.ndarray:
        """Return the labels, (n_stars, n_labels)."""
        latent = self.encoder.transform(stars)
        scaled = np.column_stack([model.predict(latent) for model in self.models])
        return self.scaler.inverse_transform(scaled)


def pretrain(stars: StarTable, options: argparse.Namespace) -> MaskedStellarAutoencoder:
    """Return the autoencoder, trained or as an earlier run saved it."""
    folder = options.encoder or options.output / "autoencoder"
    if not folder.is_dir():
        MaskedStellarAutoencoder(
            max_epochs=options.pretraining_epochs,
            random_state=0,
            verbose=1,
            checkpoint=options.output / "autoencoder.checkpoint",
        ).fit(stars).save_pretrained(folder)
    return MaskedStellarAutoencoder.from_pretrained(folder)


def train(
    model: str, encoder: MaskedStellarAutoencoder, stars: StarTable, random_state: int
) -> StellarParameterRegressor | BoostingBaseline | LinearProbe:
    """Return a model trained on labelled stars."""
    if model == "gradient boosting":
        return BoostingBaseline(DEMO_LABELS, random_state=random_state).fit(stars)
    if model == "linear probe":
        return LinearProbe(encoder).fit(stars)
    start = copy.copy(encoder)
    if model == "from scratch":
        start = MaskedStellarAutoencoder(**encoder.get_params()).set_params(max_epochs=0)
    settings = dict(FINE_TUNING[model])
    batch_size = min(128, len(stars))
    return StellarParameterRegressor(
        start.set_params(dropout=DROPOUT),
        labels=DEMO_LABELS,
        batch_size=batch_size,
        max_epochs=max(LEAST_EPOCHS, round(settings.pop("steps") * batch_size / len(stars))),
        calibration_fraction=0.0,
        random_state=random_state,
        **MASKS,
        **settings,
    ).fit(stars)


def scores(model: object, test: StarTable) -> dict[tuple[str, str], float]:
    """Return NMAD by half and label."""
    truth = read_labels(test, UNITS)
    found = {}
    for half, hide in HALVES.items():
        errors = nmad(truth, model.predict(hide(test)))
        found |= {(half, label): e for label, e in zip(DEMO_LABELS, errors, strict=True)}
    return found


def run(options: argparse.Namespace) -> QTable:
    """Train what is not there yet; return all rows."""
    path = options.output / "label_efficiency.ecsv"
    training, test = load_apogee_xp("train"), load_apogee_xp("test")
    encoder = pretrain(training, options)
    table = QTable.read(path) if path.exists() else None
    for n_labels in options.labels:
        for state in options.random_states:
            order = np.random.default_rng(state).permutation(len(training))
            chosen = training[np.sort(order[:n_labels])]
            for model in MODELS:
                key = (model, len(chosen), state)
                if table is not None and key in set(
                    zip(table["model"], table["labels"], table["random_state"], strict=True)
                ):
                    continue
                trained = train(model, encoder, chosen, state)
                rows = [
                    {"model": model, "labels": len(chosen), "random_state": state}
                    | {"half": half, "label": label, "nmad": error}
                    for (half, label), error in scores(trained, test).items()
                ]
                new = QTable(rows)
                table = new if table is None else vstack([table, new])
                table.write(path, overwrite=True)
                errors = " ".join(f"{row['nmad']:.4g}" for row in rows)
                print(f"{model:18s} {len(chosen):6d} labels, state {state}: {errors}", flush=True)
    return table


def draw(table: QTable, path: Path) -> None:
    """Draw the curves: the mean over random states, and each of them as a dot."""
    figure, axes = plt.subplots(2, 4, figsize=(13, 6), sharex=True, layout="constrained")
    for row, half in zip(axes, HALVES, strict=True):
        for ax, label in zip(row, DEMO_LABELS, strict=True):
            for model, color in MODELS.items():
                mine = table[
                    (table["model"] == model) & (table["half"] == half) & (table["label"] == label)
                ]
                numbers = np.unique(mine["labels"])
                means = [mine["nmad"][mine["labels"] == n].mean() for n in numbers]
                ax.loglog(numbers, means, color=color, label=model)
                ax.plot(mine["labels"], mine["nmad"], ".", color=color, alpha=0.5)
            unit = f" ({UNITS[label]})" if UNITS[label] else ""
            ax.set_title(f"{get_label(label).symbol}, {half}", fontsize=10)
            ax.set_ylabel(f"NMAD{unit}")
            ax.yaxis.set_major_formatter("{x:g}")
            ax.yaxis.set_minor_formatter("{x:g}")
    for ax in axes[-1]:
        ax.set_xlabel("labelled stars")
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=len(MODELS))
    figure.savefig(path, dpi=110)


def main() -> None:
    """Train, print, draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("output", type=Path)
    parser.add_argument("--labels", type=int, nargs="+", default=[300, 1000, 3000, 10000, 13620])
    parser.add_argument("--random-states", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--pretraining-epochs", type=int, default=60)
    parser.add_argument("--encoder", type=Path, help="folder of a saved autoencoder")
    parser.add_argument("--figure", type=Path, default=Path("docs/figures/label_efficiency.png"))
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    draw(run(options), options.figure)


if __name__ == "__main__":
    main()
