"""Training from disk beside training in memory: stars/s, and the memory that they take.

Run from the repository's root, with a disk of 10 GB for the files::

    python benchmarks/streamed_training.py files/ --stars 5000000
    python benchmarks/streamed_training.py files/ --stars 5000000 --model regressor --pairs 1

The autoencoder is the thesis's. The regressor is narrow, so that nearly all of its time and memory
is that of the stars; it is fine-tuned on four labels. Epochs on disk are of all stars, those in
memory of so many that they fit; each is timed in a process of its own, in turn, and the rates are
medians. A regressor's rate is by the CPU time of all of ``fit``, with what is learned besides.
"""

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from common.mock_files import write_mock_files
from common.options import make_parser, read_options
from common.tables import ResultTable

from msaestimator import MaskedStellarAutoencoder, StellarParameterRegressor
from msaestimator.datasets import StarDataset

IN_MEMORY = 50_000
"""Most stars of the training in memory."""

NARROW = {"hidden_widths": (8,), "n_frequencies": 1, "d_embedding": 1}

LABELS = ("teff", "logg", "fe_h", "mass")


def train_autoencoder(stars: Any, toy: bool) -> float:
    """Return the seconds a star of an epoch at the thesis's size."""
    small = NARROW if toy else {}
    settings = small | {"max_epochs": 1, "random_state": 0}
    msa = MaskedStellarAutoencoder.from_preset("mckay2025", **settings).fit(stars)
    return msa.net_.history[-1, "dur"] / msa.n_stars_


def train_regressor(stars: Any, toy: bool) -> float:
    """Return the CPU seconds a star of an epoch with a narrow network."""
    encoder = MaskedStellarAutoencoder(**NARROW, max_epochs=0)
    regressor = StellarParameterRegressor(
        encoder,
        labels=LABELS,
        head_widths=(16,),
        n_members=1,
        max_epochs=1,
        batch_size=4096,
        random_state=0,
    )
    started = time.process_time()
    regressor.fit(stars)
    return (time.process_time() - started) / regressor.n_stars_


MODELS = {"autoencoder": train_autoencoder, "regressor": train_regressor}


def train(folder: str, where: str, model: str, toy: bool) -> None:
    """Train one epoch, and print seconds a star and the most memory that was in use, in MB."""
    stars = StarDataset(folder)
    seconds = MODELS[model](stars if where == "disk" else stars.sample(IN_MEMORY, 0), toy)
    # What resource tells of a child begins with the peak of its parent.
    status = Path("/proc/self/status").read_text()
    peak = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024
    print(json.dumps({"seconds": seconds, "peak": peak}))


def measure(folder: Path, where: str, model: str, toy: bool) -> dict[str, float]:
    """Return what `train` tells in another process."""
    command = [sys.executable, __file__, str(folder), "--train", where, "--model", model]
    command += ["--toy"] * toy
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603
    return json.loads(told.stdout.splitlines()[-1])


def main() -> None:
    """Write the files, measure and print."""
    parser = make_parser(__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="of the files; a temporary one")
    parser.add_argument("--stars", type=int, default=5_000_000)
    parser.add_argument("--model", choices=MODELS, default="autoencoder")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--train", choices=("disk", "memory"), help="what one process does")
    options = read_options(parser, stars=2_000, pairs=1)
    if options.train:
        train(options.folder, options.train, options.model, options.toy)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary) / "files"
        started = time.perf_counter()
        stars = write_mock_files(folder, options.stars)
        print(f"{stars!r} after {time.perf_counter() - started:.0f} s", flush=True)
        runs = [
            {
                where: measure(folder, where, options.model, options.toy)
                for where in ("memory", "disk")
            }
            for _ in range(options.pairs)
        ]
    name = "streamed_training.inc" if options.model == "autoencoder" else "streamed_regressor.inc"
    table = ResultTable(options.tables / name, ("from", "stars", "stars/s", "peak MB"))
    n_stars = {"memory": min(IN_MEMORY, len(stars)), "disk": len(stars)}
    for where in ("memory", "disk"):
        rate = 1 / statistics.median(run[where]["seconds"] for run in runs)
        table.add(
            where,
            f"{n_stars[where]:,}",
            f"{rate:.0f}",
            f"{max(run[where]['peak'] for run in runs):.0f}",
        )
    if options.model == "autoencoder":  # a regressor's fit in memory is mostly what comes after
        ratios = [run["memory"]["seconds"] / run["disk"]["seconds"] for run in runs]
        table.add("ratio", "", f"{statistics.median(ratios):.2f}", "")


if __name__ == "__main__":
    main()
