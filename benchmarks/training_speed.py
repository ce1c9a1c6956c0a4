"""Training stars/s of the autoencoder beside a bare torch loop of the same network.

Run from the repository's root::

    python benchmarks/training_speed.py

Epochs of the two alternate, so that a machine whose speed drifts slows both alike; the ratio
quoted is the median over the pairs.
"""

import argparse
import statistics
import time

import torch
from torch import nn

from msaestimator import MaskedStellarAutoencoder
from msaestimator.datasets import load_apogee_xp
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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=10)
    pairs = parser.parse_args().pairs
    stars = load_apogee_xp("train")
    ours = MaskedStellarAutoencoder(max_epochs=1, random_state=0).fit(stars)
    bare = MaskedStellarAutoencoder(max_epochs=1, random_state=0).fit(stars)
    x = torch.from_numpy(bare._prepare(stars, reset=False))
    data = torch.utils.data.TensorDataset(x, x)
    module, mask = bare.module_.train(), bare.mask()
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-4, fused=True)
    columns = torch.tensor(bare._reconstructed)
    seconds = {"skorch": [], "bare": []}
    for _ in range(pairs + 1):
        started = time.perf_counter()
        ours.net_.partial_fit(data)
        seconds["skorch"].append(time.perf_counter() - started)
        started = time.perf_counter()
        bare_epoch(module, mask, optimizer, x, columns, ours.batch_size, ours.gradient_clip)
        seconds["bare"].append(time.perf_counter() - started)
    ratios = [b / s for s, b in list(zip(*seconds.values(), strict=True))[1:]]
    for name, values in seconds.items():
        print(f"{name:7} {len(x) / statistics.median(values[1:]):9.0f} stars/s")
    print(
        f"ratio   {statistics.median(ratios):9.3f} (pairs: {min(ratios):.3f} to {max(ratios):.3f})"
    )


if __name__ == "__main__":
    main()
