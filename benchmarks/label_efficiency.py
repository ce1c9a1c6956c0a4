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
from common.figures import save_figure
from common.options import make_parser, read_options
from common.stars import HALVES, LABELS, UNITS, errors, load_split
from common.tables import ResultTable
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from msaestimator import MaskedStellarAutoencoder, StellarParameterRegressor
from msaestimator.metrics import BoostingBaseline
from msaestimator.preprocessing import LabelScaler, read_labels
from msaestimator.schema import StarTable, get_label

HEADER = ("labels", "with XP: Teff, log g, [Fe/H], [α/M]", "without")
MODELS = {
    "pre-trained": "C0",
    "from scratch": "C1",
    "gradient boosting": "C2",
    "linear probe": "C3",
}

FINE_TUNING = {
    "pre-trained": {"encoder_lr": 1e-3, "weight_decay": 0.5},
    "from scratch": {"encoder_lr": 3e-3, "weight_decay": 0.1},
}
TIMES_THE_STEPS = {"pre-trained": 1, "from scratch": 2}
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
        self.scaler = LabelScaler(LABELS).fit(labels)
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
    model: str,
    encoder: MaskedStellarAutoencoder,
    stars: StarTable,
    random_state: int,
    options: argparse.Namespace,
) -> StellarParameterRegressor | BoostingBaseline | LinearProbe:
    """Return a model trained on labelled stars."""
    if model == "gradient boosting":
        boosting = BoostingBaseline(LABELS, max_iter=options.trees, random_state=random_state)
        return boosting.fit(stars)
    if model == "linear probe":
        return LinearProbe(encoder).fit(stars)
    start = copy.copy(encoder)
    if model == "from scratch":
        start = MaskedStellarAutoencoder(**encoder.get_params()).set_params(max_epochs=0)
    batch_size = min(128, len(stars))
    n_epochs = TIMES_THE_STEPS[model] * options.steps * batch_size / len(stars)
    return StellarParameterRegressor(
        start.set_params(dropout=DROPOUT),
        labels=LABELS,
        batch_size=batch_size,
        max_epochs=max(LEAST_EPOCHS, round(n_epochs)),
        calibration_fraction=0.0,
        random_state=random_state,
        **MASKS,
        **FINE_TUNING[model],
    ).fit(stars)


def scores(model: object, test: StarTable) -> dict[tuple[str, str], float]:
    """Return NMAD by half and label."""
    return {
        (half, label): error
        for half, hide in HALVES.items()
        for label, error in zip(LABELS, errors(model, hide(test)), strict=True)
    }


def run(options: argparse.Namespace) -> QTable:
    """Train what is not there yet; return all rows."""
    path = options.output / "label_efficiency.ecsv"
    training, test = load_split(toy=options.toy)
    encoder = pretrain(training, options)
    table = QTable.read(path) if path.exists() else None
    for n_labels in options.labels:
        for state in options.random_states:
            order = np.random.default_rng(state).permutation(len(training))
            labelled = training[np.sort(order[:n_labels])]
            for model in MODELS:
                key = (model, len(labelled), state)
                if table is not None and key in set(
                    zip(table["model"], table["labels"], table["random_state"], strict=True)
                ):
                    continue
                trained = train(model, encoder, labelled, state, options)
                rows = [
                    {"model": model, "labels": len(labelled), "random_state": state}
                    | {"half": half, "label": label, "nmad": error}
                    for (half, label), error in scores(trained, test).items()
                ]
                new = QTable(rows)
                table = new if table is None else vstack([table, new])
                table.write(path, overwrite=True)
                shown = " ".join(f"{row['nmad']:.4g}" for row in rows)
                print(f"{model:18s} {len(labelled):6d} labels, state {state}: {shown}", flush=True)
    return table


def write_gains(table: QTable, options: argparse.Namespace) -> None:
    """Write by how much the pre-trained network's errors are below those of random weights."""
    shown = ResultTable(options.tables / "label_efficiency.inc", HEADER)
    for n_labels in np.unique(table["labels"]):
        rows = table[table["labels"] == n_labels]
        pretrained, scratch = (
            np.reshape(
                [
                    rows["nmad"][chosen(rows, model, half, label)].mean()
                    for half in HALVES
                    for label in LABELS
                ],
                (len(HALVES), len(LABELS)),
            )
            for model in ("pre-trained", "from scratch")
        )
        gains = np.round(100 * (1 - pretrained / scratch)).astype(int)
        shown.add(f"{n_labels:,}", *(", ".join(map(str, half)) + " %" for half in gains))


def chosen(table: QTable, model: str, half: str, label: str) -> np.ndarray:
    """Return which rows are of a model, a half and a label."""
    return (table["model"] == model) & (table["half"] == half) & (table["label"] == label)


def draw(table: QTable, options: argparse.Namespace) -> None:
    """Draw the curves: the mean over random states, and each of them as a dot."""
    figure, axes = plt.subplots(2, 4, figsize=(13, 6), sharex=True, layout="constrained")
    for row, half in zip(axes, HALVES, strict=True):
        for ax, label in zip(row, LABELS, strict=True):
            for model, color in MODELS.items():
                mine = table[chosen(table, model, half, label)]
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
    save_figure(figure, options, "label_efficiency")


def main() -> None:
    """Train, print, draw."""
    parser = make_parser(__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--labels", type=int, nargs="+", default=[300, 1000, 3000, 10000, 13620])
    parser.add_argument("--random-states", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--pretraining-epochs", type=int, default=60)
    parser.add_argument("--encoder", type=Path, help="folder of a saved autoencoder")
    parser.add_argument("--steps", type=int, default=400, help="of the pre-trained, at least")
    parser.add_argument("--trees", type=int, default=400, help="of the boosting")
    toy = {"labels": [100], "random_states": [0], "steps": 1, "trees": 5}
    options = read_options(parser, pretraining_epochs=1, **toy)
    options.output.mkdir(parents=True, exist_ok=True)
    table = run(options)
    write_gains(table, options)
    draw(table, options)


if __name__ == "__main__":
    main()
