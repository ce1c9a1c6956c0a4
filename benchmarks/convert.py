"""Rate of `msa convert` in stars per CPU second, on files in the layout of the archive's.

Run from the repository's root::

    python benchmarks/convert.py

Makes a file of spectra and one of eight times as many sources, and converts them in both orders.
Seconds are of the CPU, of all threads together. The numbers in the files are random, so that they
compress as badly as the archive's.
"""

import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from common.bulk_files import write_checksums, write_pair
from common.options import make_parser, read_options
from common.tables import ResultTable

from msaestimator.datasets import StarDataset, convert_stars

HEADER = ("what", "stars", "stars per CPU second", "bytes a star")


def main() -> None:
    """Make the files, convert them and print."""
    parser = make_parser(__doc__)
    parser.add_argument("--stars", type=int, default=12_000)
    options = read_options(parser, stars=50)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "bulk"
        folder.mkdir()
        write_pair(folder, 0, 3111, options.stars)
        write_checksums(folder)
        measure(folder, ResultTable(options.tables / "convert.inc", HEADER))


def measure(folder: Path, table: ResultTable) -> None:
    """Convert the files of a folder in both orders, and read them as they are."""
    reader = "isal" if find_spec("isal") else "gzip"
    for order in ("random", "sky"):
        started = time.process_time()
        output = convert_stars(folder, folder.with_name(order), order=order, progress=False)
        seconds = time.process_time() - started
        stars = StarDataset(output)
        size = sum(path.stat().st_size for path in stars.files) / len(stars)
        rate = len(stars) / seconds
        table.add(f"{order} order, {reader}", len(stars), f"{rate:.0f}", f"{size:.0f}")
    started = time.process_time()
    n_read = sum(map(len, StarDataset(folder).batches(8192)))
    rate = n_read / (time.process_time() - started)
    table.add(f"StarDataset of the bulk files, {reader}", n_read, f"{rate:.0f}", "")


if __name__ == "__main__":
    main()
