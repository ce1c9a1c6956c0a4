"""Training from disk beside training in memory: stars/s, and the memory that they take.

Run from the repository's root, with a disk of 10 GB for the files::

    python benchmarks/streamed_training.py files/ --stars 5000000

The network is the thesis's. Epochs on disk are of all stars, those in memory of so many that they
fit; each is timed in a process of its own, in turn, and the rates are medians.
"""

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common.mock_files import write_mock_files
from common.options import make_parser, read_options
from common.tables import ResultTable

from msaestimator import MaskedStellarAutoencoder
from msaestimator.datasets import StarDataset

IN_MEMORY = 50_000
"""Most stars of the training in memory."""


def train(folder: str, where: str, toy: bool) -> None:
    """Train one epoch, and print seconds a star and the most memory that was in use, in MB."""
    stars = StarDataset(folder)
    small = {"hidden_widths": (8,), "n_frequencies": 1, "d_embedding": 1} if toy else {}
    settings = small | {"max_epochs": 1, "random_state": 0}
    msa = MaskedStellarAutoencoder.from_preset("mckay2025", **settings)
    msa.fit(stars if where == "disk" else stars.sample(IN_MEMORY, 0))
    seconds = msa.net_.history[-1, "dur"] / msa.n_stars_
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak": peak}))


def measure(folder: Path, where: str, toy: bool) -> dict[str, float]:
    """Return what `train` tells in another process."""
    command = [sys.executable, __file__, str(folder), "--train", where, *["--toy"] * toy]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603
    return json.loads(told.stdout.splitlines()[-1])


def main() -> None:
    """Write the files, measure and print."""
    parser = make_parser(__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="of the files; a temporary one")
    parser.add_argument("--stars", type=int, default=5_000_000)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--train", choices=("disk", "memory"), help="what one process does")
    options = read_options(parser, stars=2_000, pairs=1)
    if options.train:
        train(options.folder, options.train, options.toy)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary) / "files"
        started = time.perf_counter()
        stars = write_mock_files(folder, options.stars)
        print(f"{stars!r} after {time.perf_counter() - started:.0f} s", flush=True)
        runs = [
            {where: measure(folder, where, options.toy) for where in ("memory", "disk")}
            for _ in range(options.pairs)
        ]
    table = ResultTable(options.tables / "streamed_training.inc", ("from", "stars/s", "peak MB"))
    for where in ("memory", "disk"):
        rate = 1 / statistics.median(run[where]["seconds"] for run in runs)
        table.add(where, f"{rate:.0f}", f"{max(run[where]['peak'] for run in runs):.0f}")
    ratio = statistics.median(run["memory"]["seconds"] / run["disk"]["seconds"] for run in runs)
    table.add("ratio", f"{ratio:.2f}", "")


if __name__ == "__main__":
    main()
