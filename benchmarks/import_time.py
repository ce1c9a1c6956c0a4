"""Seconds that a fresh Python takes to import the library, and to show the help of ``msa``.

Run from the repository's root::

    python benchmarks/import_time.py

Beside them are the libraries that the estimators need, which are loaded when one is touched. Each
is the least of several runs, for what else the machine does only adds to it.
"""

import argparse
import subprocess
import sys
import time

STATEMENTS = {
    "nothing": "pass",
    "import msaestimator": "import msaestimator",
    "msa --help": "from msaestimator.cli import main; main(['--help'])",
    "msa fit --help": "from msaestimator.cli import main; main(['fit', '--help'])",
    "import torch, skorch": "import torch, skorch",
    "import msaestimator.estimators": "import msaestimator.estimators",
}


def seconds(statement: str) -> float:
    """Return how long a fresh Python takes to run a statement, its own start included."""
    started = time.perf_counter()
    command = [sys.executable, "-c", statement]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603, one of ours
    return time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--toy", action="store_true", help="one round of the quick ones")
    options = parser.parse_args()
    for name, statement in STATEMENTS.items():
        if options.toy and ("torch" in name or "estimators" in name):
            continue
        rounds = 1 if options.toy else options.rounds
        print(f"{name:32s} {min(seconds(statement) for _ in range(rounds)):6.2f} s")


if __name__ == "__main__":
    main()
