"""Costs of answers of a released regressor: each step alone, tables, and a catalogue of files.

Run from the repository's root::

    python benchmarks/table_speed.py

The steps are what ``predict`` and ``predict_table`` consist of, for the packaged stars, repeated;
the catalogue is of four times as many stars. All take turns, with a large matrix product between
them, and the median of some rounds counts. Seconds are of CPU time, of all threads together. A
share of the peak is of the network's matrix products over the best rate of that product. Hours are
of all stars with spectra, a process a core, if cores do not slow each other.
"""

import argparse
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from common.options import make_parser, read_options
from common.speed import AT_A_TIME, count_operations, in_turn
from common.tables import ResultTable

from msaestimator import StellarParameterRegressor
from msaestimator.catalogs import predict_catalog
from msaestimator.datasets import load_apogee_xp
from msaestimator.schema import StarTable
from msaestimator.tables import write_stars
from msaestimator.training import map_batches

CORES = (1, 2, 16)
HEADER = (
    "what",
    "stars per CPU second",
    "times predict",
    "of the peak",
    *(f"219 million stars, hours on {n} core{'s' if n > 1 else ''}" for n in CORES),
)
N_WITH_XP = 219_197_643
PRODUCT = "matrix product"
CATALOG = "predict_catalog, parquet to parquet"


def ways_of(
    regressor: StellarParameterRegressor, stars: StarTable
) -> dict[str, Callable[[], object]]:
    """Return the steps by their names, the network's first."""
    features = regressor.reader_.transform(stars)

    def run(function: Callable[[torch.Tensor], torch.Tensor]) -> np.ndarray:
        return map_batches(
            function,
            features.values,
            batch_size=AT_A_TIME,
            device=torch.device("cpu"),
            precision="float32",
        )

    members = run(regressor.module_.quantiles).astype(float)
    latent = run(regressor.module_.autoencoder.encode)
    never = np.zeros(features.values.shape[1])
    return {
        "network": lambda: run(regressor.module_.quantiles),
        "reading and scaling": lambda: regressor.reader_.transform(stars),
        "calibrated quantiles": lambda: regressor.intervals_.quantiles(members, features),
        "flags of unusual stars": lambda: regressor.outliers_.flags(features, latent, never),
        "predict": lambda: regressor.predict(stars),
        "predict_table": lambda: regressor.predict_table(stars),
        "outlier_score": lambda: regressor.outlier_score(stars),
    }


def measure(
    ways: dict[str, Callable[[], object]], n_stars: dict[str, int], options: argparse.Namespace
) -> None:
    """Measure steps in turn, each of so many stars, and add their rows."""
    a, b = torch.randn(2, options.matrix, options.matrix)
    seconds = in_turn(ways | {PRODUCT: lambda: a @ b}, options.rounds)
    peak = 2 * options.matrix**3 / seconds.pop(PRODUCT).min()
    cost = count_operations(ways["network"]) / n_stars["network"]
    table = ResultTable(options.tables / "table_speed.inc", HEADER)
    each = {name: taken / n_stars[name] for name, taken in seconds.items()}
    for name, taken in each.items():
        second = float(np.median(taken))
        runs_network = name.startswith(("network", "predict"))
        table.add(
            f"{options.model}, {name}",
            f"{1 / second:.0f}",
            f"{np.median(taken / each['predict']):.2f}",
            f"{cost / second / peak:.2f}" if runs_network else "–",
            *(f"{N_WITH_XP * second / 3600 / n_cores:.1f}" for n_cores in CORES),
        )


def main() -> None:
    """Measure and print."""
    parser = make_parser(__doc__)
    parser.add_argument("--model", default="gaia-xp", help="name or folder of a regressor")
    parser.add_argument("--stars", type=int, default=8000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--matrix", type=int, default=2048, help="rows of the matrix product")
    options = read_options(parser, stars=100, rounds=1, matrix=256)
    regressor = StellarParameterRegressor.from_pretrained(options.model)
    packaged = regressor.reader_.without_unseen(load_apogee_xp())
    many = packaged[np.arange(4 * options.stars) % len(packaged)]
    many["source_id"] = np.arange(len(many))
    ways = ways_of(regressor, many[: options.stars])
    with TemporaryDirectory() as folder:
        write_stars(many, Path(folder) / "stars" / "stars.parquet")

        def answer_files() -> None:
            output = Path(folder) / "sky"
            predict_catalog(regressor, Path(folder) / "stars", output, progress=False)
            shutil.rmtree(output)

        n_stars = dict.fromkeys(ways, options.stars) | {CATALOG: len(many)}
        measure(ways | {CATALOG: answer_files}, n_stars, options)


if __name__ == "__main__":
    main()
