"""Training and prediction at the thesis's size on a GPU, beside its rate of matrix products.

Run from the repository's root on a machine with a CUDA GPU, in less than eight minutes::

    python benchmarks/gpu.py

The networks are the thesis's, untrained (their speed does not depend on the weights), and the
stars random numbers in the processor's memory, so batches are gathered, pinned and sent as those
of real stars are. Training is that of ``fit``, epoch by epoch, through the estimator's own net;
prediction is from features to quantiles. Each comes in bfloat16 and float32, and in bfloat16 with
the module compiled in place, which is the first thing that is dropped when time runs out. The
share is of the rate of a large product in bfloat16 in the same run. The hours are those of the
thesis's pre-training, 80 epochs of 218,131,884 stars, and of predicting all 219,197,643 stars
with XP spectra, by the rate.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from common.options import make_parser, read_options
from common.speed import count_operations, in_turn, matmul_rate
from common.tables import ResultTable
from torch.utils.data import TensorDataset

from msaestimator import MaskedStellarAutoencoder, StellarParameterRegressor
from msaestimator.datasets import make_mock_survey
from msaestimator.training import map_batches

HEADER = ("what", "stars/s", "of the matmul peak", "hours for the sky")
LABELS = ("teff", "logg", "fe_h", "age", "mass", "parallax")
N_PRETRAINED, N_EPOCHS, N_WITH_XP = 218_131_884, 80, 219_197_643
VARIANTS = (("bfloat16", False), ("float32", False), ("bfloat16", True))
"""Precision, and whether the module is compiled."""


def make_autoencoder(options: argparse.Namespace, precision: str) -> MaskedStellarAutoencoder:
    """Return the thesis's autoencoder after a step on mock stars."""
    size = {"hidden_widths": (16, 8)} if options.toy else {}
    return MaskedStellarAutoencoder.from_preset(
        "mckay2025",
        max_epochs=1,
        batch_size=options.batch,
        inference_batch_size=options.batch,
        device=options.device,
        precision=precision,
        random_state=0,
        **size,
    ).fit(make_mock_survey(200, random_state=0))


def training(
    options: argparse.Namespace, precision: str, compiled: bool
) -> tuple[Callable[[], object], float]:
    """Return what trains an epoch, and the operations of a star."""
    msa = make_autoencoder(options, precision)
    x = torch.randn(options.stars, len(msa.feature_names_))
    few = TensorDataset(x[: options.batch], x[: options.batch])
    cost = count_operations(lambda: msa.net_.partial_fit(few)) / len(few)
    if compiled:
        msa.net_.module_.compile()
    return lambda: msa.net_.partial_fit(TensorDataset(x, x)), cost


def prediction(
    options: argparse.Namespace, precision: str, compiled: bool
) -> tuple[Callable[[], object], float]:
    """Return what predicts the quantiles of all stars, and the operations of a star."""
    msa = make_autoencoder(options, precision)
    preset = {"head_widths": (16,)} if options.toy else {}
    regressor = StellarParameterRegressor.from_preset(
        "mckay2025", encoder=msa, labels=LABELS, max_epochs=0, device=options.device, **preset
    ).fit(make_mock_survey(200, random_state=0))
    module = regressor.module_.to(options.device).eval()
    shape = (options.stars, len(msa.feature_names_))
    x = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    if compiled:
        module.quantiles = torch.compile(module.quantiles)

    def predict(x: np.ndarray = x) -> np.ndarray:
        return map_batches(
            module.quantiles,
            x,
            batch_size=options.batch,
            device=torch.device(options.device),
            precision=precision,
        )

    few = x[: options.batch]
    return predict, count_operations(lambda: predict(few)) / len(few)


def main() -> None:
    """Measure and print."""
    parser = make_parser(__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--stars", type=int, default=524_288)
    parser.add_argument("--batch", type=int, default=8192)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--matrix", type=int, default=8192, help="rows of the matrix product")
    parser.add_argument("--minutes", type=float, default=6.5, help="begin nothing after these")
    options = read_options(
        parser, device="cpu", stars=100, batch=50, rounds=1, matrix=64, minutes=5
    )
    if options.device != "cpu" and not torch.cuda.is_available():
        parser.exit(1, "There is no CUDA GPU: run it where there is one, or with --toy.\n")
    started = time.monotonic()
    table = ResultTable(options.tables / "gpu.inc", HEADER)
    for precision, compiled in VARIANTS[: 2 if options.toy else 3]:
        for name, make, n_sky in (
            ("training", training, N_PRETRAINED * N_EPOCHS),
            ("prediction", prediction, N_WITH_XP),
        ):
            if time.monotonic() - started > 60 * options.minutes:
                print(f"{name}, {precision}: no time left")
                continue
            compute, cost = make(options, precision, compiled)
            taken = in_turn({"it": compute}, options.rounds, options.device)["it"]
            rate = options.stars / np.median(taken)
            peak = matmul_rate("bfloat16", options.matrix, options.device)
            how = f"{precision}, compiled" if compiled else precision
            share = rate * cost / peak
            table.add(
                f"{name}, {how}", f"{rate:.3g}", f"{share:.2f}", f"{n_sky / rate / 3600:.3g}"
            )


if __name__ == "__main__":
    main()
