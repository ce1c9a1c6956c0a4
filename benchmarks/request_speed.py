"""Requests answered in one pass beside one at a time, as the generalist's parent answers them.

Run from the repository's root::

    python benchmarks/request_speed.py

Both use the same untrained weights (speed does not depend on them) in single precision, and the
same packaged stars, which lack what real stars lack; of half of them only the first 30
coefficients of each band are known. The loop encodes stars padded to the whole vocabulary, as
Leung & Bovy (2024) pad to their context, then decodes request by request and projects keys and
values anew for each. Both read the stars from a table. They take turns in one run; medians are
printed, with the largest difference of the answers, which are of order one.
"""

import time
import warnings
from collections.abc import Sequence

import numpy as np
import torch
from common.options import make_parser, read_options
from common.tables import ResultTable

from msaestimator import StellarFoundationModel
from msaestimator.datasets import load_apogee_xp
from msaestimator.exceptions import ToldRequestWarning
from msaestimator.preprocessing import read_tokens
from msaestimator.schema import StarTable

HEADER = (
    "network, requests",
    "one pass, stars/s",
    "looped, stars/s",
    "ratio",
    "answers differ by",
)
N_KEPT = 30


def load_stars(n_stars: int) -> StarTable:
    """Return packaged stars, half of them without the higher coefficients."""
    stars = load_apogee_xp("test")[:n_stars]
    for band in ("bp", "rp"):
        stars[f"{band}_coefficients"][::2, N_KEPT:] = np.nan
    return stars


def scaled_tokens(model: StellarFoundationModel, stars: StarTable) -> torch.Tensor:
    """Return the quantities of stars as the network sees them, NaN where missing."""
    values = read_tokens(stars, model.vocabulary_)[0]
    values[:, ~model.is_trained_] = np.nan
    return torch.from_numpy(model.scaler_.transform(values).astype(np.float32))


def one_pass(
    model: StellarFoundationModel, stars: StarTable, names: Sequence[str]
) -> dict[str, np.ndarray]:
    """Return the answers by name."""
    answers = model.request(stars, names)
    return {name: answers[name].value for name in names}


def one_at_a_time(
    model: StellarFoundationModel, stars: StarTable, names: Sequence[str]
) -> dict[str, np.ndarray]:
    """Return the answers by name in the parent's way, with as many tokens at a time."""
    values = scaled_tokens(model, stars)
    n_tokens = values.shape[1]
    positions = model.vocabulary_.index(names)
    answers = []
    with torch.inference_mode():
        for batch in values.split(max(1, model.inference_batch_size // n_tokens)):
            absent = batch.isnan()
            memory = model.module_.encode(batch.nan_to_num(), torch.arange(n_tokens), absent)
            each = [model.module_.decode(memory, torch.tensor([p]), absent)[0] for p in positions]
            answers.append(torch.cat(each, dim=1))
    full = np.zeros((len(values), n_tokens))
    full[:, positions] = torch.cat(answers).numpy()
    linear = model.scaler_.inverse_transform(full)
    return {name: linear[:, p] for name, p in zip(names, positions, strict=True)}


def difference(
    model: StellarFoundationModel, ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]
) -> float:
    """Return how far answers are apart at most, on the network's scale."""
    scaled = []
    for answers in (ours, theirs):
        full = np.full((len(next(iter(answers.values()))), len(model.vocabulary_)), np.nan)
        for name, values in answers.items():
            full[:, model.vocabulary_.index([name])[0]] = values
        scaled.append(model.scaler_.transform(full))
    return float(np.nanmax(np.abs(np.subtract(*scaled))))


def compare(
    model: StellarFoundationModel, stars: StarTable, names: Sequence[str], n_rounds: int
) -> tuple[str, ...]:
    """Return stars a second both ways, their ratio and how the answers differ."""
    model.request(stars[:4], names)
    rates, answers = {one_pass: [], one_at_a_time: []}, []
    for _ in range(n_rounds):
        for way, found in rates.items():
            started = time.perf_counter()
            answers.append(way(model, stars, names))
            found.append(len(stars) / (time.perf_counter() - started))
    ratios = np.divide(*rates.values())
    return (
        *(f"{np.median(found):.3g}" for found in rates.values()),
        f"{np.median(ratios):.2g} ({ratios.min():.2g} to {ratios.max():.2g})",
        f"{difference(model, *answers[:2]):.0e}",
    )


def main() -> None:
    """Measure and print."""
    parser = make_parser(__doc__)
    parser.add_argument("--stars", type=int, default=64, help="of 110 requests; 8 times of 3")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--presets", nargs="+", default=["zhang2026", "default"])
    options = read_options(parser, stars=4, rounds=1, presets=["default"])
    # What is told and asked costs as much as any.
    warnings.simplefilter("ignore", ToldRequestWarning)
    table = ResultTable(options.tables / "request_speed.inc", HEADER)
    sample = load_apogee_xp("train")[:200]
    for preset in options.presets:
        model = StellarFoundationModel.from_preset(
            preset, max_epochs=0, precision="float32", device="cpu", random_state=0
        ).fit(sample)
        size = sum(parameter.numel() for parameter in model.module_.parameters())
        print(f"{preset}: {size:,} parameters")
        stars = load_stars(8 * options.stars)
        for given, names in (
            (stars, ("teff", "logg", "fe_h")),
            (stars[: options.stars], model.xp_columns),
        ):
            cells = compare(model, given, names, options.rounds)
            table.add(f"{preset}, {len(names)}", *cells)


if __name__ == "__main__":
    main()
