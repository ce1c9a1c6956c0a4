"""Time of a table of answers, with intervals and flags, beside that of medians alone.

Run from the repository's root::

    python benchmarks/table_speed.py

Both ask the released regressor for the packaged stars, repeated, in turn; the best of a few rounds
counts.
"""

import time

import numpy as np
from common.options import make_parser, read_options
from common.tables import ResultTable

from msaestimator import StellarParameterRegressor
from msaestimator.datasets import load_apogee_xp

HEADER = ("what", "stars/s", "times as long as predict")


def main() -> None:
    """Measure and print."""
    parser = make_parser(__doc__)
    parser.add_argument("--stars", type=int, default=8000)
    parser.add_argument("--rounds", type=int, default=10)
    options = read_options(parser, stars=100, rounds=1)
    regressor = StellarParameterRegressor.from_pretrained("gaia-xp")
    packaged = regressor.reader_.without_unseen(load_apogee_xp())
    stars = packaged[np.arange(options.stars) % len(packaged)]
    seconds = {"predict": float("inf"), "predict_table": float("inf")}
    for _ in range(options.rounds):
        for name in seconds:
            started = time.perf_counter()
            getattr(regressor, name)(stars)
            seconds[name] = min(seconds[name], time.perf_counter() - started)
    table = ResultTable(options.tables / "table_speed.inc", HEADER)
    for name, best in seconds.items():
        table.add(name, f"{options.stars / best:.0f}", f"{best / seconds['predict']:.2f}")


if __name__ == "__main__":
    main()
