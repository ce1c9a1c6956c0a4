"""Training of the paper's token network beside a loop that is written from its description.

Run from the repository's root::

    OMP_NUM_THREADS=1 python benchmarks/token_training_speed.py

Both train networks of the paper's size in single precision on the same packaged stars, with as
many in a batch, and ask one quantity of each star. The loop (``common/peer_networks.py``,
``common/peer_loops.py``) shares nothing with the library. It draws how many tokens of each star
it shows and pads them to 64; the library draws one number for a batch, between the same bounds,
and pads nothing, with and without oneDNN. They take turns; rates are medians by the process's CPU
time, so that other work on the machine counts less.
"""

import itertools
from collections.abc import Iterator

import numpy as np
import torch
from common.cpu_time import cpu_seconds_in_turn, without_onednn
from common.options import make_parser, read_options
from common.peer_loops import ParentLoop
from common.peer_networks import ParentTransformer
from common.speed import ratio_in_words
from common.tables import ResultTable
from torch.utils.data import TensorDataset

from msaestimator import StellarFoundationModel
from msaestimator.datasets import load_apogee_xp

HEADER = ("training", "stars/s", "times the loop")
TINY = {
    "embedding_dim": 16,
    "encoder_widths": (16, 16),
    "decoder_widths": (16, 16, 16),
    "head_widths": (16, 16),
}


def main() -> None:
    """Measure and print."""
    parser = make_parser(__doc__)
    parser.add_argument("--stars", type=int, default=1024)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    options = read_options(parser, stars=64, batch=16, rounds=1)
    size = TINY if options.toy else {}
    stars = load_apogee_xp("train")[: options.stars]
    ours = StellarFoundationModel.from_preset(
        "zhang2026",
        precision="float32",
        max_epochs=1,
        batch_size=options.batch,
        device="cpu",
        random_state=0,
        **size,
    ).fit(stars)
    words = torch.from_numpy(ours.reader_.transform(ours.reader_.open(stars)))
    loop = ParentLoop(
        ParentTransformer(
            words.shape[2],
            ours.embedding_dim,
            list(zip(ours.encoder_heads, ours.encoder_widths, strict=True)),
            list(zip(ours.decoder_heads, ours.decoder_widths, strict=True)),
            ours.head_widths,
        ),
        options.batch,
    )

    # A round shows the same numbers of tokens with and without oneDNN.
    with_it, without_it = itertools.count(), itertools.count()

    def train(seeds: Iterator[int]) -> None:
        torch.manual_seed(next(seeds))
        ours.net_.partial_fit(TensorDataset(words, words))

    def train_without_onednn() -> None:
        with without_onednn():
            train(without_it)

    ways = {
        "the loop": lambda: loop.run_epoch(words),
        "this library": lambda: train(with_it),
        "this library without oneDNN": train_without_onednn,
    }
    seconds = cpu_seconds_in_turn(ways, options.rounds)
    table = ResultTable(options.tables / "token_training_speed.inc", HEADER)
    for name, taken in seconds.items():
        times = ratio_in_words(seconds["the loop"] / taken)
        table.add(name, f"{len(words) / np.median(taken):.0f}", times)


if __name__ == "__main__":
    main()
