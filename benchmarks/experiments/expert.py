"""The expert that the generalist is compared with: boosted trees for one label and its inputs."""

import argparse
from collections.abc import Sequence

import numpy as np
from common.generalist import Comparison, Known
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor

from msaestimator.metrics import BoostingBaseline

__all__ = ["ask_expert", "complete"]

FEWEST = 100
"""Training stars below which there is no expert."""

LOGARITHMIC = ("teff", "mass", "age")
"""Labels that are learned as logarithms."""


def complete(known: Known, names: Sequence[str]) -> np.ndarray:
    """Return which stars have all of these quantities."""
    return np.isfinite(known.matrix(names)).all(axis=1)


def ask_expert(
    options: argparse.Namespace,
    learned: Known,
    tests: Sequence[Known],
    name: str,
    inputs: Sequence[str],
) -> list[Comparison | None]:
    """Return what an expert that is trained for it says of each of several samples.

    None where too few stars can be learned from.
    """
    learned = learned.rows(complete(learned, [name]))
    if len(learned.values) < FEWEST:
        return [None] * len(tests)
    expert = make_expert(options, name).fit(learned.matrix(inputs), learned[name])
    return [
        Comparison(name, test[name], expert.predict(test.matrix(inputs)), test.error(name))
        for test in tests
    ]


def make_expert(options: argparse.Namespace, name: str) -> TransformedTargetRegressor:
    """Return an untrained expert with the settings that were tuned for the baseline."""
    settings = BoostingBaseline(()).get_params()
    del settings["labels"]
    if options.toy:
        settings["max_iter"] = 2
    trees = HistGradientBoostingRegressor(early_stopping=False, **settings)
    return TransformedTargetRegressor(
        trees, **({"func": np.log, "inverse_func": np.exp} if name in LOGARITHMIC else {})
    )
