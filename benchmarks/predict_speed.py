"""Prediction stars/s at the thesis's size beside the machine's measured matmul peak.

Run from the repository's root::

    python benchmarks/predict_speed.py

The network is the thesis's, untrained (its speed does not depend on its weights): 31 million
parameters in the encoder and 7 million in the head. One star costs two operations a weight; the
peak is the best rate of a plain matrix product in the same run, measured between the
predictions. Peak memory is that of the process, before and after predicting.
"""

import argparse
import resource
import statistics
import time

import torch

from msaestimator import StellarParameterRegressor
from msaestimator.datasets import make_mock_survey


def matmul_rate(precision: str) -> float:
    """Return the operations a second of a large matrix product, the best of a few."""
    dtype = {"float32": torch.float32, "bfloat16": torch.bfloat16}[precision]
    a, b = (torch.randn(2048, 2048, dtype=dtype) for _ in range(2))
    best = float("inf")
    for _ in range(12):
        started = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - started)
    return 2 * 2048**3 / best


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


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stars", type=int, default=8000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--preset", choices=["default", "mckay2025"], default="mckay2025")
    options = parser.parse_args()
    mock = make_mock_survey(2000, random_state=0)
    labels = ("teff", "logg", "fe_h", "age", "mass", "parallax")
    regressor = StellarParameterRegressor.from_preset(
        options.preset, labels=labels, max_epochs=0, precision=options.precision
    )
    regressor.encoder.set_params(max_epochs=0)
    regressor.fit(mock)
    stars = mock.take([row % len(mock) for row in range(options.stars)])
    features = regressor._enter(stars, reset=False)
    cost = operations(regressor)
    before = peak_memory()
    regressor.predict(stars[:2000])
    rates = {"predict(table)": [], "network": []}
    peaks = []
    for _ in range(options.rounds):
        peaks.append(matmul_rate(options.precision))
        started = time.perf_counter()
        regressor.predict(stars)
        rates["predict(table)"].append(len(stars) / (time.perf_counter() - started))
        peaks.append(matmul_rate(options.precision))
        started = time.perf_counter()
        regressor._quantiles(features)
        rates["network"].append(len(stars) / (time.perf_counter() - started))
    peak = statistics.median(peaks)
    print(f"{cost / 1e6:.1f} MFLOP a star; matmul peak {peak / 1e9:.0f} GFLOP/s")
    for name, values in rates.items():
        rate = statistics.median(values)
        print(f"{name:15} {rate:8.0f} stars/s = {rate * cost / peak:.2f} of the peak")
    print(f"peak memory {before:.0f} MiB before, {peak_memory():.0f} MiB after")


if __name__ == "__main__":
    main()
