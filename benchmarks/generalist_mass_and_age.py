"""Mass and age of giants from spectra, told more or less of them (section 4.1.2).

Run from the repository's root::

    python benchmarks/generalist_mass_and_age.py MODELS

on giants of the mock survey, beside XGBoost trained on all its stars and on its giants, on the
label and on its logarithm: the one that is better on the test stars counts. With ``--ages FILE``,
a table of real giants with ``source_id``, ``age`` and ``age_err`` in Gyr (such as that of
Hasselquist et al. 2020), also on the real stars of the test split that have an age there, asking
the model that ``generalist_train.py --ages FILE`` made.
"""

from argparse import Namespace
from pathlib import Path

import numpy as np
from common.expert import best_expert, complete
from common.figures import save_figure
from common.generalist import (
    MOCK,
    REAL,
    Known,
    load_model,
    make_experiment_parser,
    mock_stars,
    mock_test_stars,
    print_scores,
    read_experiment_options,
    real_stars,
    with_ages,
)
from common.told import STANDARD, answer_all, draw_all, score_rows

LIMITS = {"mass": (0.6, 3.0), "age": (0.0, 14.0)}
"""In solar masses and Gyr."""

GIANT_LOGG = 3.5


def main() -> None:
    """Answer, score, draw."""
    parser = make_experiment_parser(__doc__)
    parser.add_argument("--ages", type=Path)
    options = read_experiment_options(parser)
    model = load_model(options, "mock")
    training = Known.of(model, mock_stars(options.mock_stars))
    test = Known.of(model, mock_test_stars(options, 15000))
    test = test.rows(is_giant(test) & complete(test, STANDARD))
    selections = [training, training.rows(is_giant(training))]
    experiment(options, "mass_and_age", MOCK, "mock", selections, test, LIMITS)
    if options.ages:
        model = load_model(options, "ages")
        training, test = (
            Known.of(model, with_ages(real_stars(options, split), options.ages))
            for split in ("train", "test")
        )
        test = test.rows(np.isfinite(test["age"]) & complete(test, STANDARD))
        ages = {"age": LIMITS["age"]}
        experiment(options, "real_ages", REAL, "ages", [training], test, ages)


def experiment(
    options: Namespace,
    name: str,
    stars: str,
    model_name: str,
    selections: list[Known],
    test: Known,
    limits: dict[str, tuple[float, float]],
) -> None:
    """Ask model and experts about test stars, and report."""
    experts = {
        label: best_expert(options, selections, test, label, STANDARD, logarithms=(False, True))
        for label in limits
    }
    model = load_model(options, model_name)
    answers = {"XGBoost: 30 + 30, col.": experts} | answer_all(model, test, list(limits))
    text = f"{stars}, {len(test.values)} giants"
    print_scores(f"{text}; NMAD in solar masses and Gyr", score_rows(answers))
    save_figure(draw_all(answers, limits), options, name, text)


def is_giant(stars: Known) -> np.ndarray:
    """Return which stars are giants."""
    return stars["logg"] < GIANT_LOGG


if __name__ == "__main__":
    main()
