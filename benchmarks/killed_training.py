"""A training from disk that is killed at random moments, beside one that is left alone.

Run from the repository's root::

    python benchmarks/killed_training.py --kills 20

It is started again after each ``kill -9``, at moments of which about so many fall into one run,
and at last comes to its end; the weights of both are compared bit for bit.
"""

import hashlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from common.mock_files import write_mock_files
from common.options import make_parser, read_options

from msaestimator import MaskedStellarAutoencoder
from msaestimator.datasets import StarDataset


def train(folder: Path, checkpoint: Path) -> None:
    """Train, and print a digest of the weights, and the seconds that the epochs took."""
    msa = MaskedStellarAutoencoder(
        hidden_widths=(32, 16), max_epochs=30, dropout=0.1, checkpoint=checkpoint, random_state=0
    ).fit(StarDataset(folder))
    weights = [t.cpu().numpy().tobytes() for t in msa.module_.state_dict().values()]
    print(hashlib.sha256(b"".join(weights)).hexdigest(), sum(msa.net_.history[:, "dur"]))


def start(folder: Path, checkpoint: Path) -> "subprocess.Popen[str]":
    """Return a process that trains."""
    command = [sys.executable, __file__, "--train", str(folder), str(checkpoint)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603, one of ours


def main() -> None:
    """Kill and compare."""
    parser = make_parser(__doc__)
    parser.add_argument("--stars", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--train", type=Path, nargs=2, help="what one process does")
    options = read_options(parser, stars=500, kills=1)
    if options.train:
        train(*options.train)
        return
    rng = np.random.default_rng()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "files"
        write_mock_files(folder, options.stars)
        started = time.perf_counter()
        told, _ = start(folder, Path(temporary) / "whole").communicate()
        expected, seconds = told.split()
        before = time.perf_counter() - started - float(seconds)
        longest = before + 2 * float(seconds) / options.kills
        for number in range(options.kills):
            with start(folder, Path(temporary) / "killed") as process:
                try:
                    process.wait(rng.uniform(0, longest))
                    print(f"{number}: had come to its end", flush=True)
                except subprocess.TimeoutExpired:
                    process.kill()
                    print(f"{number}: killed", flush=True)
        told, _ = start(folder, Path(temporary) / "killed").communicate()
    if told.split()[0] != expected:
        raise SystemExit("The weights differ.")
    print("The weights are the same, bit for bit.")


if __name__ == "__main__":
    main()
