"""Accuracy on the packaged test stars: fine-tuned, from scratch, gradient boosting.

Run from the repository's root::

    python benchmarks/accuracy.py --random-states 0 1 2

Trains as ``msa demo`` does, once for each random state, and prints the mean of the scores and
the gain of pre-training in each. The test stars are used for nothing else.
"""

import argparse
import sys

import numpy as np

from msaestimator.cli import compare_models, pretraining_gain
from msaestimator.datasets import load_apogee_xp

SCORES = ("rmse", "mae", "nmad", "r2", "coverage")


def main() -> None:
    """Train, score and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--random-states", type=int, nargs="+", default=[0])
    parser.add_argument("--epochs", type=int)
    options = parser.parse_args()
    training, test = load_apogee_xp("train"), load_apogee_xp("test")
    tables = [
        compare_models(training, test, options.epochs, state)[0] for state in options.random_states
    ]
    mean = tables[0]["model", "half", "label", "unit"]
    for score in SCORES:
        mean[score] = np.mean([np.ma.filled(t[score], np.nan) for t in tables], axis=0)
        mean[score].info.format = ".4g"
    mean.pprint(max_lines=-1, max_width=-1)
    for half in dict.fromkeys(mean["half"]):
        gains = [f"{pretraining_gain(table, half):+.1%}" for table in tables]
        sys.stdout.write(f"gain of pre-training, {half}: {', '.join(gains)}\n")


if __name__ == "__main__":
    main()
