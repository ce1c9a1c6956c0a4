"""Tune the gradient-boosting baseline on the packaged training stars, by cross-validation.

Run from the repository's root::

    python benchmarks/tune_baseline.py

The settings it finds are the defaults of ``msaestimator.metrics.BoostingBaseline``.
"""

import numpy as np
from common.options import make_parser, read_options
from common.stars import LABELS, UNITS, load_split
from scipy.stats import loguniform
from sklearn.metrics import make_scorer
from sklearn.model_selection import RandomizedSearchCV

from msaestimator.metrics import BoostingBaseline, mae
from msaestimator.preprocessing import read_labels


def relative_error(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    """Return the mean over the labels of MAE in units of the labels' spread."""
    return float(np.mean(mae(y_true, y_pred) / np.nanstd(y_true, axis=0)))


def main() -> None:
    """Search and print."""
    parser = make_parser(__doc__)
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--stars", type=int)
    parser.add_argument("--trees", type=int, nargs="+", default=[200, 400, 800])
    options = read_options(parser, trials=1, trees=[2])
    stars = load_split(toy=options.toy)[0][: options.stars]
    labels = read_labels(stars, UNITS)
    search = RandomizedSearchCV(
        BoostingBaseline(LABELS),
        {
            "max_iter": options.trees,
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
