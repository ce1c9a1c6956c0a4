"""Tune the gradient-boosting baseline on the packaged training stars, by cross-validation.

Run from the repository's root::

    python benchmarks/tune_baseline.py

The settings it finds are the defaults of ``msaestimator.metrics.BoostingBaseline``.
"""

import argparse

import numpy as np
from scipy.stats import loguniform
from sklearn.metrics import make_scorer
from sklearn.model_selection import RandomizedSearchCV

from msaestimator.cli import DEMO_LABELS
from msaestimator.datasets import load_apogee_xp
from msaestimator.metrics import BoostingBaseline, mae
from msaestimator.preprocessing import read_labels
from msaestimator.schema import get_label


def relative_error(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    """Return the mean over the labels of MAE in units of the labels' spread."""
    return float(np.mean(mae(y_true, y_pred) / np.nanstd(y_true, axis=0)))


def main() -> None:
    """Search and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--stars", type=int)
    options = parser.parse_args()
    stars = load_apogee_xp("train")[: options.stars]
    labels = read_labels(stars, {name: get_label(name).unit for name in DEMO_LABELS})
    search = RandomizedSearchCV(
        BoostingBaseline(DEMO_LABELS),
        {
            "max_iter": [200, 400, 800],
            "learning_rate": loguniform(0.03, 0.2),
            "max_leaf_nodes": [7, 15, 31],
            "l2_regularization": loguniform(0.01, 30),
        },
        n_iter=options.trials,
        scoring=make_scorer(relative_error, greater_is_better=False),
        cv=3,
        random_state=0,
        verbose=3,
    ).fit(stars, labels)
    print(search.best_params_, search.best_score_)


if __name__ == "__main__":
    main()
