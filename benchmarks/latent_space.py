"""The latent space before and after fine-tuning: t-SNE and linear probes (thesis Fig. 4.5).

Run from the repository's root::

    python benchmarks/latent_space.py --stars 4000 --epochs 20

draws ``docs/figures/latent_space.png`` of packaged test stars and prints the errors of linear
fits to the latent vectors. With ``--pretrained`` and ``--regressor`` nothing is trained: these are
the folders of an autoencoder and of the regressor that was fine-tuned from it, such as those of
``scripts/release/train.py``.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from astropy.table import Table
from common.figures import save_figure
from common.options import make_parser, read_options
from common.stars import HALVES, load_split, predict_measured
from common.stars import LABELS as PROBED
from matplotlib.axes import Axes
from sklearn.linear_model import RidgeCV
from sklearn.manifold import TSNE
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from msaestimator import MaskedStellarAutoencoder, StellarParameterRegressor
from msaestimator.metrics import nmad
from msaestimator.schema import LABELS, StarTable

SHOWN = ("teff", "logg", "fe_h")


def models(
    options: argparse.Namespace, training: StarTable
) -> tuple[MaskedStellarAutoencoder, StellarParameterRegressor]:
    """Return a pre-trained autoencoder and the regressor fine-tuned from it."""
    if options.pretrained and options.regressor:
        return (
            MaskedStellarAutoencoder.from_pretrained(options.pretrained),
            StellarParameterRegressor.from_pretrained(options.regressor),
        )
    common = {"max_epochs": options.epochs, "random_state": 0, "verbose": 1}
    encoder = MaskedStellarAutoencoder(**common).fit(training)
    return encoder, StellarParameterRegressor(encoder, labels=PROBED, **common).fit(training)


def values_of(stars: StarTable, label: str) -> np.ndarray:
    """Return a label as it is fitted and drawn: the logarithm of what spans decades."""
    values = np.asarray(stars[label].value, dtype=float)
    return np.log10(values) if LABELS[label].log else values


def linear_probe(
    learned: np.ndarray, asked: np.ndarray, training: StarTable, label: str
) -> np.ndarray:
    """Return a label of test stars by ridge regression on latent vectors."""
    truth = values_of(training, label)
    known = np.isfinite(truth)
    ridge = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-2, 4, 13)))
    fitted = ridge.fit(learned[known], truth[known]).predict(asked)
    return 10**fitted if LABELS[label].log else fitted


def print_probes(
    encoders: dict[str, MaskedStellarAutoencoder],
    regressor: StellarParameterRegressor,
    training: StarTable,
    test: StarTable,
) -> None:
    """Print the NMAD of linear probes, and of the regressor itself, with XP and without."""
    rows = []
    for half, hide in HALVES.items():
        learned, asked = hide(training), hide(test)
        predicted = {
            f"linear fit, {name}": np.column_stack(
                [linear_probe(*map(e.transform, (learned, asked)), training, n) for n in PROBED]
            )
            for name, e in encoders.items()
        }
        predicted["the regressor"] = predict_measured(regressor, asked)
        for model, values in predicted.items():
            errors = [
                nmad(np.asarray(test[name].value), column)
                for name, column in zip(PROBED, values.T, strict=True)
            ]
            rows.append({"half": half, "model": model, **dict(zip(PROBED, errors, strict=True))})
    table = Table(rows)
    for name in PROBED:
        table[name].info.format = ".3g"
    table.pprint(max_lines=-1, max_width=-1, align="<")


def draw(
    encoders: dict[str, MaskedStellarAutoencoder], stars: StarTable, options: argparse.Namespace
) -> None:
    """Draw a row for each encoder and a column for each label."""
    figure, panels = plt.subplots(
        len(encoders), len(SHOWN), figsize=(9.6, 6), layout="constrained", squeeze=False
    )
    for (name, encoder), row in zip(encoders.items(), panels, strict=True):
        latent = StandardScaler().fit_transform(encoder.transform(stars))
        flat = TSNE(perplexity=50, random_state=0).fit_transform(latent)
        row[0].set_ylabel(name)
        for ax, label in zip(row, SHOWN, strict=True):
            draw_panel(ax, flat, values_of(stars, label))
    for ax, label in zip(panels[0], SHOWN, strict=True):
        symbol = f"log {LABELS[label].symbol}" if LABELS[label].log else LABELS[label].symbol
        ax.set_title(f"{symbol} [{LABELS[label].unit}]")
    for column in panels.T:
        figure.colorbar(column[0].collections[-1], ax=list(column), location="bottom", pad=0.02)
    caption = f"t-SNE of the latent vectors of {len(stars):,} real stars (APOGEE, test split); "
    save_figure(figure, options, "latent_space", caption + "grey: label unknown")


def draw_panel(ax: Axes, flat: np.ndarray, values: np.ndarray) -> None:
    """Draw stars in the plane, coloured by a label; those without it in grey, beneath."""
    known = np.isfinite(values)
    low, high = np.percentile(values[known], [1, 99])
    ax.scatter(*flat[~known].T, color="0.8", s=3, linewidths=0)
    ax.scatter(
        *flat[known].T, c=values[known], s=3, linewidths=0, cmap="viridis", vmin=low, vmax=high
    )
    ax.set(xticks=[], yticks=[])


def main() -> None:
    """Train or load, print, draw."""
    parser = make_parser(__doc__)
    parser.add_argument("--stars", type=int, help="packaged training stars (default: all)")
    parser.add_argument("--test-stars", type=int, help="packaged test stars (default: all)")
    parser.add_argument("--epochs", type=int, default=60, help="of each training")
    parser.add_argument("--pretrained", type=Path, help="folder of a pre-trained autoencoder")
    parser.add_argument("--regressor", help="what was fine-tuned from it: released, or a folder")
    options = read_options(parser, epochs=1)
    training, test = load_split(toy=options.toy)
    training, test = training[: options.stars], test[: options.test_stars]
    encoder, regressor = models(options, training)
    encoders = {"before fine-tuning": encoder, "after fine-tuning": regressor.encoder_}
    print_probes(encoders, regressor, training, test)
    draw(encoders, test, options)


if __name__ == "__main__":
    main()
