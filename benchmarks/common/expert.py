"""The baseline of the experiments: gradient boosting trained for one label from fixed inputs."""

from argparse import Namespace
from collections.abc import Iterable, Sequence

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from common.generalist import Comparison, Known

__all__ = ["best_expert", "complete"]

N_TREES, N_TOY_TREES = 2000, 5
"""As many as the baseline of Leung & Bovy (2024) has, and few."""


def complete(known: Known, names: Sequence[str]) -> np.ndarray:
    """Return which stars have all of these quantities."""
    return np.isfinite(known.matrix(names)).all(axis=1)


def best_expert(
    options: Namespace,
    selections: Iterable[Known],
    test: Known,
    name: str,
    inputs: Sequence[str],
    *,
    logarithms: Sequence[bool] = (False,),
) -> Comparison:
    """Return the best of several experts, as the test stars themselves say, in its favour.

    One is trained on each selection of stars, on the label and on its logarithm as asked.
    """
    found = []
    for stars in selections:
        chosen = stars.rows(complete(stars, [*inputs, name]))
        for logarithm in logarithms:
            expert = make_expert(options, logarithm).fit(chosen.matrix(inputs), chosen[name])
            answer = expert.predict(test.matrix(inputs))
            found.append(Comparison(name, test[name], answer, test.error(name)))
    return min(found, key=lambda comparison: comparison.scatter)


def make_expert(options: Namespace, logarithm: bool) -> TransformedTargetRegressor:
    """Return an untrained expert, which scales inputs and label."""
    from xgboost import XGBRegressor

    n_trees = N_TOY_TREES if options.toy else N_TREES
    steps = [FunctionTransformer(np.log, np.exp, check_inverse=False)] if logarithm else []
    return TransformedTargetRegressor(
        make_pipeline(StandardScaler(), XGBRegressor(n_estimators=n_trees, n_jobs=1)),
        transformer=make_pipeline(*steps, StandardScaler()),
    )
