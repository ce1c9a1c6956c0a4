"""Prediction stars/s at the thesis's size beside the machine's measured matmul peak.

Run from the repository's root::

    python benchmarks/predict_speed.py

The network alone, medians from a table, and a catalogue with intervals and flags from parquet to
parquet. The network is the thesis's, untrained (its speed does not depend on its weights): 31
million parameters in the encoder and 7 million in the head. One star costs two operations a
weight; the peak is the best rate of a plain matrix product in the same run, measured between the
predictions. All seconds are of CPU time. Peak memory is that of the process, before and after
predicting.
"""

import argparse
import resource
import shutil
import statistics
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from common.options import make_parser, read_options
from common.speed import AT_A_TIME, matmul_rate, seconds_of
from common.tables import ResultTable

from msaestimator import StellarParameterRegressor
from msaestimator.catalogs import predict_catalog
from msaestimator.datasets import make_mock_survey
from msaestimator.schema import StarTable
from msaestimator.tables import write_stars
from msaestimator.training import autocast

LABELS = ("teff", "logg", "fe_h", "age", "mass", "parallax")
HEADER = ("what", "stars per CPU second", "of the matmul peak")


def operations(regressor: StellarParameterRegressor) -> int:
    """Return the operations that one star costs in the linear layers that predict uses."""
    used = [*regressor.module_.autoencoder.encoder.parameters()]
    used += [*regressor.module_.autoencoder.entrance.parameters()]
    used += [*regressor.module_.autoencoder.embedding.parameters()]
    used += [*regressor.module_.head.parameters()]
    return 2 * sum(parameter.numel() for parameter in used)


def peak_memory() -> float:
    """Return the largest resident size of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run_network(regressor: StellarParameterRegressor, features: torch.Tensor) -> None:
    """Compute the quantiles of stars as `predict` does, and nothing else."""
    regressor.module_.eval()
    with torch.inference_mode(), autocast(features.device, regressor.precision):
        for batch in features.split(AT_A_TIME):
            regressor.module_.quantiles(batch)


def measure(
    regressor: StellarParameterRegressor,
    stars: StarTable,
    options: argparse.Namespace,
    folder: Path,
) -> tuple[dict[str, float], float]:
    """Return stars a second each way and operations a second of the product, taken in turn."""
    features = torch.randn(len(stars), len(regressor.feature_names_))
    write_stars(stars, folder / "stars" / "stars.parquet")

    def answer_files() -> None:
        predict_catalog(regressor, folder / "stars", folder / "sky", progress=False)
        shutil.rmtree(folder / "sky")

    ways = {
        "network": lambda: run_network(regressor, features),
        "predict(table)": lambda: regressor.predict(stars),
        "predict_catalog(parquet)": answer_files,
    }
    rates, peaks = {name: [] for name in ways}, []
    for _ in range(options.rounds):
        for name, predict in ways.items():
            peaks.append(matmul_rate(options.precision, options.matrix))
            rates[name].append(len(stars) / seconds_of(predict))
    found = {name: statistics.median(values) for name, values in rates.items()}
    return found, statistics.median(peaks)


def main() -> None:
    """Measure and print."""
    parser = make_parser(__doc__)
    parser.add_argument("--stars", type=int, default=8000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--preset", choices=["default", "mckay2025"], default="mckay2025")
    parser.add_argument("--matrix", type=int, default=2048, help="rows of the matrix product")
    options = read_options(parser, stars=100, rounds=1, preset="default", matrix=256)
    mock = make_mock_survey(min(2000, options.stars), random_state=0)
    regressor = StellarParameterRegressor.from_preset(
        options.preset, labels=LABELS, max_epochs=0, precision=options.precision, device="cpu"
    )
    regressor.encoder.set_params(max_epochs=0)
    regressor.fit(mock)
    stars = mock.take([row % len(mock) for row in range(options.stars)])
    stars["source_id"] = range(options.stars)
    cost = operations(regressor)
    before = peak_memory()
    regressor.predict(stars[:2000])
    with TemporaryDirectory() as folder:
        rates, peak = measure(regressor, stars, options, Path(folder))
    print(f"{cost / 1e6:.1f} MFLOP a star; matmul peak {peak / 1e9:.0f} GFLOP/s")
    print(f"peak memory {before:.0f} MiB before, {peak_memory():.0f} MiB after")
    table = ResultTable(options.tables / "predict_speed.inc", HEADER)
    for name, rate in rates.items():
        row = f"{name}, {options.preset}, {options.precision}"
        table.add(row, f"{rate:.0f}", f"{rate * cost / peak:.2f}")


if __name__ == "__main__":
    main()
