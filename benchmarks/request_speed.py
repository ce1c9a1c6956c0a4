"""Requests answered in one pass beside one at a time, as the generalist's parent answers them.

Run from the repository's root::

    python benchmarks/request_speed.py

Both use the same untrained weights (speed does not depend on them) in single precision, and the
same packaged stars, which lack what real stars lack; of half of them only the first 30
coefficients of each band are known. The loop encodes stars padded to the whole vocabulary, as
Leung & Bovy (2024) pad to their context, then decodes request by request and projects keys and
values anew for each. The two take turns in one run; medians are printed, with the largest
difference of the answers, which are of order one.
"""

import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from common.options import make_parser, read_options
from common.tables import ResultTable

from msaestimator import StellarFoundationModel
from msaestimator.datasets import load_apogee_xp
from msaestimator.estimators._answers import Oracle

HEADER = (
    "network, requests",
    "one pass, stars/s",
    "looped, stars/s",
    "ratio",
    "answers differ by",
)
N_KEPT = 30


def known_of(model: StellarFoundationModel, n_stars: int) -> np.ndarray:
    """Return scaled quantities of packaged stars, (n_stars, n_tokens), NaN where missing."""
    values = model._enter(load_apogee_xp("test")[:n_stars])[:, 0]
    for band in ("bp", "rp"):
        dropped = [f"relative_{band}_{number}" for number in range(N_KEPT + 1, 56)]
        values[::2, model.vocabulary_.index(dropped)] = np.nan
    return values


def one_at_a_time(
    oracle: Oracle, values: np.ndarray, requests: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return what `Oracle.answer` does, in the parent's way, with as many tokens at a time."""
    n_tokens = values.shape[1]
    answers = []
    with torch.inference_mode():
        for stars in torch.from_numpy(values).split(max(1, oracle.batch_size // n_tokens)):
            absent = stars.isnan()
            memory = oracle.module.encode(stars.nan_to_num(), torch.arange(n_tokens), absent)
            each = [oracle.module.decode(memory, torch.tensor([r]), absent) for r in requests]
            answers.append(
                torch.stack([torch.cat(part, dim=1) for part in zip(*each, strict=True)])
            )
    mean, log_variance = torch.cat(answers, dim=1)
    return mean.numpy(), (log_variance / 2).exp().numpy()


def timed(function: Callable[..., tuple], *arguments: object) -> tuple[float, tuple]:
    """Return how long a call takes, in seconds, and what it returns."""
    started = time.perf_counter()
    returned = function(*arguments)
    return time.perf_counter() - started, returned


def compare(
    oracle: Oracle, values: np.ndarray, requests: Sequence[int], n_rounds: int
) -> tuple[str, ...]:
    """Return stars a second both ways, their ratio and how the answers differ."""
    oracle.answer(values[:4], requests)
    together, looped, difference = [], [], 0.0
    for _ in range(n_rounds):
        seconds, ours = timed(oracle.answer, values, requests)
        together.append(len(values) / seconds)
        seconds, theirs = timed(one_at_a_time, oracle, values, requests)
        looped.append(len(values) / seconds)
        difference = max(difference, np.abs(np.subtract(ours, theirs)).max())
    rates = np.median(together), np.median(looped)
    ratios = np.divide(together, looped)
    return (
        *(f"{rate:.3g}" for rate in rates),
        f"{np.median(ratios):.2g} ({ratios.min():.2g} to {ratios.max():.2g})",
        f"{difference:.0e}",
    )


def main() -> None:
    """Measure and print."""
    parser = make_parser(__doc__)
    parser.add_argument("--stars", type=int, default=64, help="of 110 requests; 8 times of 3")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--presets", nargs="+", default=["zhang2026", "default"])
    options = read_options(parser, stars=4, rounds=1, presets=["default"])
    table = ResultTable(options.tables / "request_speed.inc", HEADER)
    sample = load_apogee_xp("train")[:200]
    for preset in options.presets:
        model = StellarFoundationModel.from_preset(
            preset, max_epochs=0, precision="float32", device="cpu", random_state=0
        ).fit(sample)
        size = sum(parameter.numel() for parameter in model.module_.parameters())
        values = known_of(model, 8 * options.stars)
        known = np.isfinite(values).sum(axis=1).mean()
        print(f"{preset}: {size:,} parameters, {known:.0f} of {values.shape[1]} tokens known")
        spectrum = values[: options.stars], model.xp_columns
        for stars, names in ((values, ("teff", "logg", "m_h")), spectrum):
            requests = model.vocabulary_.index(names)
            cells = compare(model._oracle(), stars, requests, options.rounds)
            table.add(f"{preset}, {len(requests)}", *cells)


if __name__ == "__main__":
    main()
