"""Training stars/s of the autoencoder beside a bare torch loop of the same network.

Run from the repository's root::

    python benchmarks/training_speed.py

Epochs of the two alternate, so that a machine whose speed drifts slows both alike; the ratio
quoted is the median over the pairs.
"""

import statistics
import time

import numpy as np
import torch
from common.options import make_parser, read_options
from common.stars import load_split
from common.tables import ResultTable
from torch import nn

from msaestimator import MaskedStellarAutoencoder
from msaestimator.networks import GroupMask, masked_error


def bare_epoch(
    module: nn.Module,
    mask: GroupMask,
    optimizer: torch.optim.Optimizer,
    x: torch.Tensor,
    columns: torch.Tensor,
    batch_size: int,
    clip: float,
) -> None:
    """Train one epoch the shortest way torch knows."""
    for rows in torch.randperm(len(x)).split(batch_size):
        batch = x[rows]
        output = module(batch.masked_fill(mask.draw(len(batch)), torch.nan))
        target = batch[:, columns]
        loss = masked_error(output, target, ~target.isnan())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), clip)
        optimizer.step()


def main() -> None:
    """Measure and print."""
    parser = make_parser(__doc__)
    parser.add_argument("--pairs", type=int, default=10)
    options = read_options(parser, pairs=1)
    stars, _ = load_split(toy=options.toy)
    ours = MaskedStellarAutoencoder(max_epochs=1, random_state=0).fit(stars)
    bare = MaskedStellarAutoencoder(max_epochs=1, random_state=0).fit(stars)
    features = bare.preprocessor_.transform(stars)[:, bare.is_observed_]
    x = torch.from_numpy(features.astype(np.float32))
    data = torch.utils.data.TensorDataset(x, x)
    module, mask = bare.module_.train(), bare.mask()
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-4, fused=True)
    # How many are reconstructed takes time, which they are does not.
    columns = torch.arange(module.exit.out_features)
    seconds = {"skorch net": [], "bare loop": []}
    for _ in range(options.pairs + 1):
        started = time.perf_counter()
        ours.net_.partial_fit(data)
        seconds["skorch net"].append(time.perf_counter() - started)
        started = time.perf_counter()
        bare_epoch(module, mask, optimizer, x, columns, ours.batch_size, ours.gradient_clip)
        seconds["bare loop"].append(time.perf_counter() - started)
    ratios = [b / s for s, b in list(zip(*seconds.values(), strict=True))[1:]]
    table = ResultTable(options.tables / "training_speed.inc", ("epochs", "stars/s"))
    for name, values in seconds.items():
        table.add(name, f"{len(x) / statistics.median(values[1:]):.0f}")
    spread = f"({min(ratios):.2f} to {max(ratios):.2f} over {len(ratios)} pairs)"
    table.add("ratio", f"{statistics.median(ratios):.2f} {spread}")


if __name__ == "__main__":
    main()
