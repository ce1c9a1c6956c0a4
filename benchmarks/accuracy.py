"""Accuracy on the packaged test stars: fine-tuned, from scratch, gradient boosting.

Run from the repository's root::

    python benchmarks/accuracy.py --random-states 0 1 2

Trains as ``msa demo --full`` does, or with ``--short`` as ``msa demo`` does, once for each random
state, and prints the mean of the scores and the gain of pre-training in each. The test stars are
used for nothing else.
"""

import numpy as np
from common.options import make_parser, read_options
from common.stars import HALVES, LABELS, load_split
from common.tables import ResultTable, in_words

from msaestimator.cli import FULL, SHORT, DemoLength, compare_models, pretraining_gain

SCORES = ("rmse", "mae", "nmad", "r2", "coverage")
HEADER = ("model", "with XP: Teff, log g, [Fe/H], [α/M]", "without")


def main() -> None:
    """Train, score and print."""
    parser = make_parser(__doc__)
    parser.add_argument("--random-states", type=int, nargs="+", default=[0])
    parser.add_argument("--short", action="store_true", help="as long as `msa demo`")
    options = read_options(parser)
    length = SHORT if options.short else FULL
    if options.toy:
        length = DemoLength(pretraining=1, fine_tuning=1)
    training, test = load_split(toy=options.toy)
    tables = [compare_models(training, test, length, state)[0] for state in options.random_states]
    mean = tables[0]["model", "half", "label", "unit"]
    for score in SCORES:
        mean[score] = np.mean([np.ma.filled(t[score], np.nan) for t in tables], axis=0)
        mean[score].info.format = ".4g"
    mean.pprint(max_lines=-1, max_width=-1)
    for half in HALVES:
        gains = [f"{pretraining_gain(table, half):+.1%}" for table in tables]
        print(f"gain of pre-training, {half}: {', '.join(gains)}")
    shown = ResultTable(options.tables / "accuracy.inc", HEADER)
    for model in dict.fromkeys(mean["model"]):
        errors = mean["nmad"][mean["model"] == model].reshape(len(HALVES), len(LABELS))
        shown.add(f"{model}, short" if options.short else model, *map(in_words, errors))


if __name__ == "__main__":
    main()
